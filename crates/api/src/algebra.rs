//! Set algebra: combinations of segments, and how segments overlap.

use actix_web::{
    HttpResponse,
    web::{self, Path, ServiceConfig},
};
use domain::{Slug, algebra::Expression};
use serde::{Deserialize, Serialize};
use usecases::algebra::{self, AlgebraQuery, Exactly, Found, LikePair, OVERLAP_MAX, Overlap, Overlaps, Wanted};
use utoipa::ToSchema;
use validator::Validate;

use crate::{
    answers::{Call, Page},
    bodies, cursors,
    fields::Faults,
    parameters::Parameters,
    problems::Problem,
    segments::slug_in,
    times,
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/segments/algebra").post(evaluate))
        .service(web::resource("/segments/overlap").post(overlap))
        .service(web::resource("/segments/overlaps").get(overlaps))
        .service(web::resource("/segments/{slug}/similar").get(similar));
}

/// Who is in a combination of segments?
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Algebra {
    /// Segments and `ALL`, with `-`, `&`, `^` and `|`, which bind in this order, and parentheses. A `-` that touches the
    /// slug before it belongs to that slug.
    #[schema(example = "(VIP & IOS) - STAFF", max_length = 16_640)]
    expr: String,
    #[serde(default)]
    r#return: Return,
    /// As it was then, from history alone; `ALL` is everybody there is now.
    #[schema(format = DateTime)]
    as_of: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[schema(as = AlgebraReturn)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Return {
    /// How many they are.
    #[default]
    Count,
    /// Their ids, page by page.
    Users,
}

#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum AlgebraAnswer {
    Count(SetCount),
    Users(Page<String>),
}

/// How many users are in a combination of segments.
#[derive(Serialize, ToSchema)]
pub(crate) struct SetCount {
    /// The expression, with no more parentheses than it needs.
    #[schema(example = "(VIP & IOS) - STAFF")]
    expr: String,
    #[schema(example = 1763)]
    user_count: u64,
}

/// How do these segments overlap?
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OverlapQuestion {
    #[validate(length(min = 1, max = 8))]
    #[schema(min_items = 1, max_items = 8, example = json!(["VIP", "IOS"]))]
    slugs: Vec<String>,
    /// As it was then, from history alone.
    #[schema(format = DateTime)]
    as_of: Option<String>,
}

/// How segments share their users.
#[derive(Serialize, ToSchema)]
#[schema(as = Overlap)]
pub(crate) struct OverlapView {
    segments: Vec<SegmentCount>,
    /// Everybody who is in any of them once, by the segments that they are in; what nobody is in is left out.
    intersections: Vec<Intersection>,
    /// For each segment, in their order, its likeness to each: those in both, of those in either, from 0 to 1.
    #[schema(example = json!([[1.0, 0.25], [0.25, 1.0]]))]
    jaccard: Vec<Vec<f64>>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct SegmentCount {
    #[schema(example = "VIP")]
    segment: String,
    user_count: u64,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Intersection {
    /// Exactly these of the segments.
    #[schema(example = json!(["VIP", "IOS"]))]
    segments: Vec<String>,
    user_count: u64,
}

/// Which segments are like this one?
#[derive(Serialize, ToSchema)]
pub(crate) struct SimilarView {
    #[schema(example = "VIP")]
    segment: String,
    user_count: u64,
    /// The likest first; none that have nobody in common.
    items: Vec<SimilarSegment>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct SimilarSegment {
    #[schema(example = "IOS")]
    segment: String,
    user_count: u64,
    /// How many are in both.
    shared: u64,
    /// Those in both, of those in either, from 0 to 1. At 1 they have the same members.
    #[schema(example = 0.25)]
    jaccard: f64,
}

/// What the cursors of users are marked with.
const USERS: &str = "algebra";

/// Who is in a combination of segments?
///
/// How many users, or their ids page by page, now or as of an instant. An error in the expression names its column.
#[utoipa::path(post, path = "/api/v1/segments/algebra", tag = "segments", request_body = Algebra,
    params(crate::openapi::Paging),
    responses(
        (status = 200, description = "A count, or a page of user ids", body = AlgebraAnswer),
        (status = 404, description = "`segment_not_found`"),
    ))]
pub(crate) async fn evaluate(call: Call) -> Result<HttpResponse, Problem> {
    let mut parameters = Parameters::of(&call.request)?;
    let after = parameters.user_cursor(USERS);
    let (limit, exact) = (parameters.limit(), parameters.counts_exactly());
    parameters.end()?;
    let body = bodies::read::<Algebra>(&call.request, &call.body)?;
    let mut faults = Faults::default();
    let query = query(&mut faults, &body.expr, body.as_of.as_deref());
    let query = faults.or(query)?;
    let wanted = match body.r#return {
        Return::Count => Wanted { users: None, count: Some(Exactly) },
        Return::Users => Wanted { users: Some((after, limit + 1)), count: exact.then_some(Exactly) },
    };
    call.know(move |app, caller| {
        let known = algebra::evaluate(app, caller, &query, &wanted)?;
        Ok(known.map(|Found { users, count }| match body.r#return {
            Return::Count => {
                let user_count = count.unwrap_or_default();
                AlgebraAnswer::Count(SetCount { expr: query.expression.to_string(), user_count })
            }
            Return::Users => {
                let (users, next_cursor) = cursors::page(users, limit, |last| cursors::write(&(USERS, last.as_str())));
                let items = users.iter().map(ToString::to_string).collect();
                AlgebraAnswer::Users(Page { items, next_cursor, total: count })
            }
        }))
    })
    .await
}

