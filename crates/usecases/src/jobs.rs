//! Jobs: long acts, taken up by whoever is free, gone on with where another left off, told of meanwhile.
//!
//! A job is a row in the store. Whoever takes it up claims it for half a minute at a time, and every step it makes is
//! one transaction that also notes how far it came and that the claim still holds: so a step is never made twice, and
//! never by somebody who was given up.

use chrono::TimeDelta;
use domain::{Action, Caller, Claim, Instant, Job, JobId, JobKind, JobState, Permission};
use serde::{Deserialize, Serialize};

use crate::{
    Act, App, Error, Look, Subject,
    answers::{self, Once},
    audit, demo, imports,
    ports::{JobQuery, StoreError},
    reports, retention, stale,
};

/// How long a job is left to someone who is not heard of.
pub const LEASE_S: i64 = 30;
/// How often someone at a long step is heard of.
const BEAT_S: i64 = 5;
/// How often a job is taken up without coming forward before it is given up.
const TRIES_MAX: u32 = 5;
const CONTENTIONS_MAX: u32 = 5;

/// A job under way, by the one who claimed it.
pub(crate) struct Run<'a> {
    pub(crate) app: &'a App,
    pub(crate) job: Job,
    stopping: &'a dyn Fn() -> bool,
    heard_at: Instant,
    /// Whether all is one transaction, which may be the only one that the store has room for.
    is_whole: bool,
}

/// Why a job does not go on here.
pub(crate) enum Halt {
    Cancelled,
    /// This process ends; somebody else goes on.
    Stopping,
    /// Somebody else has the job by now.
    Lost,
    Failed(Error),
}

impl From<Error> for Halt {
    fn from(error: Error) -> Halt {
        Halt::Failed(error)
    }
}

impl From<StoreError> for Halt {
    fn from(error: StoreError) -> Halt {
        Halt::Failed(error.into())
    }
}

impl From<std::io::Error> for Halt {
    fn from(error: std::io::Error) -> Halt {
        Halt::Failed(error.into())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Commit,
    TakeBack,
}

impl Run<'_> {
    /// Makes one step in a transaction, with the note of how far the job came. Contention is met by trying again.
    pub(crate) fn step<T>(&mut self, work: impl Fn(&mut Act, &mut Job) -> Result<T, Error>) -> Result<T, Halt> {
        let mut contentions = 0;
        loop {
            self.halt_if_asked()?;
            let attempt = self.app.store.write(|unit| {
                let caller = Caller::service(self.job.actor.as_str());
                let mut act = self.app.act_on(unit, &caller);
                act.job = Some(self.job.id);
                let mut job = self.job.clone();
                let result = work(&mut act, &mut job)?;
                // A sign of life is no progress.
                if (&job.place, job.done) != (&self.job.place, self.job.done) {
                    job.tries = 0;
                }
                keep(&mut act, &mut job)?;
                Ok((result, job))
            });
            match attempt {
                Ok((result, job)) => {
                    self.heard_at = self.app.clock.now();
                    self.job = job;
                    return Ok(result);
                }
                Err(Halt::Failed(Error::Store(StoreError::Contended(_) | StoreError::Duplicate)))
                    if contentions < CONTENTIONS_MAX =>
                {
                    contentions += 1;
                }
                Err(halt) => return Err(halt),
            }
        }
    }

    /// Makes the whole job in one transaction. Meanwhile [`Run::beat`] tells of it, where the store has room for a second
    /// writer; where it has not, nobody else could take the job up either. What does not come to its end leaves nothing.
    pub(crate) fn whole(
        &mut self,
        ending: Ending,
        work: impl FnOnce(&mut Act, &mut Run) -> Result<(), Halt>,
    ) -> Result<(), Halt> {
        self.halt_if_asked()?;
        let before = self.job.clone();
        self.is_whole = true;
        let ended = self.whole_or_nothing(ending, work);
        (self.is_whole, self.heard_at) = (false, self.app.clock.now());
        if ended.is_err() {
            let (claim, cancelled_by) = (self.job.claim, self.job.cancelled_by.take());
            self.job = Job { claim, cancelled_by, ..before };
        }
        ended
    }

    fn whole_or_nothing(
        &mut self,
        ending: Ending,
        work: impl FnOnce(&mut Act, &mut Run) -> Result<(), Halt>,
    ) -> Result<(), Halt> {
        let app = self.app;
        let work = |unit: &mut dyn crate::ports::Unit| {
            let caller = Caller::service(self.job.actor.as_str());
            let mut act = app.act_on(unit, &caller);
            act.job = Some(self.job.id);
            work(&mut act, self)?;
            if ending == Ending::Commit {
                keep(&mut act, &mut self.job)?;
                // With the act itself: a job that was done whole is not to be done again.
                end(&mut act, &mut self.job, JobState::Done, None)?;
            }
            Ok(())
        };
        match ending {
            Ending::Commit => app.store.write(work),
            Ending::TakeBack => app.store.rehearse(work),
        }
    }

