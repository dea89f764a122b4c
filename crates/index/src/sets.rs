//! Sets of users out of one state: those who are in the rows as a bitmap, and those of whom something changed beside it.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use domain::{Slug, UserId, algebra::Expression};
use roaring::RoaringBitmap;
use usecases::{
    algebra::{Overlap, SharedMembers, SharedPairs},
    ports::Totals,
};

use crate::{
    members::{Members, evaluate},
    packed::Packed,
    state::State,
};

/// Segments of one state that are asked about.
pub(crate) struct Question<'s> {
    state: &'s State,
    slugs: &'s [Slug],
    ordinals: Vec<u32>,
}

/// A set of users.
pub(crate) struct Set {
    packed: Arc<Packed>,
    /// By ordinal.
    rows: RoaringBitmap,
    /// Of whom something changed, sorted.
    changed: Vec<Box<str>>,
}

impl<'s> Question<'s> {
    /// Nothing when one of the segments was not heard of.
    pub(crate) fn of(state: &'s State, slugs: &'s [Slug]) -> Option<Question<'s>> {
        let ordinals = slugs.iter().map(|slug| state.names.find(slug)).collect::<Option<Vec<u32>>>()?;
        Some(Question { state, slugs, ordinals })
    }

    /// Who is in each of the segments: as bitmaps, without those of whom something changed, and these with the places of
    /// their segments as bits, everybody who is alive.
    fn parts(&self, at: i64) -> (Vec<RoaringBitmap>, Vec<(&'s str, u64)>, RoaringBitmap) {
        let Question { state, ordinals, .. } = self;
        let mut changed = Vec::with_capacity(state.overlay.len());
        let mut replaced = RoaringBitmap::new();
        for (user, one) in state.overlay.users() {
            let row = state.packed.rows.find(user);
            replaced.extend(row.iter().map(|(ordinal, _)| *ordinal));
            let is_alive = one.is_alive.map_or(row.is_some(), |(_, is_alive)| is_alive);
            let mut places = 0;
            let row = row.map(|(_, row)| row);
            state.overlay.stays(Some(one), row.into_iter().flatten(), |segment, stay| {
                let is_asked_about = |place: &usize| ordinals[*place] == segment && stay.is_live_at(at);
                for place in (0..ordinals.len()).filter(is_asked_about) {
                    places |= 1 << place;
                }
            });
            if is_alive || places != 0 {
                changed.push((user, places));
            }
        }
        let is_emptied = |segment: &u32| state.overlay.emptied.contains_key(segment);
        let members = state.packed.members(ordinals);
        let sets = ordinals.iter().zip(&members).map(|(segment, members)| {
            if is_emptied(segment) { RoaringBitmap::new() } else { members.live_at(at) - &replaced }
        });
        (sets.collect(), changed, replaced)
    }

    pub(crate) fn set(&self, expression: &Expression, at: i64) -> Set {
        let (sets, changed, replaced) = self.parts(at);
        let place = |slug: &Slug| self.slugs.iter().position(|one| one == slug);
        let mut of = |slug: &Slug| place(slug).map(|place| sets[place].clone()).unwrap_or_default();
        let rows = evaluate(expression, self.state.packed.rows.users(), &mut of) - replaced;
        let holds =
            |places: u64| expression.holds(&|slug: &Slug| place(slug).is_some_and(|place| places >> place & 1 == 1));
        let mut changed: Vec<Box<str>> =
            changed.into_iter().filter(|(_, places)| holds(*places)).map(|(user, _)| user.into()).collect();
        changed.sort_unstable();
        Set { packed: Arc::clone(&self.state.packed), rows, changed }
    }

    pub(crate) fn overlap(&self, at: i64) -> Overlap {
        let (sets, changed, _) = self.parts(at);
        let mut by_places: BTreeMap<u64, u64> = BTreeMap::new();
        let everybody = sets.iter().fold(RoaringBitmap::new(), |all, set| all | set);
        split(everybody, &sets, 0, &mut by_places);
        for (_, places) in changed.into_iter().filter(|(_, places)| *places != 0) {
            *by_places.entry(places).or_default() += 1;
        }
        Overlap::new(self.slugs.len(), by_places)
    }
}

