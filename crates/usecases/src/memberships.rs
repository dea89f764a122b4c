//! Memberships: who is in which segment, and the changes of it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use domain::{Entry, Instant, Membership, Operation, Reason, Segment, SegmentId, Slug, Source, Ttl, UserId};

use crate::{
    Act, App, Error, Fault, Known, Look,
    ports::{Hold, Locks, StoreError, Unit},
    segments, users,
};

/// At most this many segments in one change of one user.
pub const SEGMENTS_MAX: usize = 1_000;
/// How many rows a page of a long act holds.
pub(crate) const PAGE: usize = 2_000;

/// One user's change: all of it happens, or nothing.
pub struct ChangeMemberships {
    pub user: UserId,
    pub add: Vec<Addition>,
    pub remove: Vec<Slug>,
    /// For the additions that have no deadline of their own, and where it stands in the input.
    pub deadline: Option<(Deadline, String)>,
    /// Why the removals happen; each addition has its own.
    pub reason: Option<Reason>,
}

pub struct Addition {
    pub slug: Slug,
    pub deadline: Option<Deadline>,
    pub reason: Option<Reason>,
    /// Where the deadline stands in the input, for the caller to find it.
    pub pointer: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deadline {
    At(Instant),
    After(Ttl),
}

impl Deadline {
    pub(crate) fn instant(self, now: Instant) -> Instant {
        match self {
            Deadline::At(at) => at,
            Deadline::After(ttl) => ttl.after(now),
        }
    }
}

/// What came of a change. Each slug that was named stands in one of the lists, sorted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    pub user: UserId,
    /// All segments that the user is in now.
    pub segments: Vec<Slug>,
    pub added: Vec<Slug>,
    /// Present before, with another deadline now.
    pub extended: Vec<Slug>,
    pub removed: Vec<Slug>,
    pub unchanged: Vec<Slug>,
}

/// Adds one user to segments and removes it from others. The first add that names a user brings it to life.
pub fn change(act: &mut Act, command: ChangeMemberships) -> Result<Changed, Error> {
    let common = command.deadline;
    let additions = without_repeats(command.add);
    let removals: BTreeSet<Slug> = command.remove.into_iter().collect();
    refuse_unclear(&additions, &removals)?;

    let mut locks = Locks::new().user(&command.user);
    let mut slugs: Vec<Slug> = additions.iter().map(|addition| addition.slug.clone()).collect();
    slugs.extend(removals.iter().cloned());
    for slug in &slugs {
        locks = locks.segment(slug, Hold::Shared);
    }
    let known = act.unit.users().find(&command.user)?.is_some();
    let births = !known && !additions.is_empty();
    if births {
        locks = locks.population(Hold::Shared);
    }
    act.unit.lock(&locks)?;
    let segments = segments::require_all(act.unit, &slugs)?;
    if births {
        let now = act.now();
        users::give_birth(act, std::slice::from_ref(&command.user), now)?;
    } else if known && act.unit.users().find(&command.user)?.is_none() {
        return Err(StoreError::Contended(format!("user `{}` was deleted", command.user)).into());
    }
    let pairs: Vec<_> = segments.iter().map(|segment| (command.user.clone(), segment.id)).collect();
    let stored = hold(act.unit, &pairs)?;
    let now = act.now();
    refuse_past(&additions, common.as_ref(), now)?;

    let common = common.map(|(deadline, _)| deadline);
    let wishes = additions
        .into_iter()
        .map(|addition| Wish::Enter {
            since: now,
            expires_at: addition.deadline.or(common).map(|deadline| deadline.instant(now)),
            source: Source::Manual,
            reason: addition.reason,
        })
        .chain(removals.iter().map(|_| Wish::Leave { source: Source::Manual, reason: command.reason.clone() }))
        .zip(&segments)
        .map(|(wish, segment)| (command.user.clone(), segment, now, wish))
        .collect();
    let outcomes = fulfil(act, stored, wishes)?;

    let mut changed = Changed {
        segments: act
            .unit
            .memberships()
            .active(std::slice::from_ref(&command.user), now)?
            .into_iter()
            .map(|(_, slug)| slug)
            .collect(),
        user: command.user,
        added: Vec::new(),
        extended: Vec::new(),
        removed: Vec::new(),
        unchanged: Vec::new(),
    };
    for (outcome, segment) in outcomes.into_iter().zip(&segments) {
        let list = match outcome {
            Outcome::Added => &mut changed.added,
            Outcome::Extended => &mut changed.extended,
            Outcome::Removed => &mut changed.removed,
            Outcome::Unchanged => &mut changed.unchanged,
        };
        list.push(segment.slug.clone());
    }
    for list in [&mut changed.added, &mut changed.extended, &mut changed.removed, &mut changed.unchanged] {
        list.sort();
    }
    Ok(changed)
}

/// A slug that is named twice counts once, as it was named last.
fn without_repeats(additions: Vec<Addition>) -> Vec<Addition> {
    let by_slug: BTreeMap<Slug, Addition> =
        additions.into_iter().map(|addition| (addition.slug.clone(), addition)).collect();
    by_slug.into_values().collect()
}

