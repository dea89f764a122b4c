//! Segments: made, read, changed, renamed, copied, deleted.

use std::collections::HashMap;

use domain::{
    Action, Description, Entry, HistoryRow, Kind, Name, Operation, Percent, Permission, Reason, Seed, Segment,
    SegmentId, Slug, Source, Ttl,
};
use serde_json::{Map, Value, json};

use crate::{
    Act, Error, Expected, Look, Revision, Subject, audit, distributions, memberships,
    ports::{Direction, Hold, Leaving, Locks, SegmentQuery, SegmentSort, StoreError, Unit},
};

pub struct CreateSegment {
    pub slug: Slug,
    pub name: Option<Name>,
    pub description: Description,
    pub percent: Option<Percent>,
    pub default_ttl: Option<Ttl>,
}

/// Creates a segment, and gives it to a share of all users when it comes with one.
pub fn create(act: &mut Act, command: CreateSegment) -> Result<Segment, Error> {
    act.caller.require_in(Permission::Manage, [&command.slug])?;
    let locks = Locks::new().segment(&command.slug, Hold::Alone);
    match command.percent {
        Some(_) => act.unit.lock(&locks.population(Hold::Alone))?,
        None => act.unit.lock(&locks)?,
    }
    let segment = create_locked(act, command)?;
    note_creation(act, &segment, json!({"percent": percent_of(&segment)}))?;
    Ok(segment)
}

/// The last thing of a creation.
pub(crate) fn note_creation(act: &mut Act, segment: &Segment, detail: Value) -> Result<(), Error> {
    audit::note_segment(act, segment.created_at, Action::SegmentCreated, &segment.slug, detail)
}

pub(crate) fn percent_of(segment: &Segment) -> Option<String> {
    segment.percent.map(|percent| percent.to_string())
}

/// The step itself. The caller holds the locks.
pub(crate) fn create_locked(act: &mut Act, command: CreateSegment) -> Result<Segment, Error> {
    let now = act.now();
    let made = Segment::made(command.slug, Seed(act.chance.draw()), now);
    let segment = Segment {
        name: command.name.unwrap_or_else(|| made.name.clone()),
        description: command.description,
        default_ttl: command.default_ttl,
        ..made
    };
    let segment = insert(act, segment)?;
    match command.percent {
        Some(percent) => {
            let segment = distributions::give(act, segment, percent)?.segment;
            act.unit.segments().update(&segment)?;
            Ok(segment)
        }
        None => Ok(segment),
    }
}

pub(crate) fn insert(act: &mut Act, segment: Segment) -> Result<Segment, Error> {
    if act.unit.segments().find(&segment.slug)?.is_some() {
        return Err(taken(&segment.slug));
    }
    match act.unit.segments().insert(&segment) {
        Ok(id) => Ok(Segment { id, ..segment }),
        Err(StoreError::Duplicate) => Err(taken(&segment.slug)),
        Err(error) => Err(error.into()),
    }
}

pub fn get(look: &mut Look, slug: &Slug) -> Result<Segment, Error> {
    look.caller.require_in(Permission::ReadSegments, [slug])?;
    require(look.unit, slug)
}

pub fn list(look: &mut Look, query: &SegmentQuery, limit: usize) -> Result<Vec<Segment>, Error> {
    look.caller.require(Permission::ReadSegments)?;
    Ok(look.unit.segments().list(query, limit)?)
}

pub fn count(look: &mut Look, query: &SegmentQuery) -> Result<u64, Error> {
    look.caller.require(Permission::ReadSegments)?;
    Ok(look.unit.segments().count(query)?)
}

/// Which segments are told with their sizes, and in which order.
#[derive(Debug, Clone, Default)]
pub struct StatsQuery {
    pub segments: SegmentQuery,
    /// By size, instead of the order that `segments` names.
    pub by_size: Option<BySize>,
}

