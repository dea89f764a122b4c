//! `/memberships`: those that end, and where all of them came from.

use actix_web::{
    HttpResponse,
    web::{self, ServiceConfig},
};
use domain::{Membership, SegmentId, UserId};
use serde::Serialize;
use usecases::{
    endings::{self, EndingFilter},
    summaries,
};
use utoipa::ToSchema;

use crate::{
    answers::{Call, Page},
    cursors,
    parameters::Parameters,
    problems::Problem,
    times,
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(web::resource("/memberships").get(list)).service(web::resource("/memberships/sources").get(sources));
}

/// A membership that has a deadline.
#[derive(Serialize, ToSchema)]
pub(crate) struct EndingMembership {
    #[schema(example = "1000")]
    user_id: String,
    #[schema(example = "DISCOUNT_30")]
    segment: String,
    #[schema(value_type = chrono::DateTime<chrono::Utc>, example = "2026-11-20T12:00:00.000000Z")]
    since: String,
    /// Out from this instant on.
    #[schema(value_type = chrono::DateTime<chrono::Utc>, example = "2026-12-20T12:00:00.000000Z")]
    expires_at: String,
    #[schema(example = "manual")]
    source: &'static str,
    #[schema(example = "api")]
    actor: String,
    #[schema(required = true)]
    reason: Option<String>,
}

impl From<&Membership> for EndingMembership {
    fn from(membership: &Membership) -> EndingMembership {
        EndingMembership {
            user_id: membership.user.to_string(),
            segment: membership.segment.slug.to_string(),
            since: times::write(membership.since),
            expires_at: membership.expires_at.map(times::write).unwrap_or_default(),
            source: membership.source.as_str(),
            actor: membership.actor.to_string(),
            reason: membership.reason.as_ref().map(ToString::to_string),
        }
    }
}

/// Where live memberships came from.
#[derive(Serialize, ToSchema)]
pub(crate) struct MembershipSources {
    #[schema(value_type = chrono::DateTime<chrono::Utc>, example = "2026-11-20T12:00:00.000000Z")]
    as_of: String,
    /// By name; those that brought none are left out.
    items: Vec<MembershipSource>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct MembershipSource {
    #[schema(example = "manual")]
    source: &'static str,
    #[schema(example = 1763)]
    memberships: u64,
}

/// What cursors of this list are marked with.
const LIST: &str = "endings";

/// The memberships that end, the soonest first
///
/// Live memberships that have a deadline.
#[utoipa::path(get, path = "/api/v1/memberships", tag = "memberships",
    params(
        ("expires_before" = Option<chrono::DateTime<chrono::Utc>>, Query, description = "Only those that end before this instant"),
        ("segment" = Option<String>, Query, description = "Only of this segment", pattern = "^[A-Za-z0-9][A-Za-z0-9_-]{0,254}$"),
        ("user_id" = Option<String>, Query, description = "Only of this user", max_length = 128),
        ("source" = Option<String>, Query, description = "Only from this source", pattern = "^(manual|percent|import|move|rule|model)$"),
        crate::openapi::Paging,
    ),
    responses(
        (status = 200, description = "A page of memberships, by deadline", body = Page<EndingMembership>),
        (status = 404, description = "`segment_not_found`"),
    ))]
pub(crate) async fn list(call: Call) -> Result<HttpResponse, Problem> {
    let mut parameters = Parameters::of(&call.request)?;
    let filter = EndingFilter {
        before: parameters.instant("expires_before"),
        segment: parameters.slug("segment"),
        user: parameters.user_id("user_id"),
        source: parameters.source("source"),
    };
    let after = parameters.cursor::<(String, i64, String, i64)>().and_then(|(marked, at, user, segment)| {
        let at = chrono::DateTime::from_timestamp_micros(at).filter(|_| marked == LIST);
        let after = at.zip(UserId::parse(&user).ok()).map(|(at, user)| (at, user, SegmentId(segment)));
        parameters.faults.take("cursor", "invalid_cursor", after.ok_or("is not a cursor of this list"))
    });
    let (limit, exact) = (parameters.limit(), parameters.counts_exactly());
    parameters.end()?;
    call.look(move |look| {
        let mut query = endings::query(look, &filter)?;
        query.after = after;
        let found = endings::list(look, &query, limit + 1)?;
        let total = if exact { Some(endings::count(look, &query)?) } else { None };
        let (found, next_cursor) = cursors::page(found, limit, |last| {
            let deadline = last.expires_at.map_or(i64::MAX, |at| at.timestamp_micros());
            cursors::write(&(LIST, deadline, last.user.as_str(), last.segment.id.0))
        });
        Ok(Page { items: found.iter().map(EndingMembership::from).collect(), next_cursor, total })
    })
    .await
}

/// Where memberships came from
///
/// How many of the live memberships, of all segments or of one, each source brought about. All of them are counted, which
/// takes its time where they are millions.
#[utoipa::path(get, path = "/api/v1/memberships/sources", tag = "memberships",
    params(("segment" = Option<String>, Query, description = "Only of this segment", pattern = "^[A-Za-z0-9][A-Za-z0-9_-]{0,254}$")),
    responses(
        (status = 200, description = "By source", body = MembershipSources),
        (status = 404, description = "`segment_not_found`"),
    ))]
pub(crate) async fn sources(call: Call) -> Result<HttpResponse, Problem> {
    let mut parameters = Parameters::of(&call.request)?;
    let segment = parameters.slug("segment");
    parameters.end()?;
    call.look(move |look| {
        let items = summaries::sources(look, segment.as_ref())?.into_iter();
        let item =
            |(source, memberships): (domain::Source, u64)| MembershipSource { source: source.as_str(), memberships };
        Ok(MembershipSources { as_of: times::write(look.now), items: items.map(item).collect() })
    })
    .await
}