    /// Tells now and then that this goes on, and hears whether it should.
    pub(crate) fn beat(&mut self) -> Result<(), Halt> {
        if self.app.clock.now() - self.heard_at < TimeDelta::seconds(BEAT_S) {
            return Ok(());
        }
        match self.step(|_, _| Ok(())) {
            Err(Halt::Failed(Error::Store(StoreError::Busy(_) | StoreError::Contended(_)))) => {
                // Where the job itself is the one writer there is room for, it would wait in vain each time.
                self.heard_at = if self.is_whole { Instant::MAX_UTC } else { self.app.clock.now() };
                Ok(())
            }
            other => other,
        }
    }

    fn halt_if_asked(&self) -> Result<(), Halt> {
        if self.job.cancelled_by.is_some() {
            return Err(Halt::Cancelled);
        }
        if (self.stopping)() { Err(Halt::Stopping) } else { Ok(()) }
    }
}

/// Notes how far a job came, if it is still with its holder.
fn keep(act: &mut Act, job: &mut Job) -> Result<(), Halt> {
    let stored = act.unit.jobs().find(job.id)?.ok_or(Halt::Lost)?;
    let holder = job.claim.map(|claim| claim.holder);
    if stored.state != JobState::Running || stored.claim.map(|claim| claim.holder) != holder {
        return Err(Halt::Lost);
    }
    job.cancelled_by = stored.cancelled_by;
    if let Some(claim) = &mut job.claim {
        claim.until = act.now() + TimeDelta::seconds(LEASE_S);
    }
    act.unit.jobs().update(job)?;
    Ok(())
}

/// Takes up the oldest job that is free.
pub fn take(app: &App) -> Result<Option<Job>, Error> {
    // A look first: it costs little, and a writing unit much where there is room for one.
    if app.look(&Caller::service("strata"), |look| Ok(look.unit.jobs().next_free(look.now)?))?.is_none() {
        return Ok(None);
    }
    app.act(&Caller::service("worker"), |act| {
        let now = act.now();
        while let Some(mut job) = act.unit.jobs().next_free(now)? {
            if job.cancelled_by.is_some() {
                end(act, &mut job, JobState::Cancelled, None)?;
            } else if job.tries >= TRIES_MAX {
                let problem = format!("was taken up {TRIES_MAX} times and never came forward");
                end(act, &mut job, JobState::Failed, Some(problem))?;
            } else {
                claim(act, &mut job);
                act.unit.jobs().update(&job)?;
                return Ok(Some(job));
            }
        }
        Ok(None)
    })
}

/// Takes up this very job, if it is free.
pub fn take_up(app: &App, id: JobId) -> Result<Option<Job>, Error> {
    app.act(&Caller::service("worker"), |act| {
        let mut job = require(act, id)?;
        if !job.is_free_at(act.now()) {
            return Ok(None);
        }
        claim(act, &mut job);
        act.unit.jobs().update(&job)?;
        Ok(Some(job))
    })
}

/// Begins a job by `work`; for the same request made again, tells what became of the job that the first one began.
pub fn begin(
    app: &App,
    caller: &Caller,
    once: Option<Once>,
    work: impl FnOnce(&mut Act) -> Result<Job, Error>,
) -> Result<(Job, Begun), Error> {
    app.act(caller, |act| {
        let Some(once) = once else { return Ok((work(act)?, Begun::Now)) };
        if let Some(before) = answers::given(act, &once)? {
            let corrupt = || Error::Conflict("the kept answer names no job".to_owned());
            let id = before.parse().map(JobId).map_err(|_| corrupt())?;
            return Ok((act.unit.jobs().find(id)?.ok_or_else(corrupt)?, Begun::Before));
        }
        let job = work(act)?;
        answers::keep(act, &once, job.id.to_string())?;
        Ok((job, Begun::Now))
    })
}

/// Whether a job was begun by this call, or by the same one made before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begun {
    Now,
    Before,
}

/// Makes the job this caller's, who is to [`run`] it.
pub(crate) fn claim(act: &Act, job: &mut Job) {
    let now = act.now();
    job.state = JobState::Running;
    job.started_at = job.started_at.or(Some(now));
    job.claim = Some(Claim { holder: act.chance.draw() >> 1, until: now + TimeDelta::seconds(LEASE_S) });
    job.tries += 1;
}

