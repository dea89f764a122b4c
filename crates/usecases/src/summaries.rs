//! The summary: how much there is of everything, what changed of late, and what ends soon.

use chrono::{NaiveTime, TimeDelta};
use domain::{Caller, Instant, JobState, Permission, Source};

use crate::{
    App, Error, Known, Look, jobs,
    ports::{EndingQuery, JobQuery, Moves, SegmentQuery, Totals, UserQuery},
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    pub as_of: Instant,
    /// Its endings are those within a day, and within a week.
    pub totals: Totals,
    pub segments: u64,
    pub since: Since,
    pub jobs: JobCounts,
}

/// What happened since an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Since {
    pub at: Instant,
    pub moves: Moves,
    /// Segments that were made or changed, and are there.
    pub segments_changed: u64,
}

/// Of the jobs that the caller sees.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct JobCounts {
    pub queued: u64,
    pub running: u64,
    /// Since the instant that is asked about.
    pub failed: u64,
}

/// How much there is of everything. What it counts of all memberships is out of memory where that is sure. Without `since`
/// it tells what happened today, UTC.
pub fn tell(app: &App, caller: &Caller, since: Option<Instant>) -> Result<Known<Summary>, Error> {
    caller.require(Permission::ReadSegments)?;
    let remembered = app.clock.now();
    let remembered = app.index.totals(remembered, &horizons(remembered));
    let (found, seen) = remembered.map(|totals| (totals.found, totals.seen)).unzip();
    let summary = app.look(caller, |look| {
        let now = look.now;
        let at = since.unwrap_or_else(|| now.date_naive().and_time(NaiveTime::MIN).and_utc());
        let moves = look.unit.history().moves(at, now)?;
        let segments_changed = look.unit.segments().count_changed(at)?;
        Ok(Summary {
            as_of: now,
            totals: found.map_or_else(|| totals(look, &horizons(now)), Ok)?,
            segments: look.unit.segments().count(&SegmentQuery::default())?,
            since: Since { at, moves, segments_changed },
            jobs: job_counts(look, at)?,
        })
    })?;
    Ok(Known { found: summary, seen })
}

fn horizons(now: Instant) -> [Instant; 2] {
    [1, 7].map(|days| now + TimeDelta::days(days))
}

/// The totals out of the store.
pub fn totals(look: &mut Look, horizons: &[Instant]) -> Result<Totals, Error> {
    look.caller.require(Permission::ReadSegments)?;
    let users = look.unit.users().count(&UserQuery::default())?;
    let memberships = look.unit.memberships().totals(look.now)?;
    let mut ending = Vec::with_capacity(horizons.len());
    for horizon in horizons {
        let query = EndingQuery { before: Some(*horizon), ..EndingQuery::of_all(look.now) };
        ending.push(look.unit.memberships().count_ending(&query)?);
    }
    Ok(Totals { users, memberships, ending })
}

fn job_counts(look: &mut Look, since: Instant) -> Result<JobCounts, Error> {
    let mut count =
        |state, ended_after| jobs::count(look, &JobQuery { state: Some(state), ended_after, ..JobQuery::default() });
    Ok(JobCounts {
        queued: count(JobState::Queued, None)?,
        running: count(JobState::Running, None)?,
        failed: count(JobState::Failed, Some(since))?,
    })
}

/// Where the live memberships of all segments, or of one, came from: by the source's name.
pub fn sources(look: &mut Look, slug: Option<&domain::Slug>) -> Result<Vec<(Source, u64)>, Error> {
    let segment = crate::endings::segment_of(look, slug)?;
    let mut sources = look.unit.memberships().sources(segment, look.now)?;
    sources.sort_by_key(|(source, _)| source.as_str());
    Ok(sources)
}
