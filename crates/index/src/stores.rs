//! A store whose commits an index hears of before anybody else does.

use std::sync::Arc;

use usecases::{
    changes::Commit,
    ports::{Access, Store, StoreError, Unit, Verdict},
};

use crate::index::Index;

pub struct Indexed<S> {
    pub store: S,
    pub index: Arc<Index>,
}

impl<S: Store> Store for Indexed<S> {
    fn run(
        &self,
        access: Access,
        work: &mut dyn FnMut(&mut dyn Unit) -> Verdict,
    ) -> Result<Option<Commit>, StoreError> {
        let commit = self.store.run(access, work)?;
        if let Some(commit) = &commit {
            self.index.learn(commit);
        }
        Ok(commit)
    }

    fn writers(&self) -> usize {
        self.store.writers()
    }

    fn ready(&self) -> Result<(), StoreError> {
        self.store.ready()
    }
}
