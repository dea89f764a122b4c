//! `/audit`: who did what.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    web::{self, Data, Path, ServiceConfig},
};
use domain::{Action, Actor, AuditRow};
use serde::Serialize;
use serde_json::Value;
use usecases::{
    App,
    audit::{self, Verified},
    exports::Form,
    ports::{AuditQuery, Direction},
};
use utoipa::ToSchema;

use crate::{
    Limits,
    answers::{Call, Page},
    blocking,
    callers::Asker,
    cursors,
    exports::{form_of, room},
    parameters::Parameters,
    problems::Problem,
    streams, times,
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/audit").get(list))
        .service(web::resource("/audit/verification").get(verify))
        .service(web::resource("/audit.{form}").get(export));
}

/// A row of the audit log.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditRow)]
pub(crate) struct AuditRowView {
    /// Counts the rows, from 1 and without gaps.
    #[schema(example = 17)]
    id: i64,
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    at: String,
    #[schema(example = "anna@example.com")]
    actor: String,
    #[schema(example = "segment.created")]
    action: &'static str,
    /// What it was done to.
    #[schema(example = "segment/VIP")]
    subject: String,
    /// What else there is to know.
    #[schema(value_type = Object)]
    detail: Value,
    /// SHA-256 of the row and of all rows before it, in hexadecimal digits.
    hash: String,
}

impl From<&AuditRow> for AuditRowView {
    fn from(row: &AuditRow) -> AuditRowView {
        AuditRowView {
            id: row.id,
            at: times::write(row.entry.at),
            actor: row.entry.actor.to_string(),
            action: row.entry.action.as_str(),
            subject: row.entry.subject.clone(),
            detail: serde_json::from_str(&row.entry.detail).unwrap_or(Value::String(row.entry.detail.clone())),
            hash: row.hash.to_string(),
        }
    }
}

/// Whether the audit log is as it was written.
#[derive(Serialize, ToSchema)]
pub(crate) struct Verification {
    rows: u64,
    is_sound: bool,
    /// What is wrong, a hundred at most.
    #[schema(example = json!(["row 7 is not as it was written behind the row before it"]))]
    flaws: Vec<String>,
    /// The last row. Whoever keeps it elsewhere notices later when rows are gone, or all were written anew.
    #[schema(required = true)]
    last_id: Option<i64>,
    #[schema(required = true)]
    last_hash: Option<String>,
}

const FLAWS_TOLD_MAX: usize = 100;

/// Read the audit log
#[utoipa::path(get, path = "/api/v1/audit", tag = "audit", params(crate::openapi::AuditFilters, crate::openapi::Paging),
    responses((status = 200, description = "A page of rows", body = Page<AuditRowView>)))]
pub(crate) async fn list(call: Call) -> Result<HttpResponse, Problem> {
    let mut parameters = Parameters::of(&call.request)?;
    let query = read_query(&mut parameters);
    let order = order_of(&query);
    let after = parameters.cursor::<(String, String, i64)>().and_then(|(list, sorted, id)| {
        let id = (list == "audit" && sorted == order).then_some(id).ok_or("is not a cursor of this list");
        parameters.faults.take("cursor", "invalid_cursor", id)
    });
    let (limit, exact) = (parameters.limit(), parameters.counts_exactly());
    parameters.end()?;
    call.look(move |look| {
        let query = AuditQuery { after, ..query };
        let found = audit::list(look, &query, limit + 1)?;
        let total = if exact { Some(audit::count(look, &query)?) } else { None };
        let (found, next_cursor) = cursors::page(found, limit, |last| cursors::write(&("audit", order, last.id)));
        Ok(Page { items: found.iter().map(AuditRowView::from).collect(), next_cursor, total })
    })
    .await
}

fn read_query(parameters: &mut Parameters) -> AuditQuery {
    let bounded = |text: &str| {
        let is_good = (1..=1_000).contains(&text.chars().count()) && !text.contains('\0');
        is_good.then(|| text.to_owned()).ok_or("has from 1 to 1000 characters and no NUL")
    };
    let actor = parameters.read("actor", "invalid_value", bounded).map(Actor::new);
    let subject = parameters.read("subject", "invalid_value", bounded);
    let action = parameters.read("action", "invalid_value", |text| Action::parse(text).ok_or("is no action"));
    let period = parameters.period();
    let read = |text: &str| match text {
        "id" => Ok(Direction::Ascending),
        "-id" => Ok(Direction::Descending),
        _ => Err("must be id or -id"),
    };
    let direction = parameters.read("sort", "invalid_value", read).unwrap_or(Direction::Descending);
    AuditQuery { actor, action, subject, period, direction, after: None }
}

fn order_of(query: &AuditQuery) -> &'static str {
    match query.direction {
        Direction::Ascending => "id",
        Direction::Descending => "-id",
    }
}

/// Prove the audit log
///
/// Goes through all of it, as `strata audit verify` does.
#[utoipa::path(get, path = "/api/v1/audit/verification", tag = "audit",
    responses((status = 200, description = "What came of it", body = Verification)))]
pub(crate) async fn verify(call: Call) -> Result<HttpResponse, Problem> {
    Parameters::of(&call.request)?.end()?;
    call.look(move |look| {
        let mut flaws = Vec::new();
        let Verified { rows, flaws: count, last } = audit::verify(look, None, &mut |flaw| {
            if flaws.len() < FLAWS_TOLD_MAX {
                flaws.push(flaw.to_string());
            }
        })?;
        let (last_id, last_hash) = last.map(|(id, hash)| (id, hash.to_string())).unzip();
        Ok(Verification { rows, is_sound: count == 0, flaws, last_id, last_hash })
    })
    .await
}

/// The audit log, as a file
#[utoipa::path(get, path = "/api/v1/audit.{form}", tag = "audit",
    params(crate::openapi::AuditFilters, crate::openapi::HeaderLine),
    responses((status = 200, description = "`id;at;actor;action;subject;detail;hash`", body = String, content_type = "text/csv")))]
pub(crate) async fn export(
    app: Data<App>,
    asker: Asker,
    limits: Data<Limits>,
    request: HttpRequest,
    form: Path<String>,
) -> Result<HttpResponse, Problem> {
    let (format, packing) = form_of(&form)?;
    let mut parameters = Parameters::of(&request)?;
    let query = read_query(&mut parameters);
    let header = parameters.header();
    parameters.end()?;
    let permit = room(&limits)?;
    let noting = asker.clone();
    blocking::run(app.clone(), move |app| app.act(noting.caller(), |act| audit::begin_export(act, format))).await?;
    let mut response = HttpResponse::Ok();
    response
        .insert_header((CONTENT_TYPE, tables::content_type(format, packing)))
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"audit.{form}\"")));
    streams::answer(response, limits.export_patience, move |pieces| {
        let _permit = permit;
        let form = Form { format, packing, header };
        app.look(asker.caller(), |look| audit::write(look, &query, form, pieces))
    })
    .await
}