/// Goes on with a job that this caller claimed until it ends, is to stop, or the world fails. In the last case the job
/// stays, for whoever takes it up when the claim has lapsed.
pub fn run(app: &App, job: Job, stopping: &dyn Fn() -> bool) -> Result<Job, Error> {
    let mut run = Run { app, job, stopping, heard_at: app.clock.now(), is_whole: false };
    let ended = match run.job.kind {
        JobKind::ImportMemberships | JobKind::ImportUsers | JobKind::ImportSegments => imports::carry_out(&mut run),
        JobKind::Undo => imports::undo::carry_out(&mut run),
        JobKind::Report => reports::carry_out(&mut run),
        JobKind::Retention => retention::carry_out(&mut run),
        JobKind::StaleSegments => stale::carry_out(&mut run),
        JobKind::Demo => demo::carry_out(&mut run),
    };
    let (state, problem) = match ended {
        Ok(()) if run.job.state.is_final() => return Ok(run.job),
        Ok(()) => (JobState::Done, None),
        Err(Halt::Cancelled) => {
            let left = (run.job.kind == JobKind::Demo).then(|| demo::left_by(&run.job));
            (JobState::Cancelled, left)
        }
        Err(Halt::Stopping) => (JobState::Queued, None),
        Err(Halt::Lost) => return app.look(&Caller::service("strata"), |look| get(look, run.job.id)),
        Err(Halt::Failed(error)) if is_passing(&error) => return Err(error),
        Err(Halt::Failed(error)) => (JobState::Failed, Some(error.to_string())),
    };
    let caller = Caller::service(run.job.actor.as_str());
    let ended = app.store.write(|unit| {
        let mut act = app.act_on(unit, &caller);
        let mut job = run.job.clone();
        keep(&mut act, &mut job)?;
        match state {
            JobState::Queued => {
                (job.state, job.claim, job.tries) = (state, None, 0);
                act.unit.jobs().update(&job)?;
            }
            _ => end(&mut act, &mut job, state, problem)?,
        }
        Ok(job)
    });
    match ended {
        Ok(job) => Ok(job),
        Err(Halt::Failed(error)) => Err(error),
        Err(_) => app.look(&Caller::service("strata"), |look| get(look, run.job.id)),
    }
}

fn end(act: &mut Act, job: &mut Job, state: JobState, problem: Option<String>) -> Result<(), Error> {
    (job.state, job.problem, job.claim) = (state, problem, None);
    job.finished_at = Some(act.now());
    Ok(act.unit.jobs().update(job)?)
}

/// Whether the same may well go on later.
fn is_passing(error: &Error) -> bool {
    use std::io::ErrorKind;
    match error {
        Error::Store(StoreError::Aborted | StoreError::Corrupt { .. }) => false,
        Error::Store(_) => true,
        Error::Files(error) => matches!(
            error.kind(),
            ErrorKind::TimedOut
                | ErrorKind::ConnectionRefused
                | ErrorKind::ConnectionReset
                | ErrorKind::ConnectionAborted
                | ErrorKind::NotConnected
                | ErrorKind::HostUnreachable
                | ErrorKind::NetworkUnreachable
                | ErrorKind::Interrupted
        ),
        _ => false,
    }
}

/// The caller's own, or anybody's for who sees all: others are not told from those that there are not.
pub fn get(look: &mut Look, id: JobId) -> Result<Job, Error> {
    let found = look.unit.jobs().find(id)?;
    found.filter(|job| is_seen(look.caller, job)).ok_or_else(|| unknown(id))
}

pub fn list(look: &mut Look, query: &JobQuery, limit: usize) -> Result<Vec<Job>, Error> {
    look.caller.require_partly(Permission::ReadSegments)?;
    Ok(look.unit.jobs().list(&seen(look.caller, query), limit)?)
}

pub fn count(look: &mut Look, query: &JobQuery) -> Result<u64, Error> {
    look.caller.require_partly(Permission::ReadSegments)?;
    Ok(look.unit.jobs().count(&seen(look.caller, query))?)
}

fn is_seen(caller: &Caller, job: &Job) -> bool {
    caller.has(Permission::Operate) || caller.owns(&job.actor, job.created_at)
}

fn seen(caller: &Caller, query: &JobQuery) -> JobQuery {
    let own = || {
        let (actor, since) = caller.own();
        (actor.clone(), since)
    };
    let owner = if caller.has(Permission::Operate) { None } else { Some(own()) };
    JobQuery { owner, ..query.clone() }
}

