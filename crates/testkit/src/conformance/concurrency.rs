use std::{
    collections::BTreeSet,
    sync::Barrier,
    thread::{self, yield_now},
};

use domain::{Entry, Instant, Operation, Segment, User, UserId};
use usecases::ports::{Hold, Locks, Store, StoreError, StoredAnswer, Unit};

use super::{
    Case, add, extend, has_segment, has_users, id, ids, look, micros, minute, new_segment, record, remove, rows_of,
    stored,
};
use crate::slug;

pub(super) const CASES: &[Case] = &[
    ("of sixteen inserts of a segment one wins, the others are duplicates", one_insert_of_a_segment_wins),
    ("of sixteen births of a user one is told", one_birth_is_told),
    ("of sixteen adds of a membership one wins, the others are duplicates", one_add_wins),
    ("of sixteen removes of a membership one wins, the others are contended", one_remove_wins),
    ("no update of a locked user is lost", no_update_of_a_locked_user_is_lost),
    ("no update of a locked segment is lost", no_update_of_a_locked_segment_is_lost),
    ("no update under the population alone is lost", no_update_under_the_population_is_lost),
    ("no update of a segment is lost under every segment alone", no_update_under_every_segment_is_lost),
    ("no update of users who are held is lost", no_update_of_held_users_is_lost),
    ("many locks in any order end", many_locks_in_any_order_end),
    ("nobody is born while the population is held alone", nobody_is_born_meanwhile),
    ("nobody enters a segment that is being deleted", nobody_enters_what_is_being_deleted),
    ("memberships that were read stay until the unit ends", read_memberships_stay),
    ("eight workers end each due membership once", eight_workers_end_each_once),
    ("units with the same key come one after the other", same_key_one_after_the_other),
    ("a read sees one state throughout", read_sees_one_state),
];

pub(super) const THREADS: usize = 16;

