//! `/segments`: the definitions.

use actix_web::{
    HttpResponse,
    web::{self, Path, ServiceConfig},
};
use domain::{
    Description, HistoryRow, Kind, Name, Percent, Segment, SegmentId, Slug, TextError, Ttl, algebra::Expression,
};
use serde::{Deserialize, Serialize};
use serde_json::Number;
use usecases::{
    Act, Revision, algebra,
    ports::{Direction, SegmentOrder, SegmentQuery, SegmentSort},
    segments::{self, BySize, ChangeSegment, Copied, CopiedMembers, CopySegment, CreateSegment, StatsQuery},
};
use utoipa::ToSchema;

use crate::{
    answers::{Answer, Call, Page},
    bodies, cursors,
    fields::{Faults, TtlField, present},
    parameters::Parameters,
    problems::Problem,
    times,
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/segments").post(create).get(list))
        .service(web::resource("/segments/stats").get(stats))
        .service(web::resource("/segments/{slug}").get(get).patch(change).delete(delete))
        .service(web::resource("/segments/{slug}/rename").post(rename))
        .service(web::resource("/segments/{slug}/copy").post(copy))
        .service(web::resource("/segments/{slug}/description").put(describe));
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewSegment {
    #[schema(example = "DISCOUNT_30", pattern = "^[A-Za-z0-9][A-Za-z0-9_-]{0,254}$")]
    slug: String,
    /// The slug when absent.
    #[schema(min_length = 1, max_length = 50, example = "30 % off")]
    name: Option<String>,
    #[schema(max_length = 2000)]
    description: Option<String>,
    /// Gives the segment at once to this share of all users, in percent with at most 4 decimals.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<f64>, minimum = 0, maximum = 100, nullable = false, example = 30)]
    percent: Option<Number>,
    /// How long memberships last whose add does not say.
    default_ttl: Option<TtlField>,
    /// Begins with those who are in this combination of segments now, as `/segments/algebra` says; it does not follow them.
    #[schema(max_length = 16_640, example = "(VIP & IOS) - STAFF")]
    expr: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SegmentPatch {
    /// Null names the segment after its slug again.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, max_length = 50)]
    name: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, max_length = 2000)]
    description: Option<Option<String>>,
    /// Gives the segment to this share of all users instead.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<f64>, minimum = 0, maximum = 100, nullable = false)]
    percent: Option<Number>,
    /// Null lets new memberships stay open.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<TtlField>)]
    default_ttl: Option<Option<TtlField>>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewSlug {
    #[schema(example = "DISCOUNT_30_PERCENT", pattern = "^[A-Za-z0-9][A-Za-z0-9_-]{0,254}$")]
    slug: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Copying {
    #[schema(example = "DISCOUNT_30_COPY", pattern = "^[A-Za-z0-9][A-Za-z0-9_-]{0,254}$")]
    slug: String,
    /// Whether everyone who is in comes along, with their deadlines.
    #[serde(default = "yes")]
    #[schema(default = true)]
    members: bool,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewDescription {
    #[schema(example = "30 % off everything until May", max_length = 2000)]
    description: String,
}

/// A segment's definition.
#[derive(Serialize, ToSchema)]
#[schema(as = Segment)]
pub(crate) struct SegmentView {
    #[schema(example = "DISCOUNT_30")]
    slug: String,
    #[schema(example = "30 % off")]
    name: String,
    description: String,
    #[schema(value_type = KindView)]
    kind: &'static str,
    /// The share of all users it was last given to; null until it is distributed.
    #[schema(value_type = Option<f64>, required = true, example = 30)]
    percent: Option<Number>,
    /// What positions are computed from: see docs/positions.md.
    #[schema(example = "5f0f1f6b1c2d3e4f", pattern = "^[0-9a-f]{16}$")]
    seed: String,
    #[schema(required = true, example = "P30D")]
    default_ttl: Option<String>,
    #[schema(value_type = chrono::DateTime<chrono::Utc>, example = "2026-11-20T12:00:00.000000Z")]
    created_at: String,
    #[schema(value_type = chrono::DateTime<chrono::Utc>, example = "2026-11-20T12:00:00.000000Z")]
    updated_at: String,
    /// Counts the changes of the definition, from 1.
    version: i64,
}

/// How a segment gets its members, besides by hand.
#[derive(Serialize, ToSchema)]
#[schema(as = Kind)]
#[serde(rename_all = "snake_case")]
#[allow(dead_code)]
pub(crate) enum KindView {
    Manual,
    Percent,
    Rule,
    Model,
}

impl From<&Segment> for SegmentView {
    fn from(segment: &Segment) -> SegmentView {
        SegmentView {
            slug: segment.slug.to_string(),
            name: segment.name.as_str().to_owned(),
            description: segment.description.as_str().to_owned(),
            kind: segment.kind.as_str(),
            percent: segment.percent.map(number),
            seed: segment.seed.to_string(),
            default_ttl: segment.default_ttl.map(|ttl| ttl.to_string()),
            created_at: times::write(segment.created_at),
            updated_at: times::write(segment.updated_at),
            version: segment.version,
        }
    }
}

/// Writes a percent with no more decimals than it has.
pub(crate) fn number(percent: Percent) -> Number {
    serde_json::from_str(&percent.to_string()).expect("a percent is written as a number")
}

#[derive(Serialize, ToSchema)]
pub(crate) struct SegmentStats {
    #[schema(example = "DISCOUNT_30")]
    slug: String,
    name: String,
    #[schema(value_type = KindView)]
    kind: &'static str,
    #[schema(example = 1763)]
    user_count: u64,
    /// The share of all users it was last given to; null until it is distributed.
    #[schema(value_type = Option<f64>, required = true, example = 30)]
    percent: Option<Number>,
    #[schema(value_type = chrono::DateTime<chrono::Utc>, example = "2026-11-20T12:00:00.000000Z")]
    updated_at: String,
    /// Counts the changes of the definition, from 1.
    version: i64,
    /// The newest row of its history, whatever it was called then; null when there is none.
    #[schema(required = true)]
    last_change: Option<LastChange>,
}

/// Who last came, went or stayed longer by whose doing.
#[derive(Serialize, ToSchema)]
pub(crate) struct LastChange {
    #[schema(value_type = chrono::DateTime<chrono::Utc>, example = "2026-11-20T12:00:00.000000Z")]
    at: String,
    #[schema(example = "api")]
    actor: String,
    #[schema(example = "manual")]
    source: &'static str,
    #[schema(value_type = crate::history::OperationView)]
    operation: &'static str,
}

impl From<&HistoryRow> for LastChange {
    fn from(row: &HistoryRow) -> LastChange {
        LastChange {
            at: times::write(row.entry.at),
            actor: row.entry.actor.to_string(),
            source: row.entry.source.as_str(),
            operation: row.entry.operation.as_str(),
        }
    }
}

/// Reads a slug that stands in the address.
pub(crate) fn slug_in(path: &str) -> Result<Slug, Problem> {
    Slug::parse(path).map_err(|error| Problem::fault("slug", "invalid_slug", error))
}

/// What a dry run tells: how many users the act would concern.
#[derive(Serialize, ToSchema)]
pub(crate) struct Concerned {
    #[schema(example = "DISCOUNT_30_COPY")]
    segment: String,
    #[schema(example = 1763)]
    user_count: u64,
}

fn answer(segment: &Segment) -> Answer {
    Answer::ok(&SegmentView::from(segment)).with_revision(Revision::from(segment))
}

fn address(segment: &Segment) -> String {
    format!("/api/v1/segments/{}", segment.slug)
}

fn created(segment: &Segment) -> Answer {
    Answer::created(&SegmentView::from(segment), address(segment)).with_revision(Revision::from(segment))
}

/// Create a segment
#[utoipa::path(post, path = "/api/v1/segments", tag = "segments", request_body = NewSegment,
    responses(
        (status = 201, description = "Created; with a percent, also given to that share of all users", body = SegmentView,
            headers(("Location" = String), ("ETag" = String))),
        (status = 404, description = "`segment_not_found`, of the expression"),
        (status = 409, description = "`slug_taken`"),
    ))]
pub(crate) async fn create(call: Call) -> Result<HttpResponse, Problem> {
    Parameters::of(&call.request)?.end()?;
    let (command, expression) = bodies::read::<NewSegment>(&call.request, &call.body)?.into_command()?;
    call.act(|act| {
        let segment = match expression {
            Some(expression) => algebra::create(act, command, expression)?,
            None => segments::create(act, command)?,
        };
        Ok(created(&segment))
    })
    .await
}

impl NewSegment {
    fn into_command(self) -> Result<(CreateSegment, Option<Expression>), Problem> {
        let mut faults = Faults::default();
        let slug = faults.take("/slug", "invalid_slug", Slug::parse(&self.slug));
        let name = self.name.as_deref().and_then(|name| read_name(&mut faults, name));
        let description = read_description(&mut faults, self.description.as_deref().unwrap_or(""));
        let percent = faults.percent("/percent", self.percent.as_ref());
        let default_ttl = faults.ttl("/default_ttl", self.default_ttl.as_ref());
        let expression = self.expr.as_deref().map(Expression::parse);
        let expression = expression.and_then(|expression| faults.take("/expr", "invalid_expression", expression));
        if percent.is_some() && expression.is_some() {
            faults.add("/expr", "both_given", "give `percent` or `expr`, not both");
        }
        let slug = faults.or(slug)?;
        Ok((CreateSegment { slug, name, description, percent, default_ttl }, expression))
    }
}

fn read_name(faults: &mut Faults, text: &str) -> Option<Name> {
    let name = Name::parse(text);
    let code = if matches!(name, Err(TextError::NameLength(_))) { "wrong_length" } else { "invalid_name" };
    faults.take("/name", code, name)
}

fn read_description(faults: &mut Faults, text: &str) -> Description {
    match Description::parse(text) {
        Ok(description) => description,
        Err(TextError::DescriptionLength(_)) => {
            faults.add("/description", "wrong_length", format!("must have at most {}", Description::CHARS_MAX));
            Description::default()
        }
        Err(error) => {
            faults.add("/description", "invalid_description", error);
            Description::default()
        }
    }
}

/// List and search segments
#[utoipa::path(get, path = "/api/v1/segments", tag = "segments",
    params(crate::openapi::SegmentFilters, crate::openapi::Paging),
    responses((status = 200, description = "A page of segments", body = Page<SegmentView>)))]
