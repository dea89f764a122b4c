//! Moves: everybody of one segment goes to another.

use std::collections::HashMap;

use domain::{Action, Entry, Instant, Membership, Operation, Percent, Permission, Segment, Slug, Source, UserId};
use serde_json::json;

use crate::{
    Act, Error, audit, memberships,
    ports::{Hold, Locks},
    segments,
};

pub struct MoveUsers {
    pub from: Slug,
    pub to: Slug,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    pub from: Slug,
    pub to: Slug,
    /// How many left `from`.
    pub moved: u64,
    /// How many of them were not in `to` before.
    pub added: u64,
    /// How many of them were in `to` already, and stay longer now.
    pub extended: u64,
}

/// Afterwards everybody who was in `from` is in `to`, with the later of two deadlines, and nobody is in `from`.
///
/// If `from` was given to a share of all users, its percent is 0 afterwards: else whoever is born later would go on
/// joining what was emptied, and giving it the same percent again would change nothing.
pub fn move_users(act: &mut Act, command: MoveUsers) -> Result<Moved, Error> {
    let MoveUsers { from, to } = command;
    if from == to {
        return Err(Error::invalid("/to_segment", "same_segment", format!("`{from}` cannot be moved to itself")));
    }
    act.caller.require_in(Permission::Manage, [&from, &to])?;
    act.unit.lock(&Locks::new().population(Hold::Alone).segment(&from, Hold::Alone).segment(&to, Hold::Alone))?;
    let found = segments::require_all(act.unit, &[from.clone(), to.clone()])?;
    let [source, target] = &found[..] else { unreachable!("two slugs were required") };
    let in_source = memberships::all_stored(act.unit, source.id)?;
    let in_target = memberships::all_stored(act.unit, target.id)?;
    let now = act.now();
    let leaving = memberships::settled(act, in_source, now)?;
    let present: HashMap<UserId, Membership> = memberships::settled(act, in_target, now)?
        .into_iter()
        .map(|membership| (membership.user.clone(), membership))
        .collect();

    let mut entries: Vec<Entry> = Vec::new();
    let mut moved = Moved { from, to, moved: leaving.len() as u64, added: 0, extended: 0 };
    for member in leaving {
        let entry = |segment, operation, at, expires_at| Entry {
            expires_at,
            source: Source::Move,
            ..act.entry(member.user.clone(), segment, operation, at)
        };
        entries.push(entry(member.segment.clone(), Operation::Remove, now.max(member.since), None));
        match present.get(&member.user) {
            None => {
                entries.push(entry(target.reference(), Operation::Add, now, member.expires_at));
                moved.added += 1;
            }
            Some(there) if later(there.expires_at, member.expires_at) != there.expires_at => {
                entries.push(entry(target.reference(), Operation::Extend, now.max(there.since), member.expires_at));
                moved.extended += 1;
            }
            Some(_) => {}
        }
    }
    memberships::record(act.unit, &entries)?;
    if source.percent.is_some_and(|percent| percent != Percent::ZERO) {
        let emptied = Segment { percent: Some(Percent::ZERO), ..source.clone() };
        act.unit.segments().update(&emptied.touched(now))?;
    }
    let detail = json!({"to": moved.to.as_str(), "moved": moved.moved});
    audit::note_segment(act, now, Action::SegmentMoved, &moved.from, detail)?;
    Ok(moved)
}

/// The later of two deadlines; an open one is the latest.
fn later(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
    Some(a?.max(b?))
}
