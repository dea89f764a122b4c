//! Retention: the beginning of history is forgotten, and every instant after it can still be asked.
//!
//! Of each membership that was there when history is to begin, one row stays: its add, with the deadline that it had by
//! then. So whoever replays what is left comes to the same memberships.

use chrono::{Datelike, Months, NaiveTime, TimeDelta};
use domain::{
    Action, Caller, Entry, HistoryRow, Instant, Job, JobKind, Operation, Permission, SegmentId, UserId, history::fold,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};

use crate::{
    Act, App, Error, audit,
    jobs::{self, Halt, Run},
    ports::{Hold, Locks, Store, StoreError},
};

/// How many users are gone through in one transaction.
const USERS: usize = 500;
/// How long to wait for those who are reading, and for how long again and again.
const PAUSE: Duration = Duration::from_secs(1);
const PATIENCE_MINUTES: i64 = 10;

#[derive(Serialize, Deserialize)]
struct Task {
    before_us: i64,
    dry_run: bool,
}

/// What came of it so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Rows that were forgotten.
    pub forgotten: u64,
    /// Rows before the new beginning that stay, because a membership was there by then.
    pub kept: u64,
}

impl Outcome {
    pub fn of(job: &Job) -> Outcome {
        job.outcome.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }
}

/// The beginning of the month so many months before this one.
pub fn beginning(now: Instant, months: u32) -> Option<Instant> {
    let first = now.date_naive().with_day(1)?.checked_sub_months(Months::new(months))?;
    Some(first.and_time(NaiveTime::MIN).and_utc())
}

/// Queues the forgetting of what happened more than so many whole months ago.
pub fn request(act: &mut Act, months: u32, dry_run: bool) -> Result<Job, Error> {
    act.caller.require(Permission::Operate)?;
    let out_of_range = || Error::invalid("/months", "out_of_range", "must be from 1 to 1200");
    let before = beginning(act.now(), months).filter(|_| (1..=1_200).contains(&months)).ok_or_else(out_of_range)?;
    let task = jobs::write(&Task { before_us: before.timestamp_micros(), dry_run });
    let mut job = Job::queued(JobKind::Retention, act.caller.actor().clone(), task, act.now());
    job.id = act.unit.jobs().insert(&job)?;
    if !dry_run {
        let detail = serde_json::json!({"before": before.to_rfc3339()});
        audit::note(act, job.created_at, Action::HistoryForgotten, format!("job/{}", job.id), detail)?;
    }
    Ok(job)
}

pub(crate) fn carry_out(run: &mut Run) -> Result<(), Halt> {
    let task: Task = jobs::read(&run.job.task)?;
    let corrupt = || Error::Conflict(format!("the task of job {} cannot be read", run.job.id));
    let before = Instant::from_timestamp_micros(task.before_us).ok_or_else(corrupt)?;
    if !task.dry_run {
        // First of all, so that nobody is told of an instant of which half is forgotten.
        run.step(|act, _| Ok(act.unit.history().begin_at(before)?))?;
        while forget_part(run, before)? {}
    }
    loop {
        let after: Option<String> = run.job.place.as_deref().map(jobs::read).transpose()?;
        let after =
            after.map(|text| UserId::parse(&text)).transpose().map_err(|error| Error::Conflict(error.to_string()))?;
        let users = run.app.look(&Caller::service("strata"), |look| {
            Ok(look.unit.history().known_before(before, after.as_ref(), USERS)?)
        })?;
        let Some(last) = users.last() else { return Ok(()) };
        run.step(|act, job| {
            let mut outcome = Outcome::of(job);
            let more = forget(act, &users, before, task.dry_run)?;
            outcome.forgotten += more.forgotten;
            outcome.kept += more.kept;
            job.outcome = Some(jobs::write(&outcome));
            job.place = Some(jobs::write(&last.as_str()));
            job.done += users.len() as u64;
            Ok(())
        })?;
    }
}

