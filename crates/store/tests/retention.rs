//! Forgetting the beginning of history on real stores: by rows, and where there are parts, by parts.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use chrono::TimeDelta;
use diesel::{Connection, PgConnection, RunQueryDsl, connection::SimpleConnection, sql_types::Text};
use domain::{Actor, Entry, Instant, Job, JobState, Operation, Segment, Source};
use store::{DieselStore, Options};
use testkit::{TempPostgres, World, slug, user};
use usecases::{
    history, jobs,
    ports::{HistoryFilter, StoreError},
    retention, segments,
};

fn world(url: &str) -> World {
    let options = Options {
        url: url.to_owned(),
        pool_size: 4,
        pool_timeout: Duration::from_secs(10),
        statement_timeout: Duration::from_secs(30),
    };
    let store = DieselStore::open(&options).unwrap();
    store.migrate().unwrap();
    World::on(Box::new(store))
}

/// Half a year in which users come, stay longer and go, and workers make parts.
fn has_half_a_year(world: &World) {
    for text in ["A", "B"] {
        world.has_segment(text);
    }
    for day in 0..180 {
        make_parts(world);
        let user = format!("u{}", day % 37);
        match day % 5 {
            0 | 1 => world.change(&user, &["A"], &[]).unwrap(),
            2 => world.change(&user, &["B"], &["A"]).unwrap(),
            3 => world.change_until(&user, &["A"], &[], Some(until(40))).unwrap(),
            _ => world.change(&user, &[], &["A", "B"]).unwrap(),
        };
        world.clock.advance(TimeDelta::days(1));
        world.expire();
    }
}

fn make_parts(world: &World) -> usize {
    retention::make_parts(&*world.app.store, world.now()).unwrap()
}

fn until(days: i64) -> usecases::memberships::Deadline {
    usecases::memberships::Deadline::After(domain::Ttl::from_seconds(days * 86_400).unwrap())
}

fn told_since(world: &World, begins: Instant) -> Vec<Vec<String>> {
    let days = (0..).map(|day| begins + TimeDelta::days(day)).take_while(|at| *at <= world.now());
    days.flat_map(|at| ["A", "B"].map(|text| (at, text)))
        .map(|(at, text)| {
            let members = world.look(|look| history::members(look, &slug(text), Some(at), None, 100));
            members.iter().map(|member| format!("{} {:?}", member.user, member.expires_at)).collect()
        })
        .collect()
}

fn forget(world: &World, months: u32, dry_run: bool) -> Job {
    let job = world.act(|act| retention::request(act, months, dry_run)).unwrap();
    world.finish(job).unwrap()
}

fn forgets_what_was_before(url: &str) -> retention::Outcome {
    let world = world(url);
    has_half_a_year(&world);
    let begins = retention::beginning(world.now(), 2).unwrap();
    let before = (told_since(&world, begins), world.history_lines().len() as u64);
    let trial = retention::Outcome::of(&forget(&world, 2, true));

    let job = forget(&world, 2, false);

    assert_eq!(job.state, JobState::Done);
    let outcome = retention::Outcome::of(&job);
    assert_eq!(outcome, trial);
    assert!(outcome.forgotten > 20 && outcome.kept > 5, "{outcome:?}");
    assert_eq!((told_since(&world, begins), world.history_lines().len() as u64 + outcome.forgotten), before);
    assert_eq!(world.differences(), Vec::<String>::new());
    outcome
}

#[test]
fn both_engines_forget_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let of_sqlite = forgets_what_was_before(&format!("sqlite://{}", folder.path().join("strata.db").display()));
    assert_eq!(forgets_what_was_before(&TempPostgres::shared().database()), of_sqlite);
}

fn parts(conn: &mut PgConnection) -> Vec<String> {
    #[derive(diesel::QueryableByName)]
    struct Part {
        #[diesel(sql_type = Text)]
        name: String,
    }
    let query =
        "SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'history'::regclass ORDER BY 1";
    diesel::sql_query(query).load::<Part>(conn).unwrap().into_iter().map(|part| part.name).collect()
}

#[test]
fn postgresql_drops_the_parts_of_forgotten_months() {
    let url = TempPostgres::shared().database();
    let world = world(&url);
    has_half_a_year(&world);
    let conn = &mut PgConnection::establish(&url).unwrap();
    let month = |ago: u32| retention::beginning(world.now(), ago).unwrap().format("history_%Y_%m").to_string();
    assert!(parts(conn).contains(&month(3)));
    forget(&world, 2, false);
    let left = parts(conn);
    assert_eq!(left.first(), Some(&month(2)));
    assert_eq!(left.last().map(String::as_str), Some("history_rest"));
    make_parts(&world);
    assert_eq!(parts(conn), left, "no part comes back for what was kept");
}

