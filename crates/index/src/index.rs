//! The index: one state that many ask, replaced and changed by those who follow the store.

use std::{
    mem,
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant as Moment},
};

use domain::{Instant, Slug, UserId, algebra::Expression};
use usecases::{
    algebra::{Overlap, SharedMembers, SharedPairs},
    changes::{Commit, Seen, Told},
    ports::{self, Remembered, Totals, UserSet},
};

use crate::{
    sets::{self, Question, Set},
    state::State,
};

/// How many changed users there may be beside the rows: so many, or this part of all, whichever is more.
const CHANGED_MIN: usize = 5_000;
const CHANGED_PART: usize = 50;
/// More changes than this are not carried out while others wait, nor this many more that were heard while a state was made.
/// Few in tests, so that they come by it.
const AT_ONCE_MAX: usize = if cfg!(test) { 3 } else { 20_000 };
const HEARD_AT_ONCE_MAX: usize = if cfg!(test) { 2 } else { 2_000 };

/// With more changes kept for it than this, making a state takes no more rests.
const KEPT_MAX: usize = 20_000;

/// Hardly anybody is in more segments.
const USUAL_SLUGS: usize = 32;

pub struct Index {
    kept: RwLock<Kept>,
    /// How long it answers without having heard from the store.
    patience: Duration,
    is_loaded: AtomicBool,
}

#[derive(Default)]
struct Kept {
    state: Option<State>,
    /// When the store was last heard of.
    heard_at: Option<Moment>,
    /// What is heard while other states are made out of this one: one packed, one with many changes.
    meanwhile: Vec<Meanwhile>,
    /// How many states were begun to be made.
    begun: u64,
}

struct Meanwhile {
    /// Of the state that is being made.
    number: u64,
    /// In its order.
    heard: Vec<Arc<Heard>>,
}

enum Heard {
    /// A transaction of this process, which is committed.
    Committed(Commit),
    Told(Told),
    /// All that was told up to there.
    UpTo(Seen),
}

impl Heard {
    fn be_taken_by(&self, state: &mut State) {
        match self {
            Heard::Committed(commit) => state.learn(commit),
            Heard::Told(told) => state.apply(told),
            Heard::UpTo(seen) => state.follow(seen.clone()),
        }
    }

    /// How many changes it takes.
    fn amount(&self) -> usize {
        match self {
            Heard::Committed(Commit { told: Some(told), .. }) | Heard::Told(told) => told.changes.len(),
            Heard::Committed(_) | Heard::UpTo(_) => 1,
        }
    }
}

/// A state out of which another one is made, while this one goes on.
pub(crate) struct Begun {
    number: u64,
    state: State,
}

impl Begun {
    pub(crate) fn packed_at(self, now: Instant, mut pause: impl FnMut()) -> Begun {
        let asked_for = self.state.packed.asked_for();
        let state = self.state.packed_at(now, &mut pause);
        state.packed.prepare(&asked_for, pause);
        Begun { state, ..self }
    }
}

impl Kept {
    /// Keeps it for the states that are being made.
    fn keep(&mut self, heard: &[Arc<Heard>]) {
        self.meanwhile.iter_mut().for_each(|meanwhile| meanwhile.heard.extend_from_slice(heard));
    }
}

impl Index {
    /// Knows nothing yet.
    pub fn new(patience: Duration) -> Index {
        Index { kept: RwLock::default(), patience, is_loaded: AtomicBool::new(false) }
    }

    /// What was loaded. It answers once it heard what was told meanwhile.
    pub(crate) fn put(&self, state: State) {
        self.clear();
        self.write().state = Some(state);
    }

    /// Answers nothing until another state is put; those that are being made are worth nothing.
    pub(crate) fn clear(&self) {
        let mut kept = self.write();
        kept.heard_at = None;
        kept.meanwhile.clear();
        kept.state = None;
    }

