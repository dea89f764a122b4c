//! A share of all users: exact, by position, and stable.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use chrono::TimeDelta;
use domain::{Kind, Percent, Segment, Source, UserId};
use testkit::{World, slug, user};
use usecases::{
    Error, Expected,
    distributions::{self, Given},
    history::{self, HistoryQuery},
    memberships::Deadline,
    segments::{self, ChangeSegment},
    users::{self, CreateUser},
};

fn percent(text: &str) -> Percent {
    Percent::parse(text).unwrap()
}

fn distribute(world: &World, text: &str, share: &str) -> Given {
    world.act(|act| distributions::distribute(act, &slug(text), percent(share))).unwrap()
}

fn members(world: &World, text: &str) -> BTreeSet<UserId> {
    let members = world.look(|look| history::members(look, &slug(text), None, None, 100_000));
    members.into_iter().map(|member| member.user).collect()
}

fn rows(world: &World) -> u64 {
    world.look(|look| {
        let filter = history::filter(look, &HistoryQuery::default())?;
        history::count(look, &filter)
    })
}

/// The `count` users with the lowest positions.
fn first_by_position(segment: &Segment, users: &[UserId], count: usize) -> BTreeSet<UserId> {
    let mut users = users.to_vec();
    users.sort_by_key(|user| segment.seed.position(user));
    users.truncate(count);
    users.into_iter().collect()
}

#[test]
fn shares_are_exact_and_taken_by_position() {
    let counts = [
        (1, [0, 0, 0, 0, 1, 1, 1]),
        (3, [0, 0, 1, 1, 2, 3, 3]),
        (7, [0, 0, 2, 2, 4, 7, 7]),
        (100, [0, 0, 29, 33, 58, 100, 100]),
        (5_878, [0, 0, 1_705, 1_959, 3_409, 5_872, 5_878]),
    ];
    for (total, expected) in counts {
        let world = World::in_memory();
        let everybody = world.has_users(total);
        for (number, share) in ["0", "0.0001", "29", "33.3333", "58", "99.9", "100"].into_iter().enumerate() {
            let text = format!("s{number}");
            let segment = world.has_segment(&text);
            let given = distribute(&world, &text, share);
            let count = expected[number];
            assert_eq!((given.user_count, given.total_users), (count as u64, total as u64), "{share} % of {total}");
            assert_eq!((given.added, given.removed), (count as u64, 0));
            assert_eq!(members(&world, &text), first_by_position(&segment, &everybody, count), "{share} % of {total}");
        }
    }
}

#[test]
fn raising_keeps_everyone_and_lowering_lets_the_last_in_go_first() {
    let world = World::in_memory();
    let everybody = world.has_users(100);
    let segment = world.has_segment("A");
    let mut before = BTreeSet::new();
    for share in [10, 30, 31, 80] {
        distribute(&world, "A", &share.to_string());
        let after = members(&world, "A");
        assert!(after.is_superset(&before));
        assert_eq!(after.len(), share);
        before = after;
    }
    for share in [50, 7, 0] {
        let given = distribute(&world, "A", &share.to_string());
        assert_eq!(given.removed as usize, before.len() - share);
        assert_eq!(members(&world, "A"), first_by_position(&segment, &everybody, share));
        before = members(&world, "A");
    }
    assert_eq!(world.differences(), Vec::<String>::new());
}

#[test]
fn the_same_share_again_changes_nothing() {
    let world = World::in_memory();
    world.has_users(20);
    world.has_segment("A");
    let first = distribute(&world, "A", "50");
    // Also when the share is no longer exact: those who left by hand are not filled up.
    let gone = members(&world, "A").pop_first().unwrap();
    world.change(gone.as_str(), &[], &["A"]).unwrap();
    let (before, written) = (members(&world, "A"), rows(&world));
    world.clock.advance(TimeDelta::minutes(1));
    let again = distribute(&world, "A", "50.0000");
    assert_eq!((again.added, again.removed), (0, 0));
    assert_eq!(again.segment, first.segment);
    assert_eq!((members(&world, "A"), rows(&world)), (before, written));
}

