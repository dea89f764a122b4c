use domain::{Actor, Entry, Instant, JobId, Membership, Reason, Segment, Source, User, UserId};
use usecases::ports::{EndingQuery, Leaving, MemberQuery, MembershipTotals, Store, StoreError, UserQuery};

use super::{
    Case, add, attempt, extend, has_segment, has_users, id, ids, look, member, micros, minute, must, pages, record,
    remove, rows_of, stored,
};
use crate::slug;

pub(super) const CASES: &[Case] = &[
    ("an add is stored as it was told, for every source", add_is_stored_as_told),
    ("a remove takes the membership away and leaves its row", remove_takes_away),
    ("an extend moves the deadline and nothing else", extend_moves_the_deadline),
    ("a remove and an add of one pair in one call begin anew", remove_and_add_begin_anew),
    ("what is brought back began when it did, and its row says by which job", brought_back_began_when_it_did),
    ("entries are appended in their order", entries_are_appended_in_order),
    ("an add of a stored membership is a duplicate", add_of_stored_is_duplicate),
    ("a remove of what is not stored is contended", remove_of_absent_is_contended),
    ("an extend of what is not stored is contended", extend_of_absent_is_contended),
    ("nothing of a failed call is applied", nothing_of_a_failed_call),
    ("no entries change nothing", no_entries_change_nothing),
    ("memberships of pairs are those of both", of_pairs_are_those_of_both),
    ("memberships of users come by user and slug", of_users_by_user_and_slug),
    ("memberships of a segment come page by page", of_segment_page_by_page),
    ("whoever's deadline came is stored but not active", due_is_stored_but_not_active),
    ("active segments come by user and slug", active_by_user_and_slug),
    ("members are live from since up to and not at the deadline", members_to_the_microsecond),
    ("members come page by page", members_page_by_page),
    ("counts are of live members", counts_are_of_live_members),
    ("members are found as users are, page by page", members_are_found),
    ("members are found by any text, now and at an instant, up to a page's very end", members_are_found_by_any_text),
    ("the ending come by deadline, user and segment, and only what the filters leave", ending_by_deadline),
    ("sources and totals are of live memberships", sources_and_totals_of_live),
    ("shared are the live members of both", shared_are_live_in_both),
    ("shared among some are the live members of each two", shared_among_some),
    ("the due end at their deadlines, the longest due first, and no more than asked for", due_are_ended_in_order),
    ("the due of a segment end, and nobody else", due_of_a_segment_are_ended),
    ("everybody leaves a segment at once, as it is said", everybody_leaves_at_once),
    ("ends that roll back never were", ends_that_roll_back_never_were),
];

/// Users of whom some are found by their ids, and some by name or e-mail.
pub(super) fn has_people(store: &dyn Store) {
    let person =
        |text: &str, name: Option<&str>| User { name: name.map(str::to_owned), ..User::born(id(text), minute(0)) };
    let people =
        [person("anna", None), person("ann", Some("Zoe")), person("boris", None), person("ivan", Some("JOANNE"))];
    must(store, |unit| unit.users().insert_missing(&people));
}

fn members_are_found(store: &dyn Store) {
    let [segment, other] = ["A", "B"].map(|text| has_segment(store, text));
    has_people(store);
    let adds = ["anna", "ann", "boris", "ivan"].map(|user| add(user, &segment, minute(1), None));
    record(store, &adds);
    record(store, &[add("ann", &other, minute(1), None), extend("ann", &segment, minute(2), Some(minute(9)))]);
    for (of, at, text, by_id_only, expected) in [
        (&segment, 5, "ann", false, vec!["ann", "anna", "ivan"]),
        (&segment, 5, "ann", true, vec!["ann", "anna"]),
        (&segment, 9, "ann", false, vec!["anna", "ivan"]),
        (&segment, 0, "ann", false, vec![]),
        (&segment, 5, "zo", false, vec!["ann"]),
        (&segment, 5, "%", false, vec![]),
        (&other, 5, "an", false, vec!["ann"]),
        (&segment, 5, "", false, vec!["ann", "anna", "boris", "ivan"]),
    ] {
        let text = Some(text.to_owned()).filter(|text| !text.is_empty());
        let query = |after: Option<UserId>| MemberQuery {
            segment: of.id,
            at: minute(at),
            users: UserQuery { text: text.clone(), by_id_only, after },
        };
        for limit in [1, 10] {
            let found = pages(limit, |last: Option<&Membership>| {
                let query = query(last.map(|last| last.user.clone()));
                // The cursor does not count.
                assert_eq!(look(store, |unit| unit.memberships().count_found(&query)), expected.len() as u64);
                look(store, |unit| unit.memberships().found(&query, limit))
            });
            let found: Vec<&str> = found.iter().map(|found| found.user.as_str()).collect();
            assert_eq!(found, expected, "{text:?} at {at}");
        }
    }
}

