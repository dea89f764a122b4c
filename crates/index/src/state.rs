//! One state of all memberships: rows that were packed, what changed since, and which transactions that is.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use domain::{Instant, SegmentId, Slug};
use usecases::changes::{Change, Commit, Seen, Told};

use crate::{
    names::Names,
    overlay::{Changed, Overlay, Pair, Stay},
    packed::Packed,
    rows::{Held, Row, RowsBuilder},
};

/// What began later than this before now is not packed: rows do not say when somebody entered, and the clocks of nodes
/// differ a little.
pub(crate) const PACKED_AFTER_MICROS: i64 = 1_000_000;
/// What is due for longer than this is not packed: nobody will hear of it again.
const DUE_FOR_MICROS: i64 = 3_600_000_000;

/// The number of what was loaded: older than all that is told.
pub(crate) const LOADED: i64 = i64::MIN + 1;

#[derive(Clone)]
pub(crate) struct State {
    pub(crate) packed: Arc<Packed>,
    pub(crate) overlay: Overlay,
    pub(crate) names: Arc<Names>,
    /// Which transactions were heard of by following.
    pub(crate) seen: Seen,
    /// Which were heard of when this process committed them, with the number of what they told.
    own: BTreeMap<u64, i64>,
    /// Which this process committed and did not hear of yet.
    pub(crate) awaited: BTreeSet<u64>,
}

impl State {
    pub(crate) fn new(seen: Seen) -> State {
        State {
            packed: Arc::default(),
            overlay: Overlay::default(),
            names: Arc::default(),
            seen,
            own: BTreeMap::new(),
            awaited: BTreeSet::new(),
        }
    }

    /// Which transactions are known to be committed. There are no answers while some of them are awaited.
    pub(crate) fn has(&self) -> Seen {
        Seen { ahead: self.own.keys().chain(&self.awaited).copied().collect(), ..self.seen.clone() }
    }

    pub(crate) fn apply(&mut self, told: &Told) {
        let number = told.number;
        for change in &told.changes {
            match change {
                Change::Entered { user, segment, since, expires_at } => {
                    let stay = Stay { since: since.timestamp_micros(), began: number, until: micros(*expires_at) };
                    let segment = self.ordinal(*segment);
                    self.overlay.change(user.as_str(), segment, number, |_| Some(stay));
                }
                Change::Extended { user, segment, expires_at } => {
                    let until = micros(*expires_at);
                    let segment = self.ordinal(*segment);
                    self.overlay.change(user.as_str(), segment, number, |before| {
                        Some(Stay { until, ..before.unwrap_or(Stay::LONG_AGO) })
                    });
                }
                Change::Left { user, segment } => {
                    let segment = self.ordinal(*segment);
                    self.overlay.change(user.as_str(), segment, number, |_| None);
                }
                Change::Emptied { segment } => {
                    let segment = self.ordinal(*segment);
                    self.overlay.empty(segment, number);
                }
                Change::Named { segment, slug } => drop(self.name(*segment, Some(slug), number)),
                Change::Deleted { segment } => drop(self.name(*segment, None, number)),
                Change::Born { user } => self.overlay.set_alive(user.as_str(), number, true),
                Change::Died { user } => self.die(user.as_str(), number),
            }
        }
    }

    /// A user is no more, and in nothing: nobody tells of a stay whose deadline came before.
    fn die(&mut self, user: &str, number: i64) {
        let mut segments = Vec::new();
        let row = self.packed.rows.find(user).map(|(_, row)| row);
        self.overlay.stays(self.overlay.user(user), row.into_iter().flatten(), |segment, _| segments.push(segment));
        for segment in segments {
            self.overlay.change(user, segment, number, |_| None);
        }
        self.overlay.set_alive(user, number, false);
    }

    /// The segment's ordinal, which is called so from now on, or is no more.
    pub(crate) fn name(&mut self, segment: SegmentId, slug: Option<&Slug>, number: i64) -> u32 {
        let names = Arc::make_mut(&mut self.names);
        names.name(segment, slug, number);
        names.ordinal(segment)
    }

    fn ordinal(&mut self, segment: SegmentId) -> u32 {
        match self.names.ordinal_of(segment) {
            Some(ordinal) => ordinal,
            None => Arc::make_mut(&mut self.names).ordinal(segment),
        }
    }

    /// What this process committed itself.
    pub(crate) fn learn(&mut self, commit: &Commit) {
        if self.seen.has(commit.transaction) {
            return;
        }
        match &commit.told {
            Some(told) => {
                self.apply(told);
                self.own.insert(commit.transaction, told.number);
            }
            None => {
                self.awaited.insert(commit.transaction);
            }
        }
    }

    /// All that was told up to there was applied.
    pub(crate) fn follow(&mut self, seen: Seen) {
        self.own.retain(|transaction, _| !seen.has(*transaction));
        self.awaited.retain(|transaction| !seen.has(*transaction));
        self.seen = seen;
    }