impl From<SegmentQuery> for StatsQuery {
    fn from(segments: SegmentQuery) -> StatsQuery {
        StatsQuery { segments, by_size: None }
    }
}

/// Equal sizes are sorted by slug, in the same direction.
#[derive(Debug, Clone, Default)]
pub struct BySize {
    pub direction: Direction,
    /// Begin behind this size and slug.
    pub after: Option<(u64, Slug)>,
}

/// Segments with the number of their members, also when there are none.
pub fn stats(look: &mut Look, query: &StatsQuery, limit: usize) -> Result<Vec<(Segment, u64)>, Error> {
    look.caller.require(Permission::ReadSegments)?;
    match &query.by_size {
        None => {
            let segments = look.unit.segments().list(&query.segments, limit)?;
            counted(look, segments)
        }
        Some(by_size) => stats_by_size(look, &query.segments, by_size, limit),
    }
}

/// The size of each has to be known before the first can be told.
fn stats_by_size(
    look: &mut Look,
    query: &SegmentQuery,
    by_size: &BySize,
    limit: usize,
) -> Result<Vec<(Segment, u64)>, Error> {
    let query = SegmentQuery { sort: SegmentSort::default(), after: None, ..query.clone() };
    let segments = look.unit.segments().list(&query, usize::MAX)?;
    let mut stats = counted(look, segments)?;
    stats.sort_by(|(a, a_count), (b, b_count)| (a_count, &a.slug).cmp(&(b_count, &b.slug)));
    if by_size.direction == Direction::Descending {
        stats.reverse();
    }
    if let Some((count, slug)) = &by_size.after {
        let is_told = |one: &(Segment, u64)| match by_size.direction {
            Direction::Ascending => (one.1, &one.0.slug) <= (*count, slug),
            Direction::Descending => (one.1, &one.0.slug) >= (*count, slug),
        };
        stats.drain(..stats.partition_point(is_told));
    }
    stats.truncate(limit);
    Ok(stats)
}

/// The newest row of history of each of these segments that has any.
pub fn last_changes(look: &mut Look, segments: &[SegmentId]) -> Result<HashMap<SegmentId, HistoryRow>, Error> {
    look.caller.require(Permission::ReadSegments)?;
    let rows = look.unit.history().last_of(segments)?;
    Ok(rows.into_iter().map(|row| (row.entry.segment.id, row)).collect())
}

fn counted(look: &mut Look, segments: Vec<Segment>) -> Result<Vec<(Segment, u64)>, Error> {
    let ids: Vec<SegmentId> = segments.iter().map(|segment| segment.id).collect();
    let counts: HashMap<SegmentId, u64> = look.unit.memberships().counts(&ids, look.now)?.into_iter().collect();
    Ok(segments
        .into_iter()
        .map(|segment| {
            let count = counts.get(&segment.id).copied().unwrap_or(0);
            (segment, count)
        })
        .collect())
}

/// What to change: `None` leaves as it is.
#[derive(Default)]
pub struct ChangeSegment {
    pub slug: Option<Slug>,
    /// `Some(None)` names the segment after its slug.
    pub name: Option<Option<Name>>,
    pub description: Option<Description>,
    pub percent: Option<Percent>,
    /// `Some(None)` lets new memberships stay open.
    pub default_ttl: Option<Option<Ttl>>,
}