/// A text is no pattern, its letter case counts in ids alone, and where a page ends finds and loses nobody.
fn members_are_found_by_any_text(store: &dyn Store) {
    let segment = has_segment(store, "A");
    let person = |text: &str, name: Option<&str>, email: Option<&str>| User {
        name: name.map(str::to_owned),
        email: email.map(str::to_owned),
        ..User::born(id(text), minute(0))
    };
    let people = [
        person("a%b", None, None),
        person("a_b", None, None),
        person("aXb", Some("50% off_\\"), None),
        person("a\\b", None, None),
        person("gone", Some("АННА"), None),
        person("Анна", None, None),
        person("анна", None, None),
        person("я1", Some("Анна ЁЖИКОВА"), None),
        person("я2", None, Some("Анна@Пример.рф")),
        person("я3", Some("Ω ÀÉÎ"), None),
    ];
    must(store, |unit| unit.users().insert_missing(&people));
    must(store, |unit| unit.users().insert_missing(&[person("outside", Some("Анна %_\\"), None)]));
    record(store, &people.each_ref().map(|person| add(&person.id, &segment, minute(1), None)));
    // Whoever is not a user any more is not found by a search, though history tells of the membership.
    record(store, &[remove("gone", &segment, minute(5))]);
    must(store, |unit| unit.users().delete(&id("gone")));
    for (text, expected) in [
        ("%", vec!["aXb"]),
        ("_", vec!["aXb"]),
        ("\\", vec!["aXb"]),
        ("a%", vec!["a%b"]),
        ("a_", vec!["a_b"]),
        ("a\\", vec!["a\\b"]),
        ("0% OFF_\\", vec!["aXb"]),
        ("анна", vec!["анна", "я1", "я2"]),
        ("АННА", vec!["я1", "я2"]),
        ("Анна", vec!["Анна", "я1", "я2"]),
        ("ёжик", vec!["я1"]),
        ("ПРИМЕР", vec!["я2"]),
        ("àéî", vec!["я3"]),
        ("я", vec!["я1", "я2", "я3"]),
        ("Я", vec![]),
        ("a", vec!["a%b", "aXb", "a\\b", "a_b"]),
        ("gone", vec![]),
    ] {
        let query = |after: Option<UserId>| MemberQuery {
            segment: segment.id,
            at: minute(9),
            users: UserQuery { text: Some(text.to_owned()), by_id_only: false, after },
        };
        // At an instant before somebody left and was forgotten.
        let then = |after: Option<UserId>| MemberQuery { at: minute(4), ..query(after) };
        let count = expected.len();
        for limit in [1, 2, count.max(1), count + 1] {
            let now = pages(limit, |last: Option<&Membership>| {
                let query = query(last.map(|last| last.user.clone()));
                assert_eq!(look(store, |unit| unit.memberships().count_found(&query)), count as u64, "{text}");
                look(store, |unit| unit.memberships().found(&query, limit))
            });
            let told = pages(limit, |last: Option<&Membership>| {
                let query = then(last.map(|last| last.user.clone()));
                assert_eq!(look(store, |unit| unit.history().count_found_at(&query)), count as u64, "{text}");
                look(store, |unit| unit.history().found_at(&query, limit))
            });
            for found in [now, told] {
                let found: Vec<&str> = found.iter().map(|found| found.user.as_str()).collect();
                assert_eq!(found, expected, "{text} by {limit}");
            }
        }
        // A cursor need not be one of those who are found.
        let left: Vec<&str> = expected.iter().copied().filter(|user| *user > "aY").collect();
        let now = look(store, |unit| unit.memberships().found(&query(Some(id("aY"))), 100));
        let told = look(store, |unit| unit.history().found_at(&then(Some(id("aY"))), 100));
        for found in [now, told] {
            assert_eq!(found.iter().map(|found| found.user.as_str()).collect::<Vec<_>>(), left, "{text}");
        }
    }
}