    /// What a user is in at an instant, by ordinal of segment.
    pub(crate) fn live(&self, user: &str, at: i64, mut take: impl FnMut(u32)) {
        let row = self.packed.rows.find(user).map(|(_, row)| row);
        self.overlay.stays(self.overlay.user(user), row.into_iter().flatten(), |segment, stay| {
            if stay.is_live_at(at) {
                take(segment);
            }
        });
    }

    /// Puts the slugs of the segments that a user is in there, sorted, in place of what it had; nothing when one of them is
    /// not heard of yet.
    pub(crate) fn active<'s>(&'s self, user: &str, at: i64, slugs: &mut Vec<&'s Slug>) -> Option<()> {
        slugs.clear();
        let mut is_sure = true;
        self.live(user, at, |segment| match self.names.slug(segment) {
            Some(slug) => slugs.push(slug),
            None => is_sure &= !self.names.is_unheard_of(segment),
        });
        slugs.sort_unstable();
        is_sure.then_some(())
    }

    /// The same with all of it packed that is settled: heard of by following, and begun long enough ago. `pause` is called
    /// for each user.
    pub(crate) fn packed_at(&self, now: Instant, mut pause: impl FnMut()) -> State {
        let now = now.timestamp_micros();
        let ahead: BTreeSet<i64> = self.own.values().copied().collect();
        let mut packing = Packing {
            names: &self.names,
            ahead: &ahead,
            now,
            builder: RowsBuilder::default(),
            left: Overlay::default(),
            row: Vec::new(),
        };
        let mut changed: Vec<(&str, &Changed)> = self.overlay.users().collect();
        changed.sort_unstable_by_key(|(user, _)| *user);
        let mut changed = changed.into_iter().peekable();
        self.packed.rows.for_each(|_, user, row| {
            pause();
            while let Some((new, changed)) = changed.next_if(|(new, _)| new.as_bytes() < user) {
                pause();
                packing.take(new, &self.overlay, Some(changed), None);
            }
            let changed = changed.next_if(|(same, _)| same.as_bytes() == user).map(|(_, changed)| changed);
            let user = std::str::from_utf8(user).expect("ids were texts when they were packed");
            packing.take(user, &self.overlay, changed, Some(row));
        });
        for (new, changed) in changed {
            pause();
            packing.take(new, &self.overlay, Some(changed), None);
        }
        let Packing { builder, mut left, .. } = packing;
        left.emptied.extend(self.overlay.emptied.iter().filter(|(_, number)| ahead.contains(number)));
        State { packed: Arc::new(Packed::new(builder.build())), overlay: left, ..self.clone() }
    }
}

struct Packing<'a> {
    names: &'a Names,
    /// The numbers of what is not settled yet.
    ahead: &'a BTreeSet<i64>,
    now: i64,
    builder: RowsBuilder,
    left: Overlay,
    row: Vec<Held>,
}

impl Packing<'_> {
    fn take(&mut self, user: &str, overlay: &Overlay, changed: Option<&Changed>, row: Option<Row<'_>>) {
        let was_packed = row.is_some();
        self.row.clear();
        // What is not settled stays beside the rows, and not in them.
        let mut left = Changed::default();
        if let Some(changed) = changed {
            let is_left = |pair: &&Pair| {
                let is_new = pair.stay.is_some_and(|stay| stay.since > self.now - PACKED_AFTER_MICROS);
                is_new || self.ahead.contains(&pair.number)
            };
            left.pairs = changed.pairs.iter().filter(is_left).copied().collect();
            left.is_alive = changed.is_alive.filter(|(number, _)| self.ahead.contains(number));
        }
        let kept = |segment: u32, stay: Stay| {
            let is_left = left.pairs.binary_search_by_key(&segment, |pair| pair.segment).is_ok();
            let is_over = stay.until.is_some_and(|until| until < self.now - DUE_FOR_MICROS);
            let is_kept = !is_left && !is_over && !self.names.is_deleted(segment);
            is_kept.then_some(Held { segment, until: stay.until })
        };
        let held = &mut self.row;
        overlay.stays(changed, row.into_iter().flatten(), |segment, stay| held.extend(kept(segment, stay)));
        // Whether somebody is known who is in nothing, is known by being among the rows.
        let is_alive = changed.and_then(|changed| changed.is_alive).map_or(was_packed, |(_, is_alive)| is_alive);
        if is_alive || !self.row.is_empty() {
            self.builder.push(user, &self.row).expect("there are fewer users than 32 bits count");
        }
        if left != Changed::default() {
            self.left.insert(user, left);
        }
    }
}

fn micros(at: Option<Instant>) -> Option<i64> {
    at.map(|at| at.timestamp_micros())
}

#[cfg(test)]
mod tests {
    use testkit::{slug, user};

    use super::*;

    fn told(number: i64, changes: impl IntoIterator<Item = Change>) -> Told {
        Told { number, transaction: number.cast_unsigned(), changes: changes.into_iter().collect() }
    }

    fn entered(who: &str, minute: i64) -> Change {
        let since = Instant::from_timestamp_micros(minute * 60_000_000).unwrap();
        Change::Entered { user: user(who), segment: SegmentId(1), since, expires_at: None }
    }

