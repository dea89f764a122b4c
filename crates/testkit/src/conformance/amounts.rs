use domain::{Entry, Instant, Membership, Segment, SegmentId, Slug, User, UserId};
use usecases::ports::{Store, StoredAnswer};

use super::{
    Case, add, extend, has, has_segment, has_users, id, look, member, micros, minute, must, new_segment, pages, record,
    remove, rows_of, stored,
};
use crate::slug;

pub(super) const CASES: &[Case] = &[
    ("thousands of entries are recorded in one call", thousands_of_entries),
    ("thousands of ids are asked for in one call", thousands_of_ids),
    ("thousands of slugs are asked for in one call", thousands_of_slugs),
    ("instants are kept to the microsecond, whenever they are", instants_are_kept),
    ("deadlines are compared to the microsecond, whenever they are", deadlines_are_compared),
];

const MANY: usize = 3_000;

fn many() -> Vec<UserId> {
    // As wide as each other, so that they are made in their order.
    (0..MANY).map(|number| id(format!("user{number:05}"))).collect()
}

fn thousands_of_entries(store: &dyn Store) {
    let segment = has_segment(store, "VIP");
    let users = many();
    has_users(store, &users);
    assert_eq!(look(store, |unit| unit.users().count(&Default::default())), MANY as u64);
    let adds: Vec<Entry> = users.iter().map(|user| add(user, &segment, minute(1), Some(minute(2)))).collect();
    record(store, &adds);
    assert_eq!(look(store, |unit| unit.memberships().counts(&[segment.id], minute(1))), [(segment.id, MANY as u64)]);
    let extends: Vec<Entry> = users.iter().map(|user| extend(user, &segment, minute(1), Some(minute(3)))).collect();
    record(store, &extends);
    let half = &users[..MANY / 2];
    let mut anew: Vec<Entry> = half.iter().map(|user| remove(user, &segment, minute(3))).collect();
    anew.extend(half.iter().map(|user| add(user, &segment, minute(4), None)));
    record(store, &anew);
    assert_eq!(must(store, |unit| unit.memberships().expire(minute(3), MANY)), MANY / 2);
    let removes: Vec<Entry> = half.iter().map(|user| remove(user, &segment, minute(5))).collect();
    record(store, &removes);
    assert_eq!(look(store, |unit| unit.history().count(&Default::default())), 4 * MANY as u64);
    assert_eq!(look(store, |unit| unit.memberships().of_segment(segment.id, None, 9)), []);
    assert_eq!(look(store, |unit| unit.history().count_at(segment.id, minute(4))), MANY as u64 / 2);
}

fn thousands_of_ids(store: &dyn Store) {
    let [a, b, c] = ["a", "b", "c"].map(|text| has_segment(store, text));
    let users = many();
    has_users(store, &users);
    let adds: Vec<Entry> = users
        .iter()
        .flat_map(|user| [add(user, &a, minute(1), None), add(user, &b, minute(1), Some(minute(2)))])
        .collect();
    record(store, &adds);
    let asked = &users[100..2_600];
    let pairs: Vec<(UserId, SegmentId)> =
        asked.iter().flat_map(|user| [(user.clone(), a.id), (user.clone(), c.id)]).collect();
    look(store, |unit| {
        let found: Vec<UserId> = unit.users().find_all(asked)?.into_iter().map(|user| user.id).collect();
        assert_eq!(found, asked);
        assert_eq!(unit.memberships().active(asked, minute(1))?.len(), 5_000);
        assert!(unit.memberships().active(asked, minute(2))?.iter().map(|(user, _)| user).eq(asked));
        let stored = unit.memberships().of_users(asked)?;
        assert!(stored.iter().eq(&adds[200..5_200].iter().map(member).collect::<Vec<Membership>>()));
        assert_eq!(unit.memberships().of_pairs(&pairs)?.len(), 2_500);
        assert!(unit.history().of_users(asked, None)?.iter().map(|row| &row.entry).eq(&adds[200..5_200]));
        assert_eq!(unit.history().of_users(asked, Some(b.id))?.len(), 2_500);
        let mut segments: Vec<SegmentId> = (0..2_500).map(|number| SegmentId(1_000_000 + number)).collect();
        segments[2_400] = a.id;
        let counts = unit.memberships().counts(&segments, minute(1))?;
        assert_eq!(counts.into_iter().filter(|(_, count)| *count > 0).collect::<Vec<_>>(), [(a.id, MANY as u64)]);
        Ok(())
    });
    assert_eq!(must(store, |unit| unit.memberships().of_pairs(&pairs)).len(), 2_500);
    assert_eq!(must(store, |unit| unit.memberships().of_users(asked)).len(), 5_000);
    let paged = pages(1_000, |last: Option<&UserId>| look(store, |unit| unit.users().ids(last, 1_000)));
    assert_eq!(paged, users);
}