fn ending_by_deadline(store: &dyn Store) {
    let segments = ["B", "A"].map(|text| has_segment(store, text));
    let users = ids(["b", "a", "Z", "я"]);
    has_users(store, &users);
    let mut entries: Vec<Entry> = Vec::new();
    for (place, user) in users.iter().enumerate() {
        for (number, segment) in segments.iter().enumerate() {
            let deadline = [Some(minute(7)), Some(minute(5)), None, Some(minute(7) + micros(1))][(place + number) % 4];
            let source = if place % 2 == 0 { Source::Import } else { Source::Percent };
            entries.push(Entry { source, ..add(user, segment, minute(1), deadline) });
        }
    }
    record(store, &entries);
    let all: Vec<Membership> = entries.iter().map(member).collect();
    let of_all = EndingQuery::of_all(minute(4));
    let queries = [
        of_all.clone(),
        EndingQuery { at: minute(5), ..of_all.clone() },
        EndingQuery { at: minute(0), ..of_all.clone() },
        EndingQuery { before: Some(minute(7)), ..of_all.clone() },
        EndingQuery { before: Some(minute(7) + micros(1)), ..of_all.clone() },
        EndingQuery { segment: Some(segments[1].id), ..of_all.clone() },
        EndingQuery { user: Some(id("a")), ..of_all.clone() },
        EndingQuery { source: Some(Source::Import), before: Some(minute(9)), ..of_all },
    ];
    for query in queries {
        let suits = |found: &&Membership| {
            found.is_live_at(query.at)
                && found.expires_at.is_some_and(|at| query.before.is_none_or(|before| at < before))
                && query.segment.is_none_or(|segment| segment == found.segment.id)
                && query.user.as_ref().is_none_or(|user| *user == found.user)
                && query.source.is_none_or(|source| source == found.source)
        };
        let position =
            |found: &Membership| (found.expires_at.unwrap_or_default(), found.user.clone(), found.segment.id);
        let mut expected: Vec<Membership> = all.iter().filter(suits).cloned().collect();
        expected.sort_by_key(position);
        for limit in [1, 3, 100] {
            let found = pages(limit, |last: Option<&Membership>| {
                let query = EndingQuery { after: last.map(position), ..query.clone() };
                assert_eq!(look(store, |unit| unit.memberships().count_ending(&query)), expected.len() as u64);
                look(store, |unit| unit.memberships().ending(&query, limit))
            });
            assert_eq!(found, expected, "{query:?} by {limit}");
        }
    }
}

fn sources_and_totals_of_live(store: &dyn Store) {
    let [segment, other] = ["A", "B"].map(|text| has_segment(store, text));
    let users = ids(["1", "2", "3"]);
    has_users(store, &users);
    let by = |source, entry: Entry| Entry { source, ..entry };
    record(
        store,
        &[
            by(Source::Percent, add("1", &segment, minute(1), None)),
            by(Source::Import, add("2", &segment, minute(1), Some(minute(5)))),
            by(Source::Import, add("3", &segment, minute(3), None)),
            by(Source::Manual, add("1", &other, minute(1), Some(minute(9)))),
        ],
    );
    let sources = |segment, at| {
        let mut sources = look(store, |unit| unit.memberships().sources(segment, minute(at)));
        sources.retain(|(_, count)| *count > 0);
        sources.sort_by_key(|(source, _)| source.as_str());
        sources
    };
    let (import, manual, percent) = (Source::Import, Source::Manual, Source::Percent);
    assert_eq!(sources(None, 4), [(import, 2), (manual, 1), (percent, 1)]);
    assert_eq!(sources(None, 5), [(import, 1), (manual, 1), (percent, 1)]);
    assert_eq!(sources(None, 2), [(import, 1), (manual, 1), (percent, 1)]);
    assert_eq!(sources(Some(other.id), 4), [(manual, 1)]);
    assert_eq!((sources(None, 0), sources(Some(other.id), 9)), (vec![], vec![]));
    let totals = |at| look(store, |unit| unit.memberships().totals(minute(at)));
    let expected = |memberships, with_deadline| MembershipTotals { memberships, with_deadline };
    assert_eq!([0, 2, 4, 5, 9].map(totals), [(0, 0), (3, 2), (4, 2), (3, 1), (2, 0)].map(|(a, b)| expected(a, b)));
}

fn shared_among_some(store: &dyn Store) {
    let [a, b, c, d] = ["A", "B", "C", "D"].map(|text| has_segment(store, text));
    let users = ids(["1", "2", "3", "4"]);
    has_users(store, &users);
    let mut entries = Vec::new();
    for (user, segments) in [("1", vec![&a, &b, &c]), ("2", vec![&a, &b, &d]), ("3", vec![&b, &c]), ("4", vec![&a, &d])]
    {
        entries.extend(segments.into_iter().map(|segment| add(user, segment, minute(1), None)));
    }
    record(store, &entries);
    record(store, &[extend("3", &c, minute(2), Some(minute(9)))]);
    let shared = |segments: &[&Segment], at| {
        let ids: Vec<_> = segments.iter().map(|segment| segment.id).collect();
        look(store, |unit| unit.memberships().shared_among(&ids, minute(at)))
    };
    assert_eq!(shared(&[&c, &a, &b, &a], 5), [(a.id, b.id, 2), (a.id, c.id, 1), (b.id, c.id, 2)]);
    assert_eq!(shared(&[&a, &b, &c], 9), [(a.id, b.id, 2), (a.id, c.id, 1), (b.id, c.id, 1)]);
    assert_eq!(
        (shared(&[&c, &d], 5), shared(&[&a, &b], 0), shared(&[&a], 5), shared(&[], 5)),
        (vec![], vec![], vec![], vec![])
    );
}