#[test]
fn who_reads_history_is_not_disturbed_and_not_waited_for_by_others() {
    let url = TempPostgres::shared().database();
    let world = world(&url);
    has_half_a_year(&world);
    let reader = &mut PgConnection::establish(&url).unwrap();
    reader.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM history").unwrap();
    let rows = |conn: &mut PgConnection| {
        #[derive(diesel::QueryableByName)]
        struct Count {
            #[diesel(sql_type = diesel::sql_types::BigInt)]
            count: i64,
        }
        diesel::sql_query("SELECT count(*) AS count FROM history").get_result::<Count>(conn).unwrap().count
    };
    let seen = rows(reader);
    let job = world.act(|act| retention::request(act, 2, false)).unwrap();
    std::thread::scope(|scope| {
        let worker = scope.spawn(|| world.finish(job.clone()).unwrap());
        for number in 0..20 {
            let begun = std::time::Instant::now();
            world.change(&format!("late{number}"), &["A"], &[]).unwrap();
            assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
            std::thread::sleep(Duration::from_millis(100));
        }
        assert_eq!(rows(reader), seen);
        assert!(!worker.is_finished());
        assert_eq!(world.look(|look| jobs::get(look, job.id)).state, JobState::Running);
        reader.batch_execute("COMMIT").unwrap();
        assert_eq!(worker.join().unwrap().state, JobState::Done);
    });
    assert_eq!(world.differences(), Vec::<String>::new());
}

#[test]
fn where_somebody_always_reads_the_rows_go_one_by_one() {
    let url = TempPostgres::shared().database();
    let world = world(&url);
    has_half_a_year(&world);
    let begins = retention::beginning(world.now(), 2).unwrap();
    let before = (told_since(&world, begins), world.history_lines().len() as u64);
    let expected = retention::Outcome::of(&forget(&world, 2, true));
    let reader = &mut PgConnection::establish(&url).unwrap();
    reader.batch_execute("BEGIN; SELECT count(*) FROM history").unwrap();
    let job = world.act(|act| retention::request(act, 2, false)).unwrap();
    let job = std::thread::scope(|scope| {
        let worker = scope.spawn(|| world.finish(job.clone()).unwrap());
        while !worker.is_finished() {
            std::thread::sleep(Duration::from_millis(500));
            world.clock.advance(TimeDelta::minutes(1));
        }
        worker.join().unwrap()
    });
    assert_eq!((job.state, retention::Outcome::of(&job)), (JobState::Done, expected));
    assert_eq!(world.history_lines().len() as u64 + expected.forgotten, before.1);
    reader.batch_execute("COMMIT").unwrap();
    let told = told_since(&world, begins);
    assert_eq!(told[..before.0.len()], before.0);
    assert_eq!(world.differences(), Vec::<String>::new());
}

/// Dated back, as data from elsewhere is: a row of the rest until its month has a part.
fn add(number: i64, segment: &Segment, now: Instant) -> Entry {
    Entry {
        user: user(&format!("u{number}")),
        segment: segment.reference(),
        operation: Operation::Add,
        at: now - TimeDelta::days(30 * (number % 50) + 1),
        since: None,
        expires_at: None,
        source: Source::Import,
        actor: Actor::new("a test"),
        reason: None,
        job: None,
    }
}

#[test]
fn rows_that_come_while_their_part_is_made_come_or_are_refused() {
    let url = TempPostgres::shared().database();
    let world = world(&url);
    world.has_segment("A");
    let segment = world.look(|look| segments::get(look, &slug("A")));
    let now = world.now();
    let kept: Vec<i64> = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..3)
            .map(|writer| {
                let (world, segment) = (&world, &segment);
                scope.spawn(move || {
                    let mut kept = Vec::new();
                    for number in (writer..300).step_by(3) {
                        let entry = add(number, segment, now);
                        match world.app.store.write(|unit| unit.memberships().record(std::slice::from_ref(&entry))) {
                            Ok(()) => kept.push(number),
                            Err(error) => assert!(matches!(error, StoreError::Contended(_)), "{error}"),
                        }
                    }
                    kept
                })
            })
            .collect();
        while !writers.iter().all(std::thread::ScopedJoinHandle::is_finished) {
            make_parts(&world);
        }
        writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect()
    });
    assert!(kept.len() > 200, "{} of 300", kept.len());
    make_parts(&world);
    let rows = world.look(|look| history::count(look, &HistoryFilter::default()));
    assert_eq!(rows, kept.len() as u64);
    let conn = &mut PgConnection::establish(&url).unwrap();
    assert!(parts(conn).len() > 40, "{:?}", parts(conn));
}

#[test]
fn parts_that_somebody_keeps_from_being_made_are_made_later() {
    let url = TempPostgres::shared().database();
    let world = world(&url);
    let reader = &mut PgConnection::establish(&url).unwrap();
    reader.batch_execute("BEGIN; SELECT count(*) FROM history").unwrap();
    assert_eq!(make_parts(&world), 0);
    reader.batch_execute("COMMIT").unwrap();
    assert_eq!(make_parts(&world), 3);
}
