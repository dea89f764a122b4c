use domain::{Description, Instant, Kind, Name, Percent, Period, Segment, Slug, Ttl};
use usecases::ports::{Bearer, Direction, SegmentOrder, SegmentQuery, SegmentSort, Store, StoreError};

use super::{
    Case, add, attempt, has, has_segment, has_users, id, look, minute, must, new_segment, pages, record, remove,
};
use crate::slug;

pub(super) const CASES: &[Case] = &[
    ("a segment is found as it was inserted", segment_is_found_as_inserted),
    ("slugs differ by letter case", slugs_differ_by_letter_case),
    ("those that exist are found, by slug", those_that_exist_are_found),
    ("a taken slug is a duplicate", taken_slug_is_a_duplicate),
    ("an update replaces the definition", update_replaces_the_definition),
    ("a rename keeps identity and members", rename_keeps_identity_and_members),
    ("a rename to a taken slug is a duplicate", rename_to_taken_slug_is_a_duplicate),
    ("a deleted segment is gone, and its slug is free for another identity", deleted_slug_is_free),
    ("bearers tell who had a slug and when", bearers_tell_who_had_a_slug),
    ("an update without a rename makes no bearer", update_makes_no_bearer),
    ("changed are those that were made or changed later", changed_later),
    ("segments are listed in every order, both ways", listed_in_every_order),
    ("a list goes on behind its cursor, one by one through equal values", list_goes_on_behind_its_cursor),
    ("text is found in slug and name, whatever the letter case", text_whatever_the_case),
    ("text is not a pattern", text_is_not_a_pattern),
    ("kinds are told apart", kinds_are_told_apart),
    ("a count does not look at the cursor", count_does_not_look_at_the_cursor),
    ("distributed segments are those of kind percent", distributed_are_of_kind_percent),
];

fn full(text: &str) -> Segment {
    Segment {
        name: Name::parse("Скидка 30 % «VIP» 🎉").unwrap(),
        description: Description::parse("Две строки\nи \"кавычки\" \\ ' ;").unwrap(),
        kind: Kind::Percent,
        percent: Percent::parse("33.3333").ok(),
        // Larger than a signed 64-bit number.
        seed: domain::Seed(u64::MAX - 1),
        default_ttl: Ttl::parse("P1Y2M3DT4H5M6S").ok(),
        created_at: minute(1),
        updated_at: minute(2),
        version: 7,
        ..new_segment(text)
    }
}

fn segment_is_found_as_inserted(store: &dyn Store) {
    let inserted = has(store, full("VIP"));
    assert_eq!(look(store, |unit| unit.segments().find(&slug("VIP"))), Some(inserted));
    assert_eq!(look(store, |unit| unit.segments().find(&slug("other"))), None);
    let plain = has_segment(store, "plain");
    assert_eq!(look(store, |unit| unit.segments().find(&slug("plain"))), Some(plain));
}

fn slugs_differ_by_letter_case(store: &dyn Store) {
    let (upper, lower) = (has_segment(store, "VIP"), has_segment(store, "vip"));
    assert_ne!(upper.id, lower.id);
    assert_eq!(look(store, |unit| unit.segments().find(&slug("VIP"))), Some(upper));
    assert_eq!(look(store, |unit| unit.segments().find(&slug("Vip"))), None);
}

fn those_that_exist_are_found(store: &dyn Store) {
    let (a, z) = (has_segment(store, "a"), has_segment(store, "Z"));
    has_segment(store, "unasked");
    let found = look(store, |unit| unit.segments().find_all(&[slug("Y"), slug("Z"), slug("a"), slug("b")]));
    assert_eq!(found, [z, a]);
    assert_eq!(look(store, |unit| unit.segments().find_all(&[])), []);
}

fn taken_slug_is_a_duplicate(store: &dyn Store) {
    let first = has(store, full("VIP"));
    let again = attempt(store, |unit| unit.segments().insert(&new_segment("VIP")));
    assert!(matches!(again, Err(StoreError::Duplicate)), "{again:?}");
    assert_eq!(look(store, |unit| unit.segments().find(&slug("VIP"))), Some(first));
}

fn update_replaces_the_definition(store: &dyn Store) {
    let plain = has_segment(store, "VIP");
    let changed = Segment { id: plain.id, created_at: plain.created_at, ..full("VIP") };
    must(store, |unit| unit.segments().update(&changed));
    assert_eq!(look(store, |unit| unit.segments().find(&slug("VIP"))), Some(changed));
    must(store, |unit| unit.segments().update(&plain));
    assert_eq!(look(store, |unit| unit.segments().find(&slug("VIP"))), Some(plain));
}

