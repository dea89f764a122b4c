//! Set algebra over the members of segments, against each user asked alone.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::{Instant, Slug, Ttl, algebra::Expression};
use testkit::{World, slug, user};
use usecases::{
    Error, Expected, Subject, algebra,
    algebra::AlgebraQuery,
    memberships::{self, Deadline},
    segments::{self, CreateSegment},
};

const EXPRESSIONS: [&str; 9] = [
    "A",
    "(A & B) - C",
    "A ^ B | C & A",
    "ALL - (A | B)",
    "ALL ^ C",
    "A - A",
    "ALL",
    "((A | B) & (C | A)) - (A & C)",
    "B - A - C",
];

/// A hundred users, each in some of three segments, some of them until a deadline; and ten in none.
fn world() -> World {
    let world = World::in_memory();
    for text in ["A", "B", "C"] {
        world.has_segment(text);
    }
    world.has_users(110);
    for number in 1..=100 {
        let id = number.to_string();
        for (place, text) in ["A", "B", "C"].into_iter().enumerate() {
            match number >> place & 3 {
                0 => {}
                1 => drop(world.change(&id, &[text], &[]).unwrap()),
                2 => drop(world.change_until(&id, &[text], &[], Some(until("PT1H"))).unwrap()),
                _ => drop(world.change_until(&id, &[text], &[], Some(until("PT3H"))).unwrap()),
            }
        }
    }
    world
}

fn until(text: &str) -> Deadline {
    Deadline::After(Ttl::parse(text).unwrap())
}

fn query(text: &str, as_of: Option<Instant>) -> AlgebraQuery {
    AlgebraQuery { expression: Expression::parse(text).unwrap(), as_of }
}

fn users(world: &World, query: &AlgebraQuery) -> Vec<String> {
    let users = world.look(|look| algebra::page(look, query, None, 1_000));
    users.into_iter().map(|user| user.to_string()).collect()
}

fn expected(world: &World, text: &str, as_of: Option<Instant>) -> Vec<String> {
    let expression = Expression::parse(text).unwrap();
    let mut ids: Vec<String> = (1..=110).map(|number| number.to_string()).collect();
    ids.sort();
    ids.retain(|id| {
        let of_user = world.look(|look| memberships::of_user(look, &user(id), as_of));
        let is_in = |slug: &Slug| of_user.iter().any(|membership| membership.segment.slug == *slug);
        expression.holds(&is_in)
    });
    ids
}

#[test]
fn a_set_has_those_of_whom_its_expression_holds() {
    let world = world();
    let begin = world.now();
    for _ in 0..3 {
        for text in EXPRESSIONS {
            let told = users(&world, &query(text, None));
            assert_eq!(told, expected(&world, text, None), "{text}");
            assert_eq!(world.look(|look| algebra::count(look, &query(text, None))), told.len() as u64, "{text}");
        }
        world.clock.advance(TimeDelta::hours(1));
    }
    world.expire();
    for (hours, text) in [(0, "(A & B) - C"), (1, "A ^ B | C & A"), (2, "ALL - (A | B)"), (4, "A")] {
        let at = Some(begin + TimeDelta::hours(hours));
        assert_eq!(users(&world, &query(text, at)), expected(&world, text, at), "{text}");
    }
}

#[test]
fn pages_follow_each_other() {
    let world = world();
    let query = query("ALL - (A & B)", None);
    let all = users(&world, &query);
    for limit in [1, 7, 1_000] {
        let mut paged: Vec<String> = Vec::new();
        loop {
            let after = paged.last().map(|last| user(last));
            let page = world.look(|look| algebra::page(look, &query, after.as_ref(), limit));
            assert!(page.len() <= limit);
            if page.is_empty() {
                break;
            }
            paged.extend(page.into_iter().map(|user| user.to_string()));
        }
        assert_eq!(paged, all);
    }
}

