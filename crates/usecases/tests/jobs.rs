//! Long acts: taken up, gone on with, given up, and never done twice.

#![allow(clippy::unwrap_used)]

use std::{cell::Cell, fs::File, io};

use chrono::TimeDelta;
use domain::{Job, JobId, JobState, Operation, UserId};
use testkit::{FailingStore, ManualClock, MemoryFiles, Outage, World, actor, importing, slug};
use usecases::{
    Error, Subject, history,
    imports::{AT_ONCE_MAX, BATCH_MAX, Import, Mode, Outcome, What},
    jobs,
    ports::{Files, HistoryFilter, JobQuery, NewFile, StoredFile},
};

/// More than are carried out in one transaction, or while the caller waits.
const MANY: usize = BATCH_MAX + 500;

fn adding() -> Import {
    importing(What::Memberships { segment: Some(slug("A")) })
}

fn file(rows: usize) -> String {
    let lines: Vec<String> = (0..rows).map(|number| format!("u{number:05}")).collect();
    format!("user_id\n{}\n", lines.join("\n"))
}

fn accept(world: &World, import: &Import, file: &str) -> Job {
    world.accept(import, file.as_bytes()).unwrap()
}

fn get(world: &World, id: JobId) -> Job {
    world.look(|look| jobs::get(look, id))
}

fn take(world: &World) -> Option<Job> {
    jobs::take(&world.app).unwrap()
}

fn go_on(world: &World, job: Job) -> Job {
    jobs::run(&world.app, job, &|| false).unwrap()
}

fn let_the_claim_lapse(world: &World) {
    world.clock.advance(TimeDelta::seconds(jobs::LEASE_S));
}

/// State, rows done and refused, outcome, members, and history without its instants.
type Told = (JobState, u64, u64, Outcome, u64, Vec<(UserId, Operation)>);

fn told(world: &World, job: &Job) -> Told {
    let rows = world.look(|look| history::page(look, &HistoryFilter::default(), usize::MAX));
    let mut rows: Vec<(UserId, Operation)> =
        rows.into_iter().map(|row| (row.entry.user, row.entry.operation)).collect();
    rows.sort_by(|a, b| (&a.0, a.1.as_str()).cmp(&(&b.0, b.1.as_str())));
    let members = world.look(|look| history::count_members(look, &slug("A"), None));
    (job.state, job.done, job.refused, Outcome { refused_file: None, ..Outcome::of(job) }, members, rows)
}

/// A store whose segment has others in it than the file, so that each kind of import has something to do.
fn prepared() -> FailingStore {
    let store = FailingStore::default();
    let world = World::on(Box::new(store.clone()));
    let even: Vec<String> = (0..6_000).map(|number| format!("u{:05}", number * 2)).collect();
    world.import(&adding(), &format!("user_id\n{}", even.join("\n"))).unwrap();
    store
}

fn world_on(store: &FailingStore) -> World {
    World::on(Box::new(store.clone()))
}

/// Rows for more than one batch, of which some are named again, on both sides of where a batch ends.
fn repeating() -> String {
    let again: Vec<String> = (BATCH_MAX - 10..BATCH_MAX + 10).map(|number| format!("u{number:05}")).collect();
    format!("{}{}\n", file(MANY), again.join("\n"))
}

/// Begins the job, in copies of one world.
type Begin<'a> = &'a dyn Fn(&World) -> Job;

fn in_one_go(store: &FailingStore, begin: Begin) -> Told {
    let world = world_on(&store.copy());
    let job = begin(&world);
    let job = world.finish(job).unwrap();
    assert_eq!(job.state, JobState::Done);
    assert_eq!(Some(job.done), job.total);
    assert_eq!(world.differences(), Vec::<String>::new());
    told(&world, &job)
}

