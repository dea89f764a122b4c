//! Taking an import back: where nobody changed anything since, all is as it was before.

#![allow(clippy::unwrap_used)]

use chrono::TimeDelta;
use domain::{Instant, Job, JobState, Membership, Source, Ttl};
use testkit::{World, importing, slug, user};
use usecases::{
    Error, Expected, history,
    imports::{Import, Mode, Outcome, What},
    jobs,
    memberships::Deadline,
    segments, users,
};

fn of_a() -> Import {
    importing(What::Memberships { segment: Some(slug("A")) })
}

fn with(mode: Mode) -> Import {
    Import { mode, ..of_a() }
}

fn pass_an_hour(world: &World) {
    world.clock.advance(TimeDelta::hours(1));
}

fn until(hours: i64) -> Option<Deadline> {
    Some(Deadline::After(Ttl::from_seconds(hours * 3_600).unwrap()))
}

fn members(world: &World, at: Option<Instant>) -> Vec<Membership> {
    world.look(|look| history::members(look, &slug("A"), at, None, 100_000))
}

fn ids(world: &World) -> Vec<String> {
    members(world, None).into_iter().map(|member| member.user.to_string()).collect()
}

/// What is the same about a membership that ended and was brought back.
fn essence(members: Vec<Membership>) -> Vec<(String, Instant, Option<Instant>, Source)> {
    members
        .into_iter()
        .map(|member| (member.user.to_string(), member.since, member.expires_at, member.source))
        .collect()
}

/// A world with a member by hand, one until a deadline, and one out of a file with an instant of joining.
fn world() -> World {
    let world = World::in_memory();
    world.has_segment("A");
    world.change("hand", &["A"], &[]).unwrap();
    world.change_until("until", &["A"], &[], until(100)).unwrap();
    let joined = world.now() - TimeDelta::days(100);
    world.import(&of_a(), &format!("user_id;since\nfile;{}\n", joined.to_rfc3339())).unwrap();
    pass_an_hour(&world);
    world
}

fn import(world: &World, import: &Import, file: &str) -> Job {
    let job = world.import(import, file).unwrap();
    assert_eq!((job.state, job.refused), (JobState::Done, 0));
    job
}

fn undo(world: &World, job: &Job) -> Outcome {
    let undone = world.undo(job.id).unwrap();
    assert_eq!((undone.state, undone.undoes), (JobState::Done, Some(job.id)));
    assert_eq!(Some(undone.done), undone.total);
    assert_eq!(world.differences(), Vec::<String>::new());
    Outcome::of(&undone)
}

/// Imports, takes back, and holds every instant against what it was.
fn comes_back(command: &Import, file: &str) -> Outcome {
    let world = world();
    let before = (world.now(), essence(members(&world, None)));
    pass_an_hour(&world);
    let job = import(&world, command, file);
    let imported = (world.now(), members(&world, None));
    assert_ne!(before.1, essence(imported.1.clone()), "the import was to do something");
    pass_an_hour(&world);
    let outcome = undo(&world, &job);
    assert_eq!(essence(members(&world, None)), before.1);
    let undone = world.now();
    pass_an_hour(&world);
    let then = |at| members(&world, Some(at));
    let just = TimeDelta::microseconds(1);
    assert_eq!(essence(then(before.0)), before.1);
    assert_eq!(essence(then(imported.0 - just)), before.1);
    assert_eq!(then(imported.0), imported.1);
    assert_eq!(then(undone - just), imported.1);
    assert_eq!(essence(then(undone)), before.1);
    outcome
}

#[test]
fn what_was_added_is_gone() {
    let outcome = comes_back(&of_a(), "user_id;ttl\n1;\n2;P9D\nhand;\n");
    assert_eq!(outcome, Outcome { removed: 2, ..Outcome::default() });
}

#[test]
fn what_was_removed_is_back_since_it_began_and_until_it_was_to_end() {
    let outcome = comes_back(&with(Mode::Remove), "user_id\nhand\nuntil\nfile\nnobody\n");
    assert_eq!(outcome, Outcome { added: 3, ..Outcome::default() });
}

#[test]
fn deadlines_that_were_moved_are_as_before() {
    let outcome = comes_back(&of_a(), "user_id;ttl\nhand;P1D\nuntil;P2D\n");
    assert_eq!(outcome, Outcome { extended: 2, ..Outcome::default() });
}

