//! Following: a thread that loads the index and then hears what every transaction tells, of this process or another.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant as Moment},
};

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
/// Packing takes no processor for long: it works for so long, and rests for so long.
const PACK_FOR: Duration = Duration::from_millis(1);
const PACK_REST: Duration = Duration::from_millis(4);

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
    let mut follower = Follower { index, app, file, stopped, packing: None, is_ending: Arc::default() };
    let thread = thread::Builder::new().name("index".to_owned()).spawn(move || follower.run())?;
    Ok(Following { stop: Some(stop), thread: Some(thread) })
}

struct Follower {
    index: Arc<Index>,
    app: Arc<App>,
    file: Option<PathBuf>,
    stopped: mpsc::Receiver<()>,
    packing: Option<JoinHandle<()>>,
    /// The packing under way is to rest no more.
    is_ending: Arc<AtomicBool>,
}

impl Follower {
    fn run(&mut self) {
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
            let is_due = self.file.is_some() && saved_at.elapsed() >= SAVE_EVERY;
            if is_due || self.index.is_full() {
                let begins = self.pack(is_due);
                if is_due && begins {
                    saved_at = Moment::now();
                }
            }
            if self.stopped.recv_timeout(rest) != Err(RecvTimeoutError::Timeout) {
                return self.end();
            }
        }
    }

    /// Packs, and writes the snapshot file if that is due, while it goes on following. False when it cannot, or does so already.
    fn pack(&mut self, is_due: bool) -> bool {
        if self.packing.as_ref().is_some_and(|packing| !packing.is_finished()) {
            return false;
        }
        self.join_packing();
        let (index, app, is_ending) = (Arc::clone(&self.index), Arc::clone(&self.app), Arc::clone(&self.is_ending));
        let file = self.file.clone().filter(|_| is_due);
        let pack = move || {
            let mut since = Moment::now();
            index.pack(app.clock.now(), || {
                if since.elapsed() >= PACK_FOR {
                    if !is_ending.load(Ordering::Relaxed) && !index.is_hurried() {
                        thread::sleep(PACK_REST);
                    }
                    since = Moment::now();
                }
            });
            if let Some(file) = file.filter(|_| !is_ending.load(Ordering::Relaxed)) {
                save(&index, &app, &file);
            }
        };
        match thread::Builder::new().name("index packing".to_owned()).spawn(pack) {
            Ok(packing) => {
                self.packing = Some(packing);
                true
            }
            Err(error) => {
                log::warn!("index: it cannot be packed: {error}");
                false
            }
        }
    }

    fn join_packing(&mut self) {
        if let Some(packing) = self.packing.take()
            && packing.join().is_err()
        {
            log::error!("index: packing ended badly");
            self.index.give_up();
        }
    }

    fn end(&mut self) {
        self.is_ending.store(true, Ordering::Relaxed);
        self.join_packing();
        if let Some(file) = &self.file {
            self.index.pack(self.app.clock.now(), || ());
            save(&self.index, &self.app, file);
        }
    }

    /// Loads, or hears what was told since.
    fn step(&self) -> Result<(), StoreError> {
        let store = &*self.app.store;
        match self.index.seen_by_following() {
            Some(seen) => hear(&self.index, store, &seen),
            None => {
                let begun = Moment::now();
                let from_file = self.file.as_deref().and_then(|file| files::read(file, store));
                let origin = if from_file.is_some() { "the snapshot file" } else { "the store" };
                let state = from_file.map_or_else(|| loading::load(store, self.app.clock.now()), Ok)?;
                let (rows, seen) = (&state.packed.rows, state.seen.clone());
                let (users, memberships, kib) = (rows.users(), rows.memberships(), rows.bytes() / 1024);
                self.index.put(state);
                // What was committed meanwhile.
                hear(&self.index, store, &seen)?;
                let ms = begun.elapsed().as_millis();
                log::info!("index: {memberships} memberships of {users} users in {kib} KiB, from {origin} in {ms} ms");
                Ok(())
            }
        }
    }
}

/// Writes the snapshot file, unless the index is not sure of itself.
fn save(index: &Index, app: &App, file: &Path) {
    if let Some(state) = index.state()
        && let Err(error) = files::write(file, &state, &*app.store)
    {
        log::warn!("index: `{}` cannot be written: {error}", file.display());
    }
}

/// Takes in what was told since. When a part of it is forgotten, everything has to be loaded anew.
pub(crate) fn hear(index: &Index, store: &dyn Store, seen: &Seen) -> Result<(), StoreError> {
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
        Some(seen) => index.follow(told, seen, heard_at),
        None => {
            log::warn!("index: it is too far behind, and is loaded anew");
            index.clear();
        }
    }
    Ok(())
}
