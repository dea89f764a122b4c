//! Following: a thread that loads the index and then hears what every transaction tells, of this process or another.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        mpsc::{self, RecvTimeoutError},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant as Moment},
};

use domain::Instant;
use usecases::{
    App,
    changes::{self, Seen, Told},
    ports::{Store, StoreError},
};

use crate::{files, index::Index, loading};

/// How often it is asked for what was told.
const ASK_EVERY: Duration = Duration::from_millis(50);
/// How long it rests after the store failed.
const REST: Duration = Duration::from_millis(500);
/// More changes at once are not heard one by one: then everything is loaded anew.
const CHANGES_MAX: usize = 2_000_000;
/// How often the snapshot file is written anew.
const SAVE_EVERY: Duration = Duration::from_secs(15 * 60);

/// Ends the following when it is dropped.
pub struct Following {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Following {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            log::error!("index: it ended badly");
        }
    }
}

/// Begins to follow the store of `app`. With a `file` the index begins where it ended last, and leaves what it has there.
pub fn follow(index: Arc<Index>, app: Arc<App>, file: Option<PathBuf>) -> std::io::Result<Following> {
    let (stop, stopped) = mpsc::channel();
    let follower = Follower { index, app, file, stopped };
    let thread = thread::Builder::new().name("index".to_owned()).spawn(move || follower.run())?;
    Ok(Following { stop: Some(stop), thread: Some(thread) })
}

struct Follower {
    index: Arc<Index>,
    app: Arc<App>,
    file: Option<PathBuf>,
    stopped: mpsc::Receiver<()>,
}

impl Follower {
    fn run(&self) {
        let mut saved_at = Moment::now();
        let mut has_failed = false;
        loop {
            let rest = match self.step() {
                Ok(()) => {
                    has_failed = false;
                    ASK_EVERY
                }
                Err(error) => {
                    if !has_failed {
                        log::warn!("index: the store answers in its place: {error}");
                    }
                    has_failed = true;
                    REST
                }
            };
            if self.stopped.recv_timeout(rest) != Err(RecvTimeoutError::Timeout) {
                return self.save();
            }
            if saved_at.elapsed() >= SAVE_EVERY {
                self.save();
                saved_at = Moment::now();
            }
        }
    }

    /// Loads, or hears what was told since.
    fn step(&self) -> Result<(), StoreError> {
        let store = &*self.app.store;
        let now = self.app.clock.now();
        match self.index.seen_by_following() {
            Some(seen) => hear(&self.index, store, &seen, now),
            None => {
                let begun = Moment::now();
                let from_file = self.file.as_deref().and_then(|file| files::read(file, store));
                let origin = if from_file.is_some() { "the snapshot file" } else { "the store" };
                let state = from_file.map_or_else(|| loading::load(store, now), Ok)?;
                let (rows, seen) = (&state.packed.rows, state.seen.clone());
                let (users, memberships, kib) = (rows.users(), rows.memberships(), rows.bytes() / 1024);
                self.index.put(state);
                // What was committed meanwhile.
                hear(&self.index, store, &seen, self.app.clock.now())?;
                let ms = begun.elapsed().as_millis();
                log::info!("index: {memberships} memberships of {users} users in {kib} KiB, from {origin} in {ms} ms");
                Ok(())
            }
        }
    }

    fn save(&self) {
        let Some(file) = &self.file else { return };
        self.index.pack(self.app.clock.now());
        if let Some(state) = self.index.state()
            && let Err(error) = files::write(file, &state, &*self.app.store)
        {
            log::warn!("index: `{}` cannot be written: {error}", file.display());
        }
    }
}

/// Takes in what was told since. When a part of it is forgotten, everything has to be loaded anew.
pub(crate) fn hear(index: &Index, store: &dyn Store, seen: &Seen, now: Instant) -> Result<(), StoreError> {
    let (mut told, mut amount) = (Vec::new(), 0);
    let heard_at = Moment::now();
    let heard = store.read(|unit| {
        changes::since(unit, seen, &mut |portion: Told| {
            amount += portion.changes.len();
            if amount <= CHANGES_MAX {
                told.push(portion);
            }
        })
    })?;
    match heard.filter(|_| amount <= CHANGES_MAX) {
        Some(seen) => index.follow(&told, seen, heard_at, now),
        None => {
            log::warn!("index: it is too far behind, and is loaded anew");
            index.clear();
        }
    }
    Ok(())
}