/// Whether a job of this kind waits or is under way.
pub(crate) fn is_open(look: &mut Look, kind: JobKind) -> Result<bool, Error> {
    for state in [JobState::Queued, JobState::Running] {
        if look.unit.jobs().count(&JobQuery { kind: Some(kind), state: Some(state), ..JobQuery::default() })? > 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether no job of this kind began for so long, or waits.
pub(crate) fn is_due(look: &mut Look, kind: JobKind, every: TimeDelta) -> Result<bool, Error> {
    let last = look.unit.jobs().list(&JobQuery { kind: Some(kind), ..JobQuery::default() }, 1)?;
    Ok(last.first().is_none_or(|job| job.state.is_final() && job.created_at <= look.now - every))
}

/// What a job is told and tells, as JSON.
pub(crate) fn write(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("plain data can be written")
}

pub(crate) fn read<T: for<'de> Deserialize<'de>>(text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|error| Error::Conflict(format!("the job cannot be read: {error}")))
}

/// Asks for the end of a job. One that nobody took up ends at once, one under way after the step that it is at; what it
/// did stays.
pub fn cancel(act: &mut Act, id: JobId) -> Result<Job, Error> {
    let mut job = require_seen(act, id)?;
    match job.state {
        JobState::Queued => {
            job.cancelled_by = Some(act.caller.actor().clone());
            end(act, &mut job, JobState::Cancelled, None)?;
        }
        JobState::Running => {
            job.cancelled_by.get_or_insert(act.caller.actor().clone());
            act.unit.jobs().update(&job)?;
        }
        state => return Err(Error::Conflict(format!("job {id} is {state} already"))),
    }
    Ok(job)
}

/// Begins to take an import back, or an earlier taking back. What is done soon is claimed by this caller, who is to
/// [`run`] it; more is left to the workers.
pub fn undo(act: &mut Act, id: JobId) -> Result<Job, Error> {
    act.caller.require(Permission::Manage)?;
    let job = require_seen(act, id)?;
    if !matches!(job.kind, JobKind::ImportMemberships | JobKind::Undo) {
        return Err(Error::Conflict(format!("job {id} is of kind {}, which cannot be undone", job.kind)));
    }
    if !job.state.is_final() {
        return Err(Error::Conflict(format!("job {id} is still {}: cancel it, or wait for its end", job.state)));
    }
    let before = act.unit.jobs().list(&JobQuery { undoes: Some(id), ..JobQuery::default() }, 100)?;
    if let Some(before) = before.iter().find(|job| !matches!(job.state, JobState::Failed | JobState::Cancelled)) {
        return Err(Error::Conflict(format!("job {id} is taken back by job {} already", before.id)));
    }
    let total = act.unit.history().count_of_job(id)?;
    let queued = Job::queued(JobKind::Undo, act.caller.actor().clone(), String::new(), act.now());
    let mut undo = Job { undoes: Some(id), total: Some(total), ..queued };
    if total <= imports::AT_ONCE_MAX {
        claim(act, &mut undo);
    }
    undo.id = act.unit.jobs().insert(&undo)?;
    let detail = serde_json::json!({"kind": undo.kind.as_str(), "undoes": id.0});
    audit::note(act, undo.created_at, Action::DataImported, format!("job/{}", undo.id), detail)?;
    Ok(undo)
}

/// Forgets at most `limit` jobs that ended long ago, with their files, and tells how many. Reports go when no link to them
/// can hold any more; other jobs are kept for `days`.
pub fn forget(app: &App, days: i64, limit: usize) -> Result<usize, Error> {
    let ended = app.look(&Caller::service("strata"), |look| {
        let reports = look.now - TimeDelta::days(reports::LINK_DAYS_MAX);
        let mut ended = look.unit.jobs().ended_before(Some(JobKind::Report), reports, limit)?;
        let others = look.unit.jobs().ended_before(None, look.now - TimeDelta::days(days), limit)?;
        ended.extend(others.into_iter().filter(|job| job.kind != JobKind::Report));
        ended.truncate(limit);
        Ok(ended)
    })?;
    for job in &ended {
        // Files first: a job without files can be told of, files without a job would stay for ever.
        match job.kind {
            JobKind::ImportMemberships | JobKind::ImportUsers | JobKind::ImportSegments => {
                app.files.delete(&imports::folder(job)?)?
            }
            JobKind::Report => app.files.delete(&reports::folder(job))?,
            JobKind::Undo | JobKind::Retention | JobKind::StaleSegments | JobKind::Demo => {}
        }
    }
    let ids: Vec<JobId> = ended.iter().map(|job| job.id).collect();
    if !ids.is_empty() {
        app.act(&Caller::service("worker"), |act| Ok(act.unit.jobs().delete(&ids)?))?;
    }
    Ok(ids.len())
}

fn require_seen(act: &mut Act, id: JobId) -> Result<Job, Error> {
    let job = require(act, id)?;
    if is_seen(act.caller, &job) { Ok(job) } else { Err(unknown(id)) }
}

fn require(act: &mut Act, id: JobId) -> Result<Job, Error> {
    act.unit.jobs().find(id)?.ok_or_else(|| unknown(id))
}

fn unknown(id: JobId) -> Error {
    Error::NotFound(Subject::Job, vec![id.to_string()])
}
