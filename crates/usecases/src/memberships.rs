//! Memberships: who is in which segment, and the changes of it.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    time::Duration,
};

use domain::{
    Caller, Entry, HistoryRow, Instant, Membership, Operation, Permission, Position, Reason, Segment, SegmentId, Slug,
    Source, Ttl, User, UserId,
};

use crate::{
    Act, App, Error, Fault, Known, Look, Subject,
    changes::Seen,
    ports::{Direction, HistoryFilter, HistorySegment, Hold, Locks, StoreError, Unit},
    segments, users,
};

/// At most this many segments in one change of one user.
pub const SEGMENTS_MAX: usize = 1_000;
/// How many rows a page of a long act holds.
pub(crate) const PAGE: usize = 2_000;

/// One user's change: all of it happens, or nothing.
#[derive(Clone)]
pub struct ChangeMemberships {
    pub user: UserId,
    pub add: Vec<Addition>,
    pub remove: Vec<Slug>,
    /// For the additions that have no deadline of their own, and where it stands in the input.
    pub deadline: Option<(Deadline, String)>,
    /// Why the removals happen; each addition has its own.
    pub reason: Option<Reason>,
}

#[derive(Clone)]
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
    carry_out(act, vec![command], None)?.pop().expect("one change has one outcome")
}

/// What came of each change.
pub type Outcomes = Vec<Result<Changed, Error>>;

/// Changes many users at once, each of them at most once. A change that is refused leaves the others alone. Where others
/// hold what one of them needs for longer than the patience, all of it fails with [`StoreError::Contended`].
pub fn change_all(act: &mut Act, commands: Vec<ChangeMemberships>, patience: Duration) -> Result<Outcomes, Error> {
    carry_out(act, commands, Some(patience))
}

fn carry_out(act: &mut Act, commands: Vec<ChangeMemberships>, patience: Option<Duration>) -> Result<Outcomes, Error> {
    let caller = act.caller;
    let mut changes: Vec<Result<Change, Error>> =
        commands.into_iter().map(|command| Change::allowed(caller, command)).collect();
    let Some(segments) = prepare(act, &mut changes, patience)? else {
        return Ok(changes.into_iter().map(|change| Err(change.err().expect("all were refused"))).collect());
    };
    let pairs: Vec<_> = changes.iter().flatten().flat_map(|change| change.pairs(&segments)).collect();
    let stored = hold(act.unit, &pairs)?;
    let now = act.now();
    let wishes = changes.iter().flatten().flat_map(|change| change.wishes(&segments, now)).collect();
    let mut outcomes = fulfil(act, stored, wishes)?.into_iter();
    let users: Vec<UserId> = changes.iter().flatten().map(|change| change.user.clone()).collect();
    let mut active = active_of(&mut act.looking(now), &users)?.into_iter();
    let told = changes.into_iter().map(|change| {
        let change = change?;
        let (_, segments) = active.next().expect("each change has its user");
        let mut told = change.told(segments, &mut outcomes);
        if !caller.has(Permission::ReadSegments) {
            // Who may only change hears of what was changed, or was so already.
            let Changed { segments, added, extended, unchanged, .. } = &mut told;
            segments.retain(|slug| added.contains(slug) || extended.contains(slug) || unchanged.contains(slug));
        }
        Ok(told)
    });
    Ok(told.collect())
}

/// Locks what the changes need, refuses those that cannot be, and brings to life who is not there yet. Returns the segments
/// of all that are left; nothing when none is.
fn prepare(
    act: &mut Act,
    changes: &mut [Result<Change, Error>],
    patience: Option<Duration>,
) -> Result<Option<HashMap<Slug, Segment>>, Error> {
    let users: Vec<UserId> = changes.iter().flatten().map(|change| change.user.clone()).collect();
    let slugs: BTreeSet<Slug> = changes.iter().flatten().flat_map(Change::slugs).cloned().collect();
    if users.is_empty() {
        return Ok(None);
    }
    let known = ids(act.unit.users().find_all(&users)?);
    let mut locks = Locks::new().patience(patience);
    for user in &users {
        locks = locks.user(user);
    }
    for slug in &slugs {
        locks = locks.segment(slug, Hold::Shared);
    }
    if changes.iter().flatten().any(|change| !change.additions.is_empty() && !known.contains(&change.user)) {
        locks = locks.population(Hold::Shared);
    }
    act.unit.lock(&locks)?;
    let slugs: Vec<Slug> = slugs.into_iter().collect();
    let segments = segments::by_slug(act.unit, &slugs)?;
    let present = ids(act.unit.users().find_all(&users)?);
    let now = act.now();
    for change in changes.iter_mut() {
        let checked = match &*change {
            Ok(change) => change.check(&segments, known.contains(&change.user), present.contains(&change.user), now),
            Err(_) => Ok(()),
        };
        if let Err(error) = checked {
            *change = Err(error);
        }
    }
    let unborn = |change: &&Change| !change.additions.is_empty() && !present.contains(&change.user);
    let births: Vec<UserId> = changes.iter().flatten().filter(unborn).map(|change| change.user.clone()).collect();
    if !births.is_empty() {
        users::give_birth(act, &births, now)?;
    }
    Ok(changes.iter().any(Result::is_ok).then_some(segments))
}

