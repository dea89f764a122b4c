//! History: the append-only log that memberships are the fold of.

use std::fmt;

use crate::{Actor, Instant, JobId, Membership, Reason, SegmentRef, Source, UserId};

/// One change of one user's place in one segment. It says all that is needed to carry it out again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub user: UserId,
    /// With the slug that the segment had then.
    pub segment: SegmentRef,
    pub operation: Operation,
    pub at: Instant,
    /// When the membership began, where an add brings an earlier one back; any other add begins it at `at`.
    pub since: Option<Instant>,
    /// The deadline after an add or an extend; absent after a remove.
    pub expires_at: Option<Instant>,
    pub source: Source,
    pub actor: Actor,
    pub reason: Option<Reason>,
    /// The job that it is part of.
    pub job: Option<JobId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    Add,
    Remove,
    /// Moves the deadline of a membership, and nothing else.
    Extend,
}

impl Operation {
    pub const ALL: [Operation; 3] = [Operation::Add, Operation::Remove, Operation::Extend];

    pub fn as_str(self) -> &'static str {
        match self {
            Operation::Add => "add",
            Operation::Remove => "remove",
            Operation::Extend => "extend",
        }
    }

    pub fn parse(text: &str) -> Option<Operation> {
        Operation::ALL.into_iter().find(|operation| operation.as_str() == text)
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An entry as the store keeps it. Of two entries of one membership, the later written has the larger id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryRow {
    pub id: i64,
    pub entry: Entry,
}

impl Entry {
    /// The end of a membership whose deadline came: at the deadline, whenever it is written.
    pub fn expiry(membership: &Membership) -> Option<Entry> {
        let deadline = membership.expires_at?;
        Some(Entry {
            user: membership.user.clone(),
            segment: membership.segment.clone(),
            operation: Operation::Remove,
            at: deadline,
            since: None,
            expires_at: None,
            source: Source::Expiry,
            actor: Actor::new("expiry"),
            reason: None,
            job: None,
        })
    }

    /// What a membership becomes by this entry.
    pub fn apply(&self, before: Option<Membership>) -> Option<Membership> {
        match self.operation {
            Operation::Add => Some(Membership {
                user: self.user.clone(),
                segment: self.segment.clone(),
                since: self.since.unwrap_or(self.at),
                expires_at: self.expires_at,
                source: self.source,
                actor: self.actor.clone(),
                reason: self.reason.clone(),
            }),
            Operation::Extend => before.map(|membership| Membership { expires_at: self.expires_at, ..membership }),
            Operation::Remove => None,
        }
    }
}

/// The membership that one user's entries in one segment, in the order they were written, leave stored.
pub fn fold<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Option<Membership> {
    entries.into_iter().fold(None, |membership, entry| entry.apply(membership))
}

/// The membership that was live at an instant, from one user's entries in one segment in the order they were written.
pub fn replay<'a>(entries: impl IntoIterator<Item = &'a Entry>, at: Instant) -> Option<Membership> {
    fold(entries.into_iter().filter(|entry| entry.at <= at)).filter(|membership| membership.is_live_at(at))
}

/// When somebody was in a segment: from, and not including, to. One who is still in has no end.
pub type Stay = (Instant, Option<Instant>);