#[test]
fn a_replacement_is_taken_back() {
    let outcome = comes_back(&with(Mode::Replace), "user_id;ttl\nhand;P1D\n1;\n");
    assert_eq!(outcome, Outcome { added: 2, extended: 1, removed: 1, ..Outcome::default() });
}

#[test]
fn a_membership_that_a_log_ended_and_began_anew_is_the_old_one_again() {
    let world = world();
    let before = essence(members(&world, None));
    let (ended, began) = (world.now() - TimeDelta::minutes(2), world.now() - TimeDelta::minutes(1));
    let file =
        format!("user_id;operation;timestamp\nhand;remove;{}\nhand;add;{}\n", ended.to_rfc3339(), began.to_rfc3339());
    let job = import(&world, &of_a(), &file);
    pass_an_hour(&world);
    undo(&world, &job);
    assert_eq!(essence(members(&world, None)), before);
}

#[test]
fn what_others_changed_since_stays() {
    let world = world();
    let job = import(&world, &of_a(), "user_id\n1\n2\n3\n4\n");
    world.change("1", &[], &["A"]).unwrap();
    world.change_until("2", &["A"], &[], until(9)).unwrap();
    world.change("3", &[], &["A"]).unwrap();
    world.change("3", &["A"], &[]).unwrap();
    pass_an_hour(&world);
    let before = members(&world, None);
    let outcome = undo(&world, &job);
    assert_eq!(outcome, Outcome { removed: 1, unchanged: 3, ..Outcome::default() });
    let expected: Vec<Membership> = before.into_iter().filter(|member| member.user != user("4")).collect();
    assert_eq!(members(&world, None), expected);
}

#[test]
fn what_another_import_changed_since_stays() {
    let world = world();
    let job = import(&world, &of_a(), "user_id\n1\n2\n");
    import(&world, &with(Mode::Remove), "user_id\n1\nhand\n");
    undo(&world, &job);
    assert_eq!(ids(&world), ["file", "until"]);
}

#[test]
fn what_expired_since_stays_expired() {
    for worker in [false, true] {
        let world = world();
        let added = import(&world, &of_a(), "user_id;ttl\n1;PT1H\n");
        let removed = import(&world, &with(Mode::Remove), "user_id\nuntil\n");
        world.clock.advance(TimeDelta::hours(100));
        if worker {
            world.expire();
        }
        assert_eq!(undo(&world, &added), Outcome { unchanged: 1, ..Outcome::default() });
        assert_eq!(undo(&world, &removed), Outcome { unchanged: 1, ..Outcome::default() });
        assert_eq!(ids(&world), ["file", "hand"]);
        let rows = world.history_lines();
        world.expire();
        assert_eq!(world.history_lines(), rows);
    }
}

#[test]
fn whoever_would_be_out_by_now_goes_when_the_extension_is_taken_back() {
    let world = world();
    let job = import(&world, &of_a(), "user_id;ttl\nuntil;P30D\n");
    world.clock.advance(TimeDelta::hours(100));
    assert_eq!(undo(&world, &job).removed, 1);
    assert_eq!(ids(&world), ["file", "hand"]);
}

#[test]
fn a_segment_that_was_deleted_since_is_left_alone() {
    let world = world();
    let job = import(&world, &with(Mode::Replace), "user_id\n1\nhand\n");
    world.act(|act| segments::delete(act, &slug("A"), &Expected::Any)).unwrap();
    world.has_segment("A");
    assert_eq!(undo(&world, &job), Outcome { unchanged: 3, ..Outcome::default() });
    assert_eq!(ids(&world), Vec::<String>::new());
}

#[test]
fn a_segment_that_was_renamed_since_is_found() {
    let world = world();
    let before = ids(&world);
    let job = import(&world, &with(Mode::Replace), "user_id\n1\nhand\n");
    world.act(|act| segments::rename(act, &slug("A"), &Expected::Any, slug("B"))).unwrap();
    world.has_segment("A");
    undo(&world, &job);
    assert_eq!(ids(&world), Vec::<String>::new());
    let found = world.look(|look| history::members(look, &slug("B"), None, None, 9));
    assert_eq!(found.into_iter().map(|member| member.user.to_string()).collect::<Vec<_>>(), before);
}

#[test]
fn a_user_who_was_deleted_since_is_not_brought_back() {
    let world = world();
    let job = import(&world, &with(Mode::Remove), "user_id\nhand\nfile\n");
    world.act(|act| users::delete(act, &user("hand"), &Expected::Any)).unwrap();
    assert_eq!(undo(&world, &job), Outcome { added: 1, unchanged: 1, ..Outcome::default() });
    assert_eq!(ids(&world), ["file", "until"]);
}