#[test]
fn every_unknown_segment_is_named() {
    let world = world();
    for as_of in [None, Some(world.now())] {
        let refused = world.app.look(&testkit::caller(), |look| algebra::count(look, &query("A & X - (Y | B)", as_of)));
        match refused {
            Err(Error::NotFound(Subject::Segment, slugs)) => assert_eq!(slugs, ["X", "Y"]),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_deleted_segment_can_be_asked_of_its_time() {
    let world = world();
    let then = world.now();
    let before = users(&world, &query("A - B", None));
    world.clock.advance(TimeDelta::minutes(1));
    world.act(|act| segments::delete(act, &slug("A"), &Expected::Any)).unwrap();
    assert_eq!(users(&world, &query("A - B", Some(then))), before);
}

#[test]
fn an_overlap_counts_everybody_once() {
    let world = world();
    let slugs = ["A", "B", "C"].map(slug);
    let overlap = world.look(|look| algebra::overlap(look, &slugs, None));
    let count = |text: &str| expected(&world, text, None).len() as u64;
    assert_eq!(overlap.counts, ["A", "B", "C"].map(count));
    let exclusive = [
        (vec![0], "A - B - C"),
        (vec![1], "B - A - C"),
        (vec![2], "C - A - B"),
        (vec![0, 1], "A & B - C"),
        (vec![0, 2], "A & C - B"),
        (vec![1, 2], "B & C - A"),
        (vec![0, 1, 2], "A & B & C"),
    ];
    let expected: BTreeMap<Vec<usize>, u64> =
        exclusive.into_iter().map(|(places, text)| (places, count(text))).filter(|(_, count)| *count > 0).collect();
    assert_eq!(overlap.exclusive, expected);
    assert_eq!(overlap.in_both(0, 2), count("A & C"));
    assert_eq!(overlap.jaccard(0, 1), count("A & B") as f64 / count("A | B") as f64);
    assert_eq!(overlap.jaccard(1, 1), 1.0);
}

#[test]
fn two_segments_without_members_are_the_same() {
    let world = World::in_memory();
    world.has_segment("A");
    world.has_segment("B");
    let overlap = world.look(|look| algebra::overlap(look, &["A", "B"].map(slug), None));
    assert_eq!((overlap.counts.clone(), overlap.exclusive.len(), overlap.jaccard(0, 1)), (vec![0, 0], 0, 1.0));
}

fn new(text: &str) -> CreateSegment {
    CreateSegment {
        slug: slug(text),
        name: None,
        description: Default::default(),
        percent: None,
        default_ttl: Some(Ttl::parse("P1D").unwrap()),
    }
}

#[test]
fn a_segment_made_of_others_does_not_follow_them() {
    let world = world();
    let members = users(&world, &query("(A & B) - C", None));
    let expression = Expression::parse("(A & B) - C").unwrap();
    let made = world.act(|act| algebra::create(act, new("D"), expression.clone())).unwrap();
    assert_eq!((made.slug.as_str(), made.version), ("D", 1));
    assert_eq!(users(&world, &query("D", None)), members);
    let of_user = world.look(|look| memberships::of_user(look, &user(&members[0]), None));
    let membership = of_user.iter().find(|membership| membership.segment.slug.as_str() == "D").unwrap();
    assert_eq!(membership.reason.as_ref().unwrap().as_str(), "in (A & B) - C");
    assert_eq!(membership.expires_at, Some(world.now() + TimeDelta::days(1)));
    world.change(&members[0], &[], &["A"]).unwrap();
    assert_eq!(users(&world, &query("D", None)), members);
    assert_eq!(world.differences(), Vec::<String>::new());
    let taken = world.act(|act| algebra::create(act, new("D"), expression));
    assert!(matches!(taken, Err(Error::Taken(Subject::Segment, _))), "{taken:?}");
}

#[test]
fn a_segment_is_not_made_of_itself_or_of_what_is_not_there() {
    let world = world();
    for text in ["A | NEW", "NOSUCH"] {
        let expression = Expression::parse(text).unwrap();
        let refused = world.act(|act| algebra::create(act, new("NEW"), expression));
        assert!(matches!(refused, Err(Error::NotFound(Subject::Segment, _))), "{refused:?}");
    }
    assert!(world.app.look(&testkit::caller(), |look| segments::get(look, &slug("NEW"))).is_err());
}

#[test]
fn many_enter_a_segment_made_of_others_page_by_page() {
    let world = World::in_memory();
    world.has_segment("A");
    let lines: Vec<String> = (0..4_000).map(|number| format!("{number:04}")).collect();
    let file = format!("user_id\n{}", lines.join("\n"));
    world
        .import(&testkit::importing(usecases::imports::What::Memberships { segment: Some(slug("A")) }), &file)
        .unwrap();
    let made = world.act(|act| algebra::create(act, new("B"), Expression::parse("A").unwrap()));
    assert!(made.is_ok());
    assert_eq!(world.look(|look| algebra::count(look, &query("A & B", None))), 4_000);
}

#[test]
fn similar_are_those_that_share_most() {
    let world = world();
    world.has_segment("EMPTY");
    world.act(|act| algebra::create(act, new("TWIN"), Expression::parse("A").unwrap())).unwrap();
    let (own, similar) = algebra::similar(&world.app, &testkit::caller(), &slug("A"), 10).unwrap().found;
    let count = |text: &str| expected(&world, text, None).len() as u64;
    assert_eq!(own, count("A"));
    assert_eq!((similar[0].slug.as_str(), similar[0].jaccard), ("TWIN", 1.0));
    let slugs: Vec<&str> = similar.iter().map(|one| one.slug.as_str()).collect();
    assert_eq!(slugs.len(), 3, "{slugs:?}");
    for one in &similar[1..] {
        let other = one.slug.as_str();
        assert_eq!((one.user_count, one.shared), (count(other), count(&format!("A & {other}"))), "{other}");
        assert_eq!(one.jaccard, one.shared as f64 / count(&format!("A | {other}")) as f64);
    }
    assert_eq!(algebra::similar(&world.app, &testkit::caller(), &slug("A"), 1).unwrap().found.1.len(), 1);
    assert_eq!(algebra::similar(&world.app, &testkit::caller(), &slug("EMPTY"), 9).unwrap().found, (0, Vec::new()));
}