/// Reads the fields `expr` and `as_of`, which all questions of who is in a combination have.
pub(crate) fn query(faults: &mut Faults, expr: &str, as_of: Option<&str>) -> Option<AlgebraQuery> {
    let as_of = faults.instant("/as_of", as_of);
    let expression = faults.take("/expr", "invalid_expression", Expression::parse(expr))?;
    Some(AlgebraQuery { expression, as_of })
}

/// How do segments overlap?
///
/// For up to 8 segments: how many users each has, how many are in exactly which of them, and how like each two are.
#[utoipa::path(post, path = "/api/v1/segments/overlap", tag = "segments", request_body = OverlapQuestion,
    responses(
        (status = 200, description = "In the order of the question", body = OverlapView),
        (status = 404, description = "`segment_not_found`"),
    ))]
pub(crate) async fn overlap(call: Call) -> Result<HttpResponse, Problem> {
    Parameters::of(&call.request)?.end()?;
    let body = bodies::read::<OverlapQuestion>(&call.request, &call.body)?;
    let mut faults = Faults::default();
    faults.validated(&body);
    let as_of = faults.instant("/as_of", body.as_of.as_deref());
    let mut slugs: Vec<Slug> = Vec::new();
    for (index, text) in body.slugs.iter().take(OVERLAP_MAX).enumerate() {
        let pointer = format!("/slugs/{index}");
        match faults.take(&pointer, "invalid_slug", Slug::parse(text)) {
            Some(slug) if slugs.contains(&slug) => {
                faults.add(pointer, "named_twice", format!("`{slug}` is named twice"))
            }
            slug => slugs.extend(slug),
        }
    }
    faults.none_or_problem()?;
    call.know(move |app, caller| {
        Ok(algebra::known_overlap(app, caller, &slugs, as_of)?.map(|overlap| OverlapView::new(&slugs, &overlap)))
    })
    .await
}

/// Which segments are like this one?
///
/// By their shared members: at the top stand duplicates, if there are any.
#[utoipa::path(get, path = "/api/v1/segments/{slug}/similar", tag = "segments",
    params(
        ("slug" = String, Path),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000, description = "How many segments at most"),
    ),
    responses(
        (status = 200, description = "The likest first", body = SimilarView),
        (status = 404, description = "`segment_not_found`"),
    ))]