fn add_is_stored_as_told(store: &dyn Store) {
    let segment = has_segment(store, "VIP");
    let begun: Vec<Entry> = Source::ALL
        .into_iter()
        .filter(|source| *source != Source::Expiry)
        .enumerate()
        .map(|(number, source)| Entry {
            source,
            actor: Actor::new(format!("учётная запись {number}")),
            reason: (number % 2 == 0).then(|| Reason::parse(&"ы".repeat(500)).unwrap()),
            ..add(number, &segment, minute(number as i64), (number % 3 == 0).then(|| minute(100)))
        })
        .collect();
    let users: Vec<UserId> = begun.iter().map(|entry| entry.user.clone()).collect();
    has_users(store, &users);
    record(store, &begun);
    assert_eq!(stored(store, &users), begun.iter().map(member).collect::<Vec<_>>());
    assert_eq!(rows_of(store, &users), begun);
}

fn remove_takes_away(store: &dyn Store) {
    let segment = has_segment(store, "VIP");
    has_users(store, &[id("u")]);
    let steps = [
        add("u", &segment, minute(1), None),
        Entry { source: Source::Expiry, actor: Actor::new("expiry"), ..remove("u", &segment, minute(2)) },
    ];
    record(store, &steps[..1]);
    record(store, &steps[1..]);
    assert_eq!(stored(store, &[id("u")]), []);
    assert_eq!(rows_of(store, &[id("u")]), steps);
}

fn extend_moves_the_deadline(store: &dyn Store) {
    let segment = has_segment(store, "VIP");
    has_users(store, &ids(["u", "v"]));
    let begun = add("u", &segment, minute(1), Some(minute(5)));
    record(store, &[begun.clone(), add("v", &segment, minute(1), Some(minute(5)))]);
    for deadline in [Some(minute(50)), Some(minute(3)), None] {
        let step = Entry {
            source: Source::Import,
            actor: Actor::new("another"),
            reason: Reason::parse("longer").ok(),
            ..extend("u", &segment, minute(2), deadline)
        };
        record(store, std::slice::from_ref(&step));
        assert_eq!(stored(store, &[id("u")]), [Membership { expires_at: deadline, ..member(&begun) }]);
        assert_eq!(rows_of(store, &[id("u")]).last(), Some(&step));
    }
    assert_eq!(stored(store, &[id("v")])[0].expires_at, Some(minute(5)));
}

fn remove_and_add_begin_anew(store: &dyn Store) {
    let segment = has_segment(store, "VIP");
    has_users(store, &ids(["u", "v"]));
    let first = add("u", &segment, minute(1), Some(minute(2)));
    record(store, std::slice::from_ref(&first));
    let again = Entry { source: Source::Move, reason: None, ..add("u", &segment, minute(3), Some(minute(9))) };
    let steps = [Entry::expiry(&member(&first)).unwrap(), add("v", &segment, minute(3), None), again.clone()];
    record(store, &steps);
    assert_eq!(stored(store, &[id("u")]), [member(&again)]);
    assert_eq!(rows_of(store, &[id("u")]), [first, steps[0].clone(), again]);
    assert_eq!(stored(store, &[id("v")]).len(), 1);
}

fn brought_back_began_when_it_did(store: &dyn Store) {
    let segment = has_segment(store, "VIP");
    has_users(store, &ids(["u", "v"]));
    let steps = [
        add("u", &segment, minute(1), None),
        Entry { job: Some(JobId(7)), ..remove("u", &segment, minute(3)) },
        Entry { since: Some(minute(1)), job: Some(JobId(i64::MAX)), ..add("u", &segment, minute(5), Some(minute(9))) },
        Entry { job: Some(JobId(7)), ..extend("u", &segment, minute(6), Some(minute(8))) },
        Entry { since: Some(minute(2)), job: Some(JobId(8)), ..add("v", &segment, minute(5), None) },
    ];
    for step in &steps[..3] {
        record(store, std::slice::from_ref(step));
    }
    // Some stores write many in another way than one.
    record(store, &steps[3..]);
    assert_eq!(rows_of(store, &ids(["u", "v"])), steps);
    let began = |member: &Membership| (member.user.clone(), member.since, member.expires_at);
    let expected = [(id("u"), minute(1), Some(minute(8))), (id("v"), minute(2), None)];
    assert_eq!(stored(store, &ids(["u", "v"])).iter().map(began).collect::<Vec<_>>(), expected);
    look(store, |unit| {
        assert_eq!(unit.memberships().counts(&[segment.id], minute(6))?, [(segment.id, 2)]);
        assert_eq!(
            unit.memberships().members(segment.id, minute(6), None, 9)?.iter().map(began).collect::<Vec<_>>(),
            expected
        );
        assert_eq!(
            unit.history().members_at(segment.id, minute(6), None, 9)?.iter().map(began).collect::<Vec<_>>(),
            expected
        );
        // It is back from when the row says, and not from when it began.
        assert_eq!(unit.history().count_at(segment.id, minute(4))?, 0);
        assert_eq!(unit.history().count_at(segment.id, minute(2))?, 1);
        assert_eq!(unit.history().count_at(segment.id, minute(5))?, 2);
        Ok(())
    });
}

