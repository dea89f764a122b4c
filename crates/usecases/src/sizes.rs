//! Sizes: how many users a segment had over time, how many entered and how many left, from history alone.

use chrono::TimeDelta;
use domain::{Instant, Permission, SegmentId, Slug, Ttl, UserId, history::stays};

use crate::{Error, Look, history};

/// How many points are told at most.
pub const POINTS_MAX: usize = 1_000;
/// How far back it goes when nobody says.
const DAYS: i64 = 30;
/// How many users are gone through at once.
const USERS: usize = 5_000;

pub struct SizeQuery {
    pub slug: Slug,
    /// Thirty days before `to` when absent, or where history begins.
    pub from: Option<Instant>,
    /// Now when absent. Of the future it tells as if nobody came, and whose deadlines come left.
    pub to: Option<Instant>,
    /// From each point to the next; the last one is `to`.
    pub step: Ttl,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub at: Instant,
    pub user_count: u64,
    /// Since the point before. Who came and went in between counts in both.
    pub entered: u64,
    pub left: u64,
}

/// The segment's sizes from one instant to another: everyone in its history is gone through once.
pub fn over_time(look: &mut Look, query: &SizeQuery) -> Result<Vec<Size>, Error> {
    look.caller.require_in(Permission::ReadSegments, [&query.slug])?;
    let (from, to) = period(look, query.from, query.to)?;
    let segment = history::segment_at(look, &query.slug, to)?;
    of_segment(look, segment, &points(from, to, query.step)?)
}

/// Sizes of several segments at the same points.
pub struct SizesQuery {
    pub slugs: Vec<Slug>,
    /// These as in [`SizeQuery`].
    pub from: Option<Instant>,
    pub to: Option<Instant>,
    pub step: Ttl,
}

/// As [`over_time`], of each of the segments, in their order and all of one state. An error names every slug that is none.
pub fn of_each(look: &mut Look, query: &SizesQuery) -> Result<Vec<Vec<Size>>, Error> {
    look.caller.require_in(Permission::ReadSegments, &query.slugs)?;
    let (from, to) = period(look, query.from, query.to)?;
    let segments = history::segments_at(look, &query.slugs, to)?;
    let points = points(from, to, query.step)?;
    segments.into_iter().map(|segment| of_segment(look, segment, &points)).collect()
}

/// From when to when, by default the last thirty days.
pub(crate) fn period(look: &mut Look, from: Option<Instant>, to: Option<Instant>) -> Result<(Instant, Instant), Error> {
    let to = to.unwrap_or(look.now);
    let from = match from {
        Some(from) => from,
        None => (to - TimeDelta::days(DAYS)).max(look.unit.history().begins_at()?.unwrap_or(Instant::MIN_UTC)).min(to),
    };
    if from > to {
        return Err(Error::invalid("to", "out_of_order", "`to` is before `from`"));
    }
    history::refuse_forgotten(look, "from", from)?;
    Ok((from, to))
}

/// The sizes of a segment at ascending points, of which there is at least one.
fn of_segment(look: &mut Look, segment: SegmentId, points: &[Instant]) -> Result<Vec<Size>, Error> {
    let mut sizes: Vec<Size> = points.iter().map(|at| Size { at: *at, user_count: 0, entered: 0, left: 0 }).collect();
    let (from, to) = (points[0], points[points.len() - 1]);
    let mut before = 0;
    let mut after: Option<UserId> = None;
    loop {
        let entries = look.unit.history().told_up_to(segment, to, after.as_ref(), USERS)?;
        let Some(last) = entries.last() else { break };
        after = Some(last.user.clone());
        for of_user in entries.chunk_by(|a, b| a.user == b.user) {
            for (since, until) in stays(of_user) {
                match until {
                    Some(until) if until <= from => continue,
                    _ if since <= from => before += 1,
                    _ => first_from(&mut sizes, since).entered += 1,
                }
                if let Some(until) = until.filter(|until| *until <= to) {
                    first_from(&mut sizes, until).left += 1;
                }
            }
        }
    }
    let mut count: u64 = before;
    for size in &mut sizes {
        count = count + size.entered - size.left;
        size.user_count = count;
    }
    Ok(sizes)
}

/// From one instant to another, step by step; at least the first.
pub(crate) fn points(from: Instant, to: Instant, step: Ttl) -> Result<Vec<Instant>, Error> {
    let mut points = vec![from];
    while points.last().is_some_and(|last| *last < to) {
        if points.len() == POINTS_MAX {
            let detail = format!("from `from` to `to` there are more than {POINTS_MAX} points with this step");
            return Err(Error::invalid("step", "too_small", detail));
        }
        let next = u32::try_from(points.len()).ok().and_then(|times| step.times_after(times, from));
        points.push(next.map_or(to, |next| next.min(to)));
    }
    Ok(points)
}

/// The first point that is not before an instant up to the last one.
fn first_from(sizes: &mut [Size], at: Instant) -> &mut Size {
    let place = sizes.partition_point(|size| size.at < at);
    &mut sizes[place]
}
