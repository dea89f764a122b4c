//! Packed rows, and the members of segments out of them, made when they are first asked for.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{members::Members, rows::Rows};

/// Of how many segments the members are kept. Another takes the place of the one that was not asked for the longest.
const SEGMENTS_MAX: usize = 64;

#[derive(Default)]
pub(crate) struct Packed {
    pub(crate) rows: Rows,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    members: HashMap<u32, (Arc<Members>, u64)>,
    /// How often it was asked.
    asked: u64,
}

impl Packed {
    pub(crate) fn new(rows: Rows) -> Packed {
        Packed { rows, kept: Mutex::default() }
    }

    /// The members of each of these segments. Those that are not kept take one walk through all rows.
    pub(crate) fn members(&self, segments: &[u32]) -> Vec<Arc<Members>> {
        self.prepare(segments, || ())
    }

    /// The same; `pause` is called for each user on the way.
    pub(crate) fn prepare(&self, segments: &[u32], pause: impl FnMut()) -> Vec<Arc<Members>> {
        let mut found = self.kept_of(segments);
        let missing: Vec<u32> =
            segments.iter().zip(&found).filter(|(_, found)| found.is_none()).map(|(segment, _)| *segment).collect();
        if !missing.is_empty() {
            let made: Vec<Arc<Members>> = Members::of(&self.rows, &missing, pause).into_iter().map(Arc::new).collect();
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            let asked = kept.asked;
            for (segment, members) in missing.iter().zip(&made) {
                if kept.members.len() >= SEGMENTS_MAX
                    && let Some(oldest) = kept.members.iter().min_by_key(|(_, (_, asked))| *asked).map(|(one, _)| *one)
                {
                    kept.members.remove(&oldest);
                }
                kept.members.insert(*segment, (Arc::clone(members), asked));
            }
            let mut made = made.into_iter();
            for place in found.iter_mut().filter(|found| found.is_none()) {
                *place = made.next();
            }
        }
        found.into_iter().flatten().collect()
    }

    fn kept_of(&self, segments: &[u32]) -> Vec<Option<Arc<Members>>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.asked += 1;
        let now = kept.asked;
        let mut keep = |segment: &u32| {
            let (members, asked) = kept.members.get_mut(segment)?;
            *asked = now;
            Some(Arc::clone(members))
        };
        segments.iter().map(&mut keep).collect()
    }

    /// Which segments were asked for.
    pub(crate) fn asked_for(&self) -> Vec<u32> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).members.keys().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::{Held, RowsBuilder};

    #[test]
    fn members_are_kept_and_the_oldest_make_room() {
        let mut builder = RowsBuilder::default();
        builder.push("u", &[Held { segment: 3, until: None }]).unwrap();
        let packed = Packed::new(builder.build());
        let first = packed.members(&[3, 4, 3]);
        assert_eq!((first[0].live_at(0).len(), first[1].live_at(0).len(), first[2].live_at(0).len()), (1, 0, 1));
        assert!(Arc::ptr_eq(&packed.members(&[3])[0], &packed.members(&[3])[0]));
        for segment in 10..200 {
            packed.members(&[3, segment]);
        }
        let mut asked_for = packed.asked_for();
        asked_for.sort();
        assert!(asked_for.len() == SEGMENTS_MAX && asked_for[0] == 3 && asked_for.ends_with(&[198, 199]));
    }
}
