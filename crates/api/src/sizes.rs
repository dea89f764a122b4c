//! A segment's size over time.

use actix_web::{
    HttpResponse,
    web::{self, Path, ServiceConfig},
};
use domain::{Slug, Ttl};
use serde::Serialize;
use usecases::sizes::{self, Size, SizeQuery, SizesQuery};
use utoipa::ToSchema;

use crate::{answers::Call, parameters::Parameters, problems::Problem, segments::slug_in, times};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/segments/sizes").get(of_each))
        .service(web::resource("/segments/{slug}/size").get(over_time));
}

/// How a segment grew and shrank.
#[derive(Serialize, ToSchema)]
pub(crate) struct SizesView {
    #[schema(example = "DISCOUNT_30")]
    segment: String,
    #[schema(example = "P1D")]
    step: String,
    points: Vec<SizeView>,
}

/// A segment's size at an instant, and what happened since the point before.
#[derive(Serialize, ToSchema)]
#[schema(as = Size)]
pub(crate) struct SizeView {
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    at: String,
    #[schema(example = 1763)]
    user_count: u64,
    /// Who came and went since the point before counts here and in `left`.
    entered: u64,
    left: u64,
}

impl From<&Size> for SizeView {
    fn from(size: &Size) -> SizeView {
        SizeView { at: times::write(size.at), user_count: size.user_count, entered: size.entered, left: size.left }
    }
}

/// A segment's size over time
///
/// How many users were in at each point, how many entered and how many left since the point before, from history alone.
/// The points begin at `from`, come each `step`, and end at `to`; there are at most 1,000.
#[utoipa::path(get, path = "/api/v1/segments/{slug}/size", tag = "segments",
    params(
        ("slug" = String, Path),
        ("from" = Option<chrono::DateTime<chrono::Utc>>, Query, description = "Thirty days before `to` when absent"),
        ("to" = Option<chrono::DateTime<chrono::Utc>>, Query, description = "Now when absent"),
        ("step" = Option<String>, Query, description = "An ISO 8601 duration or seconds; `P1D` when absent", example = "P1D"),
    ),
    responses(
        (status = 200, description = "The points, in their order", body = SizesView),
        (status = 404, description = "`segment_not_found`"),
    ))]
pub(crate) async fn over_time(call: Call, path: Path<String>) -> Result<HttpResponse, Problem> {
    let slug = slug_in(&path)?;
    let mut parameters = Parameters::of(&call.request)?;
    let (from, to) = (parameters.instant("from"), parameters.instant("to"));
    let step = parameters.ttl("step").unwrap_or(Ttl::DAY);
    parameters.end()?;
    call.look(move |look| {
        let query = SizeQuery { slug, from, to, step };
        let sizes = sizes::over_time(look, &query)?;
        Ok(SizesView {
            segment: query.slug.to_string(),
            step: query.step.to_string(),
            points: sizes.iter().map(SizeView::from).collect(),
        })
    })
    .await
}

/// How many segments are asked about at most.
const SEGMENTS_MAX: usize = 50;

/// How several segments grew and shrank, at the same points.
#[derive(Serialize, ToSchema)]
pub(crate) struct SizesOfEach {
    #[schema(example = "P1D")]
    step: String,
    /// In the order of the question.
    items: Vec<SizesOfOne>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct SizesOfOne {
    #[schema(example = "DISCOUNT_30")]
    segment: String,
    points: Vec<SizeView>,
}

/// Sizes of several segments over time
///
/// As `/segments/{slug}/size` tells of one, all of one state. A segment that is named twice is told once.
#[utoipa::path(get, path = "/api/v1/segments/sizes", tag = "segments",
    params(
        ("segment" = Vec<String>, Query, description = "Up to 50 slugs, each as a parameter of its own", min_items = 1, max_items = 50, example = json!(["DISCOUNT_30"])),
        ("from" = Option<chrono::DateTime<chrono::Utc>>, Query, description = "Thirty days before `to` when absent"),
        ("to" = Option<chrono::DateTime<chrono::Utc>>, Query, description = "Now when absent"),
        ("step" = Option<String>, Query, description = "An ISO 8601 duration or seconds; `P1D` when absent", example = "P1D"),
    ),
    responses(
        (status = 200, description = "The points of each segment, in their order", body = SizesOfEach),
        (status = 404, description = "`segment_not_found`: every unknown slug is named"),
    ))]
pub(crate) async fn of_each(call: Call) -> Result<HttpResponse, Problem> {
    let mut parameters = Parameters::repeating(&call.request, "segment")?;
    let mut slugs: Vec<Slug> = Vec::new();
    let texts = parameters.texts("segment");
    if !(1..=SEGMENTS_MAX).contains(&texts.len()) {
        parameters.faults.add("segment", "wrong_length", format!("name from 1 to {SEGMENTS_MAX} segments"));
    } else {
        for text in texts {
            let slug = parameters.faults.take("segment", "invalid_slug", Slug::parse(&text));
            slugs.extend(slug.filter(|slug| !slugs.contains(slug)));
        }
    }
    let (from, to) = (parameters.instant("from"), parameters.instant("to"));
    let step = parameters.ttl("step").unwrap_or(Ttl::DAY);
    parameters.end()?;
    call.look(move |look| {
        let query = SizesQuery { slugs, from, to, step };
        let sizes = sizes::of_each(look, &query)?;
        let items = query.slugs.iter().zip(&sizes).map(|(slug, sizes)| SizesOfOne {
            segment: slug.to_string(),
            points: sizes.iter().map(SizeView::from).collect(),
        });
        Ok(SizesOfEach { step: query.step.to_string(), items: items.collect() })
    })
    .await
}
