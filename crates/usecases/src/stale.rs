//! Stale segments: those that nobody entered, left or changed for long, told of or deleted.

use domain::{Caller, Instant, Job, JobKind, Permission, Slug, Ttl};
use serde::{Deserialize, Serialize};

use crate::{
    Act, App, Error, Expected,
    jobs::{self, Halt, Run},
    segments,
};

/// How many segments are looked for at once.
const PAGE: usize = 100;
/// How many of them a job names.
pub const NAMED_MAX: usize = 1_000;

#[derive(Serialize, Deserialize)]
struct Task {
    before_us: i64,
    dry_run: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// How many were found; when it is no dry run, they were deleted.
    pub found: u64,
    /// The first of them, by slug.
    pub slugs: Vec<String>,
}

impl Outcome {
    pub fn of(job: &Job) -> Outcome {
        job.outcome.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }
}

/// Queues the deletion of the segments that nothing happened to for this long, or only tells which they are.
pub fn request(act: &mut Act, older_than: Ttl, dry_run: bool) -> Result<Job, Error> {
    act.caller.require(Permission::Operate)?;
    let now = act.now();
    let too_long = || Error::invalid("/older_than", "out_of_range", "reaches before all time");
    let age = older_than.after(now) - now;
    let before = now.checked_sub_signed(age).ok_or_else(too_long)?;
    let task = jobs::write(&Task { before_us: before.timestamp_micros(), dry_run });
    let mut job = Job::queued(JobKind::StaleSegments, act.caller.actor().clone(), task, now);
    job.id = act.unit.jobs().insert(&job)?;
    Ok(job)
}

pub(crate) fn carry_out(run: &mut Run) -> Result<(), Halt> {
    let task: Task = jobs::read(&run.job.task)?;
    let corrupt = || Error::Conflict(format!("the task of job {} cannot be read", run.job.id));
    let before = Instant::from_timestamp_micros(task.before_us).ok_or_else(corrupt)?;
    loop {
        let after: Option<String> = run.job.place.as_deref().map(jobs::read).transpose()?;
        let after =
            after.map(|text| Slug::parse(&text)).transpose().map_err(|error| Error::Conflict(error.to_string()))?;
        let found = run
            .app
            .look(&Caller::service("strata"), |look| Ok(look.unit.segments().stale(before, after.as_ref(), PAGE)?))?;
        if found.is_empty() {
            return Ok(());
        }
        for segment in found {
            run.step(|act, job| {
                let mut outcome = Outcome::of(job);
                if task.dry_run || delete(act, &segment.slug, before)? {
                    outcome.found += 1;
                    if outcome.slugs.len() < NAMED_MAX {
                        outcome.slugs.push(segment.slug.to_string());
                    }
                }
                job.outcome = Some(jobs::write(&outcome));
                job.place = Some(jobs::write(&segment.slug.as_str()));
                job.done += 1;
                Ok(())
            })?;
        }
    }
}

/// Deletes the segment, unless something happened to it since it was found.
fn delete(act: &mut Act, slug: &Slug, before: Instant) -> Result<bool, Error> {
    segments::lock_to_delete(act, slug)?;
    if !act.unit.segments().is_stale(slug, before)? {
        return Ok(false);
    }
    segments::delete_locked(act, slug, &Expected::Any)?;
    Ok(true)
}

/// Queues the next round, once a day at most.
pub fn schedule(app: &App, older_than: Ttl) -> Result<usize, Error> {
    let due = app.look(&Caller::service("strata"), |look| {
        jobs::is_due(look, JobKind::StaleSegments, chrono::TimeDelta::days(1))
    })?;
    if !due {
        return Ok(0);
    }
    app.act(&Caller::service("worker"), |act| request(act, older_than, false)).map(|_| 1)
}
