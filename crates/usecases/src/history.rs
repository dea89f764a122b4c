//! History: what happened, and who was where at any instant, from the log alone.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Caller, Entry, HistoryRow, Instant, Membership, Period, Permission, SegmentId, SegmentRef, Slug, Source, Ttl,
    UserId, history::replay,
};

use crate::{
    Error, Look, Subject,
    ports::{Bearer, HistoryFilter, HistorySegment, MemberQuery, Moves, UserQuery},
    sizes,
};

#[derive(Debug, Clone, Default)]
pub struct HistoryQuery {
    pub user: Option<UserId>,
    pub segment: Option<Slug>,
    pub period: Period,
}

/// Makes a filter of a query: rows written under the slug, and all rows of the segment that has it now.
/// A slug or user that nobody knows leaves nothing.
pub fn filter(look: &mut Look, query: &HistoryQuery) -> Result<HistoryFilter, Error> {
    let segment = match &query.segment {
        None => {
            look.caller.require(Permission::ReadSegments)?;
            None
        }
        Some(slug) => {
            look.caller.require_in(Permission::ReadSegments, [slug])?;
            let id = look.unit.segments().find(slug)?.map(|segment| segment.id);
            Some(HistorySegment { slug: slug.clone(), id })
        }
    };
    Ok(HistoryFilter { user: query.user.clone(), segment, period: query.period, ..HistoryFilter::default() })
}

pub fn page(look: &mut Look, filter: &HistoryFilter, limit: usize) -> Result<Vec<HistoryRow>, Error> {
    Ok(look.unit.history().page(filter, limit)?)
}

pub fn count(look: &mut Look, filter: &HistoryFilter) -> Result<u64, Error> {
    Ok(look.unit.history().count(filter)?)
}

/// The members of a segment now, or at an instant, by user, after `after`.
pub fn members(
    look: &mut Look,
    slug: &Slug,
    as_of: Option<Instant>,
    after: Option<&UserId>,
    limit: usize,
) -> Result<Vec<Membership>, Error> {
    look.caller.require_in(Permission::ReadSegments, [slug])?;
    match as_of {
        None => {
            let segment = crate::segments::require(look.unit, slug)?;
            Ok(look.unit.memberships().members(segment.id, look.now, after, limit)?)
        }
        Some(at) => {
            refuse_forgotten(look, "as_of", at)?;
            let segment = segment_at(look, slug, at)?;
            Ok(look.unit.history().members_at(segment, at, after, limit)?)
        }
    }
}

pub fn count_members(look: &mut Look, slug: &Slug, as_of: Option<Instant>) -> Result<u64, Error> {
    look.caller.require_in(Permission::ReadSegments, [slug])?;
    match as_of {
        None => {
            let segment = crate::segments::require(look.unit, slug)?;
            let counts = look.unit.memberships().counts(&[segment.id], look.now)?;
            Ok(counts.first().map_or(0, |(_, count)| *count))
        }
        Some(at) => {
            refuse_forgotten(look, "as_of", at)?;
            let segment = segment_at(look, slug, at)?;
            Ok(look.unit.history().count_at(segment, at)?)
        }
    }
}

/// As [`members`], only those whom a search among users finds, by name and e-mail only for who sees all persons; all of them
/// where nothing is searched for.
pub fn find_members(
    look: &mut Look,
    slug: &Slug,
    as_of: Option<Instant>,
    users: &UserQuery,
    limit: usize,
) -> Result<Vec<Membership>, Error> {
    if users.text.is_none() {
        return members(look, slug, as_of, users.after.as_ref(), limit);
    }
    let query = member_query(look, slug, as_of, users)?;
    Ok(match as_of {
        None => look.unit.memberships().found(&query, limit)?,
        Some(_) => look.unit.history().found_at(&query, limit)?,
    })
}

pub fn count_found_members(
    look: &mut Look,
    slug: &Slug,
    as_of: Option<Instant>,
    users: &UserQuery,
) -> Result<u64, Error> {
    if users.text.is_none() {
        return count_members(look, slug, as_of);
    }
    let query = member_query(look, slug, as_of, users)?;
    Ok(match as_of {
        None => look.unit.memberships().count_found(&query)?,
        Some(_) => look.unit.history().count_found_at(&query)?,
    })
}