fn rename_keeps_identity_and_members(store: &dyn Store) {
    let before = has_segment(store, "before");
    has_users(store, &[id("u")]);
    record(store, &[add("u", &before, minute(1), Some(minute(5)))]);
    let after = Segment { slug: slug("after"), updated_at: minute(2), version: 2, ..before.clone() };
    must(store, |unit| unit.segments().update(&after));
    look(store, |unit| {
        assert_eq!(unit.segments().find(&slug("before"))?, None);
        assert_eq!(unit.segments().find(&slug("after"))?, Some(after.clone()));
        let users = [id("u")];
        // Whoever reads of a membership is told the name of today; history keeps the name of then.
        let told = [
            unit.memberships().of_users(&users)?,
            unit.memberships().of_pairs(&[(id("u"), after.id)])?,
            unit.memberships().of_segment(after.id, None, 9)?,
            unit.memberships().members(after.id, minute(3), None, 9)?,
        ];
        for memberships in told {
            assert_eq!(memberships.iter().map(|found| found.segment.clone()).collect::<Vec<_>>(), [after.reference()]);
        }
        assert_eq!(unit.memberships().active(&users, minute(3))?, [(id("u"), slug("after"))]);
        assert_eq!(unit.history().of_users(&users, None)?[0].entry.segment, before.reference());
        Ok(())
    });
    must(store, |unit| unit.memberships().expire(minute(9), 9));
    let rows = look(store, |unit| unit.history().of_users(&[id("u")], None));
    assert_eq!(rows[1].entry.segment, after.reference());
}

fn rename_to_taken_slug_is_a_duplicate(store: &dyn Store) {
    let first = has_segment(store, "first");
    has_segment(store, "second");
    let renamed = Segment { slug: slug("second"), updated_at: minute(1), version: 2, ..first.clone() };
    let result = attempt(store, |unit| unit.segments().update(&renamed));
    assert!(matches!(result, Err(StoreError::Duplicate)), "{result:?}");
    assert_eq!(look(store, |unit| unit.segments().find(&slug("first"))), Some(first));
}

fn deleted_slug_is_free(store: &dyn Store) {
    let first = has_segment(store, "VIP");
    has_users(store, &[id("u")]);
    record(store, &[add("u", &first, minute(1), None)]);
    record(store, &[remove("u", &first, minute(2))]);
    must(store, |unit| unit.segments().delete(first.id, minute(2)));
    assert_eq!(look(store, |unit| unit.segments().find(&slug("VIP"))), None);
    assert_eq!(look(store, |unit| unit.segments().count(&Default::default())), 0);
    let second = has(store, Segment { created_at: minute(3), updated_at: minute(3), ..new_segment("VIP") });
    assert_ne!(first.id, second.id);
    assert_eq!(look(store, |unit| unit.memberships().of_segment(second.id, None, 9)), []);
    assert_eq!(look(store, |unit| unit.history().of_users(&[id("u")], None)).len(), 2);
    assert_eq!(look(store, |unit| unit.history().of_users(&[id("u")], Some(first.id))).len(), 2);
    assert_eq!(look(store, |unit| unit.history().of_users(&[id("u")], Some(second.id))).len(), 0);
}

fn bearers_tell_who_had_a_slug(store: &dyn Store) {
    let first = has_segment(store, "VIP");
    must(store, |unit| unit.segments().update(&Segment { slug: slug("Gold"), updated_at: minute(1), ..first.clone() }));
    let second = has(store, Segment { created_at: minute(2), updated_at: minute(2), ..new_segment("VIP") });
    must(store, |unit| unit.segments().delete(second.id, minute(3)));
    must(store, |unit| unit.segments().delete(first.id, minute(4)));
    let third = has(store, Segment { created_at: minute(5), updated_at: minute(5), ..new_segment("VIP") });
    let bearer = |segment: &Segment, text, from, to: Option<i64>| Bearer {
        segment: segment.id,
        slug: slug(text),
        period: Period { from: Some(minute(from)), to: to.map(minute) },
    };
    let bearers = |text| look(store, |unit| unit.segments().bearers(&slug(text)));
    let of_vip =
        [bearer(&first, "VIP", 0, Some(1)), bearer(&second, "VIP", 2, Some(3)), bearer(&third, "VIP", 5, None)];
    assert_eq!(bearers("VIP"), of_vip);
    assert_eq!(bearers("Gold"), [bearer(&first, "Gold", 1, Some(4))]);
    assert_eq!(bearers("vip"), []);
    let names = look(store, |unit| unit.segments().names(&[third.id, first.id, domain::SegmentId(1_000_000)]));
    let expected =
        [bearer(&first, "VIP", 0, Some(1)), bearer(&first, "Gold", 1, Some(4)), bearer(&third, "VIP", 5, None)];
    assert_eq!(names, expected);
    assert_eq!(look(store, |unit| unit.segments().names(&[])), []);
}