#[test]
fn members_by_hand_stay_and_count() {
    let world = World::in_memory();
    let everybody = world.has_users(10);
    let segment = world.has_segment("A");
    let last = first_by_position(&segment, &everybody, 10)
        .difference(&first_by_position(&segment, &everybody, 8))
        .cloned()
        .collect::<BTreeSet<_>>();
    for id in &last {
        world.change(id.as_str(), &["A"], &[]).unwrap();
    }
    let given = distribute(&world, "A", "50");
    assert_eq!((given.user_count, given.added), (5, 3));
    let lowered = distribute(&world, "A", "0");
    assert_eq!((lowered.user_count, lowered.removed), (2, 3));
    assert_eq!(members(&world, "A"), last);
}

#[test]
fn whoever_is_born_later_joins_by_position() {
    let world = World::in_memory();
    let segment = world.has_segment_with("A", Some("30"), None);
    for (number, id) in (0..200).map(|number| format!("born-{number}")).enumerate() {
        match number % 2 {
            0 => drop(world.act(|act| {
                let command =
                    CreateUser { id: Some(user(&id)), name: None, email: None, attributes: Default::default() };
                users::create(act, command)
            })),
            _ => drop(world.change(&id, &["A"], &[]).and_then(|_| world.change(&id, &[], &["A"]))),
        }
        if number % 2 == 0 {
            let joins = percent("30").takes(segment.seed.position(&user(&id)));
            assert_eq!(!world.active(&id).is_empty(), joins, "{id}");
        }
    }
    let found = world.look(|look| history::members(look, &slug("A"), None, None, 1_000));
    assert!(found.iter().all(|member| member.source == Source::Percent));
    assert!((15..50).contains(&found.len()), "{} of 100", found.len());
}

#[test]
fn a_new_segment_can_come_with_a_share() {
    let world = World::in_memory();
    world.has_users(10);
    let segment = world.has_segment_with("A", Some("40"), Some("PT1H"));
    assert_eq!((segment.kind, segment.percent, segment.version), (Kind::Percent, Some(percent("40")), 1));
    let found = world.look(|look| history::members(look, &slug("A"), None, None, 99));
    assert_eq!(found.len(), 4);
    assert!(found.iter().all(|member| member.expires_at == Some(world.now() + TimeDelta::hours(1))));
    assert_eq!(world.look(|look| segments::get(look, &slug("A"))), segment);
}

#[test]
fn a_patched_share_is_a_distribution() {
    let world = World::in_memory();
    world.has_users(10);
    let segment = world.has_segment("A");
    let command = || ChangeSegment { percent: Some(percent("20")), ..ChangeSegment::default() };
    let patched = world.act(|act| segments::change(act, &slug("A"), &Expected::Any, command())).unwrap();
    assert_eq!((patched.percent, patched.version), (Some(percent("20")), segment.version + 1));
    assert_eq!(members(&world, "A").len(), 2);
    let again = world.act(|act| segments::change(act, &slug("A"), &Expected::Any, command())).unwrap();
    assert_eq!(again, patched);
}

#[test]
fn whoever_is_due_does_not_count() {
    let world = World::in_memory();
    world.has_users(4);
    world.has_segment("A");
    let soon = Some(Deadline::At(world.now() + TimeDelta::minutes(1)));
    for id in ["1", "2", "3", "4"] {
        world.change_until(id, &["A"], &[], soon).unwrap();
    }
    world.clock.advance(TimeDelta::minutes(1));
    let given = distribute(&world, "A", "50");
    assert_eq!((given.user_count, given.added), (2, 2));
    assert_eq!(world.expire(), 0);
    assert_eq!(world.differences(), Vec::<String>::new());
}

#[test]
fn an_unknown_segment_cannot_be_distributed() {
    let world = World::in_memory();
    let refused = world.act(|act| distributions::distribute(act, &slug("A"), percent("1")));
    assert!(matches!(refused, Err(Error::NotFound(..))));
}

#[test]
fn the_share_of_now_is_told() {
    let world = World::in_memory();
    world.has_users(3);
    world.has_segment_with("A", Some("50"), None);
    let told = world.look(|look| distributions::get(look, &slug("A")));
    assert_eq!((told.user_count, told.total_users), (2, 3));
}
