use std::{collections::BTreeSet, sync::mpsc::channel, thread, time::Duration};

use domain::{Actor, Instant, SegmentId, Source, User, UserId};
use usecases::{
    changes::{self, Change, Commit, PORTION, Seen, Told},
    ports::{Access, Leaving, Store, StoreError, Unit, Verdict},
};

use super::{Case, add, attempt, extend, has_segment, has_users, id, ids, look, minute, must, new_segment, remove};

pub(super) const CASES: &[Case] = &[
    ("whatever changes is told", changes_are_told),
    ("what is undone is not told", what_is_undone_is_not_told),
    ("what was seen is not told again", what_was_seen_is_not_told_again),
    ("whoever follows is told everything once, also what was open for long", open_transactions_are_told_late),
    ("a large transaction is told in portions", much_is_told_in_portions),
    ("a commit says what it told", commits_say_what_they_told),
    ("changes are forgotten once they were seen long enough", changes_are_forgotten),
    ("everybody in a segment is told with a recent beginning and the deadline", everybody_in_a_segment_is_told),
];

fn seen(store: &dyn Store) -> Seen {
    look(store, |unit| unit.changes().seen())
}

/// What was told since, and what is seen now.
fn since(store: &dyn Store, before: &Seen) -> (Vec<Told>, Option<Seen>) {
    let mut told = Vec::new();
    let now = look(store, |unit| changes::since(unit, before, &mut |portion| told.push(portion)));
    (told, now)
}

fn changes_since(store: &dyn Store, before: &Seen) -> Vec<Change> {
    since(store, before).0.into_iter().flat_map(|told| told.changes).collect()
}

/// Writes, and says what the store said of the commit.
fn commit(store: &dyn Store, work: impl Fn(&mut dyn Unit) -> Result<(), StoreError>) -> Option<Commit> {
    let committed = store.run(Access::Write, &mut |unit| {
        work(unit).unwrap();
        Verdict::Commit
    });
    committed.unwrap()
}

fn entered(user: &str, segment: SegmentId, since: Instant, expires_at: Option<Instant>) -> Change {
    Change::Entered { user: id(user), segment, since, expires_at }
}

fn changes_are_told(store: &dyn Store) {
    let before = seen(store);
    let mut segment = has_segment(store, "A");
    has_users(store, &ids(["u", "v"]));
    has_users(store, &ids(["v"]));
    let (user, place) = (id("u"), segment.id);
    must(store, |unit| unit.memberships().record(&[add("u", &segment, minute(1), Some(minute(9)))]));
    must(store, |unit| unit.memberships().record(&[extend("u", &segment, minute(2), None)]));
    must(store, |unit| unit.memberships().record(&[remove("u", &segment, minute(3))]));
    must(store, |unit| unit.memberships().record(&[add("u", &segment, minute(4), Some(minute(5)))]));
    // A deadline is known already.
    must(store, |unit| unit.memberships().expire(minute(6), 9));
    must(store, |unit| unit.memberships().record(&[add("u", &segment, minute(7), None)]));
    let leaving = Leaving {
        segment: segment.reference(),
        at: minute(8),
        source: Source::Manual,
        actor: Actor::new("tester"),
        reason: None,
        job: None,
    };
    must(store, |unit| unit.memberships().end_all(&leaving));
    segment.slug = crate::slug("B");
    segment.updated_at = minute(9);
    must(store, |unit| unit.segments().update(&segment));
    must(store, |unit| unit.segments().delete(place, minute(10)));
    must(store, |unit| unit.users().delete(&user));
    let expected = [
        Change::Named { segment: place, slug: crate::slug("A") },
        Change::Born { user: user.clone() },
        Change::Born { user: id("v") },
        entered("u", place, minute(1), Some(minute(9))),
        Change::Extended { user: user.clone(), segment: place, expires_at: None },
        Change::Left { user: user.clone(), segment: place },
        entered("u", place, minute(4), Some(minute(5))),
        entered("u", place, minute(7), None),
        Change::Emptied { segment: place },
        Change::Named { segment: place, slug: crate::slug("B") },
        Change::Deleted { segment: place },
        Change::Died { user },
    ];
    let (told, _) = since(store, &before);
    assert!(told.is_sorted_by_key(|told| told.number));
    assert_eq!(told.into_iter().flat_map(|told| told.changes).collect::<Vec<_>>(), expected);
}

fn what_is_undone_is_not_told(store: &dyn Store) {
    let before = seen(store);
    let insert = |unit: &mut dyn Unit| unit.segments().insert(&new_segment("A"));
    store.rehearse(insert).unwrap();
    let failed = attempt(store, |unit| {
        unit.segments().insert(&new_segment("A"))?;
        Err::<(), _>(StoreError::Aborted)
    });
    assert!(failed.is_err());
    assert_eq!(changes_since(store, &before), []);
}

fn what_was_seen_is_not_told_again(store: &dyn Store) {
    has_segment(store, "A");
    let first = seen(store);
    has_users(store, &ids(["u"]));
    let (told, second) = since(store, &first);
    assert_eq!(told.len(), 1);
    let second = second.unwrap();
    assert!(second.covers(&first) && second.has(told[0].transaction) && !first.has(told[0].transaction));
    assert_eq!(since(store, &second).0, []);
    // Who knows of it otherwise need not hear it either.
    let ahead = Seen { ahead: BTreeSet::from([told[0].transaction]), ..first };
    assert_eq!(since(store, &ahead).0, []);
}