fn member_query(look: &mut Look, slug: &Slug, as_of: Option<Instant>, users: &UserQuery) -> Result<MemberQuery, Error> {
    look.caller.require_in(Permission::ReadSegments, [slug])?;
    let segment = match as_of {
        None => crate::segments::require(look.unit, slug)?.id,
        Some(at) => {
            refuse_forgotten(look, "as_of", at)?;
            segment_at(look, slug, at)?
        }
    };
    Ok(MemberQuery { segment, at: as_of.unwrap_or(look.now), users: searched_by(look.caller, users) })
}

/// What a search for members is when this caller asks: whoever is confined sees no profiles, and so does not find by them.
pub(crate) fn searched_by(caller: &Caller, users: &UserQuery) -> UserQuery {
    let by_id_only = caller.require(Permission::ReadPersons).is_err();
    UserQuery { by_id_only: users.by_id_only || by_id_only, ..users.clone() }
}

/// How much happened over time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counts {
    /// At each point, since the point before.
    pub points: Vec<(Instant, Moves)>,
    /// In all, by the source's name.
    pub sources: Vec<(Source, Moves)>,
}

pub struct CountsQuery {
    pub user: Option<UserId>,
    pub segment: Option<Slug>,
    /// As in [`crate::sizes::SizeQuery`].
    pub from: Option<Instant>,
    pub to: Option<Instant>,
    pub step: Ttl,
}

/// How many rows of history there are between one point and the next, and by source.
pub fn counts(look: &mut Look, query: &CountsQuery) -> Result<Counts, Error> {
    let (user, segment) = (query.user.clone(), query.segment.clone());
    let filter = filter(look, &HistoryQuery { user, segment, period: Period::default() })?;
    let (from, to) = sizes::period(look, query.from, query.to)?;
    let instants = sizes::points(from, to, query.step)?;
    let mut sources: BTreeMap<&str, (Source, Moves)> = BTreeMap::new();
    let tallies = look.unit.history().tally(&filter, &instants)?;
    let mut points: Vec<(Instant, Moves)> = instants.into_iter().map(|at| (at, Moves::default())).collect();
    for tally in &tallies {
        points[tally.place].1.take(tally);
        sources.entry(tally.source.as_str()).or_insert((tally.source, Moves::default())).1.take(tally);
    }
    Ok(Counts { points, sources: sources.into_values().collect() })
}

/// Refuses to tell of an instant whose history was forgotten.
pub(crate) fn refuse_forgotten(look: &mut Look, pointer: &str, at: Instant) -> Result<(), Error> {
    match look.unit.history().begins_at()? {
        Some(begins) if at < begins => {
            let detail = format!("history begins at {}; what was before is forgotten", begins.to_rfc3339());
            Err(Error::invalid(pointer, "before_history", detail))
        }
        _ => Ok(()),
    }
}

/// The segment that a slug means at an instant: the one that had it then, or else the one that has or last had it.
pub(crate) fn segment_at(look: &mut Look, slug: &Slug, at: Instant) -> Result<SegmentId, Error> {
    let bearers: Vec<Bearer> = look.unit.segments().bearers(slug)?;
    let bearer = bearers.iter().find(|bearer| bearer.period.contains(at)).or(bearers.last());
    let found = bearer.ok_or_else(|| Error::NotFound(Subject::Segment, vec![slug.to_string()]))?;
    if look.caller.prefix().is_some() {
        // It may be called otherwise by now, or have been: whoever is confined sees it under none of its names then.
        let names = look.unit.segments().names(&[found.segment])?;
        look.caller.require_in(Permission::ReadSegments, names.last().map(|name| &name.slug))?;
    }
    Ok(found.segment)
}

/// The same of several slugs, in their order, or an error that names every one that no segment has, or had.
pub(crate) fn segments_at(look: &mut Look, slugs: &[Slug], at: Instant) -> Result<Vec<SegmentId>, Error> {
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for slug in slugs {
        match segment_at(look, slug, at) {
            Ok(segment) => found.push(segment),
            Err(Error::NotFound(Subject::Segment, slugs)) => missing.extend(slugs),
            Err(error) => return Err(error),
        }
    }
    if missing.is_empty() { Ok(found) } else { Err(Error::NotFound(Subject::Segment, missing)) }
}