/// Kills the worker in each of its transactions in turn, before it and after it.
fn survives_kills(prepared: &FailingStore, begin: Begin) {
    let expected = in_one_go(prepared, begin);
    for outage in [Outage::Before, Outage::After] {
        for spared in 0.. {
            let store = prepared.copy();
            let world = world_on(&store);
            let id = begin(&world).id;
            let job = jobs::take_up(&world.app, id).unwrap().unwrap_or_else(|| get(&world, id));
            store.fail(spared, 1, outage);
            let killed = jobs::run(&world.app, job, &|| false).is_err();
            store.recover();
            let_the_claim_lapse(&world);
            let job = take(&world).map_or_else(|| get(&world, id), |job| go_on(&world, job));
            assert_eq!(told(&world, &job), expected, "killed {outage:?} transaction {spared}");
            if !killed {
                break;
            }
        }
    }
}

/// Stops the worker each time it looks whether it should, while time flies, so that it looks as often as it can.
fn survives_stops(prepared: &FailingStore, begin: Begin) {
    let expected = in_one_go(prepared, begin);
    for spared in 0.. {
        let world = world_on(&prepared.copy());
        let id = begin(&world).id;
        let job = jobs::take_up(&world.app, id).unwrap().unwrap_or_else(|| get(&world, id));
        let looks = Cell::new(0);
        let stopped = jobs::run(&world.app, job, &|| {
            world.clock.advance(TimeDelta::seconds(6));
            looks.set(looks.get() + 1);
            looks.get() > spared
        });
        let stopped = stopped.unwrap();
        if stopped.state == JobState::Done {
            assert_eq!(told(&world, &stopped), expected);
            return;
        }
        assert_eq!((stopped.state, stopped.claim), (JobState::Queued, None));
        assert!(stopped.done <= stopped.total.unwrap());
        let job = take(&world).unwrap();
        let job = go_on(&world, job);
        assert_eq!(told(&world, &job), expected, "stopped at look {spared}");
    }
}

fn begin_import(import: Import) -> impl Fn(&World) -> Job {
    move |world| accept(world, &import, &repeating())
}

/// A store in which a replacement was the last thing that happened, with more rows than are taken back in one transaction.
fn replaced() -> FailingStore {
    let store = prepared();
    world_on(&store).import(&Import { mode: Mode::Replace, ..adding() }, &file(7_000)).unwrap();
    store
}

fn begin_undo(world: &World) -> Job {
    let last = world.look(|look| jobs::list(look, &JobQuery::default(), 1)).remove(0);
    world.act(|act| jobs::undo(act, last.id)).unwrap()
}

/// A log in which every pair has two rows, so that a batch may end between them.
fn begin_log(world: &World) -> Job {
    let row = |number: usize| {
        let user = number / 2;
        let operation = if number.is_multiple_of(2) { "remove" } else { "add" };
        format!("w{user:05};{operation};2020-01-01T00:00:00Z")
    };
    // The first has three, and all after it stand across.
    let rows: Vec<String> = (0..MANY + 1).map(row).collect();
    accept(world, &adding(), &format!("user_id;operation;timestamp\nw00000;add;2019-01-01\n{}", rows.join("\n")))
}

#[test]
fn a_replacement_that_is_killed_anywhere_ends_as_if_it_had_not_been() {
    survives_kills(&prepared(), &begin_import(Import { mode: Mode::Replace, ..adding() }));
}

#[test]
fn an_atomic_import_that_is_killed_anywhere_ends_as_if_it_had_not_been() {
    survives_kills(&prepared(), &begin_import(Import { atomic: true, ..adding() }));
}

#[test]
fn a_trial_that_is_killed_anywhere_ends_as_if_it_had_not_been() {
    survives_kills(&prepared(), &begin_import(Import { dry_run: true, ..adding() }));
}

#[test]
fn a_log_that_is_killed_anywhere_ends_as_if_it_had_not_been() {
    survives_kills(&prepared(), &begin_log);
}

#[test]
fn a_taking_back_that_is_killed_anywhere_ends_as_if_it_had_not_been() {
    survives_kills(&replaced(), &begin_undo);
}

#[test]
fn an_atomic_import_that_is_stopped_anywhere_ends_as_if_it_had_not_been() {
    survives_stops(&prepared(), &begin_import(Import { atomic: true, mode: Mode::Replace, ..adding() }));
}