/// Counts those of whom the places are not decided yet, by who is in the next set and who is not.
fn split(undecided: RoaringBitmap, sets: &[RoaringBitmap], places: u64, by_places: &mut BTreeMap<u64, u64>) {
    if undecided.is_empty() {
        return;
    }
    let Some((last, others)) = sets.split_last() else {
        *by_places.entry(places).or_default() += undecided.len();
        return;
    };
    split(&undecided & last, others, places | 1 << others.len(), by_places);
    split(undecided - last, others, places, by_places);
}

impl Set {
    pub(crate) fn count(&self) -> u64 {
        self.rows.len() + self.changed.len() as u64
    }

    /// At most `limit`, by id, after `after`.
    pub(crate) fn page(&self, after: Option<&UserId>, limit: usize) -> Vec<UserId> {
        let first = after.map_or(0, |after| self.packed.rows.rank(after.as_str()));
        let skipped = after.map_or(0, |after| self.changed.partition_point(|user| **user <= *after.as_str()));
        let mut rows = self.rows.range(first..).map_while(|ordinal| self.packed.rows.user(ordinal)).peekable();
        let mut changed = self.changed[skipped..].iter().peekable();
        let mut page = Vec::new();
        while page.len() < limit {
            let is_changed = match (rows.peek(), changed.peek()) {
                (None, None) => break,
                (Some(row), Some(changed)) => ***changed < **row,
                (row, _) => row.is_none(),
            };
            let next = if is_changed { changed.next().map(ToString::to_string) } else { rows.next() };
            let Some(id) = next else { break };
            page.push(UserId::parse(&id).expect("ids were valid when they were told"));
        }
        page
    }
}

/// How the members of a segment share the others: all users are gone through.
pub(crate) fn shared(state: &State, segment: u32, at: i64) -> SharedMembers {
    let mut counting = Counting { segment, counts: Vec::new(), shared: Vec::new() };
    let mut live: Vec<u32> = Vec::new();
    state.packed.rows.for_each(|_, user, row| {
        if !is_changed(state, user) {
            live.clear();
            let of_row = row.filter(|held| held.is_live_at(at) && !state.overlay.emptied.contains_key(&held.segment));
            live.extend(of_row.map(|held| held.segment));
            counting.take(&live);
        }
    });
    for (user, _) in state.overlay.users() {
        live.clear();
        state.live(user, at, |segment| live.push(segment));
        counting.take(&live);
    }
    let Counting { counts, shared, .. } = counting;
    let user_count = counts.get(segment as usize).copied().unwrap_or(0);
    let others = (0..).zip(counts.into_iter().zip(shared)).filter(|(one, (_, shared))| *one != segment && *shared > 0);
    let named = others.filter_map(|(one, (count, shared))| Some((state.names.slug(one)?.clone(), count, shared)));
    SharedMembers { user_count, others: named.collect() }
}

/// How the largest segments share their members: sizes first, then each two of the largest ones' sets.
pub(crate) fn shared_pairs(state: &State, at: i64, segments_max: usize) -> SharedPairs {
    let mut largest: Vec<(u32, &Slug, u64)> = (0..)
        .zip(counts(state, at))
        .filter(|(_, count)| *count > 0)
        .filter_map(|(segment, count)| Some((segment, state.names.slug(segment)?, count)))
        .collect();
    largest.sort_unstable_by(|(_, a, a_count), (_, b, b_count)| (b_count, a).cmp(&(a_count, b)));
    largest.truncate(segments_max);
    let ordinals: Vec<u32> = largest.iter().map(|(segment, ..)| *segment).collect();
    let places: HashMap<u32, usize> = ordinals.iter().copied().zip(0..).collect();
    // Those of whom something changed are counted one by one, and left out of the sets.
    let mut shared = vec![0_u64; ordinals.len() * ordinals.len()];
    let (mut replaced, mut live) = (RoaringBitmap::new(), Vec::new());
    for (user, _) in state.overlay.users() {
        replaced.extend(state.packed.rows.find(user).map(|(ordinal, _)| ordinal));
        live.clear();
        state.live(user, at, |segment| live.extend(places.get(&segment).copied()));
        for first in &live {
            live.iter().filter(|second| first < second).for_each(|second| shared[first * ordinals.len() + second] += 1);
        }
    }
    // Not those that are kept: so many would take the places of all others.
    let sets = Members::of(&state.packed.rows, &ordinals, || ());
    let sets: Vec<RoaringBitmap> = ordinals
        .iter()
        .zip(sets)
        .map(|(segment, members)| match state.overlay.emptied.contains_key(segment) {
            true => RoaringBitmap::new(),
            false => members.live_at(at) - &replaced,
        })
        .collect();
    let mut pairs = Vec::new();
    for (first, set) in sets.iter().enumerate() {
        for (second, other) in sets.iter().enumerate().skip(first + 1) {
            let count = shared[first * ordinals.len() + second] + set.intersection_len(other);
            pairs.extend((count > 0).then_some((first, second, count)));
        }
    }
    SharedPairs { segments: largest.into_iter().map(|(_, slug, count)| (slug.clone(), count)).collect(), pairs }
}

