//! What one user's change does, and what it refuses.

#![allow(clippy::unwrap_used)]

use chrono::TimeDelta;
use domain::{Entry, Instant, Operation, Source, Ttl};
use testkit::{World, slug, user};
use usecases::{
    Error, Subject,
    history::{self, HistoryQuery},
    memberships::{self, Deadline},
};

fn world() -> World {
    let world = World::in_memory();
    for text in ["A", "B", "C"] {
        world.has_segment(text);
    }
    world
}

fn rows(world: &World) -> Vec<Entry> {
    let rows = world.look(|look| {
        let filter = history::filter(look, &HistoryQuery::default())?;
        history::page(look, &filter, 10_000)
    });
    rows.into_iter().map(|row| row.entry).collect()
}

fn operations(world: &World) -> Vec<(Operation, Instant, Source)> {
    rows(world).into_iter().map(|entry| (entry.operation, entry.at, entry.source)).collect()
}

fn in_one_hour(world: &World) -> Option<Deadline> {
    Some(Deadline::At(world.now() + TimeDelta::hours(1)))
}

fn stored_since(world: &World, id: &str) -> Vec<(Instant, Option<Instant>)> {
    let found = world.look(|look| memberships::of_user(look, &user(id), None));
    found.into_iter().map(|found| (found.since, found.expires_at)).collect()
}

fn code(error: Error) -> &'static str {
    match error {
        Error::Invalid(faults) => faults[0].code,
        other => panic!("it was to be invalid: {other:?}"),
    }
}

fn names(slugs: &[domain::Slug]) -> Vec<&str> {
    slugs.iter().map(domain::Slug::as_str).collect()
}

#[test]
fn an_add_brings_the_user_to_life() {
    let world = world();
    let changed = world.change("1000", &["B", "A"], &[]).unwrap();
    assert_eq!((names(&changed.segments), names(&changed.added)), (vec!["A", "B"], vec!["A", "B"]));
    assert_eq!(world.active("1000"), ["A", "B"]);
    world.look(|look| usecases::users::get(look, &user("1000")));
    assert_eq!(rows(&world).len(), 2);
}

#[test]
fn reading_and_removing_create_nobody() {
    let world = world();
    assert_eq!(world.active("1000"), Vec::<String>::new());
    let changed = world.change("1000", &[], &["A"]).unwrap();
    assert_eq!(names(&changed.unchanged), ["A"]);
    assert!(!world.look(|look| memberships::is_member(look, &user("1000"), &slug("A"))));
    assert!(matches!(
        world.app.look(&testkit::caller(), |look| usecases::users::get(look, &user("1000"))),
        Err(Error::NotFound(Subject::User, _))
    ));
    assert_eq!(rows(&world), []);
}

#[test]
fn two_empty_lists_are_invalid() {
    assert_eq!(code(world().change("1000", &[], &[]).unwrap_err()), "nothing_to_do");
}

#[test]
fn a_slug_cannot_be_added_and_removed_at_once() {
    let world = world();
    assert_eq!(code(world.change("1000", &["A", "B"], &["C", "B"]).unwrap_err()), "added_and_removed");
    assert_eq!(rows(&world), []);
}

#[test]
fn more_segments_than_a_change_names_are_invalid() {
    let slugs: Vec<String> = (0..=memberships::SEGMENTS_MAX).map(|number| format!("s{number}")).collect();
    let slugs: Vec<&str> = slugs.iter().map(String::as_str).collect();
    assert_eq!(code(world().change("1000", &slugs, &[]).unwrap_err()), "too_many");
}

#[test]
fn every_unknown_slug_is_named_and_nothing_is_applied() {
    let world = world();
    world.change("1000", &["C"], &[]).unwrap();
    let error = world.change("1000", &["A", "X", "Y"], &["Z", "C"]).unwrap_err();
    let Error::NotFound(Subject::Segment, mut names) = error else { panic!("{error:?}") };
    names.sort();
    assert_eq!(names, ["X", "Y", "Z"]);
    assert_eq!(world.active("1000"), ["C"]);
    assert_eq!(rows(&world).len(), 1);
}