fn refuse_unclear(additions: &[Addition], removals: &BTreeSet<Slug>) -> Result<(), Error> {
    if additions.is_empty() && removals.is_empty() {
        return Err(Error::invalid("", "nothing_to_do", "name at least one segment to add or to remove"));
    }
    if additions.len() + removals.len() > SEGMENTS_MAX {
        return Err(Error::invalid("", "too_many", format!("a change names at most {SEGMENTS_MAX} segments")));
    }
    let both: Vec<Fault> = additions
        .iter()
        .filter(|addition| removals.contains(&addition.slug))
        .map(|addition| Fault {
            pointer: "/remove".to_owned(),
            code: "added_and_removed",
            detail: format!("`{}` is to be added and removed at once", addition.slug),
        })
        .collect();
    if both.is_empty() { Ok(()) } else { Err(Error::Invalid(both)) }
}

/// A deadline that nobody has to keep must be in the future all the same.
fn refuse_past(additions: &[Addition], common: Option<&(Deadline, String)>, now: Instant) -> Result<(), Error> {
    let own = additions.iter().filter_map(|addition| Some((addition.deadline?, &addition.pointer)));
    let past: Vec<Fault> = own
        .chain(common.map(|(deadline, pointer)| (*deadline, pointer)))
        .filter(|(deadline, _)| deadline.instant(now) <= now)
        .map(|(_, pointer)| Fault {
            pointer: pointer.clone(),
            code: "in_the_past",
            detail: "the deadline is not in the future".to_owned(),
        })
        .collect();
    if past.is_empty() { Ok(()) } else { Err(Error::Invalid(past)) }
}

