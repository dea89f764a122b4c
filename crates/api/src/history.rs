//! `/history`: what happened.

use actix_web::{
    HttpResponse,
    web::{self, ServiceConfig},
};
use domain::{HistoryRow, Ttl};
use serde::Serialize;
use usecases::{
    history::{self, CountsQuery, HistoryQuery},
    ports::{Direction, Moves},
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
    config.service(web::resource("/history").get(list)).service(web::resource("/history/counts").get(counts));
}

#[derive(Serialize, ToSchema)]
#[schema(as = HistoryRow)]
pub(crate) struct HistoryView {
    id: i64,
    #[schema(example = "1000")]
    user_id: String,
    /// The slug that the segment had then.
    #[schema(example = "DISCOUNT_30")]
    segment: String,
    #[schema(value_type = OperationView)]
    operation: &'static str,
    #[schema(value_type = chrono::DateTime<chrono::Utc>, example = "2026-11-20T12:00:00.000000Z")]
    timestamp: String,
    /// The deadline after an add or an extend.
    #[schema(value_type = Option<chrono::DateTime<chrono::Utc>>, required = true)]
    expires_at: Option<String>,
    #[schema(example = "manual")]
    source: &'static str,
    #[schema(example = "api")]
    actor: String,
    #[schema(required = true)]
    reason: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Operation)]
#[serde(rename_all = "snake_case")]
#[allow(dead_code)]
pub(crate) enum OperationView {
    Add,
    Remove,
    Extend,
}

impl From<&HistoryRow> for HistoryView {
    fn from(row: &HistoryRow) -> HistoryView {
        let entry = &row.entry;
        HistoryView {
            id: row.id,
            user_id: entry.user.to_string(),
            segment: entry.segment.slug.to_string(),
            operation: entry.operation.as_str(),
            timestamp: times::write(entry.at),
            expires_at: entry.expires_at.map(times::write),
            source: entry.source.as_str(),
            actor: entry.actor.to_string(),
            reason: entry.reason.as_ref().map(ToString::to_string),
        }
    }
}

pub(crate) fn read_query(parameters: &mut Parameters) -> HistoryQuery {
    HistoryQuery {
        user: parameters.user_id("user_id"),
        segment: parameters.slug("segment"),
        period: parameters.period(),
    }
}

/// What happened
#[utoipa::path(get, path = "/api/v1/history", tag = "history",
    params(
        crate::openapi::HistoryFilters,
        ("sort" = Option<String>, Query, description = "`timestamp` (default) is the oldest first, `-timestamp` the newest", pattern = "^-?timestamp$"),
        crate::openapi::Paging,
    ),
    responses((status = 200, description = "A page of rows, by instant", body = Page<HistoryView>)))]
pub(crate) async fn list(call: Call) -> Result<HttpResponse, Problem> {
    let mut parameters = Parameters::of(&call.request)?;
    let query = read_query(&mut parameters);
    let direction = parameters.read("sort", "invalid_value", |text| match text {
        "timestamp" => Ok(Direction::Ascending),
        "-timestamp" => Ok(Direction::Descending),
        _ => Err("must be timestamp or -timestamp"),
    });
    let direction = direction.unwrap_or_default();
    let order = if direction == Direction::Descending { "-timestamp" } else { "timestamp" };
    let after = parameters.cursor::<(String, i64, i64)>().and_then(|(marked, at, id)| {
        let at = chrono::DateTime::from_timestamp_micros(at).filter(|_| marked == order);
        let at = at.ok_or("is not a cursor of this list");
        parameters.faults.take("cursor", "invalid_cursor", at).map(|at| (at, id))
    });
    let (limit, exact) = (parameters.limit(), parameters.counts_exactly());
    parameters.end()?;
    call.look(move |look| {
        let mut filter = history::filter(look, &query)?;
        (filter.direction, filter.after) = (direction, after);
        let found = history::page(look, &filter, limit + 1)?;
        let total = if exact { Some(history::count(look, &filter)?) } else { None };
        let (found, next_cursor) =
            cursors::page(found, limit, |last| cursors::write(&(order, last.entry.at.timestamp_micros(), last.id)));
        Ok(Page { items: found.iter().map(HistoryView::from).collect(), next_cursor, total })
    })
    .await
}