fn thousands_of_slugs(store: &dyn Store) {
    let slugs: Vec<Slug> = (0..2_500).map(|number| slug(&format!("s{number:05}"))).collect();
    must(store, |unit| {
        for slug in slugs.iter().step_by(10) {
            unit.segments().insert(&new_segment(slug.as_str()))?;
        }
        Ok(())
    });
    let found = look(store, |unit| unit.segments().find_all(&slugs));
    assert!(found.iter().map(|segment| &segment.slug).eq(slugs.iter().step_by(10)));
}

/// Before 1970, on both sides of it, where floating point loses microseconds, and the last of four-digit years.
fn instants() -> Vec<Instant> {
    [
        "1901-12-13T20:45:51.000001Z",
        "1969-12-31T23:59:59.999999Z",
        "1970-01-01T00:00:00Z",
        "1970-01-01T00:00:00.000001Z",
        "2023-11-14T22:13:20.123457Z",
        "2024-02-29T23:59:59.999999Z",
        "2038-01-19T03:14:08.1Z",
        "2262-04-11T23:47:16.854776Z",
        "2300-01-01T00:00:00.654321Z",
        "9999-12-31T23:59:59.999999Z",
    ]
    .map(|text| text.parse().unwrap())
    .to_vec()
}

fn instants_are_kept(store: &dyn Store) {
    for (number, at) in instants().into_iter().enumerate() {
        let name = format!("s{number}");
        let segment = has(store, Segment { created_at: at, updated_at: at, ..new_segment(&name) });
        let user = User { updated_at: at, ..User::born(id(&name), at) };
        let begun = add(&name, &segment, at, Some(at));
        let answer =
            StoredAnswer { key: name.clone(), fingerprint: String::new(), answer: String::new(), created_at: at };
        must(store, |unit| {
            unit.users().insert_missing(std::slice::from_ref(&user))?;
            unit.memberships().record(std::slice::from_ref(&begun))?;
            unit.answers().keep(&answer)
        });
        look(store, |unit| {
            assert_eq!(unit.segments().find(&segment.slug)?, Some(segment.clone()));
            assert_eq!(unit.segments().bearers(&segment.slug)?[0].period.from, Some(at));
            assert_eq!(unit.users().find(&user.id)?, Some(user.clone()));
            assert_eq!(unit.answers().find(&name)?, Some(answer.clone()));
            Ok(())
        });
        assert_eq!(stored(store, std::slice::from_ref(&user.id)), [member(&begun)]);
        assert_eq!(rows_of(store, &[user.id]), [begun]);
    }
}

fn deadlines_are_compared(store: &dyn Store) {
    let segment = has_segment(store, "VIP");
    let deadlines = &instants()[1..];
    let since = instants()[0];
    let users: Vec<UserId> = (0..deadlines.len()).map(id).collect();
    has_users(store, &users);
    let adds: Vec<Entry> =
        users.iter().zip(deadlines).map(|(user, deadline)| add(user, &segment, since, Some(*deadline))).collect();
    record(store, &adds);
    let mut ended = 0;
    for (passed, deadline) in deadlines.iter().enumerate() {
        for (at, due) in [(*deadline - micros(1), passed), (*deadline, passed + 1)] {
            // Two neighbours lie a microsecond apart, so that one is due just before the other.
            let due = due.max(deadlines.iter().filter(|deadline| **deadline <= at).count());
            let live = (users.len() - due) as u64;
            look(store, |unit| {
                assert_eq!(unit.memberships().counts(&[segment.id], at)?.first().map_or(0, |(_, n)| *n), live, "{at}");
                assert_eq!(unit.memberships().members(segment.id, at, None, 99)?.len() as u64, live, "{at}");
                assert_eq!(unit.history().count_at(segment.id, at)?, live, "{at}");
                Ok(())
            });
            assert_eq!(must(store, |unit| unit.memberships().expire(at, 99)), due - ended, "{at}");
            ended = due;
        }
    }
}
