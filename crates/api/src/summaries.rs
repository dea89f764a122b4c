//! `/summary`: how much there is of everything.

use actix_web::{
    HttpResponse,
    web::{self, ServiceConfig},
};
use serde::Serialize;
use usecases::summaries::{self, Summary};
use utoipa::ToSchema;

use crate::{Access, Limits, answers::Call, history::MovesView, parameters::Parameters, problems::Problem, times};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(web::resource("/summary").get(tell));
}

/// How much there is of everything, what happened of late, and what ends soon.
#[derive(Serialize, ToSchema)]
#[schema(as = Summary)]
pub(crate) struct SummaryView {
    #[schema(value_type = chrono::DateTime<chrono::Utc>, example = "2026-11-20T12:00:00.000000Z")]
    as_of: String,
    #[schema(example = 10_000)]
    users: u64,
    #[schema(example = 9)]
    segments: u64,
    /// The live ones.
    #[schema(example = 17_630)]
    memberships: u64,
    /// Those of them that end by themselves.
    #[schema(example = 763)]
    memberships_with_deadline: u64,
    since: SinceView,
    ending: EndingView,
    jobs: JobCountsView,
    service: ServiceView,
}

/// What happened later than an instant.
#[derive(Serialize, ToSchema)]
#[schema(as = SummarySince)]
pub(crate) struct SinceView {
    #[schema(value_type = chrono::DateTime<chrono::Utc>, example = "2026-11-20T00:00:00.000000Z")]
    at: String,
    #[serde(flatten)]
    moves: MovesView,
    /// Segments that were made or changed, and are there.
    segments_changed: u64,
}

/// How many live memberships end soon.
#[derive(Serialize, ToSchema)]
#[schema(as = SummaryEnding)]
pub(crate) struct EndingView {
    within_day: u64,
    within_week: u64,
}

/// How many jobs there are of those that the caller sees.
#[derive(Serialize, ToSchema)]
#[schema(as = SummaryJobs)]
pub(crate) struct JobCountsView {
    queued: u64,
    running: u64,
    /// Later than the instant that is asked about.
    failed: u64,
}

/// What answers.
#[derive(Serialize, ToSchema)]
#[schema(as = SummaryService)]
pub(crate) struct ServiceView {
    #[schema(example = "0.1.0")]
    version: &'static str,
    #[schema(pattern = "^(sqlite|postgres)$", example = "sqlite")]
    engine: &'static str,
    /// Whether memberships are kept in memory.
    #[schema(pattern = "^(on|loading|off)$", example = "on")]
    index: &'static str,
    /// Whether nobody has to sign in.
    open: bool,
}

impl ServiceView {
    fn read(limits: &Limits, is_loaded: bool) -> ServiceView {
        let index = match (limits.has_index, is_loaded) {
            (false, _) => "off",
            (true, false) => "loading",
            (true, true) => "on",
        };
        let open = limits.access == Access::Open;
        ServiceView { version: env!("CARGO_PKG_VERSION"), engine: limits.engine, index, open }
    }
}

/// How much there is of everything?
///
/// What is counted of all memberships comes out of memory where that is sure.
#[utoipa::path(get, path = "/api/v1/summary", tag = "service",
    params(("since" = Option<chrono::DateTime<chrono::Utc>>, Query, description = "What happened later than this; today's midnight, UTC, when absent")),
    responses((status = 200, description = "The counts, all exact", body = SummaryView)))]
pub(crate) async fn tell(call: Call) -> Result<HttpResponse, Problem> {
    let mut parameters = Parameters::of(&call.request)?;
    let since = parameters.instant("since");
    parameters.end()?;
    let service = ServiceView::read(call.limits(), call.app.index.is_loaded());
    call.know(move |app, caller| {
        let known = summaries::tell(app, caller, since)?;
        Ok(known.map(|Summary { as_of, totals, segments, since, jobs }| SummaryView {
            as_of: times::write(as_of),
            users: totals.users,
            segments,
            memberships: totals.memberships.memberships,
            memberships_with_deadline: totals.memberships.with_deadline,
            since: SinceView {
                at: times::write(since.at),
                moves: since.moves.into(),
                segments_changed: since.segments_changed,
            },
            ending: EndingView { within_day: totals.ending[0], within_week: totals.ending[1] },
            jobs: JobCountsView { queued: jobs.queued, running: jobs.running, failed: jobs.failed },
            service,
        }))
    })
    .await
}