fn entries_are_appended_in_order(store: &dyn Store) {
    let (a, b) = (has_segment(store, "a"), has_segment(store, "b"));
    has_users(store, &ids(["u", "v"]));
    // Neither by instant nor by user nor by segment.
    let steps = [
        add("v", &b, minute(5), None),
        add("u", &b, minute(7), None),
        add("v", &a, minute(3), None),
        remove("u", &b, minute(1)),
        add("u", &a, minute(9), None),
    ];
    record(store, &steps[..1]);
    record(store, &steps[1..3]);
    record(store, &steps[3..]);
    assert_eq!(rows_of(store, &ids(["u", "v"])), steps);
    let rows = look(store, |unit| unit.history().of_users(&ids(["u", "v"]), None));
    assert!(rows.windows(2).all(|pair| pair[0].id < pair[1].id));
}

fn add_of_stored_is_duplicate(store: &dyn Store) {
    let segment = has_segment(store, "VIP");
    has_users(store, &[id("u")]);
    let begun = add("u", &segment, minute(1), Some(minute(2)));
    record(store, std::slice::from_ref(&begun));
    // Also when its deadline came: then the remove is to be written first.
    let again = attempt(store, |unit| unit.memberships().record(&[add("u", &segment, minute(3), None)]));
    assert!(matches!(again, Err(StoreError::Duplicate)), "{again:?}");
    assert_eq!(stored(store, &[id("u")]), [member(&begun)]);
    assert_eq!(rows_of(store, &[id("u")]), [begun]);
}

fn remove_of_absent_is_contended(store: &dyn Store) {
    let (segment, other) = (has_segment(store, "VIP"), has_segment(store, "other"));
    has_users(store, &ids(["u", "v"]));
    record(store, &[add("u", &other, minute(1), None), add("v", &segment, minute(1), None)]);
    let result = attempt(store, |unit| unit.memberships().record(&[remove("u", &segment, minute(3))]));
    assert!(matches!(result, Err(StoreError::Contended(_))), "{result:?}");
    assert_eq!(stored(store, &ids(["u", "v"])).len(), 2);
    assert_eq!(rows_of(store, &ids(["u", "v"])).len(), 2);
}

fn extend_of_absent_is_contended(store: &dyn Store) {
    let (segment, other) = (has_segment(store, "VIP"), has_segment(store, "other"));
    has_users(store, &ids(["u", "v"]));
    record(store, &[add("u", &other, minute(1), None), add("v", &segment, minute(1), None)]);
    let result = attempt(store, |unit| unit.memberships().record(&[extend("u", &segment, minute(3), None)]));
    assert!(matches!(result, Err(StoreError::Contended(_))), "{result:?}");
    assert_eq!(rows_of(store, &ids(["u", "v"])).len(), 2);
}

fn nothing_of_a_failed_call(store: &dyn Store) {
    let segment = has_segment(store, "VIP");
    has_users(store, &ids(["kept", "going", "u", "v", "w"]));
    let begun = [add("kept", &segment, minute(1), None), add("going", &segment, minute(1), None)];
    record(store, &begun);
    for bad in [
        add("kept", &segment, minute(2), None),
        remove("v", &segment, minute(2)),
        extend("v", &segment, minute(2), None),
    ] {
        let steps = [
            remove("going", &segment, minute(2)),
            add("u", &segment, minute(2), None),
            bad,
            add("w", &segment, minute(2), None),
        ];
        attempt(store, |unit| unit.memberships().record(&steps)).unwrap_err();
        let everyone = ids(["going", "kept", "u", "v", "w"]);
        assert_eq!(stored(store, &everyone).len(), 2);
        assert_eq!(rows_of(store, &everyone), begun);
    }
}

