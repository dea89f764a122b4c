//! Exports: members, combinations of segments, users, history and statistics as files.

use std::sync::Arc;

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    web::{self, Data, Path, ServiceConfig},
};
use serde::Deserialize;
use tables::{Format, Header, Packing};
use tokio::sync::OwnedSemaphorePermit;
use usecases::{
    App,
    exports::{self, Export, Form},
    ports::UserQuery,
};
use utoipa::ToSchema;

use crate::{
    Limits, algebra,
    answers::Call,
    blocking, bodies,
    callers::Asker,
    fields::Faults,
    history,
    parameters::Parameters,
    problems::{Code, Problem},
    segments, streams,
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/segments/stats.{form}").get(stats))
        .service(web::resource("/segments/algebra.{form}").post(set))
        .service(web::resource("/segments/{slug}/users.{form}").get(members))
        .service(web::resource("/users.{form}").get(users))
        .service(web::resource("/history.{form}").get(history));
}

/// Whose ids are to be in the file?
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AlgebraExport {
    /// As in `/segments/algebra`.
    #[schema(example = "(VIP & IOS) - STAFF", max_length = 16_640)]
    expr: String,
    /// As it was then, from history alone; `ALL` is everybody there is now.
    #[schema(format = DateTime)]
    as_of: Option<String>,
}

/// The members of a segment, as a file
///
/// Streamed from one consistent state, as fast as it is read. Sent to `/memberships/import` as it is, it makes the same
/// members elsewhere.
#[utoipa::path(get, path = "/api/v1/segments/{slug}/users.{form}", tag = "exports",
    params(
        ("as_of" = Option<chrono::DateTime<chrono::Utc>>, Query, description = "The members of this instant"),
        crate::openapi::MemberSearch,
        crate::openapi::HeaderLine,
    ),
    responses(
        (status = 200, description = "`user_id;segment;since;expires_at;source;actor;reason`, by user", body = String, content_type = "text/csv"),
        (status = 404, description = "`segment_not_found`"),
    ))]
pub(crate) async fn members(
    app: Data<App>,
    asker: Asker,
    limits: Data<Limits>,
    request: HttpRequest,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let (slug, form) = path.into_inner();
    let slug = segments::slug_in(&slug)?;
    let mut parameters = Parameters::of(&request)?;
    let as_of = parameters.instant("as_of");
    let users = UserQuery { text: parameters.search("query"), ..UserQuery::default() };
    let name = format!("members-{slug}");
    send(app, asker, &limits, parameters, &form, &name, Export::Members { slug, as_of, users }).await
}

/// Who is in a combination of segments, as a file
///
/// Of `/segments/algebra` all pages at once, streamed from one consistent state, as fast as it is read. It has ids alone:
/// of several segments none could say since when, or why. Sent to `/segments/{slug}/users/import` as it is, it makes them
/// members of that segment.
#[utoipa::path(post, path = "/api/v1/segments/algebra.{form}", tag = "exports", request_body = AlgebraExport,
    params(crate::openapi::HeaderLine),
    responses(
        (status = 200, description = "`user_id`, by user", body = String, content_type = "text/csv"),
        (status = 404, description = "`segment_not_found`"),
    ))]
pub(crate) async fn set(call: Call, limits: Data<Limits>, form: Path<String>) -> Result<HttpResponse, Problem> {
    // That there is no such address comes before what is wrong with the body.
    form_of(&form)?;
    let parameters = Parameters::of(&call.request)?;
    let body = bodies::read::<AlgebraExport>(&call.request, &call.body)?;
    let mut faults = Faults::default();
    let query = algebra::query(&mut faults, &body.expr, body.as_of.as_deref());
    let query = faults.or(query)?;
    send(call.app, call.asker, &limits, parameters, &form, "algebra", Export::Algebra(query)).await
}

/// All users with their attributes, as a file
///
/// Sent to `/users/import` as it is, it makes the same users elsewhere.
#[utoipa::path(get, path = "/api/v1/users.{form}", tag = "exports",
    params(
        ("query" = Option<String>, Query, description = "The beginning of the id, or a part of the name or e-mail", max_length = 200),
        crate::openapi::HeaderLine,
    ),
    responses((status = 200, description = "`user_id;name;email;attributes;created_at`, by user; attributes as JSON", body = String, content_type = "text/csv")))]
