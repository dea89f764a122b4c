//! The index: one state that many ask, replaced and changed by those who follow the store.

use std::{
    sync::{
        PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant as Moment},
};

use domain::{Instant, Slug, UserId, algebra::Expression};
use usecases::{
    algebra::{Overlap, SharedMembers},
    changes::{Commit, Seen, Told},
    ports::{self, Remembered, UserSet},
};

use crate::{
    sets::{self, Question, Set},
    state::State,
};

/// How many changed users there may be beside the rows: so many, or this part of all, whichever is more.
const CHANGED_MIN: usize = 20_000;
const CHANGED_PART: usize = 50;
/// More changes than this are not carried out while others wait.
const AT_ONCE_MAX: usize = 20_000;

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
    /// While another state is being made: what this process committed meanwhile.
    learned: Option<Vec<Commit>>,
}

impl Index {
    /// Knows nothing yet.
    pub fn new(patience: Duration) -> Index {
        Index { kept: RwLock::default(), patience, is_loaded: AtomicBool::new(false) }
    }

    /// What was loaded. It answers once it heard what was told meanwhile.
    pub(crate) fn put(&self, state: State) {
        let mut kept = self.write();
        kept.heard_at = None;
        kept.state = Some(state);
    }

    /// Answers nothing until another state is put.
    pub(crate) fn clear(&self) {
        self.write().state = None;
    }

    /// What a transaction of this process told, which is committed.
    pub fn learn(&self, commit: &Commit) {
        let mut kept = self.write();
        if let Some(learned) = &mut kept.learned {
            learned.push(commit.clone());
        }
        if let Some(state) = &mut kept.state {
            state.learn(commit);
        }
    }

    pub(crate) fn seen_by_following(&self) -> Option<Seen> {
        self.read().state.as_ref().map(|state| state.seen.clone())
    }

    /// Takes in all that was told up to there, as the store said it after `heard_at`.
    pub(crate) fn follow(&self, told: &[Told], seen: Seen, heard_at: Moment, now: Instant) {
        let amount: usize = told.iter().map(|told| told.changes.len()).sum();
        let take = |state: &mut State| {
            told.iter().for_each(|told| state.apply(told));
            state.follow(seen);
        };
        if amount > AT_ONCE_MAX {
            self.replace(|mut state| {
                take(&mut state);
                state.packed_at(now)
            });
            self.write().heard_at = Some(heard_at);
        } else {
            let mut kept = self.write();
            kept.heard_at = Some(heard_at);
            let Some(state) = &mut kept.state else { return };
            take(state);
            let is_full = state.overlay.len() > CHANGED_MIN.max(state.packed.rows.users() as usize / CHANGED_PART);
            drop(kept);
            if is_full {
                self.pack(now);
            }
        }
        self.is_loaded.store(true, Ordering::Relaxed);
    }

    /// Packs what changed, while others go on asking and writing.
    pub(crate) fn pack(&self, now: Instant) {
        self.replace(|state| state.packed_at(now));
    }

    fn replace(&self, make: impl FnOnce(State) -> State) {
        let before = {
            let mut kept = self.write();
            let Some(state) = kept.state.clone() else { return };
            kept.learned = Some(Vec::new());
            state
        };
        let asked_for = before.packed.asked_for();
        let mut state = make(before);
        state.packed.members(&asked_for);
        let mut kept = self.write();
        for commit in kept.learned.take().into_iter().flatten() {
            state.learn(&commit);
        }
        kept.state = Some(state);
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

impl ports::Index for Index {
    fn active(&self, users: &[UserId], at: Instant, take: &mut dyn FnMut(&UserId, &[&Slug])) -> Option<Seen> {
        let kept = self.read();
        let state = self.certain(&kept)?;
        let mut slugs = Vec::new();
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
