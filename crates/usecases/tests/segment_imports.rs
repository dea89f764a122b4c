//! Files of segments: what each row does, and what is refused.

#![allow(clippy::unwrap_used)]

use chrono::TimeDelta;
use domain::{Job, JobState, Segment};
use tables::{Format, Packing};
use testkit::{World, importing, slug};
use usecases::{
    Error, Expected,
    exports::Export,
    imports::{Import, Mode, Outcome, What},
    ports::{SegmentQuery, UserQuery},
    segments::{self, StatsQuery},
};

fn import(world: &World, file: &str) -> Job {
    let job = world.import(&importing(What::Segments), file).unwrap();
    assert_eq!((job.state, job.problem.as_deref()), (JobState::Done, None));
    assert_eq!(Some(job.done), job.total);
    job
}

fn segment(world: &World, text: &str) -> Segment {
    world.look(|look| segments::get(look, &slug(text)))
}

fn count(world: &World, text: &str) -> u64 {
    let all = world.look(|look| segments::stats(look, &StatsQuery::default(), 1_000));
    all.into_iter().find(|(segment, _)| segment.slug.as_str() == text).unwrap().1
}

fn refusals(job: &Job) -> Vec<(u64, String)> {
    Outcome::of(job).refusals.into_iter().map(|refused| (refused.line, refused.column)).collect()
}

#[test]
fn segments_are_made_as_their_rows_say() {
    let world = World::in_memory();
    let file = "segment;name;description;kind;percent;seed;default_ttl;user_count;created_at;updated_at\n\
        A;Первый;\"Wer, wann\";manual;;00000000000000ff;P1D;17;2020-01-01T00:00:00Z;2021-01-01T00:00:00.000001Z\n\
        B;;;;12.5;;;;;\n\
        007;007;;;;;;;;\n";
    let outcome = Outcome::of(&import(&world, file));
    assert_eq!((outcome.added, outcome.updated, outcome.unchanged), (3, 0, 0));
    let a = segment(&world, "A");
    assert_eq!(
        (a.name.as_str(), a.description.as_str(), a.seed.to_string().as_str()),
        ("Первый", "Wer, wann", "00000000000000ff")
    );
    assert_eq!(a.default_ttl.unwrap().to_string(), "P1D");
    assert_eq!(
        (a.created_at.to_rfc3339(), a.updated_at.to_rfc3339()),
        ("2020-01-01T00:00:00+00:00".into(), "2021-01-01T00:00:00.000001+00:00".into())
    );
    let b = segment(&world, "B");
    assert_eq!((b.name.as_str(), b.percent.unwrap().to_string().as_str(), b.kind.as_str()), ("B", "12.5", "percent"));
    assert_eq!((b.created_at, b.version), (world.now(), 1));
    let again = Outcome::of(&import(&world, file));
    assert_eq!((again.added, again.updated, again.unchanged), (0, 0, 3));
    assert_eq!((segment(&world, "A"), segment(&world, "B")), (a, b));
}

#[test]
fn what_a_row_leaves_out_stays() {
    let world = World::in_memory();
    let before = world.has_segment_with("A", None, Some("P1D"));
    world.clock.advance(TimeDelta::hours(1));
    let outcome = Outcome::of(&import(&world, "segment;description;created_at\nA;What for;2001-01-01\n"));
    assert_eq!((outcome.added, outcome.updated), (0, 1));
    let after = segment(&world, "A");
    let expected = Segment { description: after.description.clone(), version: 2, updated_at: world.now(), ..before };
    assert_eq!(after, expected);
    assert_eq!(after.description.as_str(), "What for");
    import(&world, "segment;name\nA;A name\n");
    assert_eq!(segment(&world, "A").name.as_str(), "A name");
    import(&world, "segment;name\nA;A\n");
    assert_eq!(segment(&world, "A").name.as_str(), "A");
}

#[test]
fn a_percent_gives_the_segment_to_its_share() {
    let world = World::in_memory();
    world.has_users(200);
    world.has_segment("OLD");
    import(&world, "segment;percent;seed\nNEW;30;00000000000000ff\nOLD;10;00000000000000aa\n");
    assert_eq!((count(&world, "NEW"), count(&world, "OLD")), (60, 20));
    let lowest = |world: &World, text: &str, seed: u64| {
        let mut all: Vec<_> = (1..=200)
            .map(|n| testkit::user(&n.to_string()))
            .map(|user| (domain::Seed(seed).position(&user), user))
            .collect();
        all.sort();
        let limit = all[usize::try_from(count(world, text)).unwrap()].0;
        all.into_iter()
            .all(|(position, user)| world.active(user.as_str()).contains(&text.to_owned()) == (position < limit))
    };
    assert!(lowest(&world, "NEW", 0xff) && lowest(&world, "OLD", 0xaa));
    import(&world, "segment;percent\nNEW;5\nOLD;20\n");
    assert_eq!((count(&world, "NEW"), count(&world, "OLD")), (10, 40));
    assert!(lowest(&world, "NEW", 0xff) && lowest(&world, "OLD", 0xaa));
    assert_eq!(world.differences(), Vec::<String>::new());
}