pub(crate) async fn similar(call: Call, path: Path<String>) -> Result<HttpResponse, Problem> {
    let slug = slug_in(&path)?;
    let mut parameters = Parameters::of(&call.request)?;
    let limit = parameters.limit();
    parameters.end()?;
    call.know(move |app, caller| {
        let known = algebra::similar(app, caller, &slug, limit)?;
        Ok(known.map(|(user_count, found)| {
            let items = found.iter().map(|one| SimilarSegment {
                segment: one.slug.to_string(),
                user_count: one.user_count,
                shared: one.shared,
                jaccard: one.jaccard,
            });
            SimilarView { segment: slug.to_string(), user_count, items: items.collect() }
        }))
    })
    .await
}

/// The pairs of segments that are likest.
#[derive(Serialize, ToSchema)]
pub(crate) struct OverlapsView {
    #[schema(value_type = chrono::DateTime<chrono::Utc>, example = "2026-11-20T12:00:00.000000Z")]
    as_of: String,
    /// How many segments were held against each other: the largest ones of those with members, at most 200.
    #[schema(example = 9)]
    considered: usize,
    /// The likest first; none that have nobody in common.
    items: Vec<LikePairView>,
}

/// Two segments that share members, the larger first.
#[derive(Serialize, ToSchema)]
#[schema(as = LikePair)]
pub(crate) struct LikePairView {
    #[schema(example = "VIP")]
    first: String,
    #[schema(example = "IOS")]
    second: String,
    #[schema(example = 400)]
    first_count: u64,
    #[schema(example = 100)]
    second_count: u64,
    /// How many are in both.
    #[schema(example = 100)]
    shared: u64,
    /// Those in both, of those in either, from 0 to 1.
    #[schema(example = 0.25)]
    jaccard: f64,
}

impl From<LikePair> for LikePairView {
    fn from(pair: LikePair) -> LikePairView {
        let LikePair { first, second, first_count, second_count, shared, jaccard } = pair;
        LikePairView {
            first: first.to_string(),
            second: second.to_string(),
            first_count,
            second_count,
            shared,
            jaccard,
        }
    }
}

/// How many pairs are told unless more are asked for.
const PAIRS: usize = 20;

/// Which segments are like each other?
///
/// The pairs that share the largest part of their members, among the 200 largest segments: duplicates stand at the top.
#[utoipa::path(get, path = "/api/v1/segments/overlaps", tag = "segments",
    params(("limit" = Option<u32>, Query, minimum = 1, maximum = 1000, description = "How many pairs at most; 20 when absent")),
    responses((status = 200, description = "The likest first", body = OverlapsView)))]
pub(crate) async fn overlaps(call: Call) -> Result<HttpResponse, Problem> {
    let mut parameters = Parameters::of(&call.request)?;
    let limit = parameters.limit_or(PAIRS);
    parameters.end()?;
    call.know(move |app, caller| {
        let known = algebra::overlaps(app, caller, limit)?;
        Ok(known.map(|Overlaps { as_of, considered, pairs }| OverlapsView {
            as_of: times::write(as_of),
            considered,
            items: pairs.into_iter().map(LikePairView::from).collect(),
        }))
    })
    .await
}

impl OverlapView {
    fn new(slugs: &[Slug], overlap: &Overlap) -> OverlapView {
        let segments = slugs.iter().zip(&overlap.counts);
        let named = |places: &Vec<usize>| places.iter().map(|place| slugs[*place].to_string()).collect();
        let intersections = overlap.exclusive.iter();
        let row = |first| (0..slugs.len()).map(|second| overlap.jaccard(first, second)).collect();
        OverlapView {
            segments: segments
                .map(|(slug, count)| SegmentCount { segment: slug.to_string(), user_count: *count })
                .collect(),
            intersections: intersections
                .map(|(places, count)| Intersection { segments: named(places), user_count: *count })
                .collect(),
            jaccard: (0..slugs.len()).map(row).collect(),
        }
    }
}