/// Changes the definition, and with a percent also who is in.
pub fn change(act: &mut Act, slug: &Slug, expected: &Expected, command: ChangeSegment) -> Result<Segment, Error> {
    act.caller.require_in(Permission::Manage, [slug].into_iter().chain(&command.slug))?;
    let mut locks = Locks::new().segment(slug, Hold::Alone);
    if let Some(new) = &command.slug {
        locks = locks.segment(new, Hold::Alone);
    }
    if command.percent.is_some() {
        locks = locks.population(Hold::Alone);
    }
    act.unit.lock(&locks)?;
    let before = require(act.unit, slug)?;
    expected.require(&Revision::from(&before), Subject::Segment, slug.as_str())?;
    // Before a rename, whoever's deadline came is written out under the slug of that time.
    let renamed = command.slug.as_ref().is_some_and(|new| *new != before.slug);
    if renamed {
        act.unit.memberships().hold_passing(before.id)?;
    }
    let now = act.now();
    if renamed {
        act.unit.memberships().expire_in(before.id, now)?;
    }

    let mut after = before.clone();
    if let Some(new) = command.slug {
        // A segment that is named after its slug goes on being so.
        if after.name == Name::of(&after.slug) {
            after.name = Name::of(&new);
        }
        after.slug = new;
    }
    if let Some(name) = command.name {
        after.name = name.unwrap_or_else(|| Name::of(&after.slug));
    }
    if let Some(description) = command.description {
        after.description = description;
    }
    if let Some(default_ttl) = command.default_ttl {
        after.default_ttl = default_ttl;
    }
    if let Some(percent) = command.percent {
        after = distributions::give(act, after, percent)?.segment;
    }
    after.version = before.version;
    if after == before {
        return Ok(before);
    }
    let after = after.touched(now);
    match act.unit.segments().update(&after) {
        Ok(()) => {}
        Err(StoreError::Duplicate) => return Err(taken(&after.slug)),
        Err(error) => return Err(error.into()),
    }
    if renamed {
        audit::note_segment(act, now, Action::SegmentRenamed, &after.slug, json!({"from": before.slug.as_str()}))?;
    }
    let changed = differences(&before, &after);
    if !changed.is_empty() {
        audit::note_segment(act, now, Action::SegmentChanged, &after.slug, Value::Object(changed))?;
    }
    Ok(after)
}

/// What was changed of a definition, but for its slug, from what to what.
fn differences(before: &Segment, after: &Segment) -> Map<String, Value> {
    let ttl = |segment: &Segment| segment.default_ttl.as_ref().map(ToString::to_string);
    let fields = [
        ("name", json!(before.name.as_str()), json!(after.name.as_str())),
        ("description", json!(before.description.as_str()), json!(after.description.as_str())),
        ("percent", json!(percent_of(before)), json!(percent_of(after))),
        ("default_ttl", json!(ttl(before)), json!(ttl(after))),
    ];
    let differ = fields.into_iter().filter(|(_, before, after)| before != after);
    differ.map(|(name, before, after)| (name.to_owned(), json!({"from": before, "to": after}))).collect()
}

/// Gives a segment another slug. Members, history and positions stay.
pub fn rename(act: &mut Act, slug: &Slug, expected: &Expected, new: Slug) -> Result<Segment, Error> {
    change(act, slug, expected, ChangeSegment { slug: Some(new), ..ChangeSegment::default() })
}

