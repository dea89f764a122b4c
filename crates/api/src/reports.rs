//! `/reports`: exports written to a file, fetched by a link that needs no session.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, LOCATION},
    web::{self, Data, Path, ServiceConfig},
};
use domain::{Instant, JobId, JobState, Kind, Month, Period, Slug};
use serde::Deserialize;
use tables::{Format, Packing};
use usecases::{
    App,
    exports::Export,
    history::HistoryQuery,
    ports::{SegmentQuery, UserQuery},
    reports::{self, LINK_DAYS_MAX, Request},
};
use utoipa::ToSchema;

use crate::{
    Limits, addresses, algebra,
    answers::Call,
    blocking, bodies,
    fields::{Faults, TtlField},
    jobs::{self, JobView, ReportView},
    parameters::Parameters,
    problems::{Code, Problem},
    streams,
};

const LINK_SECONDS: i64 = 24 * 60 * 60;

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/reports/history").post(history))
        .service(web::resource("/reports/members").post(members))
        .service(web::resource("/reports/algebra").post(set))
        .service(web::resource("/reports/users").post(users))
        .service(web::resource("/reports/stats").post(stats))
        .service(web::resource("/reports/{id}/{name}").get(fetch));
}

/// How a report is written, and how long its link holds.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HistoryReport {
    /// A calendar month, UTC.
    #[schema(example = "2026-08", pattern = r"^\d{4}-\d{2}$")]
    month: Option<String>,
    #[schema(value_type = Option<chrono::DateTime<chrono::Utc>>)]
    from: Option<String>,
    #[schema(value_type = Option<chrono::DateTime<chrono::Utc>>)]
    to: Option<String>,
    user_id: Option<String>,
    segment: Option<String>,
    #[schema(value_type = Option<FormatView>)]
    format: Option<String>,
    #[serde(default)]
    gzip: bool,
    link_ttl: Option<TtlField>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MembersReport {
    #[schema(example = "DISCOUNT_30")]
    segment: String,
    /// The members of this instant.
    #[schema(value_type = Option<chrono::DateTime<chrono::Utc>>)]
    as_of: Option<String>,
    /// Only those whom `/users?query=` finds when the report is written: the beginning of the id, or a part of the name or
    /// e-mail, where letter case does not count. Who may not see persons finds by id alone.
    #[schema(max_length = 200, example = "anna")]
    query: Option<String>,
    #[schema(value_type = Option<FormatView>)]
    format: Option<String>,
    #[serde(default)]
    gzip: bool,
    link_ttl: Option<TtlField>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AlgebraReport {
    /// As in `/segments/algebra`.
    #[schema(example = "(VIP & IOS) - STAFF", max_length = 16_640)]
    expr: String,
    /// As it was then, from history alone; `ALL` is everybody there is now.
    #[schema(value_type = Option<chrono::DateTime<chrono::Utc>>)]
    as_of: Option<String>,
    #[schema(value_type = Option<FormatView>)]
    format: Option<String>,
    #[serde(default)]
    gzip: bool,
    link_ttl: Option<TtlField>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UsersReport {
    /// The beginning of the id, or a part of the name or e-mail.
    #[schema(max_length = 200)]
    query: Option<String>,
    #[schema(value_type = Option<FormatView>)]
    format: Option<String>,
    #[serde(default)]
    gzip: bool,
    link_ttl: Option<TtlField>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StatsReport {
    /// A part of the slug or the name.
    #[schema(max_length = 200)]
    query: Option<String>,
    #[schema(value_type = Option<crate::segments::KindView>)]
    kind: Option<String>,
    #[schema(value_type = Option<FormatView>)]
    format: Option<String>,
    #[serde(default)]
    gzip: bool,
    link_ttl: Option<TtlField>,
}

#[derive(ToSchema)]
#[schema(as = Format, rename_all = "lowercase")]
#[allow(dead_code)]
pub(crate) enum FormatView {
    Csv,
    Ndjson,
    Xlsx,
}

/// Report what happened
///
/// For instance of all users in one month: `{"month":"2026-08"}`. As CSV: `user_id;segment;operation;timestamp`.
#[utoipa::path(post, path = "/api/v1/reports/history", tag = "reports", request_body = HistoryReport,
    responses(
        (status = 200, description = "It could not be written: `problem` says why", body = JobView),
        (status = 201, description = "The link", body = ReportView),
        (status = 202, description = "It goes on by itself: follow Location", body = JobView),
    ))]
pub(crate) async fn history(call: Call) -> Result<HttpResponse, Problem> {
    let body = bodies::read::<HistoryReport>(&call.request, &call.body)?;
    let mut faults = Faults::default();
    let user = body.user_id.as_deref().and_then(|text| faults.user_id("/user_id", text));
    let segment = slug(&mut faults, body.segment.as_deref());
    let period = period(&mut faults, body.month.as_deref(), body.from.as_deref(), body.to.as_deref());
    let export = Export::History(HistoryQuery { user, segment, period });
    write(call, faults, Some(export), body.format, body.gzip, body.link_ttl).await
}

/// Report a segment's members
#[utoipa::path(post, path = "/api/v1/reports/members", tag = "reports", request_body = MembersReport,
    responses(
        (status = 200, description = "It could not be written: `problem` says why", body = JobView),
        (status = 201, description = "The link", body = ReportView),
        (status = 202, description = "It goes on by itself: follow Location", body = JobView),
        (status = 404, description = "`segment_not_found`"),
    ))]
