//! A store that fails when a test says so, as if the process had been killed there.

use std::sync::{Arc, Mutex};

use usecases::{
    changes::Commit,
    ports::{Access, Store, StoreError, Unit, Verdict},
};

use crate::MemoryStore;

/// When a unit fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outage {
    /// Nothing of it happens.
    Before,
    /// All of it happens, and nobody hears of it.
    After,
}

/// A memory store whose writing units fail as the test plans; its clones are the same store.
#[derive(Default, Clone)]
pub struct FailingStore {
    store: Arc<MemoryStore>,
    plan: Arc<Mutex<Plan>>,
}

#[derive(Default)]
struct Plan {
    /// How many writing units go well before one fails.
    spared: usize,
    /// How many then fail.
    failing: usize,
    outage: Option<Outage>,
}

impl FailingStore {
    /// Another store with the same in it, which does not fail.
    pub fn copy(&self) -> FailingStore {
        FailingStore { store: Arc::new(self.store.copy()), plan: Arc::default() }
    }

    /// Lets `spared` writing units go well, and then `failing` fail.
    pub fn fail(&self, spared: usize, failing: usize, outage: Outage) {
        *self.plan.lock().unwrap() = Plan { spared, failing, outage: Some(outage) };
    }

    pub fn recover(&self) {
        *self.plan.lock().unwrap() = Plan::default();
    }

    fn next(&self) -> Option<Outage> {
        let mut plan = self.plan.lock().unwrap();
        if plan.spared > 0 {
            plan.spared -= 1;
            return None;
        }
        if plan.failing == 0 {
            return None;
        }
        plan.failing -= 1;
        plan.outage
    }
}

impl Store for FailingStore {
    fn run(
        &self,
        access: Access,
        work: &mut dyn FnMut(&mut dyn Unit) -> Verdict,
    ) -> Result<Option<Commit>, StoreError> {
        let outage = if access == Access::Write { self.next() } else { None };
        let commit = if outage == Some(Outage::Before) { None } else { self.store.run(access, work)? };
        match outage {
            None => Ok(commit),
            Some(outage) => Err(StoreError::Unavailable(format!("a test fails it: {outage:?}").into())),
        }
    }

    fn writers(&self) -> usize {
        self.store.writers()
    }

    fn ready(&self) -> Result<(), StoreError> {
        self.store.ready()
    }
}