#[test]
fn bad_rows_stop_none_of_the_others() {
    let world = World::in_memory();
    world.has_segment_with("GIVEN", Some("10"), None);
    let file = "segment;name;kind;percent;seed;default_ttl;created_at\n\
        import;;;;;;\n\
        ;;;;;;\n\
        B;123456789012345678901234567890123456789012345678901;;;;;\n\
        C;;odd;;;;\n\
        D;;rule;;;;\n\
        E;;percent;;;;\n\
        F;;manual;5;;;\n\
        G;;;101;;;\n\
        H;;;0.00001;;;\n\
        I;;;;FF;;\n\
        J;;;;;P0D;\n\
        K;;;;;;2999-01-01\n\
        GIVEN;;;;00000000000000ff;;\n\
        GOOD;;percent;1e1;;60;\n";
    let job = import(&world, file);
    let told: Vec<String> = refusals(&job).into_iter().map(|(line, column)| format!("{line} {column}")).collect();
    let expected = [
        "2 segment",
        "3 segment",
        "4 name",
        "5 kind",
        "6 kind",
        "7 percent",
        "8 percent",
        "9 percent",
        "10 percent",
        "11 seed",
        "12 default_ttl",
        "13 created_at",
        "14 seed",
    ];
    assert_eq!(told, expected);
    assert_eq!(Outcome::of(&job).added, 1);
    assert_eq!(segment(&world, "GOOD").default_ttl.unwrap().to_string(), "PT1M");
}

#[test]
fn unknown_and_missing_columns_and_other_modes_refuse_the_file() {
    let world = World::in_memory();
    let code = |import: &Import, file: &str| match world.import(import, file) {
        Err(Error::Invalid(faults)) => faults[0].code,
        other => panic!("it was to be invalid: {other:?}"),
    };
    let plain = importing(What::Segments);
    assert_eq!(code(&plain, "segment;colour\nA;red\n"), "unknown_column");
    assert_eq!(code(&plain, "name\nA\n"), "missing_column");
    assert_eq!(code(&plain, "segment\n"), "no_rows");
    assert_eq!(code(&Import { mode: Mode::Replace, ..plain }, "segment\nA\n"), "invalid_value");
}

#[test]
fn a_later_row_counts_and_a_dry_run_changes_nothing() {
    let world = World::in_memory();
    let file = "segment;name\nA;first\nB;\nA;second\n";
    let rehearsed = world.import(&Import { dry_run: true, ..importing(What::Segments) }, file).unwrap();
    assert_eq!(world.look(|look| segments::count(look, &SegmentQuery::default())), 0);
    let outcome = Outcome::of(&import(&world, file));
    assert_eq!((outcome.added, outcome.duplicates), (2, 1));
    assert_eq!(Outcome::of(&rehearsed), outcome);
    assert_eq!(segment(&world, "A").name.as_str(), "second");
}

#[test]
fn an_atomic_import_refuses_all_for_one() {
    let world = World::in_memory();
    let atomic = Import { atomic: true, ..importing(What::Segments) };
    let job = world.import(&atomic, "segment;percent\nA;1\nB;101\n").unwrap();
    assert_eq!((job.state, job.refused), (JobState::Failed, 1));
    assert_eq!(world.look(|look| segments::count(look, &SegmentQuery::default())), 0);
    assert_eq!(world.import(&atomic, "segment;percent\nA;1\nB;100\n").unwrap().state, JobState::Done);
    assert_eq!(world.look(|look| segments::count(look, &SegmentQuery::default())), 2);
}

#[test]
fn a_segment_is_no_older_than_its_slug_is_free() {
    let world = World::in_memory();
    world.has_segment("A");
    world.clock.advance(TimeDelta::hours(1));
    world.act(|act| segments::delete(act, &slug("A"), &Expected::Any)).unwrap();
    let freed = world.now();
    world.clock.advance(TimeDelta::hours(1));
    import(&world, "segment;created_at;updated_at\nA;2001-01-01;2001-01-02\n");
    let made = segment(&world, "A");
    assert_eq!((made.created_at, made.updated_at), (freed, freed));
}

#[test]
fn an_import_of_segments_cannot_be_undone() {
    let world = World::in_memory();
    let job = import(&world, "segment\nA\n");
    assert!(matches!(world.undo(job.id), Err(Error::Conflict(_))));
}

/// With users and memberships beside them, the numbers are the same as well.
#[test]
fn statistics_go_round_in_all_forms() {
    let original = World::in_memory();
    original.has_users(100);
    original.has_segment_with("HALF", Some("50"), Some("P30D"));
    original.has_segment_with("LATER", Some("0"), None);
    import(&original, "segment;name;description\nA;=SUM(1);'quoted\nB; a ;\"-x;\n\"\"y\"\"\"\n0010;0010;\n");
    original.clock.advance(TimeDelta::hours(1));
    for user in ["1", "2", "77"] {
        original.change(user, &["A", "0010"], &[]).unwrap();
    }
    let stats = Export::Stats(StatsQuery::default());
    let everybody = original.export(&Export::Users(Default::default()), Format::Ndjson, Packing::Plain);
    for format in [Format::Csv, Format::Ndjson, Format::Xlsx] {
        for packing in [Packing::Plain, Packing::Gzip] {
            let world = World::in_memory();
            world.clock.set(original.now());
            let file = original.export(&stats, format, packing);
            world.import_bytes(&importing(What::Users), &everybody).unwrap();
            assert_eq!(world.import_bytes(&importing(What::Segments), &file).unwrap().refused, 0);
            for text in ["A", "0010"] {
                let members = Export::Members { slug: slug(text), as_of: None, users: UserQuery::default() };
                let members = original.export(&members, format, packing);
                let job = world.import_bytes(&importing(What::Memberships { segment: None }), &members).unwrap();
                assert_eq!((job.refused, Outcome::of(&job).segments_created), (0, 0));
            }
            assert!(world.export(&stats, format, packing) == file, "{format:?} {packing:?}");
            assert_eq!(world.differences(), Vec::<String>::new());
        }
    }
}
