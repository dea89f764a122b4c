//! Segments by ordinal: small numbers in place of identities, and the slugs they have now.

use std::collections::HashMap;

use domain::{SegmentId, Slug};

/// Never forgets a segment: an ordinal stands for the same one as long as this lives.
#[derive(Debug, Default, Clone)]
pub(crate) struct Names {
    ordinals: HashMap<i64, u32>,
    known: Vec<Known>,
    /// With the number of the change that gave a segment the slug.
    by_slug: HashMap<Slug, (u32, i64)>,
}

#[derive(Debug, Clone)]
struct Known {
    id: i64,
    slug: Option<Slug>,
    /// Of the change that named it last.
    number: i64,
}

impl Names {
    pub(crate) fn ordinal(&mut self, SegmentId(id): SegmentId) -> u32 {
        let known = &mut self.known;
        *self.ordinals.entry(id).or_insert_with(|| {
            let ordinal = u32::try_from(known.len()).expect("there are fewer segments than 32 bits count");
            known.push(Known { id, slug: None, number: i64::MIN });
            ordinal
        })
    }

    pub(crate) fn ordinal_of(&self, SegmentId(id): SegmentId) -> Option<u32> {
        self.ordinals.get(&id).copied()
    }

    /// The segment has another slug, or none any more; what is older than the last naming changes nothing.
    pub(crate) fn name(&mut self, segment: SegmentId, slug: Option<&Slug>, number: i64) {
        let ordinal = self.ordinal(segment);
        let known = &mut self.known[ordinal as usize];
        if number < known.number {
            return;
        }
        known.number = number;
        if let Some(before) = known.slug.take()
            && self.by_slug.get(&before).is_some_and(|(bearer, _)| *bearer == ordinal)
        {
            self.by_slug.remove(&before);
        }
        if let Some(slug) = slug {
            known.slug = Some(slug.clone());
            // Another segment may have it since, which was heard of first.
            let is_latest = self.by_slug.get(slug).is_none_or(|(_, since)| *since <= number);
            if is_latest {
                self.by_slug.insert(slug.clone(), (ordinal, number));
            }
        }
    }

    pub(crate) fn slug(&self, ordinal: u32) -> Option<&Slug> {
        self.known.get(ordinal as usize)?.slug.as_ref()
    }

    /// It was never told how the segment is called: it is newer than what was heard of.
    pub(crate) fn is_unheard_of(&self, ordinal: u32) -> bool {
        self.known.get(ordinal as usize).is_none_or(|known| known.number == i64::MIN)
    }

    pub(crate) fn is_deleted(&self, ordinal: u32) -> bool {
        self.slug(ordinal).is_none() && !self.is_unheard_of(ordinal)
    }

    pub(crate) fn find(&self, slug: &Slug) -> Option<u32> {
        self.by_slug.get(slug).map(|(ordinal, _)| *ordinal)
    }

    /// Every segment by ordinal: its identity, and its slug if it has one.
    pub(crate) fn all(&self) -> impl Iterator<Item = (SegmentId, Option<&Slug>)> {
        self.known.iter().map(|known| (SegmentId(known.id), known.slug.as_ref()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_namings_the_later_counts_whatever_comes_first() {
        let [a, b, c] = ["A", "B", "C"].map(|text| Slug::parse(text).unwrap());
        let mut names = Names::default();
        names.name(SegmentId(1), Some(&a), 1);
        names.name(SegmentId(2), Some(&b), 2);
        // The second one was renamed, and then the first one took its slug: heard the other way round.
        names.name(SegmentId(1), Some(&b), 4);
        names.name(SegmentId(2), Some(&c), 3);
        assert_eq!((names.find(&a), names.find(&b), names.find(&c)), (None, Some(0), Some(1)));
        // A third one has the slug of the first one, which is heard of again.
        names.name(SegmentId(3), Some(&b), 5);
        names.name(SegmentId(1), Some(&b), 4);
        names.name(SegmentId(1), None, 4);
        assert_eq!(names.find(&b), Some(2));
        names.name(SegmentId(2), None, 6);
        names.name(SegmentId(2), Some(&a), 5);
        assert_eq!((names.find(&c), names.slug(1)), (None, None));
    }
}