pub(crate) async fn members(call: Call) -> Result<HttpResponse, Problem> {
    let body = bodies::read::<MembersReport>(&call.request, &call.body)?;
    let mut faults = Faults::default();
    let as_of = faults.instant("/as_of", body.as_of.as_deref());
    let users = UserQuery { text: faults.search("/query", body.query), ..UserQuery::default() };
    let export = slug(&mut faults, Some(&body.segment)).map(|slug| Export::Members { slug, as_of, users });
    write(call, faults, export, body.format, body.gzip, body.link_ttl).await
}

/// Report who is in a combination of segments
///
/// The file has their ids: `user_id`.
#[utoipa::path(post, path = "/api/v1/reports/algebra", tag = "reports", request_body = AlgebraReport,
    responses(
        (status = 200, description = "It could not be written: `problem` says why", body = JobView),
        (status = 201, description = "The link", body = ReportView),
        (status = 202, description = "It goes on by itself: follow Location", body = JobView),
        (status = 404, description = "`segment_not_found`"),
    ))]
pub(crate) async fn set(call: Call) -> Result<HttpResponse, Problem> {
    let body = bodies::read::<AlgebraReport>(&call.request, &call.body)?;
    let mut faults = Faults::default();
    let export = algebra::query(&mut faults, &body.expr, body.as_of.as_deref()).map(Export::Algebra);
    write(call, faults, export, body.format, body.gzip, body.link_ttl).await
}

/// Report all users with their attributes
#[utoipa::path(post, path = "/api/v1/reports/users", tag = "reports", request_body = UsersReport,
    responses(
        (status = 200, description = "It could not be written: `problem` says why", body = JobView),
        (status = 201, description = "The link", body = ReportView),
        (status = 202, description = "It goes on by itself: follow Location", body = JobView),
    ))]
pub(crate) async fn users(call: Call) -> Result<HttpResponse, Problem> {
    let body = bodies::read::<UsersReport>(&call.request, &call.body)?;
    let mut faults = Faults::default();
    let text = faults.search("/query", body.query);
    write(
        call,
        faults,
        Some(Export::Users(UserQuery { text, ..UserQuery::default() })),
        body.format,
        body.gzip,
        body.link_ttl,
    )
    .await
}

/// Report every segment with the number of its members
#[utoipa::path(post, path = "/api/v1/reports/stats", tag = "reports", request_body = StatsReport,
    responses(
        (status = 200, description = "It could not be written: `problem` says why", body = JobView),
        (status = 201, description = "The link", body = ReportView),
        (status = 202, description = "It goes on by itself: follow Location", body = JobView),
    ))]
pub(crate) async fn stats(call: Call) -> Result<HttpResponse, Problem> {
    let body = bodies::read::<StatsReport>(&call.request, &call.body)?;
    let mut faults = Faults::default();
    let text = faults.search("/query", body.query);
    let kind = body
        .kind
        .as_deref()
        .and_then(|text| faults.take("/kind", "invalid_value", Kind::parse(text).ok_or("is not a kind of segment")));
    let query = SegmentQuery { text, kind, ..SegmentQuery::default() };
    write(call, faults, Some(Export::Stats(query.into())), body.format, body.gzip, body.link_ttl).await
}