/// How many members each segment has, by ordinal: every user is gone through.
fn counts(state: &State, at: i64) -> Vec<u64> {
    let mut counts: Vec<u64> = Vec::new();
    let mut take = |segment: u32| {
        let segment = segment as usize;
        if counts.len() <= segment {
            counts.resize(segment + 1, 0);
        }
        counts[segment] += 1;
    };
    state.packed.rows.for_each(|_, user, row| {
        if !is_changed(state, user) {
            let live = row.filter(|held| held.is_live_at(at) && !state.overlay.emptied.contains_key(&held.segment));
            live.for_each(|held| take(held.segment));
        }
    });
    state.overlay.users().for_each(|(user, _)| state.live(user, at, &mut take));
    counts
}

/// Whether what the rows say of a user is not all.
fn is_changed(state: &State, user: &[u8]) -> bool {
    std::str::from_utf8(user).is_ok_and(|user| state.overlay.user(user).is_some())
}

/// Counts all: every user is gone through.
pub(crate) fn totals(state: &State, at: i64, horizons: &[i64]) -> Totals {
    let mut totals = Totals { ending: vec![0; horizons.len()], ..Totals::default() };
    let mut take = |until: Option<i64>| {
        totals.memberships.memberships += 1;
        if let Some(until) = until {
            totals.memberships.with_deadline += 1;
            for (count, horizon) in totals.ending.iter_mut().zip(horizons) {
                *count += u64::from(until < *horizon);
            }
        }
    };
    let mut users = u64::from(state.packed.rows.users());
    state.packed.rows.for_each(|_, user, row| {
        if !is_changed(state, user) {
            let live = row.filter(|held| held.is_live_at(at) && !state.overlay.emptied.contains_key(&held.segment));
            live.for_each(|held| take(held.until));
        }
    });
    for (user, changed) in state.overlay.users() {
        let row = state.packed.rows.find(user).map(|(_, row)| row);
        let was_there = row.is_some();
        let mut is_in = false;
        state.overlay.stays(Some(changed), row.into_iter().flatten(), |_, stay| {
            if stay.is_live_at(at) {
                is_in = true;
                take(stay.until);
            }
        });
        let is_there = is_in || changed.is_alive.map_or(was_there, |(_, is_alive)| is_alive);
        users = users + u64::from(is_there) - u64::from(was_there);
    }
    Totals { users, ..totals }
}

/// How many are in each segment, and how many of them in the one that is asked about, by ordinal.
struct Counting {
    segment: u32,
    counts: Vec<u64>,
    shared: Vec<u64>,
}

impl Counting {
    /// A user's segments.
    fn take(&mut self, live: &[u32]) {
        let is_in = live.contains(&self.segment);
        for one in live {
            let one = *one as usize;
            if self.counts.len() <= one {
                self.counts.resize(one + 1, 0);
                self.shared.resize(one + 1, 0);
            }
            self.counts[one] += 1;
            self.shared[one] += u64::from(is_in);
        }
    }
}