#[test]
fn a_refused_add_brings_nobody_to_life() {
    let world = world();
    world.change("1000", &["A", "X"], &[]).unwrap_err();
    world.change_until("1000", &["A"], &[], Some(Deadline::At(world.now()))).unwrap_err();
    assert!(world.app.look(&testkit::caller(), |look| usecases::users::get(look, &user("1000"))).is_err());
}

#[test]
fn a_deadline_before_now_or_exactly_now_is_invalid() {
    let world = world();
    for micros in [-1, 0] {
        let deadline = Some(Deadline::At(world.now() + TimeDelta::microseconds(micros)));
        assert_eq!(code(world.change_until("1000", &["A"], &[], deadline).unwrap_err()), "in_the_past");
    }
    let soonest = Some(Deadline::At(world.now() + TimeDelta::microseconds(1)));
    assert_eq!(names(&world.change_until("1000", &["A"], &[], soonest).unwrap().added), ["A"]);
}

#[test]
fn a_slug_named_twice_counts_once() {
    let world = world();
    let changed = world.change("1000", &["A", "A"], &["B", "B"]).unwrap();
    assert_eq!((names(&changed.added), names(&changed.unchanged)), (vec!["A"], vec!["B"]));
    assert_eq!(rows(&world).len(), 1);
}

#[test]
fn adding_a_present_member_without_a_deadline_changes_nothing() {
    let world = world();
    world.change_until("1000", &["A"], &[], in_one_hour(&world)).unwrap();
    let before = stored_since(&world, "1000");
    world.clock.advance(TimeDelta::minutes(1));
    assert_eq!(names(&world.change("1000", &["A"], &[]).unwrap().unchanged), ["A"]);
    assert_eq!(stored_since(&world, "1000"), before);
    assert_eq!(rows(&world).len(), 1);
}

#[test]
fn adding_a_present_member_with_a_deadline_extends() {
    let world = world();
    let since = world.now();
    world.change("1000", &["A"], &[]).unwrap();
    world.clock.advance(TimeDelta::minutes(1));
    let deadline = world.now() + TimeDelta::hours(1);
    let changed = world.change_until("1000", &["A"], &[], in_one_hour(&world)).unwrap();
    assert_eq!(names(&changed.extended), ["A"]);
    assert_eq!(stored_since(&world, "1000"), [(since, Some(deadline))]);
    let last = rows(&world).pop().unwrap();
    assert_eq!((last.operation, last.at, last.expires_at), (Operation::Extend, world.now(), Some(deadline)));
}

#[test]
fn a_deadline_can_also_come_nearer() {
    let world = world();
    world.change_until("1000", &["A"], &[], in_one_hour(&world)).unwrap();
    let nearer = Deadline::After(Ttl::parse("PT1M").unwrap());
    assert_eq!(names(&world.change_until("1000", &["A"], &[], Some(nearer)).unwrap().extended), ["A"]);
    world.clock.advance(TimeDelta::minutes(1));
    assert_eq!(world.active("1000"), Vec::<String>::new());
}

#[test]
fn removing_a_non_member_writes_nothing() {
    let world = world();
    world.change("1000", &["A"], &[]).unwrap();
    assert_eq!(names(&world.change("1000", &[], &["B"]).unwrap().unchanged), ["B"]);
    assert_eq!(rows(&world).len(), 1);
}

#[test]
fn at_the_deadline_a_member_is_out_whether_or_not_the_worker_ran() {
    let world = world();
    world.change_until("1000", &["A"], &[], in_one_hour(&world)).unwrap();
    world.clock.advance(TimeDelta::hours(1) - TimeDelta::microseconds(1));
    assert_eq!(world.active("1000"), ["A"]);
    world.clock.advance(TimeDelta::microseconds(1));
    assert_eq!(world.active("1000"), Vec::<String>::new());
    assert!(!world.look(|look| memberships::is_member(look, &user("1000"), &slug("A"))));
    assert_eq!(world.look(|look| memberships::of_user(look, &user("1000"), None)), []);
    assert_eq!(world.look(|look| history::members(look, &slug("A"), None, None, 9)), []);
    assert_eq!(world.look(|look| history::count_members(look, &slug("A"), None)), 0);
    assert_eq!(world.look(|look| usecases::distributions::get(look, &slug("A"))).user_count, 0);
    assert_eq!(rows(&world).len(), 1);
}