fn open_transactions_are_told_late(store: &dyn Store) {
    let born = |prefix: &str, count: usize| -> Vec<User> {
        (0..count).map(|number| User::born(id(format!("{prefix}-{number:05}")), minute(0))).collect()
    };
    let (late, quick) = (born("late", PORTION + 1), born("quick", 1));
    let mut at = seen(store);
    let mut all = Vec::new();
    let (told, has_told) = channel();
    let (committed, has_committed) = channel();
    let (late, quick) = (&late, &quick);
    thread::scope(|scope| {
        scope.spawn(move || {
            must(store, |unit| {
                unit.users().insert_missing(late)?;
                told.send(()).unwrap();
                // Where writers stand in line the other one cannot come in between.
                has_committed.recv_timeout(Duration::from_millis(300)).ok();
                Ok(())
            });
        });
        has_told.recv().unwrap();
        scope.spawn(move || {
            must(store, |unit| unit.users().insert_missing(quick));
            committed.send(()).ok();
        });
        while all.len() < late.len() + quick.len() {
            let (told, now) = since(store, &at);
            at = now.unwrap();
            all.extend(told.into_iter().flat_map(|told| told.changes));
            thread::yield_now();
        }
    });
    let mut users: Vec<&UserId> = Vec::new();
    for change in &all {
        let Change::Born { user } = change else { panic!("{change:?}") };
        users.push(user);
    }
    users.sort();
    assert_eq!(users, late.iter().chain(quick).map(|user| &user.id).collect::<Vec<_>>());
    assert_eq!(since(store, &at).0, []);
}

fn much_is_told_in_portions(store: &dyn Store) {
    let before = seen(store);
    let users: Vec<UserId> = ids((0..PORTION * 2 + 1).map(|number| format!("{number:06}")));
    let born: Vec<_> = users.iter().map(|user| User::born(user.clone(), minute(0))).collect();
    let committed = commit(store, |unit| unit.users().insert_missing(&born).map(drop)).unwrap();
    assert_eq!(committed.told, None);
    let (told, now) = since(store, &before);
    assert_eq!(told.iter().map(|told| told.changes.len()).collect::<Vec<_>>(), [PORTION, PORTION, 1]);
    assert!(told.iter().all(|told| told.transaction == committed.transaction));
    assert!(now.unwrap().has(committed.transaction));
    let all: Vec<Change> = told.into_iter().flat_map(|told| told.changes).collect();
    assert_eq!(all, users.into_iter().map(|user| Change::Born { user }).collect::<Vec<_>>());
}

fn commits_say_what_they_told(store: &dyn Store) {
    let before = seen(store);
    let committed = commit(store, |unit| unit.segments().insert(&new_segment("A")).map(drop)).unwrap();
    assert_eq!(committed.told.into_iter().collect::<Vec<_>>(), since(store, &before).0);
    assert_eq!(commit(store, |unit| unit.secrets().find_or_keep("a", "b").map(drop)), None);
    assert_eq!(store.run(Access::Read, &mut |_| Verdict::Rollback).unwrap(), None);
}

fn changes_are_forgotten(store: &dyn Store) {
    let first = seen(store);
    has_users(store, &ids(["u"]));
    has_users(store, &ids(["v"]));
    let second = seen(store);
    must(store, |unit| unit.changes().note(minute(1), &second));
    has_users(store, &ids(["w"]));
    let third = seen(store);
    must(store, |unit| unit.changes().note(minute(2), &third));
    assert_eq!(look(store, |unit| unit.changes().noted_at()), Some(minute(2)));

    let is_noted = |at| look(store, |unit| unit.changes().is_noted(at));
    assert!(is_noted(minute(1)) && is_noted(minute(2)) && !is_noted(minute(3)));

    let forget = |before, limit| must(store, |unit| unit.changes().forget(before, limit));
    assert_eq!(forget(minute(0), 9), 0);
    assert_eq!(look(store, |unit| unit.changes().forgotten()), None);
    assert_eq!((forget(minute(1), 1), forget(minute(1), 9), forget(minute(1), 9)), (1, 1, 0));
    assert_eq!(look(store, |unit| unit.changes().forgotten()), Some(second.clone()));
    // Who had not seen what is gone is told nothing; who had, goes on.
    assert_eq!(since(store, &first).1, None);
    assert_eq!(since(store, &second).0.len(), 1);
    assert!(since(store, &second).1.is_some_and(|now| now.covers(&third)));
    assert_eq!(forget(minute(2), 9), 1);
    assert!(!is_noted(minute(1)) && is_noted(minute(2)));
    assert_eq!(since(store, &second), (Vec::new(), None));
    let (told, now) = since(store, &third);
    assert!(told.is_empty() && now.is_some_and(|now| now.covers(&third)));
}

fn everybody_in_a_segment_is_told(store: &dyn Store) {
    let (segment, other) = (has_segment(store, "A"), has_segment(store, "B"));
    must(store, |unit| {
        unit.memberships().record(&[
            add("v", &segment, minute(2), Some(minute(7))),
            add("u", &segment, minute(1), None),
            add("u", &other, minute(1), None),
        ])
    });
    let mut told = Vec::new();
    look(store, |unit| {
        let mut take = |user: &str, since, until| told.push((user.to_owned(), since, until));
        unit.memberships().each(segment.id, minute(1), &mut take)
    });
    let micros = |at: Instant| Some(at.timestamp_micros());
    let expected = [("u".to_owned(), None, None), ("v".to_owned(), micros(minute(2)), micros(minute(7)))];
    assert_eq!(told, expected);
}
