//! The check finds whatever is not as history says.

use chrono::TimeDelta;
use domain::{Actor, Entry, Operation, Segment, Source};
use testkit::{World, slug, user};
use usecases::checks::{self, Checked, Difference, Finding};

fn world() -> (World, Segment) {
    let world = World::in_memory();
    let segment = world.has_segment("A");
    world.change("1", &["A"], &[]).unwrap();
    (world, segment)
}

fn found(world: &World) -> Vec<Difference> {
    let mut found = Vec::new();
    world.look(|look| checks::check(look, &mut |difference| found.push(difference.clone())));
    found
}

fn difference(what: Finding) -> Difference {
    Difference { user: user("1"), segment: slug("A"), what }
}

#[test]
fn a_healthy_store_has_no_differences() {
    let (world, _) = world();
    world.change("2", &["A"], &[]).unwrap();
    world.change("2", &[], &["A"]).unwrap();
    let checked = world.look(|look| checks::check(look, &mut |difference| panic!("{difference}")));
    assert_eq!(checked, Checked { users: 2, memberships: 1, history_rows: 3, differences: 0 });
}

#[test]
fn a_membership_of_a_deleted_segment_is_found() {
    let (world, segment) = world();
    world.act(|act| Ok(act.unit.segments().delete(segment.id, segment.created_at)?)).unwrap();
    assert_eq!(found(&world), [difference(Finding::NoSuchSegment)]);
}

#[test]
fn a_membership_of_a_deleted_user_is_found() {
    let (world, _) = world();
    world.act(|act| Ok(act.unit.users().delete(&user("1"))?)).unwrap();
    assert_eq!(found(&world), [difference(Finding::NoSuchUser)]);
}

#[test]
fn nothing_of_what_a_port_writes_differs_from_history() {
    let (world, segment) = world();
    let entry = |operation, deadline| Entry {
        user: user("1"),
        segment: segment.reference(),
        operation,
        at: world.now(),
        expires_at: deadline,
        source: Source::Rule,
        actor: Actor::new("another"),
        reason: None,
    };
    for step in [
        entry(Operation::Extend, Some(world.now() + TimeDelta::hours(1))),
        entry(Operation::Remove, None),
        entry(Operation::Add, None),
    ] {
        world.act(|act| Ok(act.unit.memberships().record(&[step])?)).unwrap();
        assert_eq!(found(&world), []);
    }
}
