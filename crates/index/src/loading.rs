//! Everything that is stored, read in one consistent state and packed.

use std::collections::HashMap;

use domain::Instant;
use usecases::ports::{SegmentQuery, Store, StoreError, Unit};

use crate::{
    overlay::Stay,
    packed::Packed,
    rows::{Held, RowsBuilder},
    state::{LOADED, PACKED_AFTER_MICROS, State},
};

/// How many are read at once.
const PAGE: usize = 10_000;

pub(crate) fn load(store: &dyn Store, now: Instant) -> Result<State, StoreError> {
    store.read(|unit| read(unit, now.timestamp_micros()))
}

fn read(unit: &mut dyn Unit, now: i64) -> Result<State, StoreError> {
    let mut state = State::new(unit.changes().seen()?);
    let users = users(unit)?;
    let segments = segments(unit, &mut state)?;
    let mut packing = Crowd::of(&users);
    for (segment, ordinal) in segments {
        unit.memberships().each(segment, &mut |user, since, until| match packing.ordinals.get(user) {
            Some(user) if since <= now - PACKED_AFTER_MICROS => packing.members.push((*user, ordinal, until)),
            // Nobody without a profile is a member, unless the store was tampered with.
            Some(_) | None => state.overlay.change(user, ordinal, LOADED, |_| Some(Stay { since, until })),
        })?;
    }
    state.packed = std::sync::Arc::new(packing.pack(&users));
    Ok(state)
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
fn segments(unit: &mut dyn Unit, state: &mut State) -> Result<Vec<(domain::SegmentId, u32)>, StoreError> {
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
    /// User and segment by ordinal, and the deadline.
    members: Vec<(u32, u32, Option<i64>)>,
}

impl<'u> Crowd<'u> {
    fn of(users: &'u [Box<str>]) -> Crowd<'u> {
        let ordinals = users.iter().zip(0..).map(|(user, ordinal)| (&**user, ordinal)).collect();
        Crowd { ordinals, members: Vec::new() }
    }

    fn pack(mut self, users: &[Box<str>]) -> Packed {
        self.members.sort_unstable_by_key(|(user, segment, _)| (*user, *segment));
        let mut members = self.members.into_iter().peekable();
        let mut builder = RowsBuilder::default();
        let mut row = Vec::new();
        for (user, ordinal) in users.iter().zip(0..) {
            row.clear();
            while let Some((_, segment, until)) = members.next_if(|(one, ..)| *one == ordinal) {
                row.push(Held { segment, until });
            }
            builder.push(user, &row).expect("there are fewer users than 32 bits count");
        }
        Packed::new(builder.build())
    }
}
