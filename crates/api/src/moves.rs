//! `/segments/move_users`: everybody of one segment goes to another.

use actix_web::{
    HttpResponse,
    web::{self, ServiceConfig},
};
use domain::Slug;
use serde::{Deserialize, Serialize};
use usecases::moves::{self, MoveUsers};
use utoipa::ToSchema;

use crate::{
    answers::{Answer, Call},
    bodies,
    fields::Faults,
    parameters::Parameters,
    problems::Problem,
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(web::resource("/segments/move_users").post(move_users));
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Move {
    #[schema(example = "DISCOUNT_30")]
    from_segment: String,
    #[schema(example = "DISCOUNT_50")]
    to_segment: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Moved)]
pub(crate) struct MovedView {
    from_segment: String,
    to_segment: String,
    /// How many left `from_segment`.
    #[schema(example = 1763)]
    moved: u64,
    /// How many of them were not in `to_segment` before.
    added: u64,
    /// How many of them were in `to_segment` already, and stay longer now.
    extended: u64,
}

/// Move everybody from one segment to another
///
/// Afterwards everybody who was in the first is in the second, with the later of two deadlines, and nobody is in the first.
#[utoipa::path(post, path = "/api/v1/segments/move_users", tag = "distributions", request_body = Move,
    params(crate::openapi::DryRun),
    responses(
        (status = 200, description = "How many moved", body = MovedView),
        (status = 404, description = "`segment_not_found`"),
    ))]
pub(crate) async fn move_users(call: Call) -> Result<HttpResponse, Problem> {
    let mut parameters = Parameters::of(&call.request)?;
    let dry_run = parameters.flag("dry_run");
    parameters.end()?;
    let body = bodies::read::<Move>(&call.request, &call.body)?;
    let mut faults = Faults::default();
    let from = faults.take("/from_segment", "invalid_slug", Slug::parse(&body.from_segment));
    let to = faults.take("/to_segment", "invalid_slug", Slug::parse(&body.to_segment));
    let (from, to) = faults.or(from.zip(to))?;
    let work = move |act: &mut usecases::Act| {
        let moved = moves::move_users(act, MoveUsers { from, to })?;
        Ok(Answer::ok(&MovedView {
            from_segment: moved.from.to_string(),
            to_segment: moved.to.to_string(),
            moved: moved.moved,
            added: moved.added,
            extended: moved.extended,
        }))
    };
    if dry_run { call.rehearse(work).await } else { call.act(work).await }
}