/// Forgets a part of history at once, where the store keeps it in parts, and tells whether there was one.
///
/// Whoever reads history meanwhile keeps the part, be it for a long export: then another moment is waited for. Where one
/// export follows the other, the rows go one by one, and the empty part another time.
fn forget_part(run: &mut Run, before: Instant) -> Result<bool, Halt> {
    let give_up_at = run.app.clock.now() + TimeDelta::minutes(PATIENCE_MINUTES);
    loop {
        let forgotten = run.step(|act, job| {
            act.unit.lock(&Locks::new().every_segment(Hold::Shared))?;
            // However long it takes, nobody takes the job for one that was left.
            act.unit.jobs().find(job.id)?;
            let forgotten = act.unit.history().forget_part(before)?;
            if let Some(rows) = forgotten {
                let mut outcome = Outcome::of(job);
                outcome.forgotten += rows;
                job.outcome = Some(jobs::write(&outcome));
                job.done += rows;
            }
            Ok(forgotten)
        });
        match forgotten {
            Ok(forgotten) => return Ok(forgotten.is_some()),
            Err(Halt::Failed(Error::Store(StoreError::Contended(_)))) if run.app.clock.now() < give_up_at => {
                std::thread::sleep(PAUSE);
                run.beat()?;
            }
            Err(Halt::Failed(Error::Store(StoreError::Contended(_)))) => return Ok(false),
            Err(halt) => return Err(halt),
        }
    }
}

fn forget(act: &mut Act, users: &[UserId], before: Instant, dry_run: bool) -> Result<Outcome, Error> {
    // Nobody writes of these users meanwhile: neither a change of one, nor an import, which has its segments alone.
    let locks = users.iter().fold(Locks::new().every_segment(Hold::Shared), Locks::user);
    act.unit.lock(&locks)?;
    let mut logs: BTreeMap<(UserId, SegmentId), Vec<HistoryRow>> = BTreeMap::new();
    for row in act.unit.history().of_users(users, None)? {
        if row.entry.at < before {
            logs.entry((row.entry.user.clone(), row.entry.segment.id)).or_default().push(row);
        }
    }
    let mut outcome = Outcome::default();
    let mut forgotten: Vec<(Instant, i64)> = Vec::new();
    for mut log in logs.into_values() {
        if let Some(left) = fold(log.iter().map(|row| &row.entry))
            && let Some(add) = log.iter().rposition(|row| row.entry.operation == Operation::Add)
        {
            let row = log.remove(add);
            outcome.kept += 1;
            if row.entry.expires_at != left.expires_at && !dry_run {
                let entry = Entry { expires_at: left.expires_at, ..row.entry };
                act.unit.history().rewrite(&HistoryRow { entry, ..row })?;
            }
        }
        forgotten.extend(log.iter().map(|row| (row.entry.at, row.id)));
    }
    outcome.forgotten = forgotten.len() as u64;
    if !dry_run {
        act.unit.history().forget(&forgotten)?;
    }
    Ok(outcome)
}

/// Makes the parts of history that are missing, where the store keeps it in parts, and tells how many.
pub fn make_parts(store: &dyn Store, now: Instant) -> Result<usize, Error> {
    match store.write(|unit| unit.history().make_parts(now)) {
        // Others read or make them; until then rows find their place elsewhere.
        Err(StoreError::Contended(_)) => Ok(0),
        made => Ok(made?),
    }
}

/// Queues the next round of forgetting, once a month at most.
pub fn schedule(app: &App, months: u32) -> Result<usize, Error> {
    let due = app.look(&Caller::service("strata"), |look| {
        let begins = beginning(look.now, months);
        Ok(begins.is_some_and(|begins| look.unit.history().begins_at().is_ok_and(|at| at.is_none_or(|at| at < begins)))
            && !jobs::is_open(look, JobKind::Retention)?)
    })?;
    if !due {
        return Ok(0);
    }
    app.act(&Caller::service("worker"), |act| request(act, months, false)).map(|_| 1)
}
