//! Overviews: what is counted of all, against what is known of each.

#![allow(clippy::unwrap_used)]

use chrono::TimeDelta;
use domain::{Operation, Source, Ttl};
use testkit::{World, importing, slug, user};
use usecases::{
    Error,
    endings::{self, EndingFilter},
    history::{self, CountsQuery},
    imports::What,
    memberships::{self, Deadline},
    ports::{Direction, Moves, SegmentQuery},
    segments::{self, BySize, StatsQuery},
    sizes::{self, SizeQuery, SizesQuery},
    summaries,
};

/// A, B and C; users come, stay longer and go in two days.
fn world() -> World {
    let world = World::in_memory();
    ["A", "B", "C"].into_iter().for_each(|text| drop(world.has_segment(text)));
    let day = Some(Deadline::After(Ttl::parse("P1D").unwrap()));
    for hour in 0..48 {
        let who = format!("u{}", hour % 5);
        match hour % 4 {
            0 => drop(world.change(&who, &["A", "B"], &[]).unwrap()),
            1 => drop(world.change_until(&who, &["A"], &[], day).unwrap()),
            2 => drop(world.change(&who, &[], &["B"]).unwrap()),
            _ => drop(world.expire()),
        }
        world.clock.advance(TimeDelta::hours(1));
    }
    world.import(&importing(What::Memberships { segment: Some(slug("B")) }), "user_id\nx\ny\nz\n").unwrap();
    world
}

fn counts(segment: Option<&str>, who: Option<&str>, step: &str) -> CountsQuery {
    let (user, segment) = (who.map(user), segment.map(slug));
    CountsQuery { user, segment, from: None, to: None, step: Ttl::parse(step).unwrap() }
}

#[test]
fn what_is_counted_is_what_history_tells() {
    let world = world();
    for (segment, who) in [(None, None), (Some("B"), None), (None, Some("u1")), (Some("A"), Some("u2"))] {
        for step in ["PT1H", "PT7H", "P1D", "P1M"] {
            let query = counts(segment, who, step);
            let told = world.look(|look| history::counts(look, &query));
            let rows = world.look(|look| {
                let query = history::HistoryQuery {
                    user: query.user.clone(),
                    segment: query.segment.clone(),
                    ..Default::default()
                };
                let filter = history::filter(look, &query)?;
                history::page(look, &filter, 1_000)
            });
            for ends in told.points.windows(2) {
                let within = rows.iter().filter(|row| ends[0].0 < row.entry.at && row.entry.at <= ends[1].0);
                let count = |operation| within.clone().filter(|row| row.entry.operation == operation).count() as u64;
                let [added, removed, extended] = [Operation::Add, Operation::Remove, Operation::Extend].map(count);
                assert_eq!(ends[1].1, Moves { added, removed, extended }, "{segment:?} {who:?} {step}");
            }
            assert_eq!(told.points[0].1, Moves::default());
            let added: u64 = told.sources.iter().map(|(_, moves)| moves.added).sum();
            assert_eq!(added, told.points.iter().map(|(_, moves)| moves.added).sum::<u64>());
            assert!(told.sources.is_sorted_by_key(|(source, _)| source.as_str()));
        }
    }
}

#[test]
fn sizes_of_each_are_those_of_one() {
    let world = world();
    let slugs = vec![slug("B"), slug("A"), slug("C")];
    let step = Ttl::parse("PT5H").unwrap();
    let of_each =
        world.look(|look| sizes::of_each(look, &SizesQuery { slugs: slugs.clone(), from: None, to: None, step }));
    for (slug, sizes) in slugs.into_iter().zip(of_each) {
        let query = SizeQuery { slug, from: None, to: None, step };
        assert_eq!(sizes, world.look(|look| sizes::over_time(look, &query)));
    }
    let unknown = SizesQuery { slugs: ["NO", "A", "NIX"].map(slug).to_vec(), from: None, to: None, step };
    match world.app.look(&testkit::caller(), |look| sizes::of_each(look, &unknown)) {
        Err(Error::NotFound(_, names)) => assert_eq!(names, ["NO", "NIX"]),
        other => panic!("{other:?}"),
    }
}

#[test]
fn statistics_go_by_size_page_by_page() {
    let world = world();
    for direction in [Direction::Ascending, Direction::Descending] {
        let mut by_size = BySize { direction, after: None };
        let mut told = Vec::new();
        loop {
            let query = StatsQuery { segments: SegmentQuery::default(), by_size: Some(by_size.clone()) };
            let page = world.look(|look| segments::stats(look, &query, 1));
            let Some((segment, count)) = page.into_iter().next() else { break };
            by_size.after = Some((count, segment.slug.clone()));
            told.push((count, segment.slug.to_string()));
        }
        let mut all: Vec<(u64, String)> = world
            .look(|look| segments::stats(look, &StatsQuery::default(), 9))
            .into_iter()
            .map(|(segment, count)| (count, segment.slug.to_string()))
            .collect();
        all.sort();
        if direction == Direction::Descending {
            all.reverse();
        }
        assert_eq!(told, all);
    }
}

#[test]
fn the_summary_tells_what_there_is_and_what_happened_since() {
    let world = world();
    let told = summaries::tell(&world.app, &testkit::caller(), None).unwrap().found;
    assert_eq!((told.totals.users, told.segments), (8, 3));
    let stats = world.look(|look| segments::stats(look, &StatsQuery::default(), 9));
    assert_eq!(told.totals.memberships.memberships, stats.iter().map(|(_, count)| count).sum::<u64>());
    assert!(told.since.at <= world.now() && world.now() - told.since.at < TimeDelta::days(1));
    let later = summaries::tell(&world.app, &testkit::caller(), Some(world.now())).unwrap().found;
    assert_eq!((later.since.moves, later.since.segments_changed), (Moves::default(), 0));
    let query = world.look(|look| endings::query(look, &EndingFilter::default()));
    let ending = world.look(|look| endings::list(look, &query, 99));
    assert_eq!(told.totals.memberships.with_deadline, ending.len() as u64);
    let within =
        |days| ending.iter().filter(|one| one.expires_at.unwrap() < world.now() + TimeDelta::days(days)).count();
    assert_eq!(told.totals.ending, [within(1) as u64, within(7) as u64]);
    let sources = world.look(|look| summaries::sources(look, Some(&slug("B"))));
    assert!(sources.contains(&(Source::Import, 3)), "{sources:?}");
}

#[test]
fn whoever_left_is_told_when_and_how() {
    let world = world();
    world.change("x", &[], &["B"]).unwrap();
    let why = world.look(|look| memberships::why(look, &user("x"), &slug("B")));
    assert_eq!((&why.membership, why.position), (&None, None));
    let operations: Vec<Operation> = why.history.iter().map(|row| row.entry.operation).collect();
    assert_eq!(operations, [Operation::Remove, Operation::Add]);
    for _ in 0..15 {
        world.clock.advance(TimeDelta::minutes(1));
        world.change("x", &["B"], &[]).unwrap();
        world.change("x", &[], &["B"]).unwrap();
    }
    assert_eq!(world.look(|look| memberships::why(look, &user("x"), &slug("B"))).history.len(), 20);
}