pub(crate) async fn list(call: Call) -> Result<HttpResponse, Problem> {
    let mut parameters = Parameters::of(&call.request)?;
    let (query, limit, exact) = read_page(&mut parameters);
    parameters.end()?;
    call.look(move |look| {
        let found = segments::list(look, &query, limit + 1)?;
        let total = if exact { Some(segments::count(look, &query)?) } else { None };
        let (found, next_cursor) = cursors::page(found, limit, |last| cursor(&query.sort, last));
        Ok(Page { items: found.iter().map(SegmentView::from).collect(), next_cursor, total })
    })
    .await
}

/// Every segment with its number of users
#[utoipa::path(get, path = "/api/v1/segments/stats", tag = "segments",
    params(crate::openapi::StatsFilters, crate::openapi::Paging),
    responses((status = 200, description = "A page of segments, also those without users", body = Page<SegmentStats>)))]
pub(crate) async fn stats(call: Call) -> Result<HttpResponse, Problem> {
    let mut parameters = Parameters::of(&call.request)?;
    let (query, limit, exact) = read_stats_page(&mut parameters);
    parameters.end()?;
    call.look(move |look| {
        let found = segments::stats(look, &query, limit + 1)?;
        let total = if exact { Some(segments::count(look, &query.segments)?) } else { None };
        let (found, next_cursor) = cursors::page(found, limit, |(last, count)| match &query.by_size {
            None => cursor(&query.segments.sort, last),
            Some(by_size) => cursors::write(&(size_name(by_size.direction), count.to_string(), last.slug.as_str())),
        });
        let ids: Vec<SegmentId> = found.iter().map(|(segment, _)| segment.id).collect();
        let changes = segments::last_changes(look, &ids)?;
        let items = found
            .iter()
            .map(|(segment, user_count)| SegmentStats {
                slug: segment.slug.to_string(),
                name: segment.name.as_str().to_owned(),
                kind: segment.kind.as_str(),
                user_count: *user_count,
                percent: segment.percent.map(number),
                updated_at: times::write(segment.updated_at),
                version: segment.version,
                last_change: changes.get(&segment.id).map(LastChange::from),
            })
            .collect();
        Ok(Page { items, next_cursor, total })
    })
    .await
}