    /// What a transaction of this process told, which is committed.
    pub fn learn(&self, commit: &Commit) {
        let mut kept = self.write();
        if let Some(state) = &mut kept.state {
            state.learn(commit);
        }
        if !kept.meanwhile.is_empty() {
            kept.keep(&[Arc::new(Heard::Committed(commit.clone()))]);
        }
    }

    pub(crate) fn seen_by_following(&self) -> Option<Seen> {
        self.read().state.as_ref().map(|state| state.seen.clone())
    }

    /// Takes in all that was told up to there, as the store said it after `heard_at`.
    pub(crate) fn follow(&self, told: Vec<Told>, seen: Seen, heard_at: Moment) {
        let heard: Vec<Arc<Heard>> =
            told.into_iter().map(Heard::Told).chain([Heard::UpTo(seen)]).map(Arc::new).collect();
        if amount(&heard) > AT_ONCE_MAX {
            if let Some(mut begun) = self.begin() {
                heard.iter().for_each(|heard| heard.be_taken_by(&mut begun.state));
                self.end_with(begun, &heard, Some(heard_at));
            }
        } else {
            let mut kept = self.write();
            if let Some(state) = &mut kept.state {
                heard.iter().for_each(|heard| heard.be_taken_by(state));
            }
            kept.keep(&heard);
            kept.heard_at = Some(heard_at);
        }
        self.is_loaded.store(true, Ordering::Relaxed);
    }

    /// Whether so many users changed that it is time to pack them.
    pub(crate) fn is_full(&self) -> bool {
        let kept = self.read();
        kept.state.as_ref().is_some_and(|state| {
            state.overlay.len() > CHANGED_MIN.max(state.packed.rows.users() as usize / CHANGED_PART)
        })
    }

    /// Whether so much was heard while other states are made that they should be ready soon: it is all kept for them.
    pub(crate) fn is_hurried(&self) -> bool {
        self.read().meanwhile.iter().any(|meanwhile| amount(&meanwhile.heard) > KEPT_MAX)
    }

    /// Packs what changed, while others go on asking, writing and following. `pause` is called all the time.
    pub(crate) fn pack(&self, now: Instant, pause: impl FnMut()) {
        if let Some(begun) = self.begin() {
            self.end(begun.packed_at(now, pause));
        }
    }

    /// The state, to make another one of it.
    pub(crate) fn begin(&self) -> Option<Begun> {
        let mut kept = self.write();
        let state = kept.state.clone()?;
        kept.begun += 1;
        let number = kept.begun;
        kept.meanwhile.push(Meanwhile { number, heard: Vec::new() });
        Some(Begun { number, state })
    }

    /// Puts the state that was made in place of the one that there is, with what was heard meanwhile.
    pub(crate) fn end(&self, begun: Begun) {
        self.end_with(begun, &[], None);
    }

    /// Nobody works any more on what was begun.
    pub(crate) fn give_up(&self) {
        self.write().meanwhile.clear();
    }

    /// With what this state was told that others were not yet, and when that was.
    fn end_with(&self, Begun { number, mut state }: Begun, told: &[Arc<Heard>], heard_at: Option<Moment>) {
        loop {
            let mut kept = self.write();
            let Some(place) = kept.meanwhile.iter().position(|meanwhile| meanwhile.number == number) else { return };
            let heard = mem::take(&mut kept.meanwhile[place].heard);
            // Much of it is not taken in while others wait.
            if amount(&heard) > HEARD_AT_ONCE_MAX {
                drop(kept);
                heard.iter().for_each(|heard| heard.be_taken_by(&mut state));
                continue;
            }
            heard.iter().for_each(|heard| heard.be_taken_by(&mut state));
            kept.meanwhile.swap_remove(place);
            kept.keep(told);
            kept.heard_at = heard_at.or(kept.heard_at);
            let before = kept.state.replace(state);
            drop(kept);
            // It is large, and nobody has to wait for its end.
            return drop(before);
        }
    }

