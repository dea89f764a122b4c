//! Distributions: a segment given to a share of all users, by position.

use std::collections::HashSet;

use domain::{
    Action, Entry, Instant, Kind, Membership, Operation, Percent, Permission, Position, Segment, Slug, Source, UserId,
};
use serde_json::json;

use crate::{
    Act, Error, Look, audit, memberships,
    ports::{Hold, Locks, UserQuery},
    segments,
};

/// How far a segment reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distribution {
    pub segment: Segment,
    pub user_count: u64,
    pub total_users: u64,
}

/// What giving it did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    pub segment: Segment,
    pub user_count: u64,
    pub total_users: u64,
    pub added: u64,
    pub removed: u64,
}

/// Gives a segment to a share of all users: a larger share than before keeps everyone who is in, a smaller one lets the
/// last in go first, and the same one again changes nothing.
pub fn distribute(act: &mut Act, slug: &Slug, percent: Percent) -> Result<Given, Error> {
    act.caller.require_in(Permission::Manage, [slug])?;
    act.unit.lock(&Locks::new().population(Hold::Alone).segment(slug, Hold::Alone))?;
    let now = act.now();
    let before = segments::require(act.unit, slug)?;
    let given = give(act, before.clone(), percent)?;
    if given.segment == before {
        return Ok(given);
    }
    let segment = given.segment.touched(now);
    act.unit.segments().update(&segment)?;
    let detail = json!({
        "percent": {"from": segments::percent_of(&before), "to": segments::percent_of(&segment)},
        "added": given.added,
        "removed": given.removed,
    });
    audit::note_segment(act, now, Action::SegmentDistributed, slug, detail)?;
    Ok(Given { segment, ..given })
}

/// The step itself. The caller holds the locks, and keeps the returned definition.
pub(crate) fn give(act: &mut Act, segment: Segment, percent: Percent) -> Result<Given, Error> {
    if !matches!(segment.kind, Kind::Manual | Kind::Percent) {
        let kind = segment.kind.as_str();
        return Err(Error::Conflict(format!("segment `{}` is of kind {kind} and cannot be distributed", segment.slug)));
    }
    let stored = memberships::all_stored(act.unit, segment.id)?;
    let now = act.now();
    let members = memberships::settled(act, stored, now)?;
    let total_users = act.unit.users().count(&UserQuery::default())?;
    let target = percent.of(total_users);
    let present = members.len() as u64;
    let (added, removed) = match segment.percent {
        Some(before) if before == percent => (0, 0),
        Some(before) if before > percent => (0, dismiss(act, &segment, &members, present.saturating_sub(target), now)?),
        _ => (admit(act, &segment, &members, target.saturating_sub(present), now)?, 0),
    };
    let segment = Segment { kind: Kind::Percent, percent: Some(percent), ..segment };
    Ok(Given { segment, user_count: present + added - removed, total_users, added, removed })
}

/// Lets in the `count` users with the lowest positions of those who are not in.
fn admit(act: &mut Act, segment: &Segment, members: &[Membership], count: u64, now: Instant) -> Result<u64, Error> {
    if count == 0 {
        return Ok(0);
    }
    let present: HashSet<&UserId> = members.iter().map(|member| &member.user).collect();
    let mut candidates: Vec<(Position, UserId)> = Vec::new();
    let mut last: Option<UserId> = None;
    loop {
        let page = act.unit.users().ids(last.as_ref(), memberships::PAGE)?;
        let Some(end) = page.last() else { break };
        last = Some(end.clone());
        candidates.extend(
            page.into_iter().filter(|user| !present.contains(user)).map(|user| (segment.seed.position(&user), user)),
        );
    }
    candidates.sort_unstable();
    candidates.truncate(usize::try_from(count).unwrap_or(usize::MAX));
    // Written in the order in which the store keeps them, they cost much less.
    candidates.sort_unstable_by(|(_, a), (_, b)| a.cmp(b));
    let entries: Vec<Entry> = candidates
        .into_iter()
        .map(|(_, user)| memberships::entering(act, user, segment, now, Source::Percent))
        .collect();
    memberships::record(act.unit, &entries)?;
    Ok(entries.len() as u64)
}

/// Lets go the `count` members with the highest positions of those who came by percent.
fn dismiss(act: &mut Act, segment: &Segment, members: &[Membership], count: u64, now: Instant) -> Result<u64, Error> {
    let mut given: Vec<(Position, &Membership)> = members
        .iter()
        .filter(|member| member.source == Source::Percent)
        .map(|member| (segment.seed.position(&member.user), member))
        .collect();
    given.sort_unstable_by(|(a, x), (b, y)| (b, &y.user).cmp(&(a, &x.user)));
    given.truncate(usize::try_from(count).unwrap_or(usize::MAX));
    given.sort_unstable_by(|(_, a), (_, b)| a.user.cmp(&b.user));
    let entries: Vec<Entry> = given
        .into_iter()
        .map(|(_, member)| Entry {
            source: Source::Percent,
            ..act.entry(member.user.clone(), member.segment.clone(), Operation::Remove, now.max(member.since))
        })
        .collect();
    memberships::record(act.unit, &entries)?;
    Ok(entries.len() as u64)
}

/// The share of all users that a segment has now.
pub fn get(look: &mut Look, slug: &Slug) -> Result<Distribution, Error> {
    look.caller.require_in(Permission::ReadSegments, [slug])?;
    let segment = segments::require(look.unit, slug)?;
    let counts = look.unit.memberships().counts(&[segment.id], look.now)?;
    let user_count = counts.first().map_or(0, |(_, count)| *count);
    let total_users = look.unit.users().count(&UserQuery::default())?;
    Ok(Distribution { segment, user_count, total_users })
}
