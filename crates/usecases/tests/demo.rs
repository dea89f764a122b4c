//! Demo data, made by a job.

#![allow(clippy::unwrap_used)]

use std::cell::Cell;

use domain::{Job, JobKind, JobState};
use testkit::{World, slug, user};
use usecases::{
    Error,
    demo::{self, DAYS, Outcome, STEPS, USERS},
    history, jobs,
    ports::{AuditQuery, HistoryFilter, SegmentQuery, UserQuery},
    segments, users,
};

fn request(world: &World) -> Result<Job, Error> {
    world.act(demo::request)
}

/// Carries the job out until it was asked so often whether it is to stop.
fn run(world: &World, job: &Job, steps: u64) -> Job {
    let taken = jobs::take_up(&world.app, job.id).unwrap().unwrap();
    let left = Cell::new(steps);
    let is_over = || {
        left.set(left.get().saturating_sub(1));
        left.get() == 0
    };
    jobs::run(&world.app, taken, &is_over).unwrap()
}

#[test]
fn an_empty_store_is_filled_also_when_it_is_interrupted() {
    let world = World::in_memory();
    let job = request(&world).unwrap();
    assert_eq!((job.kind, job.state, job.total), (JobKind::Demo, JobState::Queued, Some(DAYS)));
    let stopped = run(&world, &job, 40);
    assert_eq!((stopped.state, stopped.done), (JobState::Queued, 39 - (STEPS - DAYS)));
    let done = run(&world, &job, u64::MAX);
    assert_eq!((done.state, done.done, done.problem.clone()), (JobState::Done, DAYS, None));
    assert_eq!(Outcome::of(&done), Outcome { users: USERS, days: DAYS });
    assert_eq!(world.look(|look| users::count(look, &UserQuery::default())), USERS);
    assert_eq!(world.look(|look| segments::count(look, &SegmentQuery::default())), 8);
    assert!(world.look(|look| segments::get(look, &slug("VIP_SPRING"))).percent.is_none());
    assert_eq!(world.look(|look| users::get(look, &user("demo-00042"))).name.as_deref(), Some("Demo User 00042"));
    assert!(world.look(|look| history::count(look, &HistoryFilter::default())) > 10_000);
    // What is made up is no deed of anybody's.
    assert_eq!(world.look(|look| usecases::audit::count(look, &AuditQuery::default())), 1);
    assert_eq!(world.differences(), [""; 0]);
}

#[test]
fn what_is_not_empty_is_left_alone() {
    for fill in [(|world: &World| drop(world.has_segment("A"))) as fn(&World), |world| drop(world.has_users(1))] {
        let world = World::in_memory();
        fill(&world);
        let told = request(&world).unwrap_err();
        assert!(matches!(&told, Error::Conflict(why) if why.contains("empty store only")), "{told}");
    }
    let world = World::in_memory();
    request(&world).unwrap();
    assert!(matches!(request(&world), Err(Error::Conflict(why)) if why.contains("already")));
}

#[test]
fn a_store_that_was_filled_meanwhile_is_left_alone() {
    let world = World::in_memory();
    let job = request(&world).unwrap();
    world.has_segment("A");
    let failed = run(&world, &job, u64::MAX);
    assert_eq!(failed.state, JobState::Failed);
    assert_eq!(world.look(|look| users::count(look, &UserQuery::default())), 0);
}

#[test]
fn what_was_made_before_it_was_cancelled_stays_and_is_told() {
    let world = World::in_memory();
    let job = request(&world).unwrap();
    let stopped = run(&world, &job, 14);
    assert_eq!(stopped.done, 2);
    let taken = jobs::take_up(&world.app, job.id).unwrap().unwrap();
    world.act(|act| jobs::cancel(act, job.id)).unwrap();
    let ended = jobs::run(&world.app, taken, &|| false).unwrap();
    assert_eq!(ended.state, JobState::Cancelled);
    let days = Outcome::of(&ended).days;
    assert_eq!(ended.problem.unwrap(), format!("10000 of 10000 users and {days} of 180 days were made, and stay"));
    assert_eq!(world.look(|look| users::count(look, &UserQuery::default())), USERS);
    assert_eq!(world.differences(), [""; 0]);
}