fn update_makes_no_bearer(store: &dyn Store) {
    let segment = has_segment(store, "VIP");
    let changed = Segment { id: segment.id, updated_at: minute(9), created_at: segment.created_at, ..full("VIP") };
    must(store, |unit| unit.segments().update(&changed));
    let period = Period { from: Some(minute(0)), to: None };
    let bearers = look(store, |unit| unit.segments().bearers(&slug("VIP")));
    assert_eq!(bearers, [Bearer { segment: segment.id, slug: slug("VIP"), period }]);
}

const ORDERS: [SegmentOrder; 4] =
    [SegmentOrder::Slug, SegmentOrder::Name, SegmentOrder::CreatedAt, SegmentOrder::UpdatedAt];

/// Segments with equal names and instants among them, and with orders of slug, name and instants that disagree.
fn various(store: &dyn Store) -> Vec<Segment> {
    let named = [
        ("a", "я", -70_000_000_000, 5),
        ("B", "Z", 3, 3),
        ("b", "Z", 3, 4),
        ("Z", "a", 20, 4),
        ("z-1", "a", 3, 4),
        ("z_1", "Я", -1, 1),
        ("z1", "a", -70_000_000_000, 4),
        ("0", "Ä", 100, 4),
    ];
    named
        .map(|(text, name, created, updated)| {
            let instant = |seconds: i64| Instant::from_timestamp_micros(seconds * 1_000_000 + 7).unwrap();
            has(
                store,
                Segment {
                    name: Name::parse(name).unwrap(),
                    created_at: instant(created.max(-2_000_000_000)),
                    updated_at: instant(updated),
                    ..new_segment(text)
                },
            )
        })
        .to_vec()
}

fn sorted(mut segments: Vec<Segment>, sort: SegmentSort) -> Vec<Slug> {
    segments.sort_by_key(|segment| {
        let instant = match sort.by {
            SegmentOrder::CreatedAt => segment.created_at,
            SegmentOrder::UpdatedAt => segment.updated_at,
            _ => minute(0),
        };
        let name = if sort.by == SegmentOrder::Name { segment.name.as_str().to_owned() } else { String::new() };
        (instant, name, segment.slug.clone())
    });
    if sort.direction == Direction::Descending {
        segments.reverse();
    }
    segments.into_iter().map(|segment| segment.slug).collect()
}

fn sorts() -> impl Iterator<Item = SegmentSort> {
    let both = [Direction::Ascending, Direction::Descending];
    ORDERS.into_iter().flat_map(move |by| both.map(|direction| SegmentSort { by, direction }))
}

fn changed_later(store: &dyn Store) {
    let all = various(store);
    for at in all.iter().map(|segment| segment.updated_at) {
        let expected = all.iter().filter(|segment| segment.updated_at > at).count() as u64;
        assert_eq!(look(store, |unit| unit.segments().count_changed(at)), expected);
    }
}

fn listed_in_every_order(store: &dyn Store) {
    let all = various(store);
    for sort in sorts() {
        let query = SegmentQuery { sort, ..SegmentQuery::default() };
        let listed = look(store, |unit| unit.segments().list(&query, 100));
        let slugs: Vec<Slug> = listed.into_iter().map(|segment| segment.slug).collect();
        assert_eq!(slugs, sorted(all.clone(), sort), "{sort:?}");
    }
}

fn list_goes_on_behind_its_cursor(store: &dyn Store) {
    let all = various(store);
    for sort in sorts() {
        for limit in [1, 3] {
            let listed = pages(limit, |last: Option<&Segment>| {
                let after = last.map(|last| (sort.by.value(last), last.slug.clone()));
                look(store, |unit| unit.segments().list(&SegmentQuery { sort, after, ..Default::default() }, limit))
            });
            let slugs: Vec<Slug> = listed.into_iter().map(|segment| segment.slug).collect();
            assert_eq!(slugs, sorted(all.clone(), sort), "{sort:?} by {limit}");
        }
    }
}

