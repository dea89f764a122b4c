//! Moving everybody of one segment to another.

#![allow(clippy::unwrap_used)]

use chrono::TimeDelta;
use testkit::{World, slug};
use usecases::{
    Error, distributions, history,
    memberships::Deadline,
    moves::{self, MoveUsers, Moved},
};

fn move_users(world: &World, from: &str, to: &str) -> Result<Moved, Error> {
    world.act(|act| moves::move_users(act, MoveUsers { from: slug(from), to: slug(to) }))
}

#[test]
fn everybody_goes_with_the_later_of_two_deadlines() {
    let world = World::in_memory();
    world.has_segment("A");
    world.has_segment("B");
    let start = world.now();
    let at = |hours: i64| Some(start + TimeDelta::hours(hours));
    let open = None;
    // In `from` until, in `to` until (when there at all), and afterwards.
    let cases = [
        ("1", at(5), None, at(5)),
        ("2", open, None, open),
        ("3", at(5), Some(at(2)), at(5)),
        ("4", at(2), Some(at(5)), at(5)),
        ("5", open, Some(at(5)), open),
        ("6", at(5), Some(open), open),
        ("7", at(5), Some(at(5)), at(5)),
        // Whose time in one of them is up was not there.
        ("8", at(5), Some(at(1)), at(5)),
    ];
    for (id, from, to, _) in cases {
        world.change_until(id, &["A"], &[], from.map(Deadline::At)).unwrap();
        if let Some(to) = to {
            world.change_until(id, &["B"], &[], to.map(Deadline::At)).unwrap();
        }
    }
    world.change_until("due", &["A"], &[], at(1).map(Deadline::At)).unwrap();
    world.clock.advance(TimeDelta::hours(1));
    let moved = move_users(&world, "A", "B").unwrap();
    assert_eq!((moved.moved, moved.added, moved.extended), (8, 3, 2));
    let members = world.look(|look| history::members(look, &slug("B"), None, None, 99));
    let told: Vec<_> = members.iter().map(|found| (found.user.as_str(), found.expires_at)).collect();
    assert_eq!(told, cases.map(|(id, _, _, after)| (id, after)));
    assert_eq!(world.look(|look| history::count_members(look, &slug("A"), None)), 0);
    assert_eq!(world.expire(), 0);
    assert_eq!(world.differences(), Vec::<String>::new());
}

#[test]
fn a_segment_is_not_moved_to_itself() {
    let world = World::in_memory();
    world.has_segment("A");
    assert!(matches!(move_users(&world, "A", "A"), Err(Error::Invalid(faults)) if faults[0].code == "same_segment"));
}

#[test]
fn unknown_segments_are_all_named() {
    let world = World::in_memory();
    assert!(matches!(move_users(&world, "A", "B"), Err(Error::NotFound(_, names)) if names == ["A", "B"]));
}

#[test]
fn a_distributed_segment_that_is_moved_stays_empty_until_it_is_given_again() {
    let world = World::in_memory();
    world.has_users(10);
    world.has_segment("A");
    world.has_segment("B");
    let percent = |text: &str| domain::Percent::parse(text).unwrap();
    world.act(|act| distributions::distribute(act, &slug("A"), percent("100"))).unwrap();
    move_users(&world, "A", "B").unwrap();
    world.change_until("late", &["B"], &[], None).unwrap();
    assert_eq!(world.look(|look| history::count_members(look, &slug("A"), None)), 0);
    let again = world.act(|act| distributions::distribute(act, &slug("A"), percent("100"))).unwrap();
    assert_eq!((again.added, again.user_count), (11, 11));
    assert_eq!(world.differences(), Vec::<String>::new());
}
