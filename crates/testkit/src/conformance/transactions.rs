use std::panic::{AssertUnwindSafe, catch_unwind};

use domain::UserId;
use usecases::ports::{Access, Hold, Locks, Store, StoreError, Verdict};

use super::{Case, add, attempt, has_segment, has_users, id, look, minute, must, new_segment, record, stored};
use crate::slug;

pub(super) const CASES: &[Case] = &[
    ("a fresh store is ready and empty", fresh_store_is_ready_and_empty),
    ("a write commits everything", write_commits_everything),
    ("a write sees its own changes", write_sees_its_own_changes),
    ("an error rolls everything back", error_rolls_everything_back),
    ("a verdict of rollback leaves nothing", verdict_of_rollback_leaves_nothing),
    ("a rehearsal sees its changes and leaves nothing", rehearsal_leaves_nothing),
    ("a read forgets what it writes", read_forgets_what_it_writes),
    ("an overlooked failure prevents the commit", overlooked_failure_prevents_commit),
    ("an overlooked failure of record prevents the commit", overlooked_failure_of_record_prevents_commit),
    ("a panic inside the work changes nothing and leaves the store usable", panic_leaves_store_usable),
    ("a failed unit does not spoil the next", failed_unit_does_not_spoil_the_next),
    ("locks can be had on what does not exist", locks_on_what_does_not_exist),
    ("what is locked in any mix of ways can be changed", any_mix_of_locks),
];

fn fresh_store_is_ready_and_empty(store: &dyn Store) {
    store.ready().unwrap();
    look(store, |unit| {
        assert_eq!(unit.segments().list(&Default::default(), 10)?, []);
        assert_eq!(unit.segments().count(&Default::default())?, 0);
        assert_eq!(unit.segments().distributed()?, []);
        assert_eq!(unit.segments().bearers(&slug("A"))?, []);
        assert_eq!(unit.users().list(&Default::default(), 10)?, []);
        assert_eq!(unit.users().count(&Default::default())?, 0);
        assert_eq!(unit.users().ids(None, 10)?, []);
        assert_eq!(unit.history().page(&Default::default(), 10)?, []);
        assert_eq!(unit.history().count(&Default::default())?, 0);
        assert_eq!(unit.history().everyone(None, 10)?, []);
        assert_eq!(unit.answers().find("key")?, None);
        assert_eq!(unit.jobs().list(&Default::default(), 10)?, []);
        assert_eq!(unit.jobs().next_free(minute(0))?, None);
        Ok(())
    });
    assert_eq!(must(store, |unit| unit.memberships().expire(minute(0), 10)), 0);
}

fn write_commits_everything(store: &dyn Store) {
    must(store, |unit| {
        let id = unit.segments().insert(&new_segment("A"))?;
        unit.users().insert_missing(&[domain::User::born(super::id("u"), minute(0))])?;
        let segment = domain::Segment { id, ..new_segment("A") };
        unit.memberships().record(&[add("u", &segment, minute(1), None)])
    });
    assert!(look(store, |unit| unit.segments().find(&slug("A"))).is_some());
    assert_eq!(stored(store, &[id("u")]).len(), 1);
    assert_eq!(look(store, |unit| unit.history().count(&Default::default())), 1);
}

fn write_sees_its_own_changes(store: &dyn Store) {
    must(store, |unit| {
        let id = unit.segments().insert(&new_segment("A"))?;
        assert_eq!(unit.segments().find(&slug("A"))?.map(|segment| segment.id), Some(id));
        unit.segments().delete(id, minute(1))?;
        assert_eq!(unit.segments().find(&slug("A"))?, None);
        Ok(())
    });
}

fn error_rolls_everything_back(store: &dyn Store) {
    let failed: Result<(), StoreError> = attempt(store, |unit| {
        unit.segments().insert(&new_segment("A"))?;
        Err(StoreError::Contended("a test".to_owned()))
    });
    assert!(matches!(&failed, Err(StoreError::Contended(why)) if why == "a test"), "{failed:?}");
    assert_nothing_of_a(store);
}

fn verdict_of_rollback_leaves_nothing(store: &dyn Store) {
    let ended = store.run(Access::Write, &mut |unit| {
        unit.segments().insert(&new_segment("A")).unwrap();
        Verdict::Rollback
    });
    ended.unwrap();
    assert_nothing_of_a(store);
}