#[test]
fn a_trial_that_is_stopped_anywhere_ends_as_if_it_had_not_been() {
    survives_stops(&prepared(), &begin_import(Import { dry_run: true, mode: Mode::Replace, ..adding() }));
}

#[test]
fn a_taking_back_that_is_stopped_anywhere_ends_as_if_it_had_not_been() {
    survives_stops(&replaced(), &begin_undo);
}

#[test]
fn more_rows_than_a_caller_waits_for_are_queued() {
    let world = World::in_memory();
    let waited_for = accept(&world, &adding(), &file(AT_ONCE_MAX as usize));
    assert_eq!(
        (waited_for.state, waited_for.claim.is_some(), waited_for.total),
        (JobState::Running, true, Some(AT_ONCE_MAX))
    );
    let queued = accept(&world, &adding(), &file(AT_ONCE_MAX as usize + 1));
    assert_eq!((queued.state, queued.claim, queued.total), (JobState::Queued, None, Some(AT_ONCE_MAX + 1)));
    assert_eq!(world.active("u00000"), Vec::<String>::new());
}

#[test]
fn a_job_is_taken_up_by_one() {
    let world = World::in_memory();
    let job = accept(&world, &adding(), &file(MANY));
    assert_eq!(take(&world).map(|job| job.id), Some(job.id));
    assert_eq!(take(&world), None);
    assert_eq!(jobs::take_up(&world.app, job.id).unwrap(), None);
}

#[test]
fn a_claim_lapses_when_nobody_was_heard_of_for_so_long() {
    let world = World::in_memory();
    let job = accept(&world, &adding(), &file(1));
    world.clock.advance(TimeDelta::seconds(jobs::LEASE_S) - TimeDelta::microseconds(1));
    assert_eq!(take(&world), None);
    world.clock.advance(TimeDelta::microseconds(1));
    assert_eq!(take(&world).map(|job| job.id), Some(job.id));
}

#[test]
fn whoever_works_is_heard_of_with_each_step() {
    let world = World::in_memory();
    accept(&world, &adding(), &file(MANY));
    let job = take(&world).unwrap();
    let others = Cell::new(0);
    let ended = jobs::run(&world.app, job, &|| {
        others.set(others.get() + usize::from(take(&world).is_some()));
        world.clock.advance(TimeDelta::seconds(jobs::LEASE_S - 1));
        false
    });
    assert_eq!((ended.unwrap().state, others.get()), (JobState::Done, 0));
}

#[test]
fn whoever_was_given_up_writes_nothing_more() {
    let prepared = prepared();
    let expected = in_one_go(&prepared, &begin_import(adding()));
    for looks_before in 0..3 {
        let world = world_on(&prepared.copy());
        let id = accept(&world, &adding(), &repeating()).id;
        let job = take(&world).unwrap();
        let looks = Cell::new(0);
        let told_to_the_first = jobs::run(&world.app, job, &|| {
            looks.set(looks.get() + 1);
            if looks.get() == looks_before + 1 {
                let_the_claim_lapse(&world);
                let job = take(&world).unwrap();
                go_on(&world, job);
                // Somebody changes their mind meanwhile, which the first must not undo.
                world.change("u00001", &[], &["A"]).unwrap();
            }
            false
        });
        let told_to_the_first = told_to_the_first.unwrap();
        assert_eq!(told_to_the_first, get(&world, id));
        let (state, done, refused, outcome, members, rows) = told(&world, &told_to_the_first);
        let changed = u64::from(looks.get() > looks_before);
        assert_eq!((state, done, refused, &outcome), (expected.0, expected.1, expected.2, &expected.3));
        assert_eq!((members, rows.len() as u64), (expected.4 - changed, expected.5.len() as u64 + changed));
    }
}

