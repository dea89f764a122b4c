//! Checks: whether the live state is what history says.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use domain::{Entry, Membership, SegmentId, Slug, UserId, history::fold};

use crate::{
    Error, Look,
    ports::{SegmentQuery, SegmentSort},
};

const USERS_AT_ONCE: usize = 500;

/// What was looked at, and how much of it is wrong.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Checked {
    pub users: u64,
    pub memberships: u64,
    pub history_rows: u64,
    pub differences: u64,
}

/// One thing that is not as history says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub user: UserId,
    pub segment: Slug,
    pub what: Finding,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// History leaves a membership that is not stored.
    Missing,
    /// A membership is stored that history does not leave.
    Unexplained,
    /// Both have it, and this differs: what is stored, what history says.
    Differs { field: &'static str, stored: String, history: String },
    /// The membership is of a segment that does not exist.
    NoSuchSegment,
    /// The membership is of a user who does not exist.
    NoSuchUser,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Difference { user, segment, what } = self;
        match what {
            Finding::Missing => write!(f, "user `{user}` should be in `{segment}` by history, and is not stored there"),
            Finding::Unexplained => write!(f, "user `{user}` is stored in `{segment}`, and history does not say why"),
            Finding::Differs { field, stored, history } => {
                write!(f, "user `{user}` in `{segment}`: {field} is {stored}, history says {history}")
            }
            Finding::NoSuchSegment => write!(f, "user `{user}` is stored in segment `{segment}`, which does not exist"),
            Finding::NoSuchUser => write!(f, "user `{user}` is stored in `{segment}`, but does not exist"),
        }
    }
}

/// Replays the whole history and compares; tells each difference as it is found.
pub fn check(look: &mut Look, tell: &mut dyn FnMut(&Difference)) -> Result<Checked, Error> {
    let existing = existing_segments(look)?;
    let mut checked = Checked::default();
    let mut last: Option<UserId> = None;
    loop {
        let ids = look.unit.history().everyone(last.as_ref(), USERS_AT_ONCE)?;
        let Some(end) = ids.last() else { return Ok(checked) };
        last = Some(end.clone());
        check_users(look, &ids, &existing, &mut checked, tell)?;
    }
}

fn existing_segments(look: &mut Look) -> Result<BTreeSet<SegmentId>, Error> {
    let mut ids = BTreeSet::new();
    let mut query = SegmentQuery { sort: SegmentSort::default(), ..SegmentQuery::default() };
    loop {
        let page = look.unit.segments().list(&query, 1_000)?;
        let Some(end) = page.last() else { return Ok(ids) };
        query.after = Some((end.slug.to_string(), end.slug.clone()));
        ids.extend(page.iter().map(|segment| segment.id));
    }
}

fn check_users(
    look: &mut Look,
    ids: &[UserId],
    existing: &BTreeSet<SegmentId>,
    checked: &mut Checked,
    tell: &mut dyn FnMut(&Difference),
) -> Result<(), Error> {
    let users: BTreeSet<UserId> = look.unit.users().find_all(ids)?.into_iter().map(|user| user.id).collect();
    let stored = look.unit.memberships().of_users(ids)?;
    let rows = look.unit.history().of_users(ids, None)?;
    checked.users += users.len() as u64;
    checked.memberships += stored.len() as u64;
    checked.history_rows += rows.len() as u64;

    let mut pairs: BTreeMap<(UserId, SegmentId), (Option<Membership>, Vec<Entry>)> = BTreeMap::new();
    for membership in stored {
        let pair = (membership.user.clone(), membership.segment.id);
        pairs.entry(pair).or_default().0 = Some(membership);
    }
    for row in rows {
        pairs.entry((row.entry.user.clone(), row.entry.segment.id)).or_default().1.push(row.entry);
    }
    for ((user, id), (stored, entries)) in pairs {
        let replayed = fold(&entries);
        let Some(segment) = stored.as_ref().or(replayed.as_ref()).map(|found| found.segment.slug.clone()) else {
            continue;
        };
        let mut findings = compare(stored.as_ref(), replayed.as_ref());
        if stored.is_some() && !existing.contains(&id) {
            findings.push(Finding::NoSuchSegment);
        }
        if stored.is_some() && !users.contains(&user) {
            findings.push(Finding::NoSuchUser);
        }
        for what in findings {
            checked.differences += 1;
            tell(&Difference { user: user.clone(), segment: segment.clone(), what });
        }
    }
    Ok(())
}

fn compare(stored: Option<&Membership>, replayed: Option<&Membership>) -> Vec<Finding> {
    let (stored, replayed) = match (stored, replayed) {
        (Some(stored), Some(replayed)) => (stored, replayed),
        (None, Some(_)) => return vec![Finding::Missing],
        (Some(_), None) => return vec![Finding::Unexplained],
        (None, None) => return Vec::new(),
    };
    let fields = |of: &Membership| {
        let deadline = of.expires_at.map_or("open".to_owned(), |at| at.to_rfc3339());
        let reason = of.reason.as_ref().map_or("none".to_owned(), |reason| format!("`{reason}`"));
        [
            ("since", of.since.to_rfc3339()),
            ("expires_at", deadline),
            ("source", of.source.to_string()),
            ("actor", of.actor.to_string()),
            ("reason", reason),
        ]
    };
    fields(stored)
        .into_iter()
        .zip(fields(replayed))
        .filter(|(stored, history)| stored != history)
        .map(|((field, stored), (_, history))| Finding::Differs { field, stored, history })
        .collect()
}
