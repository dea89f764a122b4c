//! Turns: one writer after another, for an engine that has room for one.
//!
//! SQLite makes writers wait by letting them sleep and try again, and under load some are never lucky. Writers of this
//! process wait here instead; only those of other processes are met inside SQLite.

use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

#[derive(Default)]
pub(crate) struct Turns {
    taken: Mutex<bool>,
    freed: Condvar,
}

/// It is over when this is dropped.
pub(crate) struct Turn<'a>(&'a Turns);

impl Turns {
    /// Waits for the turn, or until the deadline.
    pub(crate) fn take(&self, deadline: Instant) -> Option<Turn<'_>> {
        let mut taken = self.taken();
        while *taken {
            let left = deadline.saturating_duration_since(Instant::now());
            if left == Duration::ZERO {
                return None;
            }
            taken = self.freed.wait_timeout(taken, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        *taken = true;
        Some(Turn(self))
    }

    /// A flag cannot be left half changed by a panic.
    fn taken(&self) -> MutexGuard<'_, bool> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.0.taken() = false;
        self.0.freed.notify_one();
    }
}
