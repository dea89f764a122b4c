//! Sizes over time, against what is known of each instant by itself.

#![allow(clippy::unwrap_used)]

use chrono::TimeDelta;
use domain::{Instant, Ttl};
use testkit::{World, importing, slug};
use usecases::{
    Error, Expected, history,
    imports::What,
    memberships::Deadline,
    segments,
    sizes::{self, POINTS_MAX, Size, SizeQuery},
};

fn ttl(text: &str) -> Ttl {
    Ttl::parse(text).unwrap()
}

fn query(from: Option<Instant>, to: Option<Instant>, step: &str) -> SizeQuery {
    SizeQuery { slug: slug("A"), from, to, step: ttl(step) }
}

fn told(sizes: &[Size]) -> Vec<(u64, u64, u64)> {
    sizes.iter().map(|size| (size.user_count, size.entered, size.left)).collect()
}

fn refused(world: &World, query: &SizeQuery) -> (String, &'static str) {
    match world.app.look(&testkit::caller(), |look| sizes::over_time(look, query)) {
        Err(Error::Invalid(faults)) => (faults[0].pointer.clone(), faults[0].code),
        other => panic!("it was to be invalid: {other:?}"),
    }
}

/// A day in which users come, come again, stay longer, go, and are due.
fn world_of_a_day() -> World {
    let world = World::in_memory();
    world.has_segment("A");
    for hour in 0..24 {
        let user = format!("u{}", hour % 7);
        match hour % 5 {
            0 | 3 => drop(world.change(&user, &["A"], &[]).unwrap()),
            1 => drop(world.change_until(&user, &["A"], &[], Some(Deadline::After(ttl("PT150M")))).unwrap()),
            2 => drop(world.change(&user, &[], &["A"]).unwrap()),
            _ => drop(world.change_until(&user, &["A"], &[], Some(Deadline::After(ttl("PT9H")))).unwrap()),
        }
        world.clock.advance(TimeDelta::hours(1));
        if hour % 6 == 0 {
            world.expire();
        }
    }
    world
}

#[test]
fn each_size_is_that_of_its_instant() {
    let world = world_of_a_day();
    let begin = world.now() - TimeDelta::hours(25);
    for step in ["PT1H", "PT7M", "PT5H", "P1D"] {
        let all = world.look(|look| sizes::over_time(look, &query(Some(begin), None, step)));
        assert_eq!((all[0].at, all.last().unwrap().at), (begin, world.now()));
        for size in &all {
            let count = world.look(|look| history::count_members(look, &slug("A"), Some(size.at)));
            assert_eq!(size.user_count, count, "{step}: {}", size.at);
        }
        for pair in all.windows(2) {
            assert_eq!(pair[0].user_count + pair[1].entered, pair[1].user_count + pair[1].left);
        }
        let entered: u64 = all.iter().map(|size| size.entered).sum();
        assert!(entered >= 7, "{entered}");
    }
}

#[test]
fn who_comes_and_goes_between_two_points_counts_in_both() {
    let world = World::in_memory();
    world.has_segment("A");
    let begin = world.now();
    world.clock.advance(TimeDelta::minutes(10));
    world.change_until("1", &["A"], &[], Some(Deadline::After(ttl("PT10M")))).unwrap();
    world.change("2", &["A"], &[]).unwrap();
    let until = Some(begin + TimeDelta::hours(2));
    // Nobody wrote down yet that the first one left.
    let sizes = world.look(|look| sizes::over_time(look, &query(Some(begin), until, "PT1H")));
    assert_eq!(told(&sizes), [(0, 0, 0), (1, 2, 1), (1, 0, 0)]);
    let sizes = world.look(|look| sizes::over_time(look, &query(Some(begin), until, "PT10M")));
    assert_eq!(told(&sizes)[..4], [(0, 0, 0), (2, 2, 0), (1, 0, 1), (1, 0, 0)]);
}

#[test]
fn an_extension_is_neither_an_entry_nor_an_exit() {
    let world = World::in_memory();
    world.has_segment("A");
    let begin = world.now();
    world.clock.advance(TimeDelta::minutes(1));
    for minutes in ["PT10M", "PT20M", "PT5M"] {
        world.change_until("1", &["A"], &[], Some(Deadline::After(ttl(minutes)))).unwrap();
        world.clock.advance(TimeDelta::minutes(1));
    }
    let sizes =
        world.look(|look| sizes::over_time(look, &query(Some(begin), Some(begin + TimeDelta::hours(1)), "PT1H")));
    assert_eq!(told(&sizes), [(0, 0, 0), (0, 1, 1)]);
}

#[test]
fn without_a_period_it_is_the_last_thirty_days() {
    let world = World::in_memory();
    world.has_segment("A");
    world
        .import(&importing(What::Memberships { segment: Some(slug("A")) }), "user_id;since\n1;2001-01-01\n2;\n")
        .unwrap();
    let sizes = world.look(|look| sizes::over_time(look, &query(None, None, "P1D")));
    assert_eq!((sizes.len(), sizes[0].at), (31, world.now() - TimeDelta::days(30)));
    assert_eq!((told(&sizes)[0], told(&sizes)[30]), ((1, 0, 0), (2, 1, 0)));
}

#[test]
fn months_are_counted_from_the_first_point() {
    let world = World::in_memory();
    world.has_segment("A");
    let at = |text: &str| -> Instant { text.parse().unwrap() };
    let query = query(Some(at("2020-01-31T00:00:00Z")), Some(at("2020-04-30T00:00:00Z")), "P1M");
    let days: Vec<String> =
        world.look(|look| sizes::over_time(look, &query)).iter().map(|size| size.at.date_naive().to_string()).collect();
    assert_eq!(days, ["2020-01-31", "2020-02-29", "2020-03-31", "2020-04-30"]);
}

#[test]
fn too_many_points_and_a_period_backwards_are_refused() {
    let world = World::in_memory();
    world.has_segment("A");
    let from = |seconds: i64| Some(world.now() - TimeDelta::seconds(seconds));
    let most = POINTS_MAX as i64 - 1;
    assert_eq!(world.look(|look| sizes::over_time(look, &query(from(most), None, "PT1S"))).len(), POINTS_MAX);
    assert_eq!(refused(&world, &query(from(most + 1), None, "PT1S")), ("step".to_owned(), "too_small"));
    assert_eq!(refused(&world, &query(from(-1), None, "PT1S")), ("to".to_owned(), "out_of_order"));
    let unknown = SizeQuery { slug: slug("NOSUCH"), ..query(None, None, "P1D") };
    assert!(matches!(
        world.app.look(&testkit::caller(), |look| sizes::over_time(look, &unknown)),
        Err(Error::NotFound(..))
    ));
    let one = world.look(|look| sizes::over_time(look, &query(from(0), None, "P1D")));
    assert_eq!(told(&one), [(0, 0, 0)]);
}

#[test]
fn a_deleted_segment_still_tells_of_its_sizes() {
    let world = World::in_memory();
    world.has_segment("A");
    let begin = world.now();
    world.clock.advance(TimeDelta::minutes(1));
    world.change("1", &["A"], &[]).unwrap();
    world.clock.advance(TimeDelta::hours(1));
    world.act(|act| segments::delete(act, &slug("A"), &Expected::Any)).unwrap();
    let sizes = world.look(|look| sizes::over_time(look, &query(Some(begin), None, "PT1H")));
    assert_eq!(told(&sizes), [(0, 0, 0), (1, 1, 0), (0, 0, 1)]);
}
