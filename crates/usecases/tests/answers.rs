//! A request with an idempotency key acts once.

#![allow(clippy::unwrap_used)]

use chrono::TimeDelta;
use testkit::{World, caller, slug};
use usecases::{
    Error,
    answers::{self, Answered, Once},
    segments,
};

fn once(world: &World, fingerprint: &str, segment: &str) -> Result<Answered, Error> {
    let request = Once { key: "key".to_owned(), fingerprint: fingerprint.to_owned() };
    answers::once(&world.app, &caller(), &request, |act| {
        let command = segments::CreateSegment {
            slug: slug(segment),
            name: None,
            description: Default::default(),
            percent: None,
            default_ttl: None,
        };
        segments::create(act, command).map(|segment| segment.slug.to_string())
    })
}

fn count(world: &World) -> u64 {
    world.look(|look| segments::count(look, &Default::default()))
}

#[test]
fn the_same_request_is_answered_again_and_acts_once() {
    let world = World::in_memory();
    assert_eq!(once(&world, "f", "A").unwrap(), Answered::Now("A".to_owned()));
    world.clock.advance(TimeDelta::hours(24) - TimeDelta::microseconds(1));
    assert_eq!(once(&world, "f", "B").unwrap(), Answered::Before("A".to_owned()));
    assert_eq!(count(&world), 1);
}

#[test]
fn another_request_under_the_same_key_is_refused() {
    let world = World::in_memory();
    once(&world, "f", "A").unwrap();
    assert!(matches!(once(&world, "other", "B"), Err(Error::KeyReused)));
    assert_eq!(count(&world), 1);
}

#[test]
fn after_a_day_a_key_acts_again() {
    let world = World::in_memory();
    once(&world, "f", "A").unwrap();
    world.clock.advance(TimeDelta::hours(24));
    assert_eq!(once(&world, "other", "B").unwrap(), Answered::Now("B".to_owned()));
    assert_eq!(once(&world, "other", "C").unwrap(), Answered::Before("B".to_owned()));
}

#[test]
fn a_refusal_is_not_kept() {
    let world = World::in_memory();
    world.has_segment("A");
    assert!(matches!(once(&world, "f", "A"), Err(Error::Taken(..))));
    assert_eq!(once(&world, "other", "B").unwrap(), Answered::Now("B".to_owned()));
}

#[test]
fn only_answers_that_are_no_longer_given_are_forgotten() {
    let world = World::in_memory();
    once(&world, "f", "A").unwrap();
    let forget = || world.act(|act| answers::forget(act, 10)).unwrap();
    world.clock.advance(TimeDelta::hours(23));
    assert_eq!(forget(), 0);
    world.clock.advance(TimeDelta::hours(2));
    assert_eq!((forget(), forget()), (1, 0));
}