pub struct CopySegment {
    pub slug: Slug,
    pub members: CopiedMembers,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopiedMembers {
    /// Everyone who is in, with their deadlines, and the percent and seed that agree with them.
    All,
    /// Nobody: the copy begins empty, by hand.
    Nobody,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    pub segment: Segment,
    pub user_count: u64,
}

/// Copies a segment under another slug. Whoever comes along is in the copy since now.
pub fn copy(act: &mut Act, slug: &Slug, command: CopySegment) -> Result<Copied, Error> {
    act.caller.require_in(Permission::Manage, [slug, &command.slug])?;
    let locks = Locks::new().segment(slug, Hold::Alone).segment(&command.slug, Hold::Alone);
    act.unit.lock(&locks.population(Hold::Alone))?;
    let now = act.now();
    let original = require(act.unit, slug)?;
    let name = if original.name == Name::of(slug) { Name::of(&command.slug) } else { original.name.clone() };
    let copy = Segment { slug: command.slug, name, created_at: now, updated_at: now, version: 1, ..original.clone() };
    let copy = match command.members {
        CopiedMembers::All => copy,
        CopiedMembers::Nobody => Segment { kind: Kind::Manual, percent: None, seed: Seed(act.chance.draw()), ..copy },
    };
    let copy = insert(act, copy)?;
    if command.members == CopiedMembers::Nobody {
        let detail = json!({"from": slug.as_str(), "members": 0});
        audit::note_segment(act, now, Action::SegmentCopied, &copy.slug, detail)?;
        return Ok(Copied { segment: copy, user_count: 0 });
    }
    let reason = Reason::parse(&format!("copy of {slug}")).ok();
    let members = memberships::all_stored(act.unit, original.id)?;
    let entries: Vec<Entry> = members
        .into_iter()
        .filter(|member| member.is_live_at(now))
        .map(|member| Entry {
            expires_at: member.expires_at,
            source: member.source,
            reason: reason.clone(),
            ..act.entry(member.user, copy.reference(), Operation::Add, now)
        })
        .collect();
    memberships::record(act.unit, &entries)?;
    let detail = json!({"from": slug.as_str(), "members": entries.len()});
    audit::note_segment(act, now, Action::SegmentCopied, &copy.slug, detail)?;
    Ok(Copied { segment: copy, user_count: entries.len() as u64 })
}

/// Deletes a segment: its memberships end, its history stays, its slug is free. Tells how many users were in it.
pub fn delete(act: &mut Act, slug: &Slug, expected: &Expected) -> Result<u64, Error> {
    act.caller.require_in(Permission::Manage, [slug])?;
    lock_to_delete(act, slug)?;
    delete_locked(act, slug, expected)
}

pub(crate) fn lock_to_delete(act: &mut Act, slug: &Slug) -> Result<(), Error> {
    Ok(act.unit.lock(&Locks::new().population(Hold::Alone).segment(slug, Hold::Alone))?)
}

/// The step itself. The caller holds the locks.
pub(crate) fn delete_locked(act: &mut Act, slug: &Slug, expected: &Expected) -> Result<u64, Error> {
    let now = act.now();
    let segment = require(act.unit, slug)?;
    expected.require(&Revision::from(&segment), Subject::Segment, slug.as_str())?;
    act.unit.memberships().expire_in(segment.id, now)?;
    let left = act.unit.memberships().end_all(&Leaving {
        segment: segment.reference(),
        at: now,
        source: Source::Manual,
        actor: act.caller.actor().clone(),
        reason: Reason::parse("segment deleted").ok(),
        job: act.job,
    })?;
    act.unit.segments().delete(segment.id, now)?;
    audit::note_segment(act, now, Action::SegmentDeleted, slug, json!({"members": left}))?;
    Ok(left as u64)
}

pub(crate) fn require(unit: &mut dyn Unit, slug: &Slug) -> Result<Segment, Error> {
    unit.segments().find(slug)?.ok_or_else(|| Error::NotFound(Subject::Segment, vec![slug.to_string()]))
}

/// All of `slugs`, in their order, or an error that names every one that does not exist.
pub(crate) fn require_all(unit: &mut dyn Unit, slugs: &[Slug]) -> Result<Vec<Segment>, Error> {
    let mut found = by_slug(unit, slugs)?;
    let mut missing = Vec::new();
    let mut segments = Vec::with_capacity(slugs.len());
    for slug in slugs {
        match found.remove(slug) {
            Some(segment) => segments.push(segment),
            None => missing.push(slug.to_string()),
        }
    }
    if missing.is_empty() { Ok(segments) } else { Err(Error::NotFound(Subject::Segment, missing)) }
}

/// Those of the slugs' segments that there are.
pub(crate) fn by_slug(unit: &mut dyn Unit, slugs: &[Slug]) -> Result<HashMap<Slug, Segment>, Error> {
    let found = unit.segments().find_all(slugs)?.into_iter();
    Ok(found.map(|segment| (segment.slug.clone(), segment)).collect())
}

pub(crate) fn taken(slug: &Slug) -> Error {
    Error::Taken(Subject::Segment, slug.to_string())
}