async fn write(
    call: Call,
    mut faults: Faults,
    export: Option<Export>,
    format: Option<String>,
    gzip: bool,
    link_ttl: Option<TtlField>,
) -> Result<HttpResponse, Problem> {
    Parameters::of(&call.request)?.end()?;
    let format = match format.as_deref() {
        None => Some(Format::Csv),
        Some(text) => faults.take("/format", "invalid_value", Format::parse(text).ok_or("must be csv, ndjson or xlsx")),
    };
    let start = Instant::UNIX_EPOCH;
    let link_seconds = match faults.ttl("/link_ttl", link_ttl.as_ref()) {
        None => LINK_SECONDS,
        Some(ttl) => (ttl.after(start) - start).num_seconds(),
    };
    if link_seconds > LINK_DAYS_MAX * 24 * 60 * 60 {
        faults.add("/link_ttl", "out_of_range", format!("a link holds {LINK_DAYS_MAX} days at most"));
    }
    let (export, format) = faults.or(export.zip(format))?;
    let packing = if gzip { Packing::Gzip } else { Packing::Plain };
    let request = Request { export, format, packing, link_seconds };
    let begun = jobs::begin(call, move |act| reports::request(act, &request)).await?.finish().await?;
    if begun.job.state != JobState::Done {
        return begun.told().await;
    }
    let (job, base) = (begun.job.clone(), addresses::base(&begun.request));
    let asker = begun.asker.clone();
    let read = move |app: &App| app.look(asker.caller(), |look| reports::of_job(look, &job));
    let report = blocking::run(begun.app.clone(), read).await?;
    let gone = || Problem::new(Code::Internal, "a report that is done has no outcome");
    let view = ReportView::new(&report.ok_or_else(gone)?, &base);
    let mut response = HttpResponse::Created();
    response.insert_header((LOCATION, format!("/api/v1/jobs/{}", begun.job.id)));
    if begun.is_replayed() {
        response.insert_header(("idempotent-replayed", "true"));
    }
    Ok(response.json(view))
}

/// Fetch a report by its link
///
/// The link says all: it needs no session, and ends when it said.
#[utoipa::path(get, path = "/api/v1/reports/{id}/{name}", tag = "reports",
    params(
        ("expires" = i64, Query, description = "When the link ends, in seconds since 1970"),
        ("signature" = String, Query, description = "Proves that this service gave the link"),
    ),
    responses(
        (status = 200, description = "The file", body = String, content_type = "text/csv"),
        (status = 403, description = "`link_refused`: it ended, or was changed"),
    ))]
pub(crate) async fn fetch(
    app: Data<App>,
    limits: Data<Limits>,
    request: HttpRequest,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let (id, name) = path.into_inner();
    let changed = || Problem::new(Code::LinkRefused, "the link was changed");
    let mut parameters = Parameters::of(&request)?;
    let (expires, signature) = (parameters.text("expires"), parameters.text("signature"));
    parameters.end()?;
    let id = id.parse().map(JobId).map_err(|_| changed())?;
    let expires = expires.and_then(|text| text.parse().ok()).and_then(|seconds| Instant::from_timestamp(seconds, 0));
    let (expires, signature) = expires.zip(signature).ok_or_else(changed)?;
    let (report, mut file) = blocking::run(app, move |app| reports::follow(app, id, expires, &signature)).await?;
    if report.file_name != name {
        return Err(changed());
    }
    let mut response = HttpResponse::Ok();
    response
        .insert_header((CONTENT_TYPE, tables::content_type(report.format, report.packing)))
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")))
        .insert_header((CACHE_CONTROL, "private, no-store"));
    streams::answer(response, limits.export_patience, move |mut pieces| {
        std::io::copy(&mut file, &mut pieces)?;
        Ok(pieces)
    })
    .await
}

fn slug(faults: &mut Faults, text: Option<&str>) -> Option<Slug> {
    faults.take("/segment", "invalid_slug", Slug::parse(text?))
}

fn period(faults: &mut Faults, month: Option<&str>, from: Option<&str>, to: Option<&str>) -> Period {
    if month.is_some() && (from.is_some() || to.is_some()) {
        faults.add("/month", "both_given", "give `month`, or `from` and `to`, not both");
        return Period::default();
    }
    if let Some(text) = month {
        return faults.take("/month", "invalid_month", Month::parse(text)).map_or_else(Period::default, Month::period);
    }
    let (from, to) = (faults.instant("/from", from), faults.instant("/to", to));
    if from.zip(to).is_some_and(|(from, to)| to < from) {
        faults.add("/to", "out_of_order", "`to` is before `from`");
    }
    Period { from, to }
}
