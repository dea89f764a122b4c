//! Changes: what each transaction changed of who is in what, told to those who keep it in memory.

use std::{collections::BTreeSet, fmt, str::FromStr};

use chrono::TimeDelta;
use domain::{Entry, Instant, Operation, SegmentId, Slug, UserId};
use thiserror::Error;

use crate::{
    Act, Error,
    ports::{StoreError, Unit},
};

/// How long changes are kept for those who read them late. Who comes later begins anew.
pub const KEPT: TimeDelta = TimeDelta::hours(1);
/// How many are told together at most.
pub const PORTION: usize = 4_096;
/// How often it is noted how far the changes came.
const NOTED_EVERY: TimeDelta = TimeDelta::minutes(1);

/// One change. That a deadline came is none: whoever knows the deadline knows when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    Entered {
        user: UserId,
        segment: SegmentId,
        since: Instant,
        expires_at: Option<Instant>,
    },
    /// Who is in stays until another deadline.
    Extended {
        user: UserId,
        segment: SegmentId,
        expires_at: Option<Instant>,
    },
    Left {
        user: UserId,
        segment: SegmentId,
    },
    /// All members left.
    Emptied {
        segment: SegmentId,
    },
    /// The segment was created, or has another slug.
    Named {
        segment: SegmentId,
        slug: Slug,
    },
    Deleted {
        segment: SegmentId,
    },
    Born {
        user: UserId,
    },
    Died {
        user: UserId,
    },
}

impl From<&Entry> for Change {
    fn from(entry: &Entry) -> Change {
        let (user, segment, expires_at) = (entry.user.clone(), entry.segment.id, entry.expires_at);
        match entry.operation {
            Operation::Add => Change::Entered { user, segment, since: entry.since.unwrap_or(entry.at), expires_at },
            Operation::Extend => Change::Extended { user, segment, expires_at },
            Operation::Remove => Change::Left { user, segment },
        }
    }
}

/// Changes that were told together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Of two changes of the same thing the later has the larger number.
    pub number: i64,
    pub transaction: u64,
    /// In the order in which they were made.
    pub changes: Vec<Change>,
}

/// What a transaction told when it was committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    pub transaction: u64,
    /// Nothing when it is more than a portion, to be read where it was told.
    pub told: Option<Told>,
}

/// Which transactions a state has in it: those before `next` that are not `open`, and those that are `ahead`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub next: u64,
    pub open: BTreeSet<u64>,
    pub ahead: BTreeSet<u64>,
}

impl Seen {
    pub fn before(next: u64) -> Seen {
        Seen { next, open: BTreeSet::new(), ahead: BTreeSet::new() }
    }

    pub fn has(&self, transaction: u64) -> bool {
        transaction < self.next && !self.open.contains(&transaction) || self.ahead.contains(&transaction)
    }

    /// Whether everything that the other state has is in this one.
    pub fn covers(&self, other: &Seen) -> bool {
        let lacks = |transaction: &u64| other.has(*transaction) && !self.has(*transaction);
        // Between the two nexts there may be some of which neither says anything.
        let between = (self.next..other.next).take(SEEN_MAX).all(|transaction| !lacks(&transaction));
        let is_near = other.next.saturating_sub(self.next) <= SEEN_MAX as u64;
        is_near && between && !self.open.iter().any(lacks) && !other.ahead.iter().any(lacks)
    }
}

/// How many transactions a state names at most.
const SEEN_MAX: usize = 10_000;

/// `120` has all before 120; `120-115-117+121` has not 115 and 117, and has 121.
impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.next)?;
        self.open.iter().try_for_each(|transaction| write!(f, "-{transaction}"))?;
        self.ahead.iter().try_for_each(|transaction| write!(f, "+{transaction}"))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("is not a position that was told by this service")]
pub struct SeenError;

impl FromStr for Seen {
    type Err = SeenError;

    fn from_str(text: &str) -> Result<Seen, SeenError> {
        let number = |text: &str| {
            let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse().ok().filter(|_| is_plain).ok_or(SeenError)
        };
        let ends = |c: char| c == '-' || c == '+';
        let end = text.find(ends).unwrap_or(text.len());
        let mut seen = Seen::before(number(&text[..end])?);
        let mut rest = &text[end..];
        while let Some(sign) = rest.chars().next() {
            let end = rest[1..].find(ends).map_or(rest.len(), |end| end + 1);
            let transaction = number(&rest[1..end])?;
            let named = if sign == '-' { &mut seen.open } else { &mut seen.ahead };
            named.insert(transaction);
            if named.len() > SEEN_MAX {
                return Err(SeenError);
            }
            rest = &rest[end..];
        }
        Ok(seen)
    }
}

/// Notes how far the changes came, and forgets at most `limit` of those that were committed before [`KEPT`]. Tells how many
/// are gone.
pub fn forget(act: &mut Act, limit: usize) -> Result<usize, Error> {
    let now = act.now();
    if act.unit.changes().noted_at()?.is_none_or(|at| at <= now - NOTED_EVERY) {
        let seen = act.unit.changes().seen()?;
        act.unit.changes().note(now, &seen)?;
    }
    Ok(act.unit.changes().forget(now - KEPT, limit)?)
}

/// Everything that was told since `seen`, in the order of its numbers, and what is seen then; nothing when a part of it is
/// forgotten already.
pub fn since(unit: &mut dyn Unit, seen: &Seen, take: &mut dyn FnMut(Told)) -> Result<Option<Seen>, StoreError> {
    let now = unit.changes().seen()?;
    if let Some(forgotten) = unit.changes().forgotten()?
        && !seen.covers(&forgotten)
    {
        return Ok(None);
    }
    unit.changes().since(seen, take)?;
    Ok(Some(now))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn states() -> impl Strategy<Value = Seen> {
        let some = || prop::collection::btree_set(0..20_u64, 0..4);
        (0..20_u64, some(), some()).prop_map(|(next, open, ahead)| Seen { next, open, ahead })
    }

    proptest! {
        #[test]
        fn a_state_covers_another_whose_transactions_it_has(ours in states(), theirs in states()) {
            let has_all = (0..64).filter(|one| theirs.has(*one)).all(|one| ours.has(one));
            prop_assert_eq!(ours.covers(&theirs), has_all, "{} and {}", ours, theirs);
        }

        #[test]
        fn a_state_is_read_as_it_was_written(seen in states()) {
            prop_assert_eq!(seen.to_string().parse(), Ok(seen));
        }
    }

    #[test]
    fn what_is_no_state_is_refused() {
        for text in ["", "x", "-1", "1-", "1+", "1--2", "1 ", "+1", "1-x", "18446744073709551616", "1+2-"] {
            assert_eq!(text.parse::<Seen>(), Err(SeenError), "{text}");
        }
        let long = (0..=SEEN_MAX).fold("9".to_owned(), |text, number| format!("{text}-{number}"));
        assert_eq!(long.parse::<Seen>(), Err(SeenError));
    }

    #[test]
    fn a_state_far_ahead_is_not_covered() {
        assert!(!Seen::before(7).covers(&Seen::before(u64::MAX)));
        assert!(Seen::before(u64::MAX).covers(&Seen::before(7)));
    }
}
