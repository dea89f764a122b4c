//! Forgetting the beginning of history, and clearing away segments that nothing happens to.

#![allow(clippy::unwrap_used)]

use chrono::TimeDelta;
use domain::{Instant, Job, JobKind, JobState, Ttl};
use testkit::{World, importing, slug, user};
use usecases::{
    Error, history, imports::What, jobs, memberships, memberships::Deadline, ports::JobQuery, retention, segments,
    stale,
};

fn forget(world: &World, months: u32, dry_run: bool) -> Job {
    let job = world.act(|act| retention::request(act, months, dry_run)).unwrap();
    world.finish(job).unwrap()
}

/// Goes to the beginning of the month after next.
fn two_months_later(world: &World) -> Instant {
    world.clock.advance(TimeDelta::days(62));
    retention::beginning(world.now(), 0).unwrap()
}

fn members_at(world: &World, text: &str, at: Instant) -> Vec<String> {
    let members = world.look(|look| history::members(look, &slug(text), Some(at), None, 100));
    members.into_iter().map(|member| member.user.to_string()).collect()
}

#[test]
fn what_was_over_is_forgotten_and_what_lasts_keeps_its_add() {
    let world = World::in_memory();
    world.has_segment("A");
    world.change("gone", &["A"], &[]).unwrap();
    world.change("stays", &["A"], &[]).unwrap();
    world.clock.advance(TimeDelta::hours(1));
    world.change("gone", &[], &["A"]).unwrap();
    two_months_later(&world);
    let stays_before = world.look(|look| memberships::of_user(look, &user("stays"), None));

    let job = forget(&world, 1, false);

    assert_eq!(
        (job.state, retention::Outcome::of(&job)),
        (JobState::Done, retention::Outcome { forgotten: 2, kept: 1 })
    );
    assert_eq!(world.look(|look| memberships::of_user(look, &user("stays"), None)), stays_before);
    assert_eq!(world.history_lines().len(), 1);
    assert_eq!(world.differences(), Vec::<String>::new());
}

#[test]
fn every_instant_from_the_new_beginning_on_is_told_as_before() {
    let world = World::in_memory();
    world.has_segment("A");
    let last = Deadline::After(Ttl::parse("P70D").unwrap());
    for (id, deadline) in [("open", None), ("extended", Some(Deadline::After(Ttl::parse("P1D").unwrap())))] {
        world.change_until(id, &["A"], &[], deadline).unwrap();
    }
    world.clock.advance(TimeDelta::hours(1));
    world.change_until("extended", &["A"], &[], Some(last)).unwrap();
    world.change("again", &["A"], &[]).unwrap();
    world.clock.advance(TimeDelta::hours(1));
    world.change("again", &[], &["A"]).unwrap();
    world.clock.advance(TimeDelta::hours(1));
    world.change("again", &["A"], &[]).unwrap();
    let beginning = two_months_later(&world);
    world.change("open", &[], &["A"]).unwrap();
    world.clock.advance(TimeDelta::days(30));
    world.expire();

    // The month before the one that is about to begin history is whole.
    let months = (0..24).find(|months| retention::beginning(world.now(), *months).unwrap() <= beginning).unwrap();
    let begins = retention::beginning(world.now(), months).unwrap();
    let instants: Vec<Instant> =
        (0..40).map(|day| begins + TimeDelta::days(day)).filter(|at| *at <= world.now()).collect();
    let before: Vec<_> = instants.iter().map(|at| members_at(&world, "A", *at)).collect();
    assert!(before.iter().any(|members| members.contains(&"extended".to_owned())), "{before:?}");

    forget(&world, months, false);

    let after: Vec<_> = instants.iter().map(|at| members_at(&world, "A", *at)).collect();
    assert_eq!(after, before);
    assert_eq!(world.differences(), Vec::<String>::new());
}

#[test]
fn an_instant_before_the_beginning_cannot_be_asked() {
    let world = World::in_memory();
    world.has_segment("A");
    world.change("1", &["A"], &[]).unwrap();
    let then = world.now();
    two_months_later(&world);
    forget(&world, 1, false);
    let asked = world.app.look(&testkit::caller(), |look| history::members(look, &slug("A"), Some(then), None, 10));
    let Err(Error::Invalid(faults)) = asked else { panic!("{asked:?}") };
    assert_eq!((faults[0].pointer.as_str(), faults[0].code), ("as_of", "before_history"));
    let of_user = world.app.look(&testkit::caller(), |look| memberships::of_user(look, &user("1"), Some(then)));
    assert!(matches!(of_user, Err(Error::Invalid(_))), "{of_user:?}");
}

