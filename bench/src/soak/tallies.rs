//! What was asked, what came of it, and what was wrong.

use std::{
    collections::BTreeMap,
    fmt::Display,
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// So many are told of word for word.
const FAULTS_KEPT: usize = 20;

/// What came of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Answered,
    /// With a 503 that it may have.
    Refused,
    /// Nobody answered, because the node was away.
    BrokenOff,
    Wrong,
}

/// How many requests of a kind came to what.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Ends {
    pub(super) requests: u64,
    pub(super) refused: u64,
    pub(super) broken_off: u64,
}

#[derive(Default)]
pub(super) struct Tally {
    acts: Mutex<BTreeMap<&'static str, Ends>>,
    faults: Mutex<Faults>,
    lookups: Mutex<Vec<u64>>,
}

#[derive(Default, Clone)]
pub(super) struct Faults {
    pub(super) count: u64,
    pub(super) first: Vec<String>,
}

impl Tally {
    pub(super) fn count(&self, act: &'static str, end: End) {
        let mut acts = held(&self.acts);
        let ends = acts.entry(act).or_default();
        ends.requests += 1;
        match end {
            End::Refused => ends.refused += 1,
            End::BrokenOff => ends.broken_off += 1,
            End::Answered | End::Wrong => {}
        }
    }

    pub(super) fn fault(&self, what: impl Display) {
        let mut faults = held(&self.faults);
        faults.count += 1;
        if faults.first.len() < FAULTS_KEPT {
            faults.first.push(what.to_string());
        }
    }

    pub(super) fn looked_up(&self, micros: u64) {
        held(&self.lookups).push(micros);
    }

    /// The latencies of lookups since the last time.
    pub(super) fn take_lookups(&self) -> Vec<u64> {
        mem::take(&mut held(&self.lookups))
    }

    pub(super) fn acts(&self) -> BTreeMap<&'static str, Ends> {
        held(&self.acts).clone()
    }

    pub(super) fn requests(&self) -> u64 {
        held(&self.acts).values().map(|ends| ends.requests).sum()
    }

    pub(super) fn faults(&self) -> Faults {
        held(&self.faults).clone()
    }
}

/// Whoever panicked left plain numbers.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
