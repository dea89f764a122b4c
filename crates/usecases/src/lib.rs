//! What Strata does: one function a use case, and the ports it needs of the outside world.
//!
//! A use case that changes something is handed an [`Act`], one that only looks a [`Look`]: both are one transaction,
//! opened by [`App`]. So use cases can be put together, and what is put together still happens whole or not at all.

pub mod accounts;
pub mod algebra;
pub mod answers;
pub mod audit;
pub mod changes;
pub mod checks;
pub mod demo;
pub mod distributions;
pub mod endings;
mod error;
pub mod exports;
pub mod history;
pub mod imports;
pub mod jobs;
pub mod memberships;
pub mod moves;
pub mod passwords;
pub mod persons;
pub mod ports;
pub mod reports;
pub mod retention;
pub mod segments;
pub mod sessions;
pub mod sign_ins;
pub mod signatures;
pub mod sizes;
mod sorting;
pub mod stale;
pub mod summaries;
pub mod tokens;
pub mod users;
mod versions;

use std::sync::Arc;

use domain::{Caller, Entry, Instant, JobId, Operation, SegmentRef, Source, UserId};

pub use error::{Error, Fault, Subject};
pub use versions::{Expected, Revision};

use changes::Seen;
pub use signatures::Keys;

use ports::{Chance, Clock, Files, Index, Providers, Remembered, Store, Unit};

/// The world, seen through ports.
pub struct App {
    pub store: Box<dyn Store>,
    pub index: Arc<dyn Index>,
    pub files: Box<dyn Files>,
    pub providers: Box<dyn Providers>,
    pub clock: Box<dyn Clock>,
    pub chance: Box<dyn Chance>,
    /// What access tokens are signed with, as far as it was read.
    pub keys: Keys,
}

/// What was found, and which transactions it has where an index found it.
pub struct Known<T> {
    pub found: T,
    pub seen: Option<Seen>,
}

impl<T> Known<T> {
    pub fn map<U>(self, view: impl FnOnce(T) -> U) -> Known<U> {
        Known { found: view(self.found), seen: self.seen }
    }
}

impl<T> From<Remembered<T>> for Known<T> {
    fn from(Remembered { found, seen }: Remembered<T>) -> Known<T> {
        Known { found, seen: Some(seen) }
    }
}

/// A change under way: one transaction, and by whom.
pub struct Act<'a> {
    pub unit: &'a mut dyn Unit,
    pub chance: &'a dyn Chance,
    pub caller: &'a Caller,
    /// The job that this is part of.
    pub job: Option<JobId>,
    clock: &'a dyn Clock,
}

/// One consistent state, looked at by somebody.
pub struct Look<'a> {
    pub unit: &'a mut dyn Unit,
    pub caller: &'a Caller,
    pub now: Instant,
}

impl App {
    /// Carries out `work` whole, or, when it fails, not at all.
    pub fn act<T>(&self, caller: &Caller, work: impl FnOnce(&mut Act) -> Result<T, Error>) -> Result<T, Error> {
        self.store.write(|unit| work(&mut self.act_on(unit, caller)))
    }

    /// Tells what `work` would do, by doing it and taking it back.
    pub fn rehearse<T>(&self, caller: &Caller, work: impl FnOnce(&mut Act) -> Result<T, Error>) -> Result<T, Error> {
        self.store.rehearse(|unit| work(&mut self.act_on(unit, caller)))
    }

    pub fn look<T>(&self, caller: &Caller, work: impl FnOnce(&mut Look) -> Result<T, Error>) -> Result<T, Error> {
        self.store.read(|unit| work(&mut Look { unit, caller, now: self.clock.now() }))
    }

    /// What the index found, or else what a look finds.
    fn known_or_look<T>(
        &self,
        caller: &Caller,
        remembered: Option<Remembered<T>>,
        work: impl FnOnce(&mut Look) -> Result<T, Error>,
    ) -> Result<Known<T>, Error> {
        match remembered {
            Some(remembered) => Ok(remembered.into()),
            None => self.look(caller, work).map(|found| Known { found, seen: None }),
        }
    }

    fn act_on<'a>(&'a self, unit: &'a mut dyn Unit, caller: &'a Caller) -> Act<'a> {
        Act { unit, chance: &*self.chance, caller, job: None, clock: &*self.clock }
    }
}

impl Act<'_> {
    /// The state as this act has it, looked at.
    pub fn looking(&mut self, now: Instant) -> Look<'_> {
        Look { unit: self.unit, caller: self.caller, now }
    }

    /// The instant of this change. Ask once, and after [`Unit::lock`]: then the instants of one user's history follow
    /// the order in which they are written, also when two calls wait for each other.
    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    /// An entry of this change, by hand and without a deadline unless the caller says otherwise.
    pub(crate) fn entry(&self, user: UserId, segment: SegmentRef, operation: Operation, at: Instant) -> Entry {
        Entry {
            user,
            segment,
            operation,
            at,
            since: None,
            expires_at: None,
            source: Source::Manual,
            actor: self.caller.actor().clone(),
            reason: None,
            job: self.job,
        }
    }
}