fn rehearsal_leaves_nothing(store: &dyn Store) {
    let seen: Result<bool, StoreError> = store.rehearse(|unit| {
        unit.segments().insert(&new_segment("A"))?;
        Ok(unit.segments().find(&slug("A"))?.is_some())
    });
    assert!(seen.unwrap());
    assert_nothing_of_a(store);
}

fn read_forgets_what_it_writes(store: &dyn Store) {
    // Whether the write itself is refused is the store's business.
    let _ = store.read(|unit| unit.segments().insert(&new_segment("A")));
    assert_nothing_of_a(store);
}

fn assert_nothing_of_a(store: &dyn Store) {
    assert_eq!(look(store, |unit| unit.segments().find(&slug("A"))), None);
    assert_eq!(look(store, |unit| unit.segments().bearers(&slug("A"))), []);
    assert_eq!(must(store, |unit| unit.segments().find(&slug("A"))), None);
}

fn overlooked_failure_prevents_commit(store: &dyn Store) {
    has_segment(store, "taken");
    let result = attempt(store, |unit| {
        unit.segments().insert(&new_segment("A"))?;
        unit.segments().insert(&new_segment("taken")).ok();
        Ok(())
    });
    assert!(matches!(result, Err(StoreError::Aborted)), "{result:?}");
    assert_nothing_of_a(store);
}

fn overlooked_failure_of_record_prevents_commit(store: &dyn Store) {
    let segment = has_segment(store, "B");
    has_users(store, &[id("u"), id("v")]);
    let again = [add("u", &segment, minute(1), None), super::remove("v", &segment, minute(1))];
    let result = attempt(store, |unit| {
        unit.segments().insert(&new_segment("A"))?;
        let failed = unit.memberships().record(&again);
        assert!(matches!(failed, Err(StoreError::Contended(_))), "{failed:?}");
        Ok(())
    });
    assert!(matches!(result, Err(StoreError::Aborted)), "{result:?}");
    assert_nothing_of_a(store);
    assert_eq!(stored(store, &[id("u")]), []);
}

fn panic_leaves_store_usable(store: &dyn Store) {
    // As many as a pool of connections might have, so that one that is never given back is missed.
    for _ in 0..12 {
        let ended = catch_unwind(AssertUnwindSafe(|| {
            must::<()>(store, |unit| {
                unit.segments().insert(&new_segment("A"))?;
                std::panic::panic_any("this panic is part of the test");
            })
        }));
        assert!(ended.is_err());
    }
    assert_nothing_of_a(store);
    has_segment(store, "A");
}

fn failed_unit_does_not_spoil_the_next(store: &dyn Store) {
    has_segment(store, "taken");
    for number in 0..12 {
        let failed = attempt(store, |unit| unit.segments().insert(&new_segment("taken")));
        assert!(matches!(failed, Err(StoreError::Duplicate)), "{failed:?}");
        has_segment(store, &format!("s{number}"));
    }
}

fn locks_on_what_does_not_exist(store: &dyn Store) {
    let locks = Locks::new().population(Hold::Alone).segment(&slug("A"), Hold::Alone).user(&id("nobody"));
    must(store, |unit| {
        unit.lock(&locks)?;
        unit.segments().insert(&new_segment("A"))
    });
    assert!(look(store, |unit| unit.segments().find(&slug("A"))).is_some());
}

fn any_mix_of_locks(store: &dyn Store) {
    let segment = has_segment(store, "A");
    let users: Vec<UserId> = super::ids(["a", "b", "a"]);
    has_users(store, &users[..2]);
    let mut locks = Locks::new().population(Hold::Shared).every_segment(Hold::Shared);
    // The same one named twice, and both ways, must not make a unit wait for itself.
    for hold in [Hold::Shared, Hold::Alone, Hold::Shared] {
        locks = locks.segment(&slug("A"), hold).segment(&slug("none"), hold);
    }
    for user in &users {
        locks = locks.user(user);
    }
    must(store, |unit| {
        unit.lock(&locks)?;
        unit.memberships().record(&[add("a", &segment, minute(1), None)])
    });
    must(store, |unit| unit.lock(&Locks::new()));
    must(store, |unit| unit.lock(&Locks::new().every_segment(Hold::Alone).segment(&slug("A"), Hold::Shared)));
    record(store, &[add("b", &segment, minute(1), None)]);
    assert_eq!(stored(store, &users).len(), 2);
}