fn found(store: &dyn Store, text: &str) -> Vec<String> {
    let query = SegmentQuery { text: Some(text.to_owned()), ..SegmentQuery::default() };
    let listed = look(store, |unit| unit.segments().list(&query, 100));
    assert_eq!(look(store, |unit| unit.segments().count(&query)), listed.len() as u64, "{text}");
    listed.into_iter().map(|segment| segment.slug.to_string()).collect()
}

fn text_whatever_the_case(store: &dyn Store) {
    for (text, name) in [("VOICE-50", "ГОЛОСОВЫЕ СООБЩЕНИЯ"), ("sale", "Скидка Ёлка"), ("Plain", "Ordinary")]
    {
        has(store, Segment { name: Name::parse(name).unwrap(), ..new_segment(text) });
    }
    for (text, slugs) in [
        ("voice", vec!["VOICE-50"]),
        ("OICE-5", vec!["VOICE-50"]),
        ("голос", vec!["VOICE-50"]),
        ("СООБЩ", vec!["VOICE-50"]),
        ("СКИДКА ёл", vec!["sale"]),
        ("скидка Ёл", vec!["sale"]),
        ("AL", vec!["sale"]),
        ("ORD", vec!["Plain"]),
        ("l", vec!["Plain", "sale"]),
        ("absent", vec![]),
    ] {
        assert_eq!(found(store, text), slugs, "{text}");
    }
}

fn text_is_not_a_pattern(store: &dyn Store) {
    for (text, name) in
        [("share", "100% sure"), ("under_line", "1000 sure"), ("underXline", "back\\slash"), ("quote", "it's [a]*?")]
    {
        has(store, Segment { name: Name::parse(name).unwrap(), ..new_segment(text) });
    }
    for (text, slugs) in [
        ("%", vec!["share"]),
        ("100%", vec!["share"]),
        ("100_", vec![]),
        ("r_l", vec!["under_line"]),
        ("_", vec!["under_line"]),
        ("\\", vec!["underXline"]),
        ("k\\s", vec!["underXline"]),
        ("\\_", vec![]),
        ("\\%", vec![]),
        ("'", vec!["quote"]),
        ("[a]*?", vec!["quote"]),
        ("*", vec!["quote"]),
    ] {
        assert_eq!(found(store, text), slugs, "{text}");
    }
}

fn kinds_are_told_apart(store: &dyn Store) {
    for (number, kind) in Kind::ALL.into_iter().enumerate() {
        has(store, Segment { kind, ..new_segment(&format!("first{number}")) });
        has(store, Segment { kind, ..new_segment(&format!("second{number}")) });
    }
    for (number, kind) in Kind::ALL.into_iter().enumerate() {
        let query = SegmentQuery { kind: Some(kind), ..SegmentQuery::default() };
        let listed = look(store, |unit| unit.segments().list(&query, 100));
        let slugs: Vec<String> = listed.iter().map(|segment| segment.slug.to_string()).collect();
        assert_eq!(slugs, [format!("first{number}"), format!("second{number}")]);
        assert!(listed.iter().all(|segment| segment.kind == kind));
        let narrower = SegmentQuery { text: Some("SECOND".to_owned()), ..query };
        assert_eq!(look(store, |unit| unit.segments().count(&narrower)), 1);
    }
}

fn count_does_not_look_at_the_cursor(store: &dyn Store) {
    various(store);
    let after = Some(("b".to_owned(), slug("b")));
    let query = SegmentQuery { after, ..SegmentQuery::default() };
    assert_eq!(look(store, |unit| unit.segments().count(&query)), 8);
    assert_eq!(look(store, |unit| unit.segments().list(&query, 100)).len(), 3);
}

fn distributed_are_of_kind_percent(store: &dyn Store) {
    has_segment(store, "by-hand");
    let first = has(store, full("first"));
    let second = has(store, Segment { percent: Some(Percent::ZERO), ..full("second") });
    let mut found = look(store, |unit| unit.segments().distributed());
    found.sort_by(|a, b| a.slug.cmp(&b.slug));
    assert_eq!(found, [first, second]);
}