pub(crate) async fn users(
    app: Data<App>,
    asker: Asker,
    limits: Data<Limits>,
    request: HttpRequest,
    form: Path<String>,
) -> Result<HttpResponse, Problem> {
    let mut parameters = Parameters::of(&request)?;
    let query = UserQuery { text: parameters.search("query"), ..UserQuery::default() };
    send(app, asker, &limits, parameters, &form, "users", Export::Users(query)).await
}

/// What happened, as a file
///
/// As NDJSON and XLSX it also tells `expires_at`, `source`, `actor` and `reason`. Sent to `/memberships/import` as it is,
/// it makes the same history elsewhere.
#[utoipa::path(get, path = "/api/v1/history.{form}", tag = "exports",
    params(crate::openapi::HistoryFilters, crate::openapi::HeaderLine),
    responses((status = 200, description = "`user_id;segment;operation;timestamp`, by instant", body = String, content_type = "text/csv")))]
pub(crate) async fn history(
    app: Data<App>,
    asker: Asker,
    limits: Data<Limits>,
    request: HttpRequest,
    form: Path<String>,
) -> Result<HttpResponse, Problem> {
    let mut parameters = Parameters::of(&request)?;
    let query = history::read_query(&mut parameters);
    send(app, asker, &limits, parameters, &form, "history", Export::History(query)).await
}

/// Every segment with the number of its members, as a file
#[utoipa::path(get, path = "/api/v1/segments/stats.{form}", tag = "exports",
    params(crate::openapi::StatsFilters, crate::openapi::HeaderLine),
    responses((status = 200, description = "`segment;name;description;kind;percent;seed;default_ttl;user_count;created_at;updated_at`", body = String, content_type = "text/csv")))]
pub(crate) async fn stats(
    app: Data<App>,
    asker: Asker,
    limits: Data<Limits>,
    request: HttpRequest,
    form: Path<String>,
) -> Result<HttpResponse, Problem> {
    let mut parameters = Parameters::of(&request)?;
    let query = segments::read_stats_query(&mut parameters);
    send(app, asker, &limits, parameters, &form, "stats", Export::Stats(query)).await
}

async fn send(
    app: Data<App>,
    asker: Asker,
    limits: &Limits,
    mut parameters: Parameters,
    form: &str,
    name: &str,
    export: Export,
) -> Result<HttpResponse, Problem> {
    let header = parameters.header();
    parameters.end()?;
    let (format, packing) = form_of(form)?;
    let permit = room(limits)?;
    let (noted, noting) = (export.clone(), asker.clone());
    blocking::run(app.clone(), move |app| app.act(noting.caller(), |act| exports::begin(act, &noted, format))).await?;
    let mut response = HttpResponse::Ok();
    response
        .insert_header((CONTENT_TYPE, content_type(format, packing, header)))
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{name}.{form}\"")));
    streams::answer(response, limits.export_patience, move |pieces| {
        let _permit = permit;
        let form = Form { format, packing, header };
        let written = app.look(asker.caller(), |look| exports::write(look, &export, form, pieces, &mut |_| Ok(())));
        written.map(|(pieces, _)| pieces)
    })
    .await
}

/// Room for one export. It holds a connection for as long as its reader takes, so not all connections may go to exports.
pub(crate) fn room(limits: &Limits) -> Result<OwnedSemaphorePermit, Problem> {
    let permit = Arc::clone(&limits.exports).try_acquire_owned();
    permit.map_err(|_| Problem::new(Code::Busy, "as many exports as may run at once are running"))
}

/// Reads what stands behind the dot of an export's address.
pub(crate) fn form_of(text: &str) -> Result<(Format, Packing), Problem> {
    let (format, packing) = match text.strip_suffix(".gz") {
        Some(format) => (format, Packing::Gzip),
        None => (text, Packing::Plain),
    };
    let unknown = || {
        let detail = "there are csv, ndjson and xlsx, each also with .gz behind it";
        Problem::new(Code::RouteNotFound, detail)
    };
    Ok((Format::parse(format).ok_or_else(unknown)?, packing))
}

fn content_type(format: Format, packing: Packing, header: Header) -> String {
    let plain = tables::content_type(format, packing);
    match (format, packing, header) {
        (Format::Csv, Packing::Plain, Header::Written) => format!("{plain}; header=present"),
        (Format::Csv, Packing::Plain, Header::LeftOut) => format!("{plain}; header=absent"),
        _ => plain.to_owned(),
    }
}