#[test]
fn a_queued_job_that_is_cancelled_ends_at_once() {
    let world = World::in_memory();
    let job = accept(&world, &adding(), &file(MANY));
    let cancelled = world.act(|act| jobs::cancel(act, job.id)).unwrap();
    assert_eq!((cancelled.state, cancelled.cancelled_by), (JobState::Cancelled, Some(actor())));
    assert_eq!(cancelled.finished_at, Some(world.now()));
    assert_eq!(take(&world), None);
    assert_eq!(world.active("u00000"), Vec::<String>::new());
}

/// Asks for the end of a job at its worker's nth look.
fn cancelled_at(world: &World, job: Job, nth: usize) -> Job {
    let (id, looks) = (job.id, Cell::new(0));
    let ended = jobs::run(&world.app, job, &|| {
        looks.set(looks.get() + 1);
        if looks.get() == nth {
            world.act(|act| jobs::cancel(act, id)).unwrap();
        }
        false
    });
    ended.unwrap()
}

/// Files that take so long to be opened that whoever reads them is heard of meanwhile.
struct SlowFiles(MemoryFiles, ManualClock);

impl Files for SlowFiles {
    fn create(&self, key: &str) -> io::Result<Box<dyn NewFile>> {
        self.0.create(key)
    }

    fn open(&self, key: &str) -> io::Result<Option<Box<dyn StoredFile>>> {
        self.1.advance(TimeDelta::seconds(6));
        self.0.open(key)
    }

    fn delete(&self, prefix: &str) -> io::Result<()> {
        self.0.delete(prefix)
    }

    fn scratch(&self) -> io::Result<File> {
        self.0.scratch()
    }
}

fn with_slow_files(mut world: World) -> World {
    world.app.files = Box::new(SlowFiles(world.files.clone(), world.clock.clone()));
    world
}

#[test]
fn a_job_under_way_that_is_cancelled_ends_after_its_step_and_what_it_did_stays() {
    let world = World::in_memory();
    accept(&world, &adding(), &file(MANY));
    let job = take(&world).unwrap();
    let ended = cancelled_at(&world, job, 1);
    assert_eq!((ended.state, ended.done), (JobState::Cancelled, BATCH_MAX as u64));
    assert_eq!(Outcome::of(&ended).added, ended.done);
    assert_eq!(ended.cancelled_by, Some(actor()));
    let is_in = |number: usize| world.active(&format!("u{number:05}")).len();
    assert_eq!((is_in(BATCH_MAX - 1), is_in(BATCH_MAX)), (1, 0));
    assert_eq!(take(&world), None);
}

#[test]
fn an_import_that_is_cancelled_while_it_is_read_did_nothing_and_says_so() {
    for atomic in [false, true] {
        let world = with_slow_files(World::in_memory());
        accept(&world, &Import { atomic, ..adding() }, &file(MANY));
        let job = take(&world).unwrap();
        let ended = cancelled_at(&world, job, 1);
        assert_eq!((ended.state, ended.done), (JobState::Cancelled, 0));
        assert_eq!(Outcome::of(&ended), Outcome::default());
        assert_eq!(world.history_lines(), Vec::<String>::new());
    }
}

#[test]
fn a_job_that_was_left_and_cancelled_is_ended_by_whoever_comes_next() {
    let world = World::in_memory();
    let job = accept(&world, &adding(), &file(1));
    world.act(|act| jobs::cancel(act, job.id)).unwrap();
    let_the_claim_lapse(&world);
    assert_eq!(take(&world), None);
    assert_eq!(get(&world, job.id).state, JobState::Cancelled);
}

#[test]
fn a_job_that_ended_cannot_be_cancelled() {
    let world = World::in_memory();
    let job = world.import(&adding(), &file(1)).unwrap();
    assert!(matches!(world.act(|act| jobs::cancel(act, job.id)), Err(Error::Conflict(_))));
    assert_eq!(get(&world, job.id), job);
}

#[test]
fn a_job_that_nobody_knows_is_not_found() {
    let world = World::in_memory();
    let is_unknown = |result: Result<Job, Error>| matches!(result, Err(Error::NotFound(Subject::Job, _)));
    assert!(is_unknown(world.app.look(&testkit::caller(), |look| jobs::get(look, JobId(7)))));
    assert!(is_unknown(world.act(|act| jobs::cancel(act, JobId(7)))));
    assert!(is_unknown(world.act(|act| jobs::undo(act, JobId(7)))));
}