/// All that [`replay`] tells of one user in one segment, from the entries in the order they were written. Stays are in
/// their order and do not touch.
pub fn stays(entries: &[Entry]) -> Vec<Stay> {
    // Data from elsewhere may tell of the past after the present was written.
    let mut by_instant: Vec<usize> = (0..entries.len()).collect();
    by_instant.sort_by_key(|place| (entries[*place].at, *place));
    let mut stays: Vec<Stay> = Vec::new();
    // Of what happened by then, what was written last: an add or remove, and an extend.
    let (mut begun, mut extended) = (None, None);
    let groups: Vec<&[usize]> = by_instant.chunk_by(|a, b| entries[*a].at == entries[*b].at).collect();
    for (number, group) in groups.iter().enumerate() {
        for place in *group {
            let last = match entries[*place].operation {
                Operation::Add | Operation::Remove => &mut begun,
                Operation::Extend => &mut extended,
            };
            *last = (*last).max(Some(*place));
        }
        let Some(add) = begun.map(|place| &entries[place]).filter(|entry| entry.operation == Operation::Add) else {
            continue;
        };
        let told_last = extended.filter(|_| extended > begun).map_or(add, |place| &entries[place]);
        let from = entries[group[0]].at;
        let next = groups.get(number + 1).map(|group| entries[group[0]].at);
        let to = [told_last.expires_at, next].into_iter().flatten().min();
        if to.is_some_and(|to| to <= from) {
            continue;
        }
        match stays.last_mut() {
            Some((_, end)) if *end == Some(from) => *end = to,
            _ => stays.push((from, to)),
        }
    }
    stays
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{SegmentId, Slug};

    fn entry(operation: Operation, minute: i64, deadline: Option<i64>) -> Entry {
        Entry {
            user: UserId::parse("1000").unwrap(),
            segment: SegmentRef { id: SegmentId(1), slug: Slug::parse("VIP").unwrap() },
            operation,
            at: instant(minute),
            since: None,
            expires_at: deadline.map(instant),
            source: Source::Manual,
            actor: Actor::new("test"),
            reason: None,
            job: None,
        }
    }

    fn instant(minute: i64) -> Instant {
        Instant::from_timestamp(minute * 60, 0).unwrap()
    }

    #[test]
    fn a_member_is_in_from_the_add_and_out_at_the_deadline() {
        let entries = [entry(Operation::Add, 10, Some(20))];
        let live = |minute| replay(&entries, instant(minute)).is_some();
        assert_eq!([9, 10, 19, 20, 21].map(live), [false, true, true, false, false]);
    }

    #[test]
    fn an_extension_moves_the_deadline_and_keeps_the_beginning() {
        let entries = [entry(Operation::Add, 10, Some(20)), entry(Operation::Extend, 15, Some(30))];
        let membership = replay(&entries, instant(25)).unwrap();
        assert_eq!((membership.since, membership.expires_at), (instant(10), Some(instant(30))));
        assert_eq!(replay(&entries[..1], instant(25)), None);
    }

    #[test]
    fn an_expiry_written_late_stands_at_its_deadline() {
        let first = entry(Operation::Add, 10, Some(20));
        let expiry = Entry::expiry(&fold([&first]).unwrap()).unwrap();
        let entries = [first, expiry, entry(Operation::Add, 40, None)];
        let live = |minute| replay(&entries, instant(minute)).is_some();
        assert_eq!([15, 20, 39, 40].map(live), [true, false, false, true]);
    }

    #[test]
    fn what_is_brought_back_began_when_it_did() {
        let entries = [
            entry(Operation::Add, 10, None),
            entry(Operation::Remove, 20, None),
            Entry { since: Some(instant(10)), ..entry(Operation::Add, 30, None) },
        ];
        assert_eq!(replay(&entries, instant(25)), None);
        assert_eq!(replay(&entries, instant(30)).unwrap().since, instant(10));
    }

    #[test]
    fn stays_that_touch_are_one() {
        let entries = [
            entry(Operation::Add, 10, Some(20)),
            entry(Operation::Extend, 15, Some(40)),
            entry(Operation::Remove, 30, None),
            entry(Operation::Add, 30, None),
            entry(Operation::Remove, 50, None),
            entry(Operation::Add, 60, None),
        ];
        let expected = [(10, Some(50)), (60, None)].map(|(from, to)| (instant(from), to.map(instant)));
        assert_eq!(stays(&entries), expected);
    }

    proptest! {
        /// Also where instants do not follow the order in which entries were written.
        #[test]
        fn stays_are_what_replay_tells(told in prop::collection::vec((0..3_usize, 0..12_i64, prop::option::of(0..14_i64)), 0..8)) {
            let entries: Vec<Entry> =
                told.iter().map(|(which, minute, deadline)| entry(Operation::ALL[*which], *minute, *deadline)).collect();
            let stays = stays(&entries);
            prop_assert!(stays.iter().all(|(from, to)| to.is_none_or(|to| *from < to)));
            prop_assert!(stays.windows(2).all(|pair| pair[0].1.is_some_and(|end| end < pair[1].0)));
            for minute in -1..15 {
                let is_in = stays.iter().any(|(from, to)| *from <= instant(minute) && to.is_none_or(|to| instant(minute) < to));
                prop_assert_eq!(is_in, replay(&entries, instant(minute)).is_some(), "minute {}", minute);
            }
        }
    }
}
