//! Jobs: long acts that go on by themselves, told of while they run and kept for later.

use std::fmt;

use crate::{Actor, Instant};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(pub i64);

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A long act: what is to be done, how far it came, and who is at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    pub id: JobId,
    pub kind: JobKind,
    pub state: JobState,
    pub actor: Actor,
    /// What is to be done, in JSON that the kind understands.
    pub task: String,
    /// Where to go on, in JSON that the kind understands; absent at the beginning.
    pub place: Option<String>,
    /// What came of it so far, in JSON that the kind understands.
    pub outcome: Option<String>,
    pub done: u64,
    /// How much there is to do, once that is known.
    pub total: Option<u64>,
    /// Rows that were refused.
    pub refused: u64,
    /// Why it failed.
    pub problem: Option<String>,
    /// The job that this one takes back.
    pub undoes: Option<JobId>,
    pub created_at: Instant,
    pub started_at: Option<Instant>,
    pub finished_at: Option<Instant>,
    /// Somebody asked for its end.
    pub cancelled_by: Option<Actor>,
    pub claim: Option<Claim>,
    /// How often it was taken up since it last came forward.
    pub tries: u32,
}

/// Who works on a job, and until when nobody else may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    pub holder: u64,
    pub until: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JobKind {
    ImportMemberships,
    ImportUsers,
    ImportSegments,
    /// Takes an import back.
    Undo,
    /// Writes an export to a file.
    Report,
    /// Forgets the beginning of history.
    Retention,
    /// Deletes segments that nothing happened to for long.
    StaleSegments,
    /// Fills an empty store with a made-up shop.
    Demo,
}

impl JobKind {
    pub const ALL: [JobKind; 8] = [
        JobKind::ImportMemberships,
        JobKind::ImportUsers,
        JobKind::ImportSegments,
        JobKind::Undo,
        JobKind::Report,
        JobKind::Retention,
        JobKind::StaleSegments,
        JobKind::Demo,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            JobKind::ImportMemberships => "import_memberships",
            JobKind::ImportUsers => "import_users",
            JobKind::ImportSegments => "import_segments",
            JobKind::Undo => "undo",
            JobKind::Report => "report",
            JobKind::Retention => "retention",
            JobKind::StaleSegments => "stale_segments",
            JobKind::Demo => "demo",
        }
    }

    pub fn parse(text: &str) -> Option<JobKind> {
        JobKind::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JobState {
    Queued,
    Running,
    Done,
    Failed,
    Cancelled,
}

impl JobState {
    pub const ALL: [JobState; 5] =
        [JobState::Queued, JobState::Running, JobState::Done, JobState::Failed, JobState::Cancelled];

    pub fn as_str(self) -> &'static str {
        match self {
            JobState::Queued => "queued",
            JobState::Running => "running",
            JobState::Done => "done",
            JobState::Failed => "failed",
            JobState::Cancelled => "cancelled",
        }
    }

    pub fn parse(text: &str) -> Option<JobState> {
        JobState::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Whether nothing more will happen.
    pub fn is_final(self) -> bool {
        matches!(self, JobState::Done | JobState::Failed | JobState::Cancelled)
    }
}

impl Job {
    pub fn queued(kind: JobKind, actor: Actor, task: String, at: Instant) -> Job {
        Job {
            id: JobId(0),
            kind,
            state: JobState::Queued,
            actor,
            task,
            place: None,
            outcome: None,
            done: 0,
            total: None,
            refused: 0,
            problem: None,
            undoes: None,
            created_at: at,
            started_at: None,
            finished_at: None,
            cancelled_by: None,
            claim: None,
            tries: 0,
        }
    }

    /// Whether somebody may take it up: nobody did, or whoever did was not heard of in time.
    pub fn is_free_at(&self, at: Instant) -> bool {
        match self.state {
            JobState::Queued => true,
            JobState::Running => self.claim.is_none_or(|claim| claim.until <= at),
            JobState::Done | JobState::Failed | JobState::Cancelled => false,
        }
    }

    /// How many are done in a second, since it was first taken up.
    pub fn rate(&self, now: Instant) -> Option<f64> {
        let seconds = (self.finished_at.unwrap_or(now) - self.started_at?).as_seconds_f64();
        (seconds > 0.0 && self.done > 0).then(|| self.done as f64 / seconds)
    }

    /// How many seconds it may still take, at the rate so far.
    pub fn eta_seconds(&self, now: Instant) -> Option<f64> {
        if self.state.is_final() {
            return None;
        }
        Some(self.total?.saturating_sub(self.done) as f64 / self.rate(now)?)
    }
}

impl fmt::Display for JobKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Instant {
        Instant::from_timestamp(second, 0).unwrap()
    }

    #[test]
    fn a_job_is_free_until_it_is_claimed_and_when_its_claim_lapsed() {
        let mut job = Job::queued(JobKind::Undo, Actor::new("test"), String::new(), at(0));
        assert!(job.is_free_at(at(0)));
        job.state = JobState::Running;
        job.claim = Some(Claim { holder: 1, until: at(30) });
        assert_eq!([29, 30].map(|second| job.is_free_at(at(second))), [false, true]);
        job.state = JobState::Done;
        assert!(!job.is_free_at(at(99)));
    }

    #[test]
    fn the_time_left_follows_from_the_rate_so_far() {
        let mut job = Job::queued(JobKind::Undo, Actor::new("test"), String::new(), at(0));
        assert_eq!((job.rate(at(5)), job.eta_seconds(at(5))), (None, None));
        job.state = JobState::Running;
        (job.started_at, job.done, job.total) = (Some(at(10)), 100, Some(300));
        assert_eq!((job.rate(at(20)), job.eta_seconds(at(20))), (Some(10.0), Some(20.0)));
        (job.state, job.finished_at, job.done) = (JobState::Done, Some(at(40)), 300);
        assert_eq!((job.rate(at(99)), job.eta_seconds(at(99))), (Some(10.0), None));
    }
}