/// How much happened over time.
#[derive(Serialize, ToSchema)]
#[schema(as = HistoryCounts)]
pub(crate) struct CountsView {
    #[schema(example = "P1D")]
    step: String,
    #[schema(value_type = chrono::DateTime<chrono::Utc>, example = "2026-11-20T12:00:00.000000Z")]
    from: String,
    #[schema(value_type = chrono::DateTime<chrono::Utc>, example = "2026-11-21T12:00:00.000000Z")]
    to: String,
    /// In their order; the first one begins to count and has nothing.
    points: Vec<CountedPoint>,
    /// All points together, by source.
    sources: Vec<CountedSource>,
}

/// What happened later than the point before, and not later than this one.
#[derive(Serialize, ToSchema)]
pub(crate) struct CountedPoint {
    #[schema(value_type = chrono::DateTime<chrono::Utc>, example = "2026-11-21T12:00:00.000000Z")]
    at: String,
    #[serde(flatten)]
    moves: MovesView,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct CountedSource {
    #[schema(example = "manual")]
    source: &'static str,
    #[serde(flatten)]
    moves: MovesView,
}

/// How many rows of history there are of each operation.
#[derive(Serialize, ToSchema)]
#[schema(as = Moves)]
pub(crate) struct MovesView {
    #[schema(example = 120)]
    added: u64,
    #[schema(example = 17)]
    removed: u64,
    #[schema(example = 3)]
    extended: u64,
}

impl From<Moves> for MovesView {
    fn from(Moves { added, removed, extended }: Moves) -> MovesView {
        MovesView { added, removed, extended }
    }
}

/// How much happened over time
///
/// The rows of history later than `from` and not later than `to`, between one point and the next, and by source. The points
/// begin at `from`, come each `step`, and end at `to`; there are at most 1,000.
#[utoipa::path(get, path = "/api/v1/history/counts", tag = "history",
    params(
        ("from" = Option<chrono::DateTime<chrono::Utc>>, Query, description = "Thirty days before `to` when absent"),
        ("to" = Option<chrono::DateTime<chrono::Utc>>, Query, description = "Now when absent"),
        ("step" = Option<String>, Query, description = "An ISO 8601 duration or seconds; `P1D` when absent", example = "P1D"),
        ("segment" = Option<String>, Query, description = "Only rows written under this slug, and those of the segment that has it now", pattern = "^[A-Za-z0-9][A-Za-z0-9_-]{0,254}$"),
        ("user_id" = Option<String>, Query, description = "Only this user", max_length = 128),
    ),
    responses((status = 200, description = "The points, in their order, and the sources, by name", body = CountsView)))]
pub(crate) async fn counts(call: Call) -> Result<HttpResponse, Problem> {
    let mut parameters = Parameters::of(&call.request)?;
    let query = CountsQuery {
        user: parameters.user_id("user_id"),
        segment: parameters.slug("segment"),
        from: parameters.instant("from"),
        to: parameters.instant("to"),
        step: parameters.ttl("step").unwrap_or(Ttl::DAY),
    };
    parameters.end()?;
    call.look(move |look| {
        let counts = history::counts(look, &query)?;
        let points: Vec<CountedPoint> = counts
            .points
            .into_iter()
            .map(|(at, moves)| CountedPoint { at: times::write(at), moves: moves.into() })
            .collect();
        let sources = counts.sources.into_iter();
        let end = |point: Option<&CountedPoint>| point.map(|point| point.at.clone()).unwrap_or_default();
        Ok(CountsView {
            step: query.step.to_string(),
            from: end(points.first()),
            to: end(points.last()),
            points,
            sources: sources
                .map(|(source, moves)| CountedSource { source: source.as_str(), moves: moves.into() })
                .collect(),
        })
    })
    .await
}