#[test]
fn users_who_were_born_stay_and_so_do_their_shares() {
    let world = World::in_memory();
    world.has_segment_with("Everybody", Some("100"), None);
    let job = import(&world, &of_a(), "user_id\n1\n");
    undo(&world, &job);
    assert_eq!(world.active("1"), ["Everybody"]);
}

#[test]
fn what_a_row_did_to_a_share_is_taken_back_and_the_share_stays() {
    let world = World::in_memory();
    world.has_segment_with("A", Some("100"), None);
    let job = import(&world, &of_a(), "user_id;ttl\n1;P1D\n");
    assert_eq!(members(&world, None)[0].expires_at, Some(world.now() + TimeDelta::days(1)));
    undo(&world, &job);
    assert_eq!(members(&world, None)[0].expires_at, None);
}

#[test]
fn a_taking_back_can_be_taken_back() {
    let world = world();
    let job = import(&world, &with(Mode::Replace), "user_id;ttl\n1;\nhand;P1D\n");
    let after = essence(members(&world, None));
    pass_an_hour(&world);
    let undone = world.undo(job.id).unwrap();
    pass_an_hour(&world);
    assert_eq!(undo(&world, &undone), Outcome { added: 1, extended: 1, removed: 2, ..Outcome::default() });
    assert_eq!(essence(members(&world, None)), after);
}

#[test]
fn what_was_taken_back_cannot_be_taken_back_again() {
    let world = world();
    let job = import(&world, &of_a(), "user_id\n1\n");
    world.undo(job.id).unwrap();
    assert!(matches!(world.undo(job.id), Err(Error::Conflict(_))));
}

#[test]
fn what_was_not_taken_back_after_all_can_be_taken_back_again() {
    let world = world();
    let job = import(&world, &of_a(), "user_id\n1\n2\n");
    let begun = world.act(|act| jobs::undo(act, job.id)).unwrap();
    assert!(matches!(world.act(|act| jobs::undo(act, job.id)), Err(Error::Conflict(_))));
    world.act(|act| jobs::cancel(act, begun.id)).unwrap();
    world.clock.advance(TimeDelta::seconds(jobs::LEASE_S));
    assert_eq!(jobs::take(&world.app).unwrap(), None);
    assert_eq!(undo(&world, &job).removed, 2);
}

#[test]
fn only_an_import_of_memberships_can_be_taken_back_and_only_at_its_end() {
    let world = world();
    let births = import(&world, &importing(What::Users), "user_id\n1\n");
    assert!(matches!(world.undo(births.id), Err(Error::Conflict(_))));
    let lines: Vec<String> = (0..10_001).map(|number| number.to_string()).collect();
    let file = format!("user_id\n{}", lines.join("\n"));
    let waiting = world.accept(&of_a(), file.as_bytes()).unwrap();
    assert!(matches!(world.undo(waiting.id), Err(Error::Conflict(_))));
}

#[test]
fn a_trial_and_a_failed_import_leave_nothing_to_take_back() {
    let world = world();
    let before = world.history_lines();
    let trial = import(&world, &Import { dry_run: true, ..of_a() }, "user_id\n1\n");
    assert_eq!(undo(&world, &trial), Outcome::default());
    let failed = world.import(&Import { atomic: true, ..of_a() }, "user_id;ttl\n1;soon\n").unwrap();
    assert_eq!(undo(&world, &failed), Outcome::default());
    assert_eq!(world.history_lines(), before);
}

/// More than one page of rows, where rows of one pair stand on two pages.
#[test]
fn a_long_import_is_taken_back_page_by_page() {
    let world = World::in_memory();
    let rows: Vec<String> = (0..2_400)
        .flat_map(|number| {
            ["add;2020-01-01", "remove;2020-01-02", "add;2020-01-03"].map(|what| format!("u{number:05};{what}"))
        })
        .collect();
    let job = import(&world, &of_a(), &format!("user_id;operation;timestamp\n{}\n", rows.join("\n")));
    assert_eq!(ids(&world).len(), 2_400);
    assert_eq!(undo(&world, &job), Outcome { removed: 2_400, ..Outcome::default() });
    assert_eq!(ids(&world), Vec::<String>::new());
}
