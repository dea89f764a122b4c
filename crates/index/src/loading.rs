//! Everything that is stored, read in one consistent state and packed.

use std::{
    collections::HashMap,
    mem,
    sync::{Arc, mpsc},
    thread,
};

use chrono::TimeDelta;
use domain::{Instant, SegmentId};
use usecases::ports::{SegmentQuery, Store, StoreError, Unit};

use crate::{
    overlay::Stay,
    packed::Packed,
    rows::{Held, RowsBuilder},
    state::{LOADED, PACKED_AFTER_MICROS, State},
};

/// How many are read at once.
const PAGE: usize = 10_000;
/// How many pages are read before somebody takes them in.
const PAGES_WAITING: usize = 4;

pub(crate) fn load(store: &dyn Store, now: Instant) -> Result<State, StoreError> {
    store.read(|unit| read(unit, now - TimeDelta::microseconds(PACKED_AFTER_MICROS)))
}

/// What began after `recent` stays beside the rows. The store is asked for more while another thread takes in what it told.
fn read(unit: &mut dyn Unit, recent: Instant) -> Result<State, StoreError> {
    let mut state = State::new(unit.changes().seen()?);
    let users = users(unit)?;
    let segments = segments(unit, &mut state)?;
    let (told, waiting) = mpsc::sync_channel(PAGES_WAITING);
    let crowd = thread::scope(|scope| {
        let users = &users;
        let taking = scope.spawn(move || {
            let mut crowd = Crowd::of(users);
            waiting.iter().for_each(|page| crowd.take(&page));
            crowd
        });
        for (segment, ordinal) in segments {
            let mut page = Page::of(ordinal);
            unit.memberships().each(segment, recent, &mut |user, since, until| {
                page.push(user, since, until);
                if page.rows.len() >= PAGE {
                    told.send(mem::replace(&mut page, Page::of(ordinal))).unwrap_or_default();
                }
            })?;
            told.send(page).unwrap_or_default();
        }
        drop(told);
        taking.join().map_err(|_| StoreError::Unavailable("memberships could not be taken in".into()))
    })?;
    for (user, segment, stay) in &crowd.beside {
        state.overlay.change(user, *segment, LOADED, |_| Some(*stay));
    }
    state.packed = Arc::new(crowd.pack(&users));
    Ok(state)
}

/// Members of a segment, on their way.
struct Page {
    segment: u32,
    /// Their ids, one behind the other.
    ids: String,
    /// Where each id ends, and when the membership began, unless that was long ago, and ends.
    rows: Vec<(usize, Option<i64>, Option<i64>)>,
}

impl Page {
    fn of(segment: u32) -> Page {
        Page { segment, ids: String::new(), rows: Vec::new() }
    }

    fn push(&mut self, user: &str, since: Option<i64>, until: Option<i64>) {
        self.ids.push_str(user);
        self.rows.push((self.ids.len(), since, until));
    }
}

fn users(unit: &mut dyn Unit) -> Result<Vec<Box<str>>, StoreError> {
    let mut users: Vec<Box<str>> = Vec::new();
    let mut last = None;
    loop {
        let page = unit.users().ids(last.as_ref(), PAGE)?;
        users.extend(page.iter().map(|user| Box::from(user.as_str())));
        match page.last() {
            Some(user) if page.len() == PAGE => last = Some(user.clone()),
            _ => return Ok(users),
        }
    }
}

/// The segments there are, with their ordinals.
fn segments(unit: &mut dyn Unit, state: &mut State) -> Result<Vec<(SegmentId, u32)>, StoreError> {
    let mut segments = Vec::new();
    let mut query = SegmentQuery::default();
    loop {
        let page = unit.segments().list(&query, PAGE)?;
        for segment in &page {
            segments.push((segment.id, state.name(segment.id, Some(&segment.slug), LOADED)));
        }
        match page.last() {
            Some(last) if page.len() == PAGE => query.after = Some((last.slug.to_string(), last.slug.clone())),
            _ => return Ok(segments),
        }
    }
}

/// Memberships on their way from segment by segment to user by user.
struct Crowd<'u> {
    ordinals: HashMap<&'u str, u32>,
    /// User and segment by ordinal, in one number, the user first.
    open: Vec<u64>,
    /// The same, with the deadline.
    due: Vec<(u64, i64)>,
    /// What stays beside the rows, with the segment's ordinal.
    beside: Vec<(Box<str>, u32, Stay)>,
}

impl<'u> Crowd<'u> {
    fn of(users: &'u [Box<str>]) -> Crowd<'u> {
        let ordinals = users.iter().zip(0..).map(|(user, ordinal)| (&**user, ordinal)).collect();
        Crowd { ordinals, open: Vec::new(), due: Vec::new(), beside: Vec::new() }
    }

    fn take(&mut self, page: &Page) {
        let mut begin = 0;
        for (end, since, until) in &page.rows {
            let user = &page.ids[mem::replace(&mut begin, *end)..*end];
            match (self.ordinals.get(user).copied(), since) {
                (Some(user), None) => self.enter(user, page.segment, *until),
                // Nobody without a profile is a member, unless the store was tampered with.
                (_, since) => {
                    let stay = Stay { since: since.unwrap_or(i64::MIN), began: LOADED, until: *until };
                    self.beside.push((user.into(), page.segment, stay));
                }
            }
        }
    }

    fn enter(&mut self, user: u32, segment: u32, until: Option<i64>) {
        let pair = u64::from(user) << 32 | u64::from(segment);
        match until {
            None => self.open.push(pair),
            Some(until) => self.due.push((pair, until)),
        }
    }

    fn pack(mut self, users: &[Box<str>]) -> Packed {
        self.open.sort_unstable();
        self.due.sort_unstable();
        let is_of = |pair: u64, user: u32| pair >> 32 == u64::from(user);
        let mut open = self.open.into_iter().peekable();
        let mut due = self.due.into_iter().peekable();
        let mut builder = RowsBuilder::default();
        let mut row: Vec<Held> = Vec::new();
        for (user, ordinal) in users.iter().zip(0..) {
            row.clear();
            while let Some(pair) = open.next_if(|pair| is_of(*pair, ordinal)) {
                row.push(Held { segment: pair as u32, until: None });
            }
            while let Some((pair, until)) = due.next_if(|(pair, _)| is_of(*pair, ordinal)) {
                row.push(Held { segment: pair as u32, until: Some(until) });
            }
            row.sort_unstable();
            builder.push(user, &row).expect("there are fewer users than 32 bits count");
        }
        Packed::new(builder.build())
    }
}