fn no_entries_change_nothing(store: &dyn Store) {
    record(store, &[]);
    assert_eq!(look(store, |unit| unit.history().count(&Default::default())), 0);
    assert_eq!(look(store, |unit| unit.memberships().of_users(&[])), []);
    assert_eq!(look(store, |unit| unit.memberships().of_pairs(&[])), []);
    assert_eq!(look(store, |unit| unit.memberships().active(&[], minute(1))), []);
    assert_eq!(look(store, |unit| unit.memberships().counts(&[], minute(1))), []);
}

fn of_pairs_are_those_of_both(store: &dyn Store) {
    let [a, b, c] = ["a", "b", "c"].map(|text| has_segment(store, text));
    has_users(store, &ids(["u", "v", "w"]));
    let steps = [
        add("u", &a, minute(1), Some(minute(2))),
        add("u", &b, minute(1), None),
        add("u", &c, minute(1), None),
        add("v", &b, minute(1), None),
        add("w", &a, minute(1), None),
    ];
    record(store, &steps);
    let pairs = |users: &[UserId], segments: &[domain::SegmentId]| {
        let pairs: Vec<(UserId, domain::SegmentId)> =
            users.iter().flat_map(|user| segments.iter().map(|segment| (user.clone(), *segment))).collect();
        let twice: Vec<(UserId, domain::SegmentId)> = pairs.iter().chain(&pairs).cloned().collect();
        must(store, |unit| unit.memberships().of_pairs(&twice))
    };
    let expected: Vec<Membership> = [0, 1, 3].map(|number| member(&steps[number])).to_vec();
    assert_eq!(pairs(&ids(["u", "v", "nobody"]), &[a.id, b.id]), expected);
    assert_eq!(pairs(&ids(["v"]), &[a.id, c.id]), []);
    assert_eq!(pairs(&[], &[a.id]), []);
    assert_eq!(pairs(&ids(["u"]), &[]), []);
}

fn of_users_by_user_and_slug(store: &dyn Store) {
    // Made in an order that is not the one of their slugs.
    let [a, z, b] = ["a", "Z", "b_"].map(|text| has_segment(store, text));
    has_users(store, &ids(["я", "a", "Z", "other"]));
    let steps = [
        add("Z", &z, minute(1), Some(minute(2))),
        add("Z", &a, minute(1), None),
        add("Z", &b, minute(1), None),
        add("a", &b, minute(1), None),
        add("я", &z, minute(1), None),
        add("я", &a, minute(1), None),
    ];
    record(store, &[&steps[3..], &steps[..3], &[add("other", &a, minute(1), None)]].concat());
    let expected: Vec<Membership> = steps.iter().map(member).collect();
    assert_eq!(stored(store, &ids(["Z", "a", "nobody", "я"])), expected);
    assert_eq!(stored(store, &ids(["я", "nobody", "a", "Z", "Z"])), expected);
}

fn of_segment_page_by_page(store: &dyn Store) {
    let (segment, other) = (has_segment(store, "VIP"), has_segment(store, "other"));
    let users = ids(["1", "10", "9", "Z", "a", "я"]);
    has_users(store, &users);
    let steps: Vec<Entry> = users.iter().rev().map(|user| add(user, &segment, minute(1), Some(minute(2)))).collect();
    record(store, &steps);
    record(store, &[add("a", &other, minute(1), None)]);
    let expected: Vec<Membership> = steps.iter().rev().map(member).collect();
    for limit in [1, 2, 100] {
        let paged = pages(limit, |last: Option<&Membership>| {
            must(store, |unit| unit.memberships().of_segment(segment.id, last.map(|last| &last.user), limit))
        });
        assert_eq!(paged, expected);
    }
}

fn due_is_stored_but_not_active(store: &dyn Store) {
    let segment = has_segment(store, "VIP");
    has_users(store, &[id("u")]);
    record(store, &[add("u", &segment, minute(1), Some(minute(2)))]);
    assert_eq!(stored(store, &[id("u")]).len(), 1);
    for (at, active) in [
        (minute(1) - micros(1), 0),
        (minute(1), 1),
        (minute(2) - micros(1), 1),
        (minute(2), 0),
        (minute(2) + micros(1), 0),
    ] {
        assert_eq!(look(store, |unit| unit.memberships().active(&[id("u")], at)).len(), active, "{at}");
    }
}