fn ids(users: Vec<User>) -> HashSet<UserId> {
    users.into_iter().map(|user| user.id).collect()
}

/// A change that is clear in itself.
struct Change {
    user: UserId,
    /// By slug.
    additions: Vec<Addition>,
    removals: BTreeSet<Slug>,
    deadline: Option<(Deadline, String)>,
    reason: Option<Reason>,
}

impl TryFrom<ChangeMemberships> for Change {
    type Error = Error;

    fn try_from(command: ChangeMemberships) -> Result<Change, Error> {
        let ChangeMemberships { user, add, remove, deadline, reason } = command;
        let (additions, removals) = (without_repeats(add), remove.into_iter().collect());
        refuse_unclear(&additions, &removals)?;
        Ok(Change { user, additions, removals, deadline, reason })
    }
}

impl Change {
    fn allowed(caller: &Caller, command: ChangeMemberships) -> Result<Change, Error> {
        caller.require_partly(Permission::Assign)?;
        let change = Change::try_from(command)?;
        caller.require_in(Permission::Assign, change.slugs())?;
        Ok(change)
    }

    fn slugs(&self) -> impl Iterator<Item = &Slug> {
        self.additions.iter().map(|addition| &addition.slug).chain(&self.removals)
    }

    fn check(
        &self,
        segments: &HashMap<Slug, Segment>,
        was_known: bool,
        is_present: bool,
        now: Instant,
    ) -> Result<(), Error> {
        let missing: BTreeSet<&Slug> = self.slugs().filter(|slug| !segments.contains_key(*slug)).collect();
        if !missing.is_empty() {
            return Err(Error::NotFound(Subject::Segment, missing.into_iter().map(ToString::to_string).collect()));
        }
        if was_known && !is_present {
            return Err(StoreError::Contended(format!("user `{}` was deleted", self.user)).into());
        }
        refuse_past(&self.additions, self.deadline.as_ref(), now)
    }

    fn pairs(&self, segments: &HashMap<Slug, Segment>) -> impl Iterator<Item = (UserId, SegmentId)> {
        self.slugs().map(|slug| (self.user.clone(), segments[slug].id))
    }

    /// In the order of the slugs.
    fn wishes<'s>(
        &self,
        segments: &'s HashMap<Slug, Segment>,
        now: Instant,
    ) -> impl Iterator<Item = (UserId, &'s Segment, Instant, Wish)> {
        let common = self.deadline.as_ref().map(|(deadline, _)| *deadline);
        let enter = move |addition: &Addition| Wish::Enter {
            since: now,
            expires_at: addition.deadline.or(common).map(|deadline| deadline.instant(now)),
            source: Source::Manual,
            reason: addition.reason.clone(),
        };
        let leave = |_| Wish::Leave { source: Source::Manual, reason: self.reason.clone() };
        let wishes = self.additions.iter().map(enter).chain(self.removals.iter().map(leave));
        self.slugs().zip(wishes).map(move |(slug, wish)| (self.user.clone(), &segments[slug], now, wish))
    }

    fn told(self, segments: Vec<Slug>, outcomes: &mut impl Iterator<Item = Outcome>) -> Changed {
        let slugs: Vec<Slug> = self.slugs().cloned().collect();
        let [added, extended, removed, unchanged] = [const { Vec::new() }; 4];
        let mut changed = Changed { user: self.user, segments, added, extended, removed, unchanged };
        for (slug, outcome) in slugs.into_iter().zip(outcomes) {
            let list = match outcome {
                Outcome::Added => &mut changed.added,
                Outcome::Extended => &mut changed.extended,
                Outcome::Removed => &mut changed.removed,
                Outcome::Unchanged => &mut changed.unchanged,
            };
            list.push(slug);
        }
        for list in [&mut changed.added, &mut changed.extended, &mut changed.removed, &mut changed.unchanged] {
            list.sort();
        }
        changed
    }
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
    look.caller.require_partly(Permission::ReadSegments)?;
    active_of(look, users)
}