#[test]
fn a_job_that_is_taken_up_five_times_in_vain_is_given_up() {
    let world = World::in_memory();
    let job = accept(&world, &adding(), &file(MANY));
    for _ in 0..5 {
        assert!(take(&world).is_some());
        let_the_claim_lapse(&world);
    }
    assert_eq!(take(&world), None);
    let job = get(&world, job.id);
    assert_eq!((job.state, job.finished_at), (JobState::Failed, Some(world.now())));
    assert!(job.problem.unwrap().contains("taken up 5 times"));
}

/// To be heard of while rows are read is no progress.
#[test]
fn a_job_that_ends_its_worker_in_the_same_batch_each_time_is_given_up() {
    let store = FailingStore::default();
    let world = with_slow_files(world_on(&store));
    let id = accept(&world, &adding(), &file(MANY)).id;
    for _ in 0..5 {
        let job = take(&world).unwrap();
        store.fail(1, 1, Outage::Before);
        jobs::run(&world.app, job, &|| false).unwrap_err();
        let_the_claim_lapse(&world);
    }
    assert_eq!(take(&world), None);
    let job = get(&world, id);
    assert_eq!((job.state, job.done), (JobState::Failed, 0));
}

#[test]
fn a_job_that_came_forward_is_given_five_more_times() {
    let store = FailingStore::default();
    let world = world_on(&store);
    accept(&world, &adding(), &file(MANY));
    for spared in [0, 0, 0, 1, 0, 0, 0, 0] {
        let job = take(&world).unwrap();
        store.fail(spared, 1, Outage::Before);
        jobs::run(&world.app, job, &|| false).unwrap_err();
        let_the_claim_lapse(&world);
    }
    let job = take(&world).unwrap();
    assert_eq!(go_on(&world, job).state, JobState::Done);
}

#[test]
fn a_job_that_cannot_be_carried_out_fails_and_says_why() {
    let world = World::in_memory();
    let job = world.import(&Import { atomic: true, create_segments: false, ..adding() }, &file(1)).unwrap();
    assert_eq!((job.state, job.claim), (JobState::Failed, None));
    assert_eq!(job.problem.as_deref(), Some("1 row was refused, so nothing was imported"));
}

#[test]
fn old_jobs_are_forgotten_with_their_files() {
    let world = World::in_memory();
    let old = world.import(&adding(), "user_id;ttl\n1;\n2;soon\n").unwrap();
    let undone = world.undo(old.id).unwrap();
    assert_eq!(world.files.keys().len(), 2);
    world.clock.advance(TimeDelta::days(10));
    let new = world.import(&adding(), &file(1)).unwrap();
    world.clock.advance(TimeDelta::days(20) + TimeDelta::microseconds(1));
    let waiting = accept(&world, &adding(), &file(MANY));
    assert_eq!(jobs::forget(&world.app, 30, 100).unwrap(), 2);
    assert_eq!(jobs::forget(&world.app, 30, 100).unwrap(), 0);
    for (job, is_there) in [(&old, false), (&undone, false), (&new, true), (&waiting, true)] {
        assert_eq!(world.app.look(&testkit::caller(), |look| jobs::get(look, job.id)).is_ok(), is_there);
    }
    assert_eq!(world.files.keys().len(), 2);
    assert_eq!(world.active("1"), Vec::<String>::new());
}

#[test]
fn no_more_jobs_are_forgotten_than_asked_for() {
    let world = World::in_memory();
    for _ in 0..3 {
        world.import(&adding(), &file(1)).unwrap();
    }
    world.clock.advance(TimeDelta::days(31));
    let forget = || jobs::forget(&world.app, 30, 2).unwrap();
    assert_eq!((forget(), forget(), forget()), (2, 1, 0));
    assert_eq!(world.files.keys(), Vec::<String>::new());
}