#[test]
fn a_dry_run_tells_the_same_and_forgets_nothing() {
    let world = World::in_memory();
    world.has_segment("A");
    world.change("1", &["A"], &[]).unwrap();
    world.change("1", &[], &["A"]).unwrap();
    let then = world.now();
    two_months_later(&world);
    let trial = retention::Outcome::of(&forget(&world, 1, true));
    assert_eq!(world.history_lines().len(), 2);
    assert_eq!(members_at(&world, "A", then), Vec::<String>::new());
    assert_eq!(retention::Outcome::of(&forget(&world, 1, false)), trial);
    assert_eq!(trial, retention::Outcome { forgotten: 2, kept: 0 });
}

#[test]
fn the_schedule_forgets_once_a_month() {
    let world = World::in_memory();
    assert_eq!(retention::schedule(&world.app, 1).unwrap(), 1);
    assert_eq!(retention::schedule(&world.app, 1).unwrap(), 0, "one waits already");
    let job = jobs::take(&world.app).unwrap().unwrap();
    jobs::run(&world.app, job, &|| false).unwrap();
    assert_eq!(retention::schedule(&world.app, 1).unwrap(), 0);
    world.clock.advance(TimeDelta::days(32));
    assert_eq!(retention::schedule(&world.app, 1).unwrap(), 1);
}

#[test]
fn no_months_at_all_is_refused() {
    let world = World::in_memory();
    for months in [0, 1_201] {
        assert!(matches!(world.act(|act| retention::request(act, months, false)), Err(Error::Invalid(_))));
    }
}

fn ttl(text: &str) -> Ttl {
    Ttl::parse(text).unwrap()
}

fn clear(world: &World, dry_run: bool) -> stale::Outcome {
    let job = world.act(|act| stale::request(act, ttl("P30D"), dry_run)).unwrap();
    let job = world.finish(job).unwrap();
    assert_eq!(job.state, JobState::Done);
    stale::Outcome::of(&job)
}

#[test]
fn only_segments_without_news_are_stale() {
    let world = World::in_memory();
    for text in ["ENTERED", "DESCRIBED", "IMPORTED", "STALE", "STALE_WITH_MEMBERS"] {
        world.has_segment(text);
    }
    world.change("1", &["STALE_WITH_MEMBERS"], &[]).unwrap();
    world.clock.advance(TimeDelta::days(31));
    world.has_segment("NEW");
    world.change("1", &["ENTERED"], &[]).unwrap();
    let about = segments::ChangeSegment {
        description: Some(domain::Description::parse("news").unwrap()),
        ..segments::ChangeSegment::default()
    };
    world.act(|act| segments::change(act, &slug("DESCRIBED"), &usecases::Expected::Any, about)).unwrap();
    // Dated long ago, and written now.
    let what = What::Memberships { segment: Some(slug("IMPORTED")) };
    world.import(&importing(what), "user_id,since\n7,1999-01-01\n").unwrap();

    let named = clear(&world, true);
    assert_eq!(named, stale::Outcome { found: 2, slugs: vec!["STALE".to_owned(), "STALE_WITH_MEMBERS".to_owned()] });
    assert_eq!(world.active("1"), ["ENTERED", "STALE_WITH_MEMBERS"], "a dry run deletes nothing");

    assert_eq!(clear(&world, false), named);
    assert_eq!(world.active("1"), ["ENTERED"]);
    assert_eq!(clear(&world, false).found, 0);
    assert_eq!(world.differences(), Vec::<String>::new());
}

#[test]
fn clearing_is_scheduled_once_a_day() {
    let world = World::in_memory();
    let count = |world: &World| {
        let query = JobQuery { kind: Some(JobKind::StaleSegments), ..JobQuery::default() };
        world.look(|look| jobs::count(look, &query))
    };
    assert_eq!(stale::schedule(&world.app, ttl("P30D")).unwrap(), 1);
    assert_eq!(stale::schedule(&world.app, ttl("P30D")).unwrap(), 0);
    let job = jobs::take(&world.app).unwrap().unwrap();
    jobs::run(&world.app, job, &|| false).unwrap();
    world.clock.advance(TimeDelta::hours(23));
    assert_eq!(stale::schedule(&world.app, ttl("P30D")).unwrap(), 0);
    world.clock.advance(TimeDelta::hours(1));
    assert_eq!(stale::schedule(&world.app, ttl("P30D")).unwrap(), 1);
    assert_eq!(count(&world), 2);
}