/// What is wanted of one user in one segment.
pub(crate) enum Wish {
    Enter {
        since: Instant,
        expires_at: Option<Instant>,
        source: Source,
        reason: Option<Reason>,
    },
    /// Only for those who are in; written also where nothing changes by it.
    Stay {
        expires_at: Option<Instant>,
        source: Source,
        reason: Option<Reason>,
    },
    Leave {
        source: Source,
        reason: Option<Reason>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Added,
    Extended,
    Removed,
    Unchanged,
}

pub(crate) type Stored = HashMap<(UserId, SegmentId), Membership>;

/// What is stored of these pairs, to stay as it is until the unit ends.
///
/// Ask for the instant of the change afterwards: until this returns a worker may have been writing that one of them ended,
/// at a deadline that an earlier instant has not reached, and who comes in again must not do so before.
pub(crate) fn hold(unit: &mut dyn Unit, pairs: &[(UserId, SegmentId)]) -> Result<Stored, Error> {
    let stored = unit.memberships().of_pairs(pairs)?;
    Ok(stored.into_iter().map(|membership| ((membership.user.clone(), membership.segment.id), membership)).collect())
}

/// Brings about each wish in its order and at its instant, on what is stored of their pairs, and tells what came of it.
/// The one place that decides what an add, an extension and a removal are.
pub(crate) fn fulfil(
    act: &mut Act,
    mut stored: Stored,
    wishes: Vec<(UserId, &Segment, Instant, Wish)>,
) -> Result<Vec<Outcome>, Error> {
    let mut outcomes = Vec::with_capacity(wishes.len());
    let mut entries: Vec<Entry> = Vec::new();
    let mut touched = HashSet::new();
    for (user, segment, at, wish) in wishes {
        let key = (user, segment.id);
        if !touched.insert(key.clone()) || entries.len() >= PAGE {
            // The store takes one change of a pair at a time, and memory only so many.
            record(act.unit, &entries)?;
            entries.clear();
            touched = HashSet::from([key.clone()]);
        }
        let before = stored.remove(&key);
        let (outcome, steps) = decide(act, at, &key.0, segment, before.as_ref(), wish);
        let after = steps.iter().fold(before, |membership, entry| entry.apply(membership));
        if let Some(after) = after {
            stored.insert(key, after);
        }
        outcomes.push(outcome);
        entries.extend(steps);
    }
    record(act.unit, &entries)?;
    Ok(outcomes)
}

fn decide(
    act: &Act,
    now: Instant,
    user: &UserId,
    segment: &Segment,
    stored: Option<&Membership>,
    wish: Wish,
) -> (Outcome, Vec<Entry>) {
    // Whoever's deadline came is out, even before the worker wrote it down; then it is written first.
    let expiry = stored.filter(|membership| membership.is_due_at(now)).and_then(Entry::expiry);
    let present = if expiry.is_some() { None } else { stored };
    let mut entries = Vec::from_iter(expiry);
    let entry = |operation, at, expires_at, source, reason| Entry {
        expires_at,
        source,
        reason,
        ..act.entry(user.clone(), segment.reference(), operation, at)
    };
    let outcome = match (present, wish) {
        (None, Wish::Enter { since, expires_at, source, reason }) => {
            let expires_at = expires_at.or_else(|| segment.default_ttl.map(|ttl| ttl.after(now)));
            entries.push(entry(Operation::Add, since, expires_at, source, reason));
            Outcome::Added
        }
        (Some(present), Wish::Enter { expires_at: Some(deadline), source, reason, .. })
            if present.expires_at != Some(deadline) =>
        {
            entries.push(entry(Operation::Extend, now.max(present.since), Some(deadline), source, reason));
            Outcome::Extended
        }
        (Some(present), Wish::Stay { expires_at, source, reason }) => {
            entries.push(entry(Operation::Extend, now.max(present.since), expires_at, source, reason));
            Outcome::Extended
        }
        (Some(present), Wish::Leave { source, reason }) => {
            entries.push(entry(Operation::Remove, now.max(present.since), None, source, reason));
            Outcome::Removed
        }
        (Some(_), Wish::Enter { .. }) | (None, Wish::Stay { .. } | Wish::Leave { .. }) => Outcome::Unchanged,
    };
    (outcome, entries)
}

/// The segments that each of some users is in.
pub type Active = Vec<(UserId, Vec<Slug>)>;

/// The segments that users are in now, for each in the order they were asked for. An unknown user is in none.
pub fn active(look: &mut Look, users: &[UserId]) -> Result<Active, Error> {
    let mut slugs: HashMap<UserId, Vec<Slug>> = HashMap::new();
    for (user, slug) in look.unit.memberships().active(users, look.now)? {
        slugs.entry(user).or_default().push(slug);
    }
    Ok(users.iter().map(|user| (user.clone(), slugs.get(user).cloned().unwrap_or_default())).collect())
}

/// The same out of memory, at once; nothing when the store has to be looked at.
pub fn remembered_active(app: &App, users: &[UserId]) -> Option<Known<Active>> {
    let remembered = app.index.active(users, app.clock.now())?;
    let found = users.iter().cloned().zip(remembered.found).collect();
    Some(Known { found, seen: Some(remembered.seen) })
}

/// As [`remembered_active`], for [`is_member`].
pub fn remembered_is_member(app: &App, user: &UserId, slug: &Slug) -> Option<Result<Known<bool>, Error>> {
    let remembered = app.index.is_member(user, slug, app.clock.now())?;
    Some(remembered.map(Known::from))
}

pub fn is_member(look: &mut Look, user: &UserId, slug: &Slug) -> Result<bool, Error> {
    let segment = segments::require(look.unit, slug)?;
    let stored = look.unit.memberships().of_pairs(&[(user.clone(), segment.id)])?;
    Ok(stored.iter().any(|membership| membership.is_live_at(look.now)))
}

/// A user's memberships now, or at an instant, by slug.
pub fn of_user(look: &mut Look, user: &UserId, as_of: Option<Instant>) -> Result<Vec<Membership>, Error> {
    let now = look.now;
    let mut memberships: Vec<Membership> = match as_of {
        None => {
            let stored = look.unit.memberships().of_users(std::slice::from_ref(user))?;
            stored.into_iter().filter(|membership| membership.is_live_at(now)).collect()
        }
        Some(at) => crate::history::of_user_at(look, user, at)?,
    };
    memberships.sort_by(|a, b| a.segment.slug.cmp(&b.segment.slug));
    Ok(memberships)
}

/// Ends at most `limit` memberships whose deadline came, and tells how many.
pub fn expire(act: &mut Act, limit: usize) -> Result<usize, Error> {
    let now = act.now();
    Ok(act.unit.memberships().expire(now, limit)?)
}

/// Every stored membership of a segment, which stays as it is until the unit ends.
pub(crate) fn all_stored(unit: &mut dyn Unit, segment: SegmentId) -> Result<Vec<Membership>, Error> {
    let mut all: Vec<Membership> = Vec::new();
    loop {
        let page = unit.memberships().of_segment(segment, all.last().map(|last| &last.user), PAGE)?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

/// Those of stored memberships that are live. Those whose deadline came are written out first.
/// The instant is asked for after they were read, as for [`hold`].
pub(crate) fn settled(act: &mut Act, stored: Vec<Membership>, now: Instant) -> Result<Vec<Membership>, Error> {
    let (due, live): (Vec<Membership>, Vec<Membership>) =
        stored.into_iter().partition(|membership| membership.is_due_at(now));
    let entries: Vec<Entry> = due.iter().filter_map(Entry::expiry).collect();
    record(act.unit, &entries)?;
    Ok(live)
}

pub(crate) fn record(unit: &mut dyn Unit, entries: &[Entry]) -> Result<(), StoreError> {
    entries.chunks(PAGE).try_for_each(|chunk| unit.memberships().record(chunk))
}

/// The entry that brings a user in, for a segment's own reasons.
pub(crate) fn entering(act: &Act, user: UserId, segment: &Segment, now: Instant, source: Source) -> Entry {
    Entry {
        expires_at: segment.default_ttl.map(|ttl| ttl.after(now)),
        source,
        ..act.entry(user, segment.reference(), Operation::Add, now)
    }
}
