//! What changed since the rows were packed: a few users, whole.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use crate::rows::Held;

/// A user of whom something changed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Changed {
    /// The number of the birth or death that came last, and which of the two it was.
    pub(crate) is_alive: Option<(i64, bool)>,
    /// By segment.
    pub(crate) pairs: Vec<Pair>,
}

/// What became of a user in a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pair {
    /// The segment's ordinal.
    pub(crate) segment: u32,
    /// Of the change that came last.
    pub(crate) number: i64,
    /// Nothing when the user left.
    pub(crate) stay: Option<Stay>,
}

/// In microseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stay {
    pub(crate) since: i64,
    /// The number of the change that told `since`.
    pub(crate) began: i64,
    pub(crate) until: Option<i64>,
}

impl Stay {
    /// Nobody told when it began.
    pub(crate) const LONG_AGO: Stay = Stay { since: i64::MIN, began: i64::MIN, until: None };

    pub(crate) fn is_live_at(&self, micros: i64) -> bool {
        self.since <= micros && self.until.is_none_or(|until| micros < until)
    }
}

/// Users of one part. A part that somebody else holds a copy of is copied when it changes, so that a copy of all is cheap.
type Part = HashMap<Box<str>, Changed>;

const PARTS: usize = 256;

#[derive(Debug, Clone)]
pub(crate) struct Overlay {
    parts: Vec<Arc<Part>>,
    /// How many users there are in all parts.
    len: usize,
    hashing: RandomState,
    /// Segments that everybody left, with the number of the last time: who is in the rows is in none of them.
    pub(crate) emptied: HashMap<u32, i64>,
}

impl Default for Overlay {
    fn default() -> Overlay {
        Overlay { parts: vec![Arc::default(); PARTS], len: 0, hashing: RandomState::default(), emptied: HashMap::new() }
    }
}

impl Overlay {
    /// How many users changed.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn users(&self) -> impl Iterator<Item = (&str, &Changed)> {
        self.parts.iter().flat_map(|part| part.iter()).map(|(user, changed)| (&**user, changed))
    }

    pub(crate) fn user(&self, user: &str) -> Option<&Changed> {
        // Often nobody has changed.
        if self.len == 0 { None } else { self.parts[self.part(user)].get(user) }
    }

    pub(crate) fn insert(&mut self, user: &str, changed: Changed) {
        let part = self.part(user);
        let before = Arc::make_mut(&mut self.parts[part]).insert(user.into(), changed);
        self.len += usize::from(before.is_none());
    }

    fn part(&self, user: &str) -> usize {
        self.hashing.hash_one(user) as usize % PARTS
    }

    fn user_mut(&mut self, user: &str) -> &mut Changed {
        let part = self.part(user);
        let part = Arc::make_mut(&mut self.parts[part]);
        if !part.contains_key(user) {
            part.insert(user.into(), Changed::default());
            self.len += 1;
        }
        part.get_mut(user).expect("the user is there now")
    }

    /// `change` is given what is known of the stay. When something later is known already, only the beginning counts, if that
    /// did not tell it.
    pub(crate) fn change(
        &mut self,
        user: &str,
        segment: u32,
        number: i64,
        change: impl FnOnce(Option<Stay>) -> Option<Stay>,
    ) {
        if self.emptied.get(&segment).is_some_and(|emptied| number < *emptied) {
            return;
        }
        let changed = self.user_mut(user);
        if changed.is_alive.is_some_and(|(last, is_alive)| !is_alive && number < last) {
            return;
        }
        let pairs = &mut changed.pairs;
        match pairs.binary_search_by_key(&segment, |pair| pair.segment) {
            Ok(place) if number < pairs[place].number => {
                if let (Some(known), Some(earlier)) = (&mut pairs[place].stay, change(None))
                    && known.began < earlier.began
                {
                    *known = Stay { until: known.until, ..earlier };
                }
            }
            Ok(place) => pairs[place] = Pair { segment, number, stay: change(pairs[place].stay) },
            Err(place) => {
                // Many users have few.
                pairs.reserve_exact(1);
                pairs.insert(place, Pair { segment, number, stay: change(None) });
            }
        }
    }

    pub(crate) fn set_alive(&mut self, user: &str, number: i64, is_alive: bool) {
        let known = &mut self.user_mut(user).is_alive;
        if known.is_none_or(|(before, _)| before <= number) {
            *known = Some((number, is_alive));
        }
    }

    pub(crate) fn empty(&mut self, segment: u32, number: i64) {
        let emptied = self.emptied.entry(segment).or_insert(number);
        *emptied = number.max(*emptied);
        for part in &mut self.parts {
            let is_over = |pair: &Pair| pair.segment == segment && pair.number <= number;
            if part.values().any(|changed| changed.pairs.iter().any(is_over)) {
                Arc::make_mut(part).values_mut().for_each(|changed| changed.pairs.retain(|pair| !is_over(pair)));
            }
        }
    }

    /// Everything that a user is in, by segment, out of the rows and what changed since. Of what stands in the rows it is
    /// not known when it began, which is long ago.
    pub(crate) fn stays(
        &self,
        changed: Option<&Changed>,
        row: impl Iterator<Item = Held>,
        mut take: impl FnMut(u32, Stay),
    ) {
        let pairs = changed.map_or(&[][..], |changed| &changed.pairs);
        let mut next = 0;
        let mut take_pair = |pair: &Pair| {
            if let Some(stay) = pair.stay {
                take(pair.segment, stay);
            }
        };
        for held in row {
            while let Some(pair) = pairs.get(next).filter(|pair| pair.segment < held.segment) {
                take_pair(pair);
                next += 1;
            }
            if let Some(pair) = pairs.get(next).filter(|pair| pair.segment == held.segment) {
                take_pair(pair);
                next += 1;
            } else if !self.emptied.contains_key(&held.segment) {
                take_pair(&Pair {
                    segment: held.segment,
                    number: i64::MIN,
                    stay: Some(Stay { until: held.until, ..Stay::LONG_AGO }),
                });
            }
        }
        pairs[next..].iter().for_each(take_pair);
    }
}