    fn active(state: &State, who: &str) -> Option<Vec<Slug>> {
        let mut slugs = Vec::new();
        state.active(who, 600_000_000, &mut slugs)?;
        Some(slugs.into_iter().cloned().collect())
    }

    fn members(state: &State) -> Vec<&'static str> {
        ["a", "b", "c"].into_iter().filter(|who| active(state, who) == Some(vec![slug("A")])).collect()
    }

    /// `a` is packed, `b` has changed since.
    fn state() -> State {
        let mut state = State::new(Seen::before(1));
        state.apply(&told(1, [Change::Named { segment: SegmentId(1), slug: slug("A") }, entered("a", 1)]));
        let mut state = state.packed_at(Instant::from_timestamp_micros(600_000_000).unwrap(), || ());
        assert!(state.overlay.user("a").is_none());
        state.apply(&told(2, [entered("b", 1)]));
        state
    }

    #[test]
    fn whoever_was_in_an_emptied_segment_left_it() {
        let mut state = state();
        assert_eq!(members(&state), ["a", "b"]);
        let emptied = told(4, [Change::Emptied { segment: SegmentId(1) }, entered("c", 2)]);
        state.apply(&emptied);
        assert_eq!(members(&state), ["c"]);
        // Heard again, and what was told before it heard after it.
        state.apply(&emptied);
        state.apply(&told(3, [entered("b", 2)]));
        assert_eq!(members(&state), ["c"]);
        assert_eq!(members(&state.packed_at(Instant::from_timestamp_micros(600_000_000).unwrap(), || ())), ["c"]);
    }

    #[test]
    fn who_is_heard_to_stay_before_to_enter_is_not_in_before() {
        let mut state = state();
        let until = Instant::from_timestamp_micros(900_000_000);
        state.apply(&told(4, [Change::Extended { user: user("c"), segment: SegmentId(1), expires_at: until }]));
        state.apply(&told(3, [entered("c", 11)]));
        assert_eq!(members(&state), ["a", "b"]);
        let mut slugs = Vec::new();
        let mut is_in_at = |minute: i64| {
            state.active("c", minute * 60_000_000, &mut slugs).unwrap();
            !slugs.is_empty()
        };
        assert_eq!([10, 11, 14, 15].map(&mut is_in_at), [false, true, true, false]);
        // An earlier stay, heard of later still, changes nothing.
        let mut state = self::state();
        state.apply(&told(4, [entered("c", 9)]));
        state.apply(&told(3, [entered("c", 11)]));
        assert_eq!(members(&state), ["a", "b", "c"]);
    }

    #[test]
    fn what_is_not_heard_of_leaves_the_answer_to_the_store() {
        let mut state = state();
        state.apply(&told(3, [Change::Left { user: user("a"), segment: SegmentId(9) }]));
        assert_eq!(active(&state, "a"), Some(vec![slug("A")]));
        let since = Instant::from_timestamp_micros(0).unwrap();
        let unnamed = Change::Entered { user: user("a"), segment: SegmentId(9), since, expires_at: None };
        state.apply(&told(4, [unnamed]));
        assert_eq!(active(&state, "a"), None);
        state.apply(&told(5, [Change::Named { segment: SegmentId(9), slug: slug("Z") }]));
        assert_eq!(active(&state, "a"), Some(vec![slug("A"), slug("Z")]));
    }

    #[test]
    fn who_is_no_more_is_not_packed_though_a_deadline_came_just_before() {
        let due = |who: &str| Change::Entered {
            user: user(who),
            segment: SegmentId(1),
            since: Instant::from_timestamp_micros(60_000_000).unwrap(),
            expires_at: Instant::from_timestamp_micros(540_000_000),
        };
        let died = |who: &str| Change::Died { user: user(who) };
        let now = Instant::from_timestamp_micros(600_000_000).unwrap();
        let users = |state: &State| state.packed_at(now, || ()).packed.rows.users();
        let mut state = state();
        assert_eq!(users(&state), 2);
        state.apply(&told(3, [due("a"), due("b")]));
        // One who is packed, one who is not, and one of whom the end is heard first.
        let mut state = state.packed_at(now, || ());
        state.apply(&told(4, [due("c")]));
        assert_eq!(users(&state), 3);
        state.apply(&told(6, ["a", "b", "c", "d"].map(died)));
        state.apply(&told(5, [due("d")]));
        assert_eq!(users(&state), 0);
        assert_eq!(active(&state, "a"), Some(vec![]));
    }

    #[test]
    fn what_is_over_for_long_is_not_packed() {
        let mut state = state();
        let due = Instant::from_timestamp_micros(60_000_000);
        state.apply(&told(3, [Change::Extended { user: user("b"), segment: SegmentId(1), expires_at: due }]));
        let later = |hours: i64| Instant::from_timestamp_micros(hours * DUE_FOR_MICROS).unwrap();
        assert_eq!(state.packed_at(later(1), || ()).packed.rows.memberships(), 2);
        assert_eq!(state.packed_at(later(2), || ()).packed.rows.memberships(), 1);
    }
}
