//! Taking back what an import did, where nobody changed it since.

use std::collections::{BTreeSet, HashMap, HashSet};

use domain::{
    Caller, Entry, HistoryRow, Instant, JobId, Membership, Operation, Reason, SegmentId, SegmentRef, Slug, Source,
    UserId, history::fold,
};

use super::Outcome;
use crate::{
    Act, Error,
    jobs::{Halt, Run, read, write},
    memberships::{hold, record},
    ports::{Hold, Locks, StoreError},
};

/// How many rows are taken back in one transaction.
const ROWS: usize = 5_000;

pub(crate) fn carry_out(run: &mut Run) -> Result<(), Halt> {
    let undone = run.job.undoes.ok_or_else(|| Error::Conflict("the job does not say what it takes back".to_owned()))?;
    loop {
        let after: i64 = run.job.place.as_deref().map(read).transpose()?.unwrap_or(0);
        // What is history does not change, so it may be read before the step.
        let rows =
            run.app.look(&Caller::service("strata"), |look| Ok(look.unit.history().of_job(undone, after, ROWS)?))?;
        let Some(last) = rows.last() else { return Ok(()) };
        run.step(|act, job| {
            let mut outcome = Outcome::of(job);
            outcome.add(&take_back(act, undone, &rows)?);
            job.outcome = Some(write(&outcome));
            job.place = Some(write(&last.id));
            job.done += rows.len() as u64;
            Ok(())
        })?;
    }
}

type Pair = (UserId, SegmentId);

fn take_back(act: &mut Act, undone: JobId, rows: &[HistoryRow]) -> Result<Outcome, Error> {
    let segments: BTreeSet<SegmentId> = rows.iter().map(|row| row.entry.segment.id).collect();
    let segments = lock(act, &Vec::from_iter(segments))?;
    let pairs: HashSet<Pair> = rows.iter().filter(|row| is_taken_back(row, undone)).map(pair).collect();
    let mut pairs = Vec::from_iter(pairs);
    pairs.sort();
    let users: Vec<UserId> = BTreeSet::from_iter(pairs.iter().map(|(user, _)| user.clone())).into_iter().collect();
    let users: HashSet<UserId> = act.unit.users().find_all(&users)?.into_iter().map(|user| user.id).collect();
    let mut stored = hold(act.unit, &pairs)?;
    let mut logs: HashMap<Pair, Vec<HistoryRow>> = HashMap::new();
    for row in act.unit.history().of_pairs(&pairs)? {
        logs.entry(pair(&row)).or_default().push(row);
    }
    let now = act.now();
    let reason = Reason::parse(&format!("undo of job {undone}")).ok();
    let mut outcome = Outcome::default();
    let mut entries: Vec<Entry> = Vec::new();
    for pair in pairs {
        let log = logs.remove(&pair).unwrap_or_default();
        let Some(first) = log.iter().position(|row| is_taken_back(row, undone)) else { continue };
        // A pair that stands on two pages is dealt with on the first.
        if !rows.iter().any(|row| row.id == log[first].id) {
            continue;
        }
        let untouched = log.last().is_some_and(|last| last.entry.job == Some(undone));
        let (Some(segment), true, true) = (segments.get(&pair.1), untouched, users.contains(&pair.0)) else {
            outcome.unchanged += 1;
            continue;
        };
        let before = fold(log[..first].iter().map(|row| &row.entry)).filter(|before| !before.is_due_at(now));
        match (before, stored.remove(&pair)) {
            (None, None) => outcome.unchanged += 1,
            (_, Some(present)) if present.is_due_at(now) => {
                entries.extend(Entry::expiry(&present));
                outcome.unchanged += 1;
            }
            (None, Some(present)) => {
                entries.push(ending(act, &present, now, reason.clone()));
                outcome.removed += 1;
            }
            // A log may have ended the membership and begun another.
            (Some(before), Some(present)) if before.since != present.since => {
                let ended = ending(act, &present, now, reason.clone());
                let at = ended.at;
                entries.extend([ended, bringing_back(act, before, segment, at, reason.clone())]);
                outcome.added += 1;
            }
            (Some(before), None) => {
                entries.push(bringing_back(act, before, segment, now, reason.clone()));
                outcome.added += 1;
            }
            (Some(before), Some(present)) if before.expires_at != present.expires_at => {
                entries.push(Entry {
                    expires_at: before.expires_at,
                    source: Source::Import,
                    reason: reason.clone(),
                    ..act.entry(pair.0, segment.clone(), Operation::Extend, now.max(present.since))
                });
                outcome.extended += 1;
            }
            (Some(_), Some(_)) => outcome.unchanged += 1,
        }
    }
    record(act.unit, &entries)?;
    Ok(outcome)
}

/// Users stay who were born, and so they stay in the segments that have a share of all users.
fn is_taken_back(row: &HistoryRow, undone: JobId) -> bool {
    row.entry.job == Some(undone) && row.entry.source != Source::Percent
}

fn ending(act: &Act, present: &Membership, now: Instant, reason: Option<Reason>) -> Entry {
    let at = now.max(present.since);
    Entry {
        source: Source::Import,
        reason,
        ..act.entry(present.user.clone(), present.segment.clone(), Operation::Remove, at)
    }
}

fn bringing_back(act: &Act, before: Membership, segment: &SegmentRef, now: Instant, reason: Option<Reason>) -> Entry {
    Entry {
        since: Some(before.since),
        expires_at: before.expires_at,
        source: before.source,
        reason,
        ..act.entry(before.user, segment.clone(), Operation::Add, now)
    }
}

fn pair(row: &HistoryRow) -> Pair {
    (row.entry.user.clone(), row.entry.segment.id)
}

/// Has those of the segments alone that still exist, under the names that they have now.
fn lock(act: &mut Act, segments: &[SegmentId]) -> Result<HashMap<SegmentId, SegmentRef>, Error> {
    let slugs = names_now(act, segments)?;
    let mut locks = Locks::new().population(Hold::Shared);
    for slug in &slugs {
        locks = locks.segment(slug, Hold::Alone);
    }
    act.unit.lock(&locks)?;
    if names_now(act, segments)? != slugs {
        return Err(StoreError::Contended("a segment was renamed or deleted".to_owned()).into());
    }
    let found = act.unit.segments().find_all(&slugs)?;
    Ok(found.into_iter().map(|segment| (segment.id, segment.reference())).collect())
}

fn names_now(act: &mut Act, segments: &[SegmentId]) -> Result<Vec<Slug>, Error> {
    let names = act.unit.segments().names(segments)?;
    Ok(names.into_iter().filter(|name| name.period.to.is_none()).map(|name| name.slug).collect())
}