/// Runs `work` in many threads that begin together.
pub(super) fn together<T: Send>(threads: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let start = Barrier::new(threads);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..threads)
            .map(|number| {
                let (start, work) = (&start, &work);
                scope.spawn(move || {
                    start.wait();
                    work(number)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// A store may say that others were in the way, and that the same call may succeed now: then it is called again.
pub(super) fn persist<T>(
    store: &dyn Store,
    work: impl Fn(&mut dyn Unit) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    for _ in 0..200 {
        match store.write(&work) {
            Err(StoreError::Contended(_) | StoreError::Busy(_)) => yield_now(),
            ended => return ended,
        }
    }
    panic!("200 times others were in the way");
}

fn one_insert_of_a_segment_wins(store: &dyn Store) {
    let ended = together(THREADS, |_| {
        persist(store, |unit| {
            // Reading first is what makes a careless SQLite transaction fail to upgrade its lock.
            unit.segments().find(&slug("other"))?;
            unit.segments().insert(&new_segment("VIP"))
        })
    });
    assert_eq!(ended.iter().filter(|result| result.is_ok()).count(), 1);
    assert_eq!(ended.iter().filter(|result| matches!(result, Err(StoreError::Duplicate))).count(), THREADS - 1);
    assert_eq!(look(store, |unit| unit.segments().bearers(&slug("VIP"))).len(), 1);
}

fn one_birth_is_told(store: &dyn Store) {
    let users = ["a", "b", "c"].map(|text| User::born(id(text), minute(0)));
    let told = together(THREADS, |number| {
        let mut users = users.clone();
        users.rotate_left(number % 3);
        // Those who need nobody to be born twice lock the users, and so wait in one order.
        let locks = users.iter().fold(Locks::new().population(Hold::Shared), |locks, user| locks.user(&user.id));
        persist(store, |unit| {
            unit.lock(&locks)?;
            unit.users().insert_missing(&users)
        })
        .unwrap()
    });
    let mut told = told.concat();
    told.sort();
    assert_eq!(told, ids(["a", "b", "c"]));
}

fn one_add_wins(store: &dyn Store) {
    let segment = has_segment(store, "VIP");
    has_users(store, &[id("u")]);
    let ended = together(THREADS, |_| {
        let begun = add("u", &segment, minute(1), None);
        // Here contention would hide whether the duplicate is told.
        store.write(|unit| unit.memberships().record(&[begun]))
    });
    assert_eq!(ended.iter().filter(|result| result.is_ok()).count(), 1, "{ended:?}");
    let lost =
        |result: &Result<(), StoreError>| matches!(result, Err(StoreError::Duplicate | StoreError::Contended(_)));
    assert_eq!(ended.iter().filter(|result| lost(result)).count(), THREADS - 1, "{ended:?}");
    assert_eq!(rows_of(store, &[id("u")]).len(), 1);
}

fn one_remove_wins(store: &dyn Store) {
    let segment = has_segment(store, "VIP");
    has_users(store, &[id("u")]);
    record(store, &[add("u", &segment, minute(1), None)]);
    let ended = together(THREADS, |_| {
        let ending = remove("u", &segment, minute(2));
        store.write(|unit| unit.memberships().record(&[ending]))
    });
    assert_eq!(ended.iter().filter(|result| result.is_ok()).count(), 1, "{ended:?}");
    assert_eq!(ended.iter().filter(|result| matches!(result, Err(StoreError::Contended(_)))).count(), THREADS - 1);
    assert_eq!(rows_of(store, &[id("u")]).len(), 2);
    assert_eq!(stored(store, &[id("u")]), []);
}

const ROUNDS: usize = 5;

/// Counts in a user's version, by reading it and writing one more, as only a lock makes right.
fn count_under(store: &dyn Store, locks: &Locks) {
    has_users(store, &[id("counter")]);
    together(THREADS, |_| {
        for _ in 0..ROUNDS {
            persist(store, |unit| {
                // What was read before the lock may be old; what is read after it is not.
                unit.users().find(&id("counter"))?;
                unit.lock(locks)?;
                let user = unit.users().find(&id("counter"))?.expect("it was made");
                unit.users().update(&User { version: user.version + 1, ..user })
            })
            .unwrap();
        }
    });
    let counter = look(store, |unit| unit.users().find(&id("counter"))).unwrap();
    assert_eq!(counter.version, 1 + (THREADS * ROUNDS) as i64);
}

fn no_update_of_a_locked_user_is_lost(store: &dyn Store) {
    count_under(store, &Locks::new().user(&id("counter")));
}

fn no_update_under_the_population_is_lost(store: &dyn Store) {
    count_under(store, &Locks::new().population(Hold::Alone));
}

fn no_update_of_a_locked_segment_is_lost(store: &dyn Store) {
    let segment = has_segment(store, "VIP");
    let locks = Locks::new().segment(&segment.slug, Hold::Alone);
    together(THREADS, |_| {
        for _ in 0..ROUNDS {
            persist(store, |unit| {
                unit.segments().find(&segment.slug)?;
                unit.lock(&locks)?;
                let segment = unit.segments().find(&segment.slug)?.expect("it was made");
                unit.segments().update(&segment.touched(minute(1)))
            })
            .unwrap();
        }
    });
    let counted = look(store, |unit| unit.segments().find(&segment.slug)).unwrap();
    assert_eq!(counted.version, 1 + (THREADS * ROUNDS) as i64);
}

/// Whoever has every segment keeps out those who have one, and the other way round.
fn no_update_under_every_segment_is_lost(store: &dyn Store) {
    let segment = has_segment(store, "VIP");
    let one = Locks::new().segment(&segment.slug, Hold::Alone);
    let every = Locks::new().every_segment(Hold::Alone);
    together(THREADS, |number| {
        let locks = if number % 2 == 0 { &one } else { &every };
        for _ in 0..ROUNDS {
            persist(store, |unit| {
                unit.segments().find(&segment.slug)?;
                unit.lock(locks)?;
                let segment = unit.segments().find(&segment.slug)?.expect("it was made");
                unit.segments().update(&segment.touched(minute(1)))
            })
            .unwrap();
        }
    });
    let counted = look(store, |unit| unit.segments().find(&segment.slug)).unwrap();
    assert_eq!(counted.version, 1 + (THREADS * ROUNDS) as i64);
}

/// No lock is had: that they stay is the promise of whoever holds them. They are named in several orders.
fn no_update_of_held_users_is_lost(store: &dyn Store) {
    let users = ids(["a", "b", "c"]);
    has_users(store, &users);
    together(THREADS, |number| {
        let mut named = users.clone();
        named.rotate_left(number % 3);
        for _ in 0..ROUNDS {
            persist(store, |unit| {
                for user in unit.users().hold(&named)? {
                    unit.users().update(&User { version: user.version + 1, ..user })?;
                }
                Ok(())
            })
            .unwrap();
        }
    });
    for user in look(store, |unit| unit.users().find_all(&users)) {
        assert_eq!(user.version, 1 + (THREADS * ROUNDS) as i64);
    }
}

fn many_locks_in_any_order_end(store: &dyn Store) {
    let names = ["a", "b", "c", "d"];
    has_users(store, &ids(names));
    for name in names {
        has_segment(store, name);
    }
    together(8, |number| {
        let mut order = names;
        order.rotate_left(number % 4);
        let hold = if number % 3 == 0 { Hold::Alone } else { Hold::Shared };
        let mut locks = Locks::new().population(if number % 4 == 0 { Hold::Alone } else { Hold::Shared });
        for name in order {
            locks = locks.segment(&slug(name), hold).user(&id(name));
        }
        for _ in 0..ROUNDS {
            persist(store, |unit| {
                unit.lock(&locks)?;
                let user = unit.users().find(&id(order[0]))?.expect("it was made");
                unit.users().update(&User { version: user.version + 1, ..user })
            })
            .unwrap();
        }
    });
    let counted: i64 = look(store, |unit| unit.users().find_all(&ids(names))).iter().map(|user| user.version).sum();
    assert_eq!(counted, 4 + 8 * ROUNDS as i64);
}

fn nobody_is_born_meanwhile(store: &dyn Store) {
    together(THREADS, |number| {
        for round in 0..ROUNDS {
            if number % 4 == 0 {
                let counts = persist(store, |unit| {
                    unit.lock(&Locks::new().population(Hold::Alone))?;
                    (0..20).map(|_| unit.users().count(&Default::default())).collect::<Result<BTreeSet<u64>, _>>()
                });
                assert_eq!(counts.unwrap().len(), 1);
            } else {
                let user = User::born(id(format!("{number}-{round}")), minute(0));
                persist(store, |unit| {
                    unit.lock(&Locks::new().population(Hold::Shared).user(&user.id))?;
                    unit.users().insert_missing(std::slice::from_ref(&user))
                })
                .unwrap();
            }
        }
    });
    assert_eq!(look(store, |unit| unit.users().count(&Default::default())), (12 * ROUNDS) as u64);
}

fn nobody_enters_what_is_being_deleted(store: &dyn Store) {
    let users: Vec<UserId> = (0..THREADS).map(id).collect();
    has_users(store, &users);
    let segment = has_segment(store, "VIP");
    let entered = together(THREADS, |number| {
        if number == THREADS / 2 {
            persist(store, |unit| delete(unit, &segment)).unwrap();
            return 0;
        }
        let locks = Locks::new().segment(&segment.slug, Hold::Shared).user(&users[number]);
        let entered = persist(store, |unit| {
            unit.lock(&locks)?;
            match unit.segments().find(&segment.slug)? {
                Some(found) => unit.memberships().record(&[add(number, &found, minute(1), None)]).map(|()| 1),
                None => Ok(0),
            }
        });
        entered.unwrap()
    });
    assert_eq!(stored(store, &users), []);
    assert_eq!(look(store, |unit| unit.segments().find(&segment.slug)), None);
    let rows = rows_of(store, &users);
    assert_eq!(rows.iter().filter(|row| row.operation == Operation::Add).count(), entered.iter().sum::<usize>());
    assert_eq!(rows.len(), 2 * entered.iter().sum::<usize>());
}

fn delete(unit: &mut dyn Unit, segment: &Segment) -> Result<(), StoreError> {
    unit.lock(&Locks::new().population(Hold::Alone).segment(&segment.slug, Hold::Alone))?;
    let members = unit.memberships().of_segment(segment.id, None, 100)?;
    let entries: Vec<Entry> = members.iter().map(|member| remove(&member.user, segment, minute(2))).collect();
    unit.memberships().record(&entries)?;
    unit.segments().delete(segment.id, minute(2))
}

/// No lock is had: that the rows stay is the promise of those who read them.
fn read_memberships_stay(store: &dyn Store) {
    let segment = has_segment(store, "VIP");
    has_users(store, &[id("u")]);
    record(store, &[add("u", &segment, minute(1), Some(minute(2)))]);
    let users = [id("u")];
    together(12, |number| {
        for _ in 0..ROUNDS {
            persist(store, |unit| {
                let found = match number % 3 {
                    0 => unit.memberships().of_pairs(&[(id("u"), segment.id)])?,
                    1 => unit.memberships().of_users(&users)?,
                    _ => unit.memberships().of_segment(segment.id, None, 10)?,
                };
                let deadline: Option<Instant> = found[0].expires_at.map(|deadline| deadline + micros(1));
                unit.memberships().record(&[extend("u", &segment, minute(1), deadline)])
            })
            .unwrap();
        }
    });
    assert_eq!(stored(store, &users)[0].expires_at, Some(minute(2) + micros(12 * ROUNDS as i64)));
    assert_eq!(rows_of(store, &users).len(), 1 + 12 * ROUNDS);
}

fn eight_workers_end_each_once(store: &dyn Store) {
    let segment = has_segment(store, "VIP");
    let users: Vec<UserId> = (0..200).map(id).collect();
    has_users(store, &users);
    let adds: Vec<Entry> = users.iter().map(|user| add(user, &segment, minute(1), Some(minute(2)))).collect();
    record(store, &adds);
    let ended = together(8, |_| {
        let mut ended = 0;
        loop {
            match persist(store, |unit| unit.memberships().expire(minute(3), 7)).unwrap() {
                0 => return ended,
                more => ended += more,
            }
        }
    });
    assert_eq!(ended.iter().sum::<usize>(), users.len());
    assert_eq!(rows_of(store, &users).len(), 400);
    assert_eq!(stored(store, &users), []);
}

fn same_key_one_after_the_other(store: &dyn Store) {
    let acted = together(THREADS, |number| {
        let acted = persist(store, |unit| {
            if unit.answers().find("key")?.is_some() {
                return Ok(0);
            }
            // Two that both act would keep two users, whichever answer stays.
            unit.users().insert_missing(&[User::born(id(number), minute(0))])?;
            unit.answers().keep(&StoredAnswer {
                key: "key".to_owned(),
                fingerprint: String::new(),
                answer: number.to_string(),
                created_at: minute(0),
            })?;
            Ok(1)
        });
        acted.unwrap()
    });
    assert_eq!(acted.iter().sum::<usize>(), 1);
    assert_eq!(look(store, |unit| unit.users().count(&Default::default())), 1);
}

fn read_sees_one_state(store: &dyn Store) {
    let segment = has_segment(store, "VIP");
    let users: Vec<UserId> = (0..40).map(id).collect();
    has_users(store, &users);
    together(4, |number| {
        for (round, user) in users.iter().enumerate() {
            if number == 0 {
                record(store, &[add(user, &segment, minute(round as i64), None)]);
                continue;
            }
            look(store, |unit| {
                let counts = unit.memberships().counts(&[segment.id], minute(99))?;
                let rows = unit.history().count(&Default::default())?;
                let members = unit.memberships().of_segment(segment.id, None, 100)?.len() as u64;
                let count = counts.first().map_or(0, |(_, count)| *count);
                assert_eq!((count, rows), (members, members));
                Ok(())
            });
        }
    });
}