fn read_page(parameters: &mut Parameters) -> (SegmentQuery, usize, bool) {
    let query = read_query(parameters);
    let after = read_cursor(parameters, query.sort);
    let limit = parameters.limit();
    let exact = parameters.counts_exactly();
    (SegmentQuery { after, ..query }, limit, exact)
}

fn read_stats_page(parameters: &mut Parameters) -> (StatsQuery, usize, bool) {
    let mut query = read_stats_query(parameters);
    match &mut query.by_size {
        None => query.segments.after = read_cursor(parameters, query.segments.sort),
        Some(by_size) => {
            let marked = size_name(by_size.direction);
            by_size.after = parameters.cursor::<(String, String, String)>().and_then(|(order, size, slug)| {
                let size = size.parse().ok().filter(|_| order == marked);
                let after = size.zip(Slug::parse(&slug).ok()).ok_or("is not a cursor of this list");
                parameters.faults.take("cursor", "invalid_cursor", after)
            });
        }
    }
    let limit = parameters.limit();
    let exact = parameters.counts_exactly();
    (query, limit, exact)
}

fn read_cursor(parameters: &mut Parameters, sort: SegmentSort) -> Option<(String, Slug)> {
    parameters.cursor::<(String, String, String)>().and_then(|(order, value, slug)| {
        let fits = order == sort_name(&sort)
            && match sort.by {
                SegmentOrder::Slug => value == slug,
                SegmentOrder::Name => !value.contains('\0'),
                SegmentOrder::CreatedAt | SegmentOrder::UpdatedAt => value.parse::<i64>().is_ok(),
            };
        let slug = Slug::parse(&slug).ok().filter(|_| fits);
        parameters.faults.take(
            "cursor",
            "invalid_cursor",
            slug.map(|slug| (value, slug)).ok_or("is not a cursor of this list"),
        )
    })
}