    /// One state, at leisure.
    pub(crate) fn state(&self) -> Option<State> {
        self.certain(&self.read()).cloned()
    }

    /// The state, where it has all that this process committed, and heard of the store just now.
    fn certain<'k>(&self, kept: &'k Kept) -> Option<&'k State> {
        let is_fresh = kept.heard_at.is_some_and(|at| at.elapsed() <= self.patience);
        kept.state.as_ref().filter(|state| is_fresh && state.awaited.is_empty())
    }

    fn read(&self) -> RwLockReadGuard<'_, Kept> {
        self.kept.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Kept> {
        self.kept.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn amount(heard: &[Arc<Heard>]) -> usize {
    heard.iter().map(|heard| heard.amount()).sum()
}

impl ports::Index for Index {
    fn active(&self, users: &[UserId], at: Instant, take: &mut dyn FnMut(&UserId, &[&Slug])) -> Option<Seen> {
        let kept = self.read();
        let state = self.certain(&kept)?;
        let mut slugs = Vec::with_capacity(USUAL_SLUGS);
        for user in users {
            state.active(user.as_str(), at.timestamp_micros(), &mut slugs)?;
            take(user, &slugs);
        }
        Some(state.has())
    }

    fn is_member(&self, user: &UserId, slug: &Slug, at: Instant) -> Option<Remembered<bool>> {
        let kept = self.read();
        let state = self.certain(&kept)?;
        let segment = state.names.find(slug)?;
        let mut found = false;
        state.live(user.as_str(), at.timestamp_micros(), |one| found |= one == segment);
        Some(Remembered { found, seen: state.has() })
    }

    fn set(&self, expression: &Expression, at: Instant) -> Option<Remembered<Box<dyn UserSet>>> {
        let state = self.state()?;
        let slugs: Vec<Slug> = expression.segments().into_iter().cloned().collect();
        let found = Question::of(&state, &slugs)?.set(expression, at.timestamp_micros());
        Some(Remembered { found: Box::new(found), seen: state.has() })
    }

    fn overlap(&self, slugs: &[Slug], at: Instant) -> Option<Remembered<Overlap>> {
        let state = self.state()?;
        let found = Question::of(&state, slugs)?.overlap(at.timestamp_micros());
        Some(Remembered { found, seen: state.has() })
    }

    fn shared(&self, slug: &Slug, at: Instant) -> Option<Remembered<SharedMembers>> {
        let state = self.state()?;
        let found = sets::shared(&state, state.names.find(slug)?, at.timestamp_micros());
        Some(Remembered { found, seen: state.has() })
    }

    fn shared_pairs(&self, at: Instant, segments_max: usize) -> Option<Remembered<SharedPairs>> {
        let state = self.state()?;
        let found = sets::shared_pairs(&state, at.timestamp_micros(), segments_max);
        Some(Remembered { found, seen: state.has() })
    }

    fn totals(&self, at: Instant, horizons: &[Instant]) -> Option<Remembered<Totals>> {
        let state = self.state()?;
        let horizons: Vec<i64> = horizons.iter().map(Instant::timestamp_micros).collect();
        Some(Remembered { found: sets::totals(&state, at.timestamp_micros(), &horizons), seen: state.has() })
    }

    fn seen(&self) -> Option<Seen> {
        self.read().state.as_ref().map(State::has)
    }

    fn lacks(&self, wanted: &Seen) -> bool {
        self.certain(&self.read()).is_some_and(|state| !state.has().covers(wanted))
    }

    fn is_loaded(&self) -> bool {
        self.is_loaded.load(Ordering::Relaxed)
    }
}

impl UserSet for Set {
    fn count(&self) -> u64 {
        self.count()
    }

    fn page(&self, after: Option<&UserId>, limit: usize) -> Vec<UserId> {
        self.page(after, limit)
    }
}
