//! Endings: the memberships that have a deadline, the soonest first.

use domain::{Instant, Membership, Permission, SegmentId, Slug, Source, UserId};

use crate::{Error, Look, ports::EndingQuery, segments};

/// Which of the live memberships that have a deadline.
#[derive(Debug, Clone, Default)]
pub struct EndingFilter {
    pub before: Option<Instant>,
    pub segment: Option<Slug>,
    pub user: Option<UserId>,
    pub source: Option<Source>,
}

/// Makes a query of a filter. An unknown user leaves nothing, an unknown segment is none.
pub fn query(look: &mut Look, filter: &EndingFilter) -> Result<EndingQuery, Error> {
    let segment = segment_of(look, filter.segment.as_ref())?;
    let (before, user, source) = (filter.before, filter.user.clone(), filter.source);
    Ok(EndingQuery { before, segment, user, source, ..EndingQuery::of_all(look.now) })
}

pub fn list(look: &mut Look, query: &EndingQuery, limit: usize) -> Result<Vec<Membership>, Error> {
    Ok(look.unit.memberships().ending(query, limit)?)
}

pub fn count(look: &mut Look, query: &EndingQuery) -> Result<u64, Error> {
    Ok(look.unit.memberships().count_ending(query)?)
}

/// The segment that is asked about, by whoever may read of it; without one of all.
pub(crate) fn segment_of(look: &mut Look, slug: Option<&Slug>) -> Result<Option<SegmentId>, Error> {
    match slug {
        None => {
            look.caller.require(Permission::ReadSegments)?;
            Ok(None)
        }
        Some(slug) => {
            look.caller.require_in(Permission::ReadSegments, [slug])?;
            Ok(Some(segments::require(look.unit, slug)?.id))
        }
    }
}