/// Which segments, and in which order.
fn read_query(parameters: &mut Parameters) -> SegmentQuery {
    let sort = parameters.read("sort", "invalid_value", |text| {
        read_sort(text).ok_or("must be slug, name, created_at or updated_at, possibly with `-` before it")
    });
    SegmentQuery { sort: sort.unwrap_or_default(), ..read_filters(parameters) }
}

/// The same, where segments may also be sorted by size.
pub(crate) fn read_stats_query(parameters: &mut Parameters) -> StatsQuery {
    const SORTS: &str = "must be slug, name, created_at, updated_at or user_count, possibly with `-` before it";
    let sort = parameters.read("sort", "invalid_value", |text| {
        let by_size = [Direction::Ascending, Direction::Descending].into_iter().find(|one| size_name(*one) == text);
        match by_size {
            Some(direction) => Ok((SegmentSort::default(), Some(BySize { direction, after: None }))),
            None => read_sort(text).map(|sort| (sort, None)).ok_or(SORTS),
        }
    });
    let (sort, by_size) = sort.unwrap_or_default();
    StatsQuery { segments: SegmentQuery { sort, ..read_filters(parameters) }, by_size }
}

fn read_filters(parameters: &mut Parameters) -> SegmentQuery {
    let text = parameters.search("query");
    let kind = parameters
        .read("kind", "invalid_value", |text| Kind::parse(text).ok_or("must be manual, percent, rule or model"));
    SegmentQuery { text, kind, ..SegmentQuery::default() }
}

/// The order by size, as `sort` and cursors name it.
fn size_name(direction: Direction) -> &'static str {
    match direction {
        Direction::Ascending => "user_count",
        Direction::Descending => "-user_count",
    }
}

