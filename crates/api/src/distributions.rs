//! `/segments/{slug}/distribute`: giving a segment to a share of all users.

use actix_web::{
    HttpResponse,
    web::{self, Path, ServiceConfig},
};
use serde::{Deserialize, Serialize};
use serde_json::Number;
use usecases::distributions;
use utoipa::ToSchema;

use crate::{
    answers::{Answer, Call},
    bodies,
    fields::Faults,
    parameters::Parameters,
    problems::Problem,
    segments::slug_in,
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(web::resource("/segments/{slug}/distribute").post(distribute).get(get));
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Share {
    /// Of all users, with at most 4 decimals.
    #[schema(value_type = f64, minimum = 0, maximum = 100, example = 30)]
    percent: Number,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Distribution)]
pub(crate) struct DistributionView {
    #[schema(example = "MAIL_GPT")]
    segment: String,
    /// Members now, by whatever way they came.
    #[schema(example = 1763)]
    user_count: u64,
    #[schema(example = 5878)]
    total_users: u64,
    /// `user_count` of `total_users`, rounded to 2 digits.
    #[schema(value_type = f64, example = 29.99)]
    percent: Number,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Distributed {
    #[serde(flatten)]
    reach: DistributionView,
    /// How many came in by this call.
    #[schema(example = 1763)]
    added: u64,
    /// How many went out by this call.
    #[schema(example = 0)]
    removed: u64,
}

fn view(segment: &domain::Segment, user_count: u64, total_users: u64) -> DistributionView {
    DistributionView {
        segment: segment.slug.to_string(),
        user_count,
        total_users,
        percent: percent(user_count, total_users),
    }
}

/// The share in percent, rounded half up to 2 digits, in whole numbers all the way.
fn percent(part: u64, whole: u64) -> Number {
    let hundredths = match whole {
        0 => 0,
        whole => (u128::from(part) * 20_000 + u128::from(whole)) / (2 * u128::from(whole)),
    };
    let text = format!("{}.{:02}", hundredths / 100, hundredths % 100);
    let text = text.trim_end_matches('0').trim_end_matches('.');
    serde_json::from_str(text).expect("digits are a number")
}

/// Give a segment to a share of all users
///
/// Chosen by position: a larger share keeps everyone who is in, a smaller one lets the last in go, the same one changes
/// nothing. Members by hand stay, and count.
#[utoipa::path(post, path = "/api/v1/segments/{slug}/distribute", tag = "distributions",
    params(("slug" = String, Path), crate::openapi::DryRun),
    request_body = Share,
    responses(
        (status = 200, description = "How far the segment reaches now", body = Distributed),
        (status = 404, description = "`segment_not_found`"),
        (status = 409, description = "`conflict`: a segment of this kind cannot be distributed"),
    ))]
pub(crate) async fn distribute(call: Call, path: Path<String>) -> Result<HttpResponse, Problem> {
    let slug = slug_in(&path)?;
    let mut parameters = Parameters::of(&call.request)?;
    let dry_run = parameters.flag("dry_run");
    parameters.end()?;
    let body = bodies::read::<Share>(&call.request, &call.body)?;
    let mut faults = Faults::default();
    let percent = faults.percent("/percent", Some(&body.percent));
    let percent = faults.or(percent)?;
    let work = move |act: &mut usecases::Act| {
        let given = distributions::distribute(act, &slug, percent)?;
        let reach = view(&given.segment, given.user_count, given.total_users);
        Ok(Answer::ok(&Distributed { reach, added: given.added, removed: given.removed }))
    };
    if dry_run { call.rehearse(work).await } else { call.act(work).await }
}

/// How far does a segment reach?
#[utoipa::path(get, path = "/api/v1/segments/{slug}/distribute", tag = "distributions", params(("slug" = String, Path)),
    responses(
        (status = 200, description = "Its share of all users", body = DistributionView),
        (status = 404, description = "`segment_not_found`"),
    ))]
pub(crate) async fn get(call: Call, path: Path<String>) -> Result<HttpResponse, Problem> {
    let slug = slug_in(&path)?;
    Parameters::of(&call.request)?.end()?;
    call.look(move |look| {
        let found = distributions::get(look, &slug)?;
        Ok(view(&found.segment, found.user_count, found.total_users))
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_have_two_digits_rounded_half_up() {
        for (part, whole, text) in [
            (0, 0, "0"),
            (1, 3, "33.33"),
            (2, 3, "66.67"),
            (1, 800, "0.13"),
            (1, 1, "100"),
            (1_763, 5_878, "29.99"),
            (1, 2, "50"),
            (1, 5, "20"),
            (1, 10_000, "0.01"),
        ] {
            assert_eq!(percent(part, whole).to_string(), text, "{part} of {whole}");
        }
    }
}
