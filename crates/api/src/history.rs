//! `/history`: what happened.

use actix_web::{
    HttpResponse,
    web::{self, ServiceConfig},
};
use domain::HistoryRow;
use serde::Serialize;
use usecases::history::{self, HistoryQuery};
use utoipa::ToSchema;

use crate::{
    answers::{Call, Page},
    cursors,
    parameters::Parameters,
    problems::Problem,
    times,
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(web::resource("/history").get(list));
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
    params(crate::openapi::HistoryFilters, crate::openapi::Paging),
    responses((status = 200, description = "A page of rows, by instant", body = Page<HistoryView>)))]
pub(crate) async fn list(call: Call) -> Result<HttpResponse, Problem> {
    let mut parameters = Parameters::of(&call.request)?;
    let query = read_query(&mut parameters);
    let after = parameters.cursor::<(i64, i64)>().and_then(|(at, id)| {
        let at = chrono::DateTime::from_timestamp_micros(at).ok_or("is not a cursor of this list");
        parameters.faults.take("cursor", "invalid_cursor", at).map(|at| (at, id))
    });
    let (limit, exact) = (parameters.limit(), parameters.counts_exactly());
    parameters.end()?;
    call.look(move |look| {
        let mut filter = history::filter(look, &query)?;
        filter.after = after;
        let found = history::page(look, &filter, limit + 1)?;
        let total = if exact { Some(history::count(look, &filter)?) } else { None };
        let (found, next_cursor) =
            cursors::page(found, limit, |last| cursors::write(&(last.entry.at.timestamp_micros(), last.id)));
        Ok(Page { items: found.iter().map(HistoryView::from).collect(), next_cursor, total })
    })
    .await
}