fn cursor(sort: &SegmentSort, last: &Segment) -> String {
    cursors::write(&(sort_name(sort), sort.by.value(last), last.slug.as_str()))
}

const ORDERS: [(&str, SegmentOrder); 4] = [
    ("slug", SegmentOrder::Slug),
    ("name", SegmentOrder::Name),
    ("created_at", SegmentOrder::CreatedAt),
    ("updated_at", SegmentOrder::UpdatedAt),
];

fn read_sort(text: &str) -> Option<SegmentSort> {
    let (direction, name) = match text.strip_prefix('-') {
        Some(name) => (Direction::Descending, name),
        None => (Direction::Ascending, text),
    };
    let (_, by) = ORDERS.into_iter().find(|(known, _)| *known == name)?;
    Some(SegmentSort { by, direction })
}

fn sort_name(sort: &SegmentSort) -> String {
    let minus = if sort.direction == Direction::Descending { "-" } else { "" };
    let name = ORDERS.into_iter().find(|(_, order)| *order == sort.by).map_or("", |(name, _)| name);
    format!("{minus}{name}")
}

/// Read a segment
#[utoipa::path(get, path = "/api/v1/segments/{slug}", tag = "segments", params(("slug" = String, Path)),
    responses(
        (status = 200, description = "The segment", body = SegmentView, headers(("ETag" = String))),
        (status = 304, description = "It is as If-None-Match says"),
        (status = 404, description = "`segment_not_found`"),
    ))]
pub(crate) async fn get(call: Call, path: Path<String>) -> Result<HttpResponse, Problem> {
    let slug = slug_in(&path)?;
    Parameters::of(&call.request)?.end()?;
    call.look_at(move |look| Ok(answer(&segments::get(look, &slug)?))).await
}

/// Change a segment
///
/// What is left out stays. A new percent is distributed at once.
#[utoipa::path(patch, path = "/api/v1/segments/{slug}", tag = "segments", params(("slug" = String, Path)), request_body = SegmentPatch,
    responses(
        (status = 200, description = "The segment as it is now", body = SegmentView, headers(("ETag" = String))),
        (status = 404, description = "`segment_not_found`"),
        (status = 409, description = "`conflict`: a segment of this kind cannot be distributed"),
    ))]
pub(crate) async fn change(call: Call, path: Path<String>) -> Result<HttpResponse, Problem> {
    let slug = slug_in(&path)?;
    Parameters::of(&call.request)?.end()?;
    let expected = call.expected_or_required()?;
    let command = bodies::read::<SegmentPatch>(&call.request, &call.body)?.into_command()?;
    call.act(move |act| Ok(answer(&segments::change(act, &slug, &expected, command)?))).await
}

impl SegmentPatch {
    fn into_command(self) -> Result<ChangeSegment, Problem> {
        let mut faults = Faults::default();
        let name = self.name.map(|name| name.and_then(|name| read_name(&mut faults, &name)));
        let description = self.description.map(|text| read_description(&mut faults, text.as_deref().unwrap_or("")));
        let percent = faults.percent("/percent", self.percent.as_ref());
        let default_ttl: Option<Option<Ttl>> =
            self.default_ttl.map(|ttl| ttl.and_then(|ttl| faults.ttl("/default_ttl", Some(&ttl))));
        faults.none_or_problem()?;
        Ok(ChangeSegment { slug: None, name, description, percent, default_ttl })
    }
}

/// Delete a segment
///
/// Its memberships end, with history; history stays readable, and the slug can be used again.
#[utoipa::path(delete, path = "/api/v1/segments/{slug}", tag = "segments", params(("slug" = String, Path), crate::openapi::DryRun),
    responses(
        (status = 200, description = "What a dry run found", body = Concerned),
        (status = 204, description = "Gone"),
        (status = 404, description = "`segment_not_found`"),
    ))]