/// Where a user was at an instant. A segment appears under the slug that it had then.
pub(crate) fn of_user_at(look: &mut Look, user: &UserId, at: Instant) -> Result<Vec<Membership>, Error> {
    refuse_forgotten(look, "as_of", at)?;
    let rows = look.unit.history().of_users(std::slice::from_ref(user), None)?;
    let mut by_segment: BTreeMap<SegmentId, Vec<Entry>> = BTreeMap::new();
    for row in rows {
        by_segment.entry(row.entry.segment.id).or_default().push(row.entry);
    }
    let mut memberships: Vec<Membership> = by_segment.values().filter_map(|entries| replay(entries, at)).collect();
    let segments: Vec<SegmentId> = memberships.iter().map(|membership| membership.segment.id).collect();
    let names = look.unit.segments().names(&segments)?;
    for SegmentRef { id, slug } in memberships.iter_mut().map(|membership| &mut membership.segment) {
        // Data from elsewhere may be older than the segment: then the slug stays that of the entry.
        if let Some(name) = names.iter().find(|name| name.segment == *id && name.period.contains(at)) {
            *slug = name.slug.clone();
        }
    }
    Ok(memberships)
}

/// Who came and who went between two instants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diff {
    /// Not in at the first, in at the second.
    pub entered: Vec<UserId>,
    /// In at the first, not in at the second.
    pub left: Vec<UserId>,
    /// Where the next page begins, when there may be one.
    pub next: Option<UserId>,
}

pub struct DiffQuery {
    pub slug: Slug,
    pub from: Instant,
    pub to: Instant,
    pub after: Option<UserId>,
}

/// Compares a segment's members at two instants, for at most `limit` of the users whose place may have changed.
pub fn diff(look: &mut Look, query: &DiffQuery, limit: usize) -> Result<Diff, Error> {
    look.caller.require_in(Permission::ReadSegments, [&query.slug])?;
    if query.from > query.to {
        return Err(Error::invalid("to", "out_of_order", "`to` is before `from`"));
    }
    refuse_forgotten(look, "from", query.from)?;
    let then = segment_at(look, &query.slug, query.from)?;
    let later = segment_at(look, &query.slug, query.to)?;
    // A slug that passed to another segment meanwhile makes both segments' users candidates.
    let candidates: BTreeSet<UserId> = if then == later {
        look.unit.history().touched(then, query.from, query.to, query.after.as_ref(), limit)?.into_iter().collect()
    } else {
        let mut both = BTreeSet::new();
        for (segment, at) in [(then, query.from), (later, query.to)] {
            let members = look.unit.history().members_at(segment, at, query.after.as_ref(), limit)?;
            both.extend(members.into_iter().map(|member| member.user));
        }
        both.into_iter().take(limit).collect()
    };
    let candidates = Vec::from_iter(candidates);
    let before = presence(look, then, &candidates, query.from)?;
    let after = presence(look, later, &candidates, query.to)?;
    let next = candidates.last().filter(|_| candidates.len() == limit).cloned();
    let mut diff = Diff { entered: Vec::new(), left: Vec::new(), next };
    for user in candidates {
        match (before.contains(&user), after.contains(&user)) {
            (false, true) => diff.entered.push(user),
            (true, false) => diff.left.push(user),
            _ => {}
        }
    }
    Ok(diff)
}

fn presence(look: &mut Look, segment: SegmentId, users: &[UserId], at: Instant) -> Result<BTreeSet<UserId>, Error> {
    let mut entries: BTreeMap<UserId, Vec<Entry>> = BTreeMap::new();
    for row in look.unit.history().of_users(users, Some(segment))? {
        entries.entry(row.entry.user.clone()).or_default().push(row.entry);
    }
    Ok(entries.into_iter().filter(|(_, entries)| replay(entries, at).is_some()).map(|(user, _)| user).collect())
}