#[test]
fn a_late_worker_stamps_the_deadline_and_never_twice() {
    let world = world();
    let since = world.now();
    world.change_until("1000", &["A"], &[], in_one_hour(&world)).unwrap();
    world.clock.advance(TimeDelta::days(3));
    assert_eq!((world.expire(), world.expire()), (1, 0));
    let deadline = since + TimeDelta::hours(1);
    let expected = [(Operation::Add, since, Source::Manual), (Operation::Remove, deadline, Source::Expiry)];
    assert_eq!(operations(&world), expected);
    assert_eq!(world.differences(), Vec::<String>::new());
}

#[test]
fn a_worker_ends_no_more_than_it_is_told() {
    let world = world();
    for id in ["1", "2", "3"] {
        world.change_until(id, &["A"], &[], in_one_hour(&world)).unwrap();
    }
    world.clock.advance(TimeDelta::hours(1));
    let ended = || world.act(|act| memberships::expire(act, 2)).unwrap();
    assert_eq!((ended(), ended(), ended()), (2, 1, 0));
}

#[test]
fn adding_after_the_deadline_begins_anew_and_writes_the_end_first() {
    let world = world();
    let first = world.now();
    world.change_until("1000", &["A"], &[], in_one_hour(&world)).unwrap();
    world.clock.advance(TimeDelta::hours(2));
    assert_eq!(names(&world.change("1000", &["A"], &[]).unwrap().added), ["A"]);
    assert_eq!(
        operations(&world),
        [
            (Operation::Add, first, Source::Manual),
            (Operation::Remove, first + TimeDelta::hours(1), Source::Expiry),
            (Operation::Add, world.now(), Source::Manual),
        ]
    );
    assert_eq!(stored_since(&world, "1000"), [(world.now(), None)]);
    assert_eq!(world.expire(), 0);
}

#[test]
fn removing_after_the_deadline_writes_the_end_at_the_deadline() {
    let world = world();
    let first = world.now();
    world.change_until("1000", &["A"], &[], in_one_hour(&world)).unwrap();
    world.clock.advance(TimeDelta::hours(2));
    assert_eq!(names(&world.change("1000", &[], &["A"]).unwrap().unchanged), ["A"]);
    assert_eq!(operations(&world)[1], (Operation::Remove, first + TimeDelta::hours(1), Source::Expiry));
    assert_eq!(world.expire(), 0);
}

#[test]
fn a_removal_by_hand_cancels_the_deadline() {
    let world = world();
    world.change_until("1000", &["A"], &[], in_one_hour(&world)).unwrap();
    world.change("1000", &[], &["A"]).unwrap();
    world.change("1000", &["A"], &[]).unwrap();
    world.clock.advance(TimeDelta::days(1));
    assert_eq!(world.expire(), 0);
    assert_eq!(world.active("1000"), ["A"]);
}

#[test]
fn a_segments_own_ttl_counts_when_the_call_names_none() {
    let world = World::in_memory();
    world.has_segment_with("A", None, Some("PT1H"));
    world.change("1", &["A"], &[]).unwrap();
    world.change_until("2", &["A"], &[], Some(Deadline::After(Ttl::parse("P1D").unwrap()))).unwrap();
    let now = world.now();
    assert_eq!(stored_since(&world, "1"), [(now, Some(now + TimeDelta::hours(1)))]);
    assert_eq!(stored_since(&world, "2"), [(now, Some(now + TimeDelta::days(1)))]);
}

#[test]
fn a_rehearsed_change_tells_the_same_and_leaves_nothing() {
    let world = world();
    let command = || memberships::ChangeMemberships {
        user: user("1000"),
        add: vec![memberships::Addition { slug: slug("A"), deadline: None, reason: None, pointer: String::new() }],
        remove: Vec::new(),
        deadline: None,
        reason: None,
    };
    let told = world.app.rehearse(&testkit::caller(), |act| memberships::change(act, command())).unwrap();
    assert_eq!(world.active("1000"), Vec::<String>::new());
    assert_eq!(rows(&world), []);
    assert_eq!(told, world.act(|act| memberships::change(act, command())).unwrap());
}