pub(crate) async fn delete(call: Call, path: Path<String>) -> Result<HttpResponse, Problem> {
    let slug = slug_in(&path)?;
    let mut parameters = Parameters::of(&call.request)?;
    let dry_run = parameters.flag("dry_run");
    parameters.end()?;
    let expected = call.expected();
    if dry_run {
        let tell = move |act: &mut Act| {
            let user_count = segments::delete(act, &slug, &expected)?;
            Ok(Answer::ok(&Concerned { segment: slug.to_string(), user_count }))
        };
        return call.rehearse(tell).await;
    }
    call.act(move |act| segments::delete(act, &slug, &expected).map(|_| Answer::no_content())).await
}

/// Rename a segment
///
/// Members, history and positions stay; history rows keep the slug that they were written under.
#[utoipa::path(post, path = "/api/v1/segments/{slug}/rename", tag = "segments", params(("slug" = String, Path)), request_body = NewSlug,
    responses(
        (status = 200, description = "The segment under its new slug", body = SegmentView, headers(("ETag" = String), ("Content-Location" = String))),
        (status = 404, description = "`segment_not_found`"),
        (status = 409, description = "`slug_taken`"),
    ))]
pub(crate) async fn rename(call: Call, path: Path<String>) -> Result<HttpResponse, Problem> {
    let slug = slug_in(&path)?;
    Parameters::of(&call.request)?.end()?;
    let expected = call.expected();
    let new = new_slug(&bodies::read::<NewSlug>(&call.request, &call.body)?.slug)?;
    call.act(move |act| {
        let segment = segments::rename(act, &slug, &expected, new)?;
        Ok(answer(&segment).now_at(address(&segment)))
    })
    .await
}

fn new_slug(text: &str) -> Result<Slug, Problem> {
    Slug::parse(text).map_err(|error| Problem::fault("/slug", "invalid_slug", error))
}

/// Copy a segment
#[utoipa::path(post, path = "/api/v1/segments/{slug}/copy", tag = "segments", params(("slug" = String, Path), crate::openapi::DryRun), request_body = Copying,
    responses(
        (status = 200, description = "What a dry run found", body = Concerned),
        (status = 201, description = "The copy; its members are in since now", body = SegmentView, headers(("Location" = String), ("ETag" = String))),
        (status = 404, description = "`segment_not_found`"),
        (status = 409, description = "`slug_taken`"),
    ))]
pub(crate) async fn copy(call: Call, path: Path<String>) -> Result<HttpResponse, Problem> {
    let slug = slug_in(&path)?;
    let mut parameters = Parameters::of(&call.request)?;
    let dry_run = parameters.flag("dry_run");
    parameters.end()?;
    let body = bodies::read::<Copying>(&call.request, &call.body)?;
    let new = new_slug(&body.slug)?;
    let members = if body.members { CopiedMembers::All } else { CopiedMembers::Nobody };
    let command = CopySegment { slug: new, members };
    if dry_run {
        let tell = move |act: &mut Act| {
            let Copied { segment, user_count } = segments::copy(act, &slug, command)?;
            Ok(Answer::ok(&Concerned { segment: segment.slug.to_string(), user_count }))
        };
        return call.rehearse(tell).await;
    }
    call.act(move |act| Ok(created(&segments::copy(act, &slug, command)?.segment))).await
}

/// Describe a segment
#[utoipa::path(put, path = "/api/v1/segments/{slug}/description", tag = "segments", params(("slug" = String, Path)), request_body = NewDescription,
    responses(
        (status = 200, description = "The segment as it is now", body = SegmentView, headers(("ETag" = String))),
        (status = 404, description = "`segment_not_found`"),
    ))]
pub(crate) async fn describe(call: Call, path: Path<String>) -> Result<HttpResponse, Problem> {
    let slug = slug_in(&path)?;
    Parameters::of(&call.request)?.end()?;
    let expected = call.expected();
    let body = bodies::read::<NewDescription>(&call.request, &call.body)?;
    let mut faults = Faults::default();
    let description = read_description(&mut faults, &body.description);
    faults.none_or_problem()?;
    let command = ChangeSegment { description: Some(description), ..ChangeSegment::default() };
    call.act(move |act| Ok(answer(&segments::change(act, &slug, &expected, command)?))).await
}