/// Only what the caller sees.
fn active_of(look: &mut Look, users: &[UserId]) -> Result<Active, Error> {
    let caller = look.caller;
    let mut slugs: HashMap<UserId, Vec<Slug>> = HashMap::new();
    let active = look.unit.memberships().active(users, look.now)?;
    for (user, slug) in active.into_iter().filter(|(_, slug)| caller.sees(slug)) {
        slugs.entry(user).or_default().push(slug);
    }
    Ok(users.iter().map(|user| (user.clone(), slugs.get(user).cloned().unwrap_or_default())).collect())
}

/// The same out of memory, at once: told user by user. Nothing when the store has to be looked at; then what was told does
/// not count.
pub fn remembered_active(
    app: &App,
    caller: &Caller,
    users: &[UserId],
    take: &mut dyn FnMut(&UserId, &[&Slug]),
) -> Result<Option<Seen>, Error> {
    caller.require_partly(Permission::ReadSegments)?;
    let now = app.clock.now();
    if caller.prefix().is_none() {
        return Ok(app.index.active(users, now, take));
    }
    Ok(app.index.active(users, now, &mut |user, slugs| {
        let seen: Vec<&Slug> = slugs.iter().copied().filter(|slug| caller.sees(slug)).collect();
        take(user, &seen);
    }))
}

/// What the caller sees of what was found for several at once.
pub fn seen_by(caller: &Caller, mut active: Active) -> Active {
    if caller.prefix().is_some() {
        active.iter_mut().for_each(|(_, slugs)| slugs.retain(|slug| caller.sees(slug)));
    }
    active
}

/// As [`remembered_active`], for [`is_member`].
pub fn remembered_is_member(
    app: &App,
    caller: &Caller,
    user: &UserId,
    slug: &Slug,
) -> Result<Option<Known<bool>>, Error> {
    caller.require_in(Permission::ReadSegments, [slug])?;
    Ok(app.index.is_member(user, slug, app.clock.now()).map(Known::from))
}

pub fn is_member(look: &mut Look, user: &UserId, slug: &Slug) -> Result<bool, Error> {
    look.caller.require_in(Permission::ReadSegments, [slug])?;
    let segment = segments::require(look.unit, slug)?;
    let stored = look.unit.memberships().of_pairs(&[(user.clone(), segment.id)])?;
    Ok(stored.iter().any(|membership| membership.is_live_at(look.now)))
}

/// How many rows of history [`why`] tells.
const WHY_ROWS: usize = 20;

/// Why a user is in a segment, or is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    pub segment: Segment,
    /// When the user is in.
    pub membership: Option<Membership>,
    /// Where the user stands, when the segment has a percent.
    pub position: Option<Position>,
    /// What happened last, the newest first.
    pub history: Vec<HistoryRow>,
}

/// Also of a user who is not known, who has a position all the same.
pub fn why(look: &mut Look, user: &UserId, slug: &Slug) -> Result<Why, Error> {
    look.caller.require_in(Permission::ReadSegments, [slug])?;
    let segment = segments::require(look.unit, slug)?;
    let stored = look.unit.memberships().of_pairs(&[(user.clone(), segment.id)])?;
    let membership = stored.into_iter().find(|membership| membership.is_live_at(look.now));
    let filter = HistoryFilter {
        user: Some(user.clone()),
        segment: Some(HistorySegment { slug: slug.clone(), id: Some(segment.id) }),
        direction: Direction::Descending,
        ..HistoryFilter::default()
    };
    let history = look.unit.history().page(&filter, WHY_ROWS)?;
    let position = segment.percent.map(|_| segment.seed.position(user));
    Ok(Why { segment, membership, position, history })
}

/// A user's memberships now, or at an instant, by slug.
pub fn of_user(look: &mut Look, user: &UserId, as_of: Option<Instant>) -> Result<Vec<Membership>, Error> {
    look.caller.require_partly(Permission::ReadSegments)?;
    let now = look.now;
    let mut memberships: Vec<Membership> = match as_of {
        None => {
            let stored = look.unit.memberships().of_users(std::slice::from_ref(user))?;
            stored.into_iter().filter(|membership| membership.is_live_at(now)).collect()
        }
        Some(at) => crate::history::of_user_at(look, user, at)?,
    };
    memberships.retain(|membership| look.caller.sees(&membership.segment.slug));
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
