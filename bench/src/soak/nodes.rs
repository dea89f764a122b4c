//! Nodes on one store: the first is never touched, the second is stopped or killed and comes back.

use std::{
    path::PathBuf,
    sync::{
        Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{
    Failure,
    servers::{Server, Strata},
};

/// What may become of a node, and so what it may answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Untouched,
    Restarted,
}

pub(super) struct Node<'a> {
    pub(super) name: &'static str,
    pub(super) fate: Fate,
    strata: &'a Strata,
    database_url: &'a str,
    /// Where its index is left for its next start.
    index_file: PathBuf,
    base: RwLock<String>,
    server: Mutex<Option<Server>>,
    /// Goes up when it begins to be away and when it is back: it is away while this is odd.
    absences: AtomicU64,
}

/// Which absences of a node there had been when something began.
#[derive(Debug, Clone, Copy)]
pub(super) struct Absences(u64);

impl<'a> Node<'a> {
    pub(super) fn start(
        name: &'static str,
        fate: Fate,
        strata: &'a Strata,
        database_url: &'a str,
        index_file: PathBuf,
    ) -> Result<Node<'a>, Failure> {
        let node = Node {
            name,
            fate,
            strata,
            database_url,
            index_file,
            base: RwLock::default(),
            server: Mutex::default(),
            absences: AtomicU64::new(1),
        };
        node.come_back()?;
        Ok(node)
    }

    pub(super) fn base(&self) -> String {
        self.base.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// None while it is away.
    pub(super) fn process(&self) -> Option<u32> {
        self.server().as_ref().map(Server::id)
    }

    pub(super) fn starts(&self) -> u64 {
        self.absences.load(Ordering::SeqCst).div_ceil(2)
    }

    pub(super) fn absences(&self) -> Absences {
        Absences(self.absences.load(Ordering::SeqCst))
    }

    /// Whether it was away at any time since.
    pub(super) fn was_away_since(&self, Absences(before): Absences) -> bool {
        before % 2 == 1 || self.absences.load(Ordering::SeqCst) != before
    }

    /// By SIGTERM; whoever it still answers is answered.
    pub(super) fn stop(&self) -> Result<(), Failure> {
        self.leave().map_or(Ok(()), Server::stop)
    }

    /// By SIGKILL, as `kill -9`.
    pub(super) fn kill(&self) {
        drop(self.leave());
    }

    fn leave(&self) -> Option<Server> {
        self.absences.fetch_add(1, Ordering::SeqCst);
        self.server().take()
    }

    /// Ends when the node is ready.
    pub(super) fn come_back(&self) -> Result<(), Failure> {
        let file = self.index_file.display().to_string();
        let settings = [("STRATA_INDEX", "on"), ("STRATA_INDEX_FILE", &file)];
        let server = self.strata.serve_apart(self.database_url, &settings)?;
        *self.base.write().unwrap_or_else(PoisonError::into_inner) = server.base.clone();
        *self.server() = Some(server);
        self.absences.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    fn server(&self) -> MutexGuard<'_, Option<Server>> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