fn active_by_user_and_slug(store: &dyn Store) {
    let [a, z, b] = ["a", "Z", "b"].map(|text| has_segment(store, text));
    has_users(store, &ids(["я", "a", "Z", "other"]));
    record(
        store,
        &[
            add("я", &a, minute(1), None),
            add("я", &z, minute(1), Some(minute(9))),
            add("a", &b, minute(1), None),
            add("Z", &b, minute(1), Some(minute(2))),
            add("Z", &z, minute(1), None),
            add("other", &z, minute(1), None),
        ],
    );
    let expected = [("Z", "Z"), ("a", "b"), ("я", "Z"), ("я", "a")].map(|(user, segment)| (id(user), slug(segment)));
    for users in [ids(["Z", "a", "я"]), ids(["я", "Z", "nobody", "a", "я"])] {
        assert_eq!(look(store, |unit| unit.memberships().active(&users, minute(3))), expected);
    }
}

fn members_to_the_microsecond(store: &dyn Store) {
    let segment = has_segment(store, "VIP");
    has_users(store, &ids(["open", "closed"]));
    record(store, &[add("open", &segment, minute(1), None), add("closed", &segment, minute(1), Some(minute(2)))]);
    let live = |at: Instant| {
        let members = look(store, |unit| unit.memberships().members(segment.id, at, None, 9));
        members.into_iter().map(|member| member.user.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(live(minute(1) - micros(1)), Vec::<String>::new());
    assert_eq!(live(minute(1)), ["closed", "open"]);
    assert_eq!(live(minute(2) - micros(1)), ["closed", "open"]);
    assert_eq!(live(minute(2)), ["open"]);
    assert_eq!(live(minute(1_000_000)), ["open"]);
}

fn members_page_by_page(store: &dyn Store) {
    let (segment, other) = (has_segment(store, "VIP"), has_segment(store, "other"));
    let users = ids(["1", "10", "9", "Z", "a", "b", "c", "я"]);
    has_users(store, &users);
    let steps: Vec<Entry> = users
        .iter()
        .enumerate()
        .map(|(number, user)| add(user, &segment, minute(1), (number % 3 == 1).then(|| minute(2))))
        .collect();
    record(store, &steps);
    record(store, &[add("a", &other, minute(1), None)]);
    let expected: Vec<Membership> = steps.iter().map(member).filter(|member| member.is_live_at(minute(2))).collect();
    assert_eq!(expected.len(), 5);
    for limit in [1, 2, 100] {
        let paged = pages(limit, |last: Option<&Membership>| {
            look(store, |unit| unit.memberships().members(segment.id, minute(2), last.map(|last| &last.user), limit))
        });
        assert_eq!(paged, expected, "by {limit}");
    }
}

fn shared_are_live_in_both(store: &dyn Store) {
    let [a, b, c, alone] = ["a", "b", "c", "alone"].map(|text| has_segment(store, text));
    record(
        store,
        &[
            add("u", &a, minute(1), None),
            add("v", &a, minute(1), Some(minute(4))),
            add("w", &a, minute(2), None),
            add("u", &b, minute(1), Some(minute(3))),
            add("v", &b, minute(1), None),
            add("x", &b, minute(1), None),
            add("w", &c, minute(5), None),
            add("y", &alone, minute(1), None),
        ],
    );
    let shared = |of: &domain::Segment, at: i64| {
        let told = look(store, |unit| unit.memberships().shared(of.id, minute(at)));
        [&a, &b, &c, &alone]
            .map(|segment| told.iter().filter(|(id, _)| *id == segment.id).map(|(_, count)| *count).sum::<u64>())
    };
    assert_eq!([2, 3, 4, 5].map(|at| shared(&a, at)), [[0, 2, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0], [0, 0, 1, 0]]);
    assert_eq!((shared(&b, 2), shared(&c, 6), shared(&alone, 6)), ([2, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]));
}

fn counts_are_of_live_members(store: &dyn Store) {
    let [a, b, empty] = ["a", "b", "empty"].map(|text| has_segment(store, text));
    has_users(store, &ids(["u", "v", "w"]));
    record(
        store,
        &[
            add("u", &a, minute(1), Some(minute(5))),
            add("v", &a, minute(2), None),
            add("w", &a, minute(1), Some(minute(6))),
            add("u", &b, minute(1), Some(minute(2))),
        ],
    );
    for (at, of_a, of_b) in [
        (minute(1) - micros(1), 0, 0),
        (minute(1), 2, 1),
        (minute(2) - micros(1), 2, 1),
        (minute(2), 3, 0),
        (minute(5), 2, 0),
        (minute(6), 1, 0),
    ] {
        let counts = look(store, |unit| unit.memberships().counts(&[b.id, empty.id, a.id], at));
        let count = |id| counts.iter().filter(|(segment, _)| *segment == id).map(|(_, count)| count).sum::<u64>();
        assert_eq!((count(a.id), count(b.id), count(empty.id)), (of_a, of_b, 0), "{at}");
        assert_eq!(
            look(store, |unit| unit.memberships().counts(&[empty.id], at)).iter().map(|(_, n)| n).sum::<u64>(),
            0
        );
    }
}

fn due_are_ended_in_order(store: &dyn Store) {
    let (a, b) = (has_segment(store, "a"), has_segment(store, "b"));
    has_users(store, &ids(["1", "2", "3", "4"]));
    let steps = [
        add("3", &a, minute(1), Some(minute(4))),
        add("1", &b, minute(1), Some(minute(2))),
        add("2", &a, minute(1), Some(minute(3))),
        add("1", &a, minute(1), Some(minute(4) + micros(1))),
        add("4", &a, minute(1), None),
    ];
    record(store, &steps);
    let expire = |at, limit| must(store, |unit| unit.memberships().expire(at, limit));
    assert_eq!(expire(minute(2) - micros(1), 10), 0);
    assert_eq!(expire(minute(2), 10), 1);
    assert_eq!(expire(minute(9), 1), 1);
    assert_eq!(expire(minute(9), 0), 0);
    assert_eq!(expire(minute(4), 10), 1);
    let users = ids([1, 2, 3, 4]);
    assert_eq!(stored(store, &users), [&steps[3], &steps[4]].map(member));
    assert_eq!(expire(minute(9), 10), 1);
    assert_eq!(expire(minute(9), 10), 0);
    assert_eq!(stored(store, &users), [member(&steps[4])]);
    let told = [&steps[1], &steps[2], &steps[0], &steps[3]].map(|step| Entry::expiry(&member(step)).unwrap());
    assert_eq!(rows_of(store, &users)[5..], told);
}

fn due_of_a_segment_are_ended(store: &dyn Store) {
    let (a, b) = (has_segment(store, "a"), has_segment(store, "b"));
    has_users(store, &ids([1, 2, 3]));
    let steps = [
        add("1", &a, minute(1), Some(minute(5))),
        add("2", &a, minute(1), Some(minute(4))),
        add("3", &a, minute(1), Some(minute(5) + micros(1))),
        add("1", &b, minute(1), Some(minute(2))),
        add("2", &b, minute(1), None),
    ];
    record(store, &steps);
    must(store, |unit| {
        unit.memberships().hold_passing(a.id)?;
        unit.memberships().expire_in(a.id, minute(5))
    });
    let told = [&steps[1], &steps[0]].map(|step| Entry::expiry(&member(step)).unwrap());
    assert_eq!(rows_of(store, &ids([1, 2, 3]))[5..], told);
    assert_eq!(stored(store, &ids([1, 2, 3])), [&steps[3], &steps[4], &steps[2]].map(member));
}

fn everybody_leaves_at_once(store: &dyn Store) {
    let (a, b) = (has_segment(store, "a"), has_segment(store, "b"));
    has_users(store, &ids([1, 2, 3]));
    let steps = [
        add("2", &a, minute(1), Some(minute(2))),
        add("1", &a, minute(7), None),
        add("3", &a, minute(5), None),
        add("1", &b, minute(1), None),
    ];
    record(store, &steps);
    let rows = [("1", minute(7)), ("2", minute(5)), ("3", minute(5))];
    for (reason, job) in [(None, None), (Reason::parse("потому что").ok(), Some(JobId(7)))] {
        let leaving = Leaving {
            segment: a.reference(),
            at: minute(5),
            source: Source::Manual,
            actor: Actor::new("somebody"),
            reason,
            job,
        };
        let before = rows_of(store, &ids([1, 2, 3])).len();
        assert_eq!(must(store, |unit| unit.memberships().end_all(&leaving)), 3);
        assert_eq!(must(store, |unit| unit.memberships().end_all(&leaving)), 0);
        let told = rows.map(|(user, at)| Entry {
            source: leaving.source,
            actor: leaving.actor.clone(),
            reason: leaving.reason.clone(),
            job,
            ..remove(user, &a, at)
        });
        assert_eq!(rows_of(store, &ids([1, 2, 3]))[before..], told);
        assert_eq!(stored(store, &ids([1, 2, 3])), [member(&steps[3])]);
        record(store, &steps[..3]);
    }
}

fn ends_that_roll_back_never_were(store: &dyn Store) {
    let segment = has_segment(store, "a");
    has_users(store, &[id("u")]);
    record(store, &[add("u", &segment, minute(1), Some(minute(2)))]);
    for _ in 0..2 {
        let failed: Result<(), StoreError> = attempt(store, |unit| {
            assert_eq!(unit.memberships().expire(minute(9), 9)?, 1);
            Err(StoreError::Contended("a test".to_owned()))
        });
        failed.unwrap_err();
    }
    assert_eq!(stored(store, &[id("u")]).len(), 1);
    assert_eq!(rows_of(store, &[id("u")]).len(), 1);
}
