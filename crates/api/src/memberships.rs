//! Memberships, from both sides: a user's segments and a segment's users.

use std::fmt;

use actix_web::{
    HttpResponse,
    web::{self, Path, ServiceConfig},
};
use domain::{Membership, Reason, Slug, UserId};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, Visitor},
};
use serde_json::Number;
use usecases::{
    changes::Seen,
    history,
    memberships::{self, Addition, ChangeMemberships, Changed, Deadline, Why},
    ports::UserQuery,
};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Ref, RefOr, Schema,
        schema::{ObjectBuilder, OneOfBuilder, Type},
    },
};
use validator::Validate;

use crate::{
    answers::{Call, Page},
    bodies, cursors,
    fields::{Faults, TtlField, UserIdField},
    history::HistoryView,
    parameters::Parameters,
    problems::Problem,
    segments::{self, slug_in},
    times,
    users::user_in,
};

/// What is asked thousands of times a second. Addresses are tried one after the other, so these come first.
pub(crate) fn frequent_routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/users/{user_id}/segments").post(change).get(active))
        .service(web::resource("/users/{user_id}/segments/{slug}").post(enter).delete(leave).get(is_member))
        .service(web::resource("/users/segments/lookup").post(lookup));
}

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/users/{user_id}/memberships").get(of_user))
        .service(web::resource("/users/{user_id}/segments/{slug}/why").get(why))
        .service(web::resource("/segments/{slug}/users").get(members))
        // There may be a user who is called diff.
        .service(web::resource("/segments/{slug}/users/diff").get(diff).put(admit_diff).delete(dismiss_diff))
        .service(web::resource("/segments/{slug}/users/{user_id}").put(admit).delete(dismiss));
}

/// One user's change.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MembershipChange {
    #[serde(default)]
    #[validate(length(max = 1000))]
    #[schema(max_items = 1000)]
    add: Vec<AdditionField>,
    #[serde(default)]
    #[validate(length(max = 1000))]
    #[schema(max_items = 1000, example = json!(["DISCOUNT_50"]))]
    remove: Vec<String>,
    /// How long each addition lasts that does not say.
    ttl: Option<TtlField>,
    /// Until when each addition lasts that does not say.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// Why, for what does not say.
    #[schema(min_length = 1, max_length = 500, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$")]
    reason: Option<String>,
}

/// A slug, or a slug with its own deadline and reason.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct AdditionField(AdditionObject);

#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Addition)]
pub(crate) struct AdditionObject {
    #[schema(example = "DISCOUNT_30")]
    slug: String,
    ttl: Option<TtlField>,
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    #[schema(min_length = 1, max_length = 500, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$")]
    reason: Option<String>,
}

impl<'de> Deserialize<'de> for AdditionField {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = AdditionObject;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a slug or an object")
            }
            fn visit_str<E>(self, slug: &str) -> Result<AdditionObject, E> {
                Ok(AdditionObject { slug: slug.to_owned(), ttl: None, expires_at: None, reason: None })
            }
            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<AdditionObject, A::Error> {
                AdditionObject::deserialize(de::value::MapAccessDeserializer::new(map))
            }
        }
        deserializer.deserialize_any(Either).map(AdditionField)
    }
}

impl ToSchema for AdditionField {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        AdditionObject::schemas(schemas);
        schemas.push((AdditionObject::name().into_owned(), AdditionObject::schema()));
    }
}

impl PartialSchema for AdditionField {
    fn schema() -> RefOr<Schema> {
        OneOfBuilder::new()
            .item(ObjectBuilder::new().schema_type(Type::String).examples(["DISCOUNT_30"]))
            .item(Ref::from_schema_name(AdditionObject::name()))
            .into()
    }
}

/// A deadline and a reason for one pair.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PairDetails {
    ttl: Option<TtlField>,
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    #[schema(min_length = 1, max_length = 500, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$", example = "asked by support")]
    reason: Option<String>,
}

/// What came of a change. Each slug that was named stands in one of the lists, sorted.
#[derive(Serialize, ToSchema)]
#[schema(as = Changed)]
pub(crate) struct ChangedView {
    #[schema(example = "1000")]
    user_id: String,
    /// All segments that the user is in now.
    #[schema(example = json!(["DISCOUNT_30", "MAIL_GPT"]))]
    segments: Vec<String>,
    #[schema(example = json!(["DISCOUNT_30"]))]
    added: Vec<String>,
    /// Present before, with another deadline now; left out when there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    extended: Vec<String>,
    removed: Vec<String>,
    unchanged: Vec<String>,
}

impl From<Changed> for ChangedView {
    fn from(changed: Changed) -> ChangedView {
        ChangedView {
            user_id: changed.user.to_string(),
            segments: texts(changed.segments),
            added: texts(changed.added),
            extended: texts(changed.extended),
            removed: texts(changed.removed),
            unchanged: texts(changed.unchanged),
        }
    }
}

fn texts(slugs: Vec<Slug>) -> Vec<String> {
    slugs.iter().map(ToString::to_string).collect()
}

#[expect(dead_code, reason = "it is written without; this is what the document says of it")]
#[derive(ToSchema)]
pub(crate) struct ActiveSegments<'a> {
    #[schema(example = "1000")]
    user_id: &'a str,
    #[schema(example = json!(["DISCOUNT_30", "MAIL_GPT"]))]
    segments: Vec<&'a str>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Pair {
    #[schema(example = "1000")]
    user_id: String,
    #[schema(example = "DISCOUNT_30")]
    segment: String,
    is_member: bool,
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lookup {
    #[validate(length(min = 1, max = 1000))]
    #[schema(min_items = 1, max_items = 1000)]
    user_ids: Vec<UserIdField>,
}

#[expect(dead_code, reason = "items are written one by one; this is what the document says of them")]
#[derive(ToSchema)]
pub(crate) struct LookupAnswer<'a> {
    /// In the order of the question.
    items: Vec<ActiveSegments<'a>>,
}

/// A membership, seen from its user.
#[derive(Serialize, ToSchema)]
pub(crate) struct UserMembership {
    #[schema(example = "DISCOUNT_30")]
    slug: String,
    #[serde(flatten)]
    details: MembershipDetails,
}

/// A membership, seen from its segment.
#[derive(Serialize, ToSchema)]
pub(crate) struct Member {
    #[schema(example = "1000")]
    user_id: String,
    #[serde(flatten)]
    details: MembershipDetails,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct MembershipDetails {
    #[schema(value_type = chrono::DateTime<chrono::Utc>, example = "2026-11-20T12:00:00.000000Z")]
    since: String,
    /// Out from this instant on; null when open.
    #[schema(value_type = Option<chrono::DateTime<chrono::Utc>>, required = true)]
    expires_at: Option<String>,
    #[schema(example = "manual")]
    source: &'static str,
    #[schema(example = "api")]
    actor: String,
    #[schema(required = true)]
    reason: Option<String>,
}

impl From<&Membership> for MembershipDetails {
    fn from(membership: &Membership) -> MembershipDetails {
        MembershipDetails {
            since: times::write(membership.since),
            expires_at: membership.expires_at.map(times::write),
            source: membership.source.as_str(),
            actor: membership.actor.to_string(),
            reason: membership.reason.as_ref().map(ToString::to_string),
        }
    }
}

impl From<&Membership> for UserMembership {
    fn from(membership: &Membership) -> UserMembership {
        UserMembership { slug: membership.segment.slug.to_string(), details: membership.into() }
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct UserMemberships {
    #[schema(example = "1000")]
    user_id: String,
    /// By slug.
    items: Vec<UserMembership>,
}

/// Who came and who went between two instants.
#[derive(Serialize, ToSchema)]
pub(crate) struct DiffView {
    #[schema(example = "DISCOUNT_30")]
    segment: String,
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    from: String,
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    to: String,
    /// Not in at `from`, in at `to`.
    entered: Vec<String>,
    /// In at `from`, not in at `to`.
    left: Vec<String>,
    #[schema(required = true)]
    next_cursor: Option<String>,
}

/// Change a user's segments
///
/// All of it happens, or nothing. The first add that names a user brings it to life.
#[utoipa::path(post, path = "/api/v1/users/{user_id}/segments", tag = "memberships", params(("user_id" = String, Path)), request_body = MembershipChange,
    responses(
        (status = 200, description = "What came of it", body = ChangedView),
        (status = 404, description = "`segment_not_found`: every unknown slug is named, nothing was applied"),
    ))]
pub(crate) async fn change(call: Call, path: Path<String>) -> Result<HttpResponse, Problem> {
    let user = user_in(&path)?;
    Parameters::of(&call.request)?.end()?;
    let command = bodies::read::<MembershipChange>(&call.request, &call.body)?.into_command(user)?;
    call.change(command, ChangedView::from).await
}

impl MembershipChange {
    fn into_command(self, user: UserId) -> Result<ChangeMemberships, Problem> {
        let mut faults = Faults::default();
        faults.validated(&self);
        // A list that is too long is not read.
        std::mem::take(&mut faults).none_or_problem()?;
        let common = faults.deadline("", self.ttl.as_ref(), self.expires_at.as_deref());
        let reason = faults.reason("/reason", self.reason.as_deref());
        let mut add = Vec::new();
        for (index, AdditionField(item)) in self.add.iter().enumerate() {
            let pointer = format!("/add/{index}");
            let own = faults.deadline(&pointer, item.ttl.as_ref(), item.expires_at.as_deref());
            let own_reason = faults.reason(&format!("{pointer}/reason"), item.reason.as_deref());
            let Some(slug) = faults.take(&pointer, "invalid_slug", Slug::parse(&item.slug)) else { continue };
            add.push(addition(slug, own, own_reason.or(reason.clone())));
        }
        let mut remove = Vec::new();
        for (index, text) in self.remove.iter().enumerate() {
            remove.extend(faults.take(format!("/remove/{index}"), "invalid_slug", Slug::parse(text)));
        }
        faults.none_or_problem()?;
        Ok(ChangeMemberships { user, add, remove, deadline: common, reason })
    }
}

fn addition(slug: Slug, deadline: Option<(Deadline, String)>, reason: Option<Reason>) -> Addition {
    let (deadline, pointer) = deadline.unzip();
    Addition { slug, deadline, reason, pointer: pointer.unwrap_or_default() }
}

impl PairDetails {
    fn into_command(self, user: UserId, slug: Slug) -> Result<ChangeMemberships, Problem> {
        let mut faults = Faults::default();
        let deadline = faults.deadline("", self.ttl.as_ref(), self.expires_at.as_deref());
        let reason = faults.reason("/reason", self.reason.as_deref());
        faults.none_or_problem()?;
        Ok(ChangeMemberships {
            user,
            add: vec![addition(slug, deadline, reason)],
            deadline: None,
            remove: Vec::new(),
            reason: None,
        })
    }
}

/// Put one user into one segment
#[utoipa::path(post, path = "/api/v1/users/{user_id}/segments/{slug}", tag = "memberships", params(("user_id" = String, Path), ("slug" = String, Path)),
    request_body(content = PairDetails, description = "May be left out"),
    responses(
        (status = 200, description = "What came of it", body = ChangedView),
        (status = 404, description = "`segment_not_found`"),
    ))]
pub(crate) async fn enter(call: Call, path: Path<(String, String)>) -> Result<HttpResponse, Problem> {
    let (user, slug) = path.into_inner();
    add_pair(call, &user, &slug).await
}

/// Put one user into one segment
#[utoipa::path(put, path = "/api/v1/segments/{slug}/users/{user_id}", tag = "memberships", params(("slug" = String, Path), ("user_id" = String, Path)),
    request_body(content = PairDetails, description = "May be left out"),
    responses(
        (status = 200, description = "What came of it", body = ChangedView),
        (status = 404, description = "`segment_not_found`"),
    ))]
pub(crate) async fn admit(call: Call, path: Path<(String, String)>) -> Result<HttpResponse, Problem> {
    let (slug, user) = path.into_inner();
    add_pair(call, &user, &slug).await
}

/// Put the user called `diff` into one segment
///
/// As for any other user; the address is also that of the comparison.
#[utoipa::path(put, path = "/api/v1/segments/{slug}/users/diff", tag = "memberships", params(("slug" = String, Path)),
    request_body(content = PairDetails, description = "May be left out"),
    responses(
        (status = 200, description = "What came of it", body = ChangedView),
        (status = 404, description = "`segment_not_found`"),
    ))]
pub(crate) async fn admit_diff(call: Call, slug: Path<String>) -> Result<HttpResponse, Problem> {
    add_pair(call, "diff", &slug).await
}

/// Take the user called `diff` out of one segment
///
/// As for any other user; the address is also that of the comparison.
#[utoipa::path(delete, path = "/api/v1/segments/{slug}/users/diff", tag = "memberships",
    params(("slug" = String, Path), crate::openapi::Reasoned),
    responses(
        (status = 200, description = "What came of it; not having been in is no fault", body = ChangedView),
        (status = 404, description = "`segment_not_found`"),
    ))]
pub(crate) async fn dismiss_diff(call: Call, slug: Path<String>) -> Result<HttpResponse, Problem> {
    remove_pair(call, "diff", &slug).await
}

async fn add_pair(call: Call, user: &str, slug: &str) -> Result<HttpResponse, Problem> {
    let (user, slug) = (user_in(user)?, slug_in(slug)?);
    Parameters::of(&call.request)?.end()?;
    let command = bodies::read_or_default::<PairDetails>(&call.request, &call.body)?.into_command(user, slug)?;
    call.change(command, ChangedView::from).await
}

/// Take one user out of one segment
#[utoipa::path(delete, path = "/api/v1/users/{user_id}/segments/{slug}", tag = "memberships", params(("user_id" = String, Path), ("slug" = String, Path), crate::openapi::Reasoned),
    responses(
        (status = 200, description = "What came of it; not having been in is no fault", body = ChangedView),
        (status = 404, description = "`segment_not_found`"),
    ))]
pub(crate) async fn leave(call: Call, path: Path<(String, String)>) -> Result<HttpResponse, Problem> {
    let (user, slug) = path.into_inner();
    remove_pair(call, &user, &slug).await
}

/// Take one user out of one segment
#[utoipa::path(delete, path = "/api/v1/segments/{slug}/users/{user_id}", tag = "memberships", params(("slug" = String, Path), ("user_id" = String, Path), crate::openapi::Reasoned),
    responses(
        (status = 200, description = "What came of it; not having been in is no fault", body = ChangedView),
        (status = 404, description = "`segment_not_found`"),
    ))]
pub(crate) async fn dismiss(call: Call, path: Path<(String, String)>) -> Result<HttpResponse, Problem> {
    let (slug, user) = path.into_inner();
    remove_pair(call, &user, &slug).await
}

async fn remove_pair(call: Call, user: &str, slug: &str) -> Result<HttpResponse, Problem> {
    let (user, slug) = (user_in(user)?, slug_in(slug)?);
    let mut parameters = Parameters::of(&call.request)?;
    let reason = parameters.read("reason", "invalid_reason", Reason::parse);
    parameters.end()?;
    let command = ChangeMemberships { user, add: Vec::new(), remove: vec![slug], deadline: None, reason };
    call.change(command, ChangedView::from).await
}

/// Is this user in this segment?
#[utoipa::path(get, path = "/api/v1/users/{user_id}/segments/{slug}", tag = "memberships", params(("user_id" = String, Path), ("slug" = String, Path)),
    responses(
        (status = 200, description = "Yes or no; an unknown user is in no segment", body = Pair),
        (status = 404, description = "`segment_not_found`"),
    ))]
pub(crate) async fn is_member(call: Call, path: Path<(String, String)>) -> Result<HttpResponse, Problem> {
    let (user, slug) = (user_in(&path.0)?, slug_in(&path.1)?);
    Parameters::of(&call.request)?.end()?;
    call.reach().await?;
    let pair = |is_member| Pair { user_id: user.to_string(), segment: slug.to_string(), is_member };
    if let Some(known) = memberships::remembered_is_member(&call.app, call.caller(), &user, &slug)? {
        return Ok(call.tell(&known.map(pair)));
    }
    call.look(move |look| {
        let is_member = memberships::is_member(look, &user, &slug)?;
        Ok(Pair { user_id: user.to_string(), segment: slug.to_string(), is_member })
    })
    .await
}

/// Why a user is in a segment, or is not.
#[derive(Serialize, ToSchema)]
#[schema(as = Why)]
pub(crate) struct WhyView {
    #[schema(example = "1000")]
    user_id: String,
    #[schema(example = "DISCOUNT_30")]
    segment: String,
    #[schema(value_type = crate::segments::KindView)]
    kind: &'static str,
    is_member: bool,
    #[schema(required = true)]
    membership: Option<MembershipDetails>,
    /// Where the user stands among all, in percent, cut to 6 decimals; null when the segment has no percent.
    #[schema(value_type = Option<f64>, required = true, minimum = 0, maximum = 100, example = 12.345678)]
    position: Option<Number>,
    /// The share of all users that the segment was last given to.
    #[schema(value_type = Option<f64>, required = true, example = 30)]
    percent: Option<Number>,
    /// Whether the position is below the percent.
    #[schema(required = true)]
    is_below: Option<bool>,
    /// What happened last, the newest first, at most 20 rows.
    history: Vec<HistoryView>,
}

/// Why is this user in this segment, or not?
///
/// The membership, the user's position where the segment has a percent, and what happened last.
#[utoipa::path(get, path = "/api/v1/users/{user_id}/segments/{slug}/why", tag = "memberships", params(("user_id" = String, Path), ("slug" = String, Path)),
    responses(
        (status = 200, description = "Of an unknown user the position is told as well", body = WhyView),
        (status = 404, description = "`segment_not_found`"),
    ))]
pub(crate) async fn why(call: Call, path: Path<(String, String)>) -> Result<HttpResponse, Problem> {
    let (user, slug) = (user_in(&path.0)?, slug_in(&path.1)?);
    Parameters::of(&call.request)?.end()?;
    call.look(move |look| {
        let Why { segment, membership, position, history } = memberships::why(look, &user, &slug)?;
        let number = |text: String| serde_json::from_str(&text).expect("a position is written as a number");
        Ok(WhyView {
            user_id: user.to_string(),
            segment: slug.to_string(),
            kind: segment.kind.as_str(),
            is_member: membership.is_some(),
            membership: membership.as_ref().map(MembershipDetails::from),
            position: position.map(|position| number(position.to_percent())),
            percent: segment.percent.map(segments::number),
            is_below: segment.percent.zip(position).map(|(percent, position)| percent.takes(position)),
            history: history.iter().map(HistoryView::from).collect(),
        })
    })
    .await
}

/// Which segments is this user in?
#[utoipa::path(get, path = "/api/v1/users/{user_id}/segments", tag = "memberships", params(("user_id" = String, Path)),
    responses((status = 200, description = "Sorted slugs; none for an unknown user", body = ActiveSegments)))]
pub(crate) async fn active(call: Call, path: Path<String>) -> Result<HttpResponse, Problem> {
    let user = user_in(&path)?;
    Parameters::of(&call.request)?.end()?;
    let (text, seen) = active_of(&call, vec![user]).await?;
    Ok(call.tell_text(text, seen.as_ref()))
}

/// Which segments are these users in?
#[utoipa::path(post, path = "/api/v1/users/segments/lookup", tag = "memberships", request_body = Lookup,
    responses((status = 200, description = "For each user, in the order of the question", body = LookupAnswer)))]
pub(crate) async fn lookup(call: Call) -> Result<HttpResponse, Problem> {
    Parameters::of(&call.request)?.end()?;
    let body = bodies::read::<Lookup>(&call.request, &call.body)?;
    let mut faults = Faults::default();
    faults.validated(&body);
    std::mem::take(&mut faults).none_or_problem()?;
    let mut users = Vec::with_capacity(body.user_ids.len());
    for (index, id) in body.user_ids.iter().enumerate() {
        users.extend(faults.user_id(&format!("/user_ids/{index}"), &id.0));
    }
    faults.none_or_problem()?;
    let (items, seen) = active_of(&call, users).await?;
    Ok(call.tell_text([br#"{"items":["#, items.as_slice(), b"]}"].concat(), seen.as_ref()))
}

/// Each user's segments as JSON, with commas between users, and which transactions that has where it is known: out of
/// memory without waiting for anything, or else by a look.
async fn active_of(call: &Call, users: Vec<UserId>) -> Result<(Vec<u8>, Option<Seen>), Problem> {
    call.reach().await?;
    let mut text = Vec::with_capacity(USUAL_BYTES * users.len());
    let seen = memberships::remembered_active(&call.app, call.caller(), &users, &mut |user, slugs| {
        write_active(&mut text, user, slugs.iter().copied());
    })?;
    if seen.is_none() {
        text.clear();
        for (user, slugs) in &memberships::seen_by(call.caller(), call.batches.look_up(users).await?) {
            write_active(&mut text, user, slugs.iter());
        }
    }
    Ok((text, seen))
}

/// Of a user's segments; few take more.
const USUAL_BYTES: usize = 256;

/// Writes [`ActiveSegments`].
fn write_active<'a>(text: &mut Vec<u8>, user: &UserId, slugs: impl Iterator<Item = &'a Slug>) {
    if !text.is_empty() {
        text.push(b',');
    }
    text.extend_from_slice(br#"{"user_id":"#);
    serde_json::to_writer(&mut *text, user.as_str()).expect("a text is plain data");
    text.extend_from_slice(br#","segments":["#);
    for (place, slug) in slugs.enumerate() {
        // No character of a slug has to be escaped.
        text.extend_from_slice(if place == 0 { b"\"" } else { b",\"" });
        text.extend_from_slice(slug.as_str().as_bytes());
        text.push(b'"');
    }
    text.extend_from_slice(b"]}");
}

/// A user's memberships, now or at an instant
#[utoipa::path(get, path = "/api/v1/users/{user_id}/memberships", tag = "memberships",
    params(("user_id" = String, Path), ("as_of" = Option<chrono::DateTime<chrono::Utc>>, Query, description = "As it was then, from history alone")),
    responses((status = 200, description = "By slug; none for an unknown user", body = UserMemberships)))]
pub(crate) async fn of_user(call: Call, path: Path<String>) -> Result<HttpResponse, Problem> {
    let user = user_in(&path)?;
    let mut parameters = Parameters::of(&call.request)?;
    let as_of = parameters.instant("as_of");
    parameters.end()?;
    call.look(move |look| {
        let items = memberships::of_user(look, &user, as_of)?.iter().map(UserMembership::from).collect();
        Ok(UserMemberships { user_id: user.to_string(), items })
    })
    .await
}

/// A segment's users, now or at an instant
#[utoipa::path(get, path = "/api/v1/segments/{slug}/users", tag = "memberships",
    params(
        ("slug" = String, Path),
        ("as_of" = Option<chrono::DateTime<chrono::Utc>>, Query, description = "As it was then, from history alone, also of a deleted segment"),
        crate::openapi::MemberSearch,
        crate::openapi::Paging,
    ),
    responses(
        (status = 200, description = "A page of members, by user id", body = Page<Member>),
        (status = 404, description = "`segment_not_found`"),
    ))]
pub(crate) async fn members(call: Call, path: Path<String>) -> Result<HttpResponse, Problem> {
    let slug = slug_in(&path)?;
    let mut parameters = Parameters::of(&call.request)?;
    let as_of = parameters.instant("as_of");
    let text = parameters.search("query");
    let after = parameters.user_cursor(MEMBERS);
    let (limit, exact) = (parameters.limit(), parameters.counts_exactly());
    parameters.end()?;
    call.look(move |look| {
        let users = UserQuery { text, after, ..UserQuery::default() };
        let found = history::find_members(look, &slug, as_of, &users, limit + 1)?;
        let total = exact.then(|| history::count_found_members(look, &slug, as_of, &users)).transpose()?;
        let (found, next_cursor) = cursors::page(found, limit, |last| cursors::write(&(MEMBERS, last.user.as_str())));
        let items = found.iter().map(|one| Member { user_id: one.user.to_string(), details: one.into() }).collect();
        Ok(Page { items, next_cursor, total })
    })
    .await
}

/// What the cursors of the two lists are marked with.
const MEMBERS: &str = "members";
const DIFF: &str = "diff";

/// Who came and who went between two instants
#[utoipa::path(get, path = "/api/v1/segments/{slug}/users/diff", tag = "memberships",
    params(
        ("slug" = String, Path),
        ("from" = chrono::DateTime<chrono::Utc>, Query),
        ("to" = Option<chrono::DateTime<chrono::Utc>>, Query, description = "Now when absent"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000, description = "How many users to compare at once; a page may name fewer, those whose place differs"),
        ("cursor" = Option<String>, Query),
    ),
    responses(
        (status = 200, description = "By user id", body = DiffView),
        (status = 404, description = "`segment_not_found`"),
    ))]
pub(crate) async fn diff(call: Call, path: Path<String>) -> Result<HttpResponse, Problem> {
    let slug = slug_in(&path)?;
    let mut parameters = Parameters::of(&call.request)?;
    let (from, to) = (parameters.instant("from"), parameters.instant("to"));
    if from.is_none() && !call.request.query_string().contains("from=") {
        parameters.faults.add("from", "missing_parameter", "is required");
    }
    let after = parameters.user_cursor(DIFF);
    let limit = parameters.limit();
    parameters.end()?;
    call.look(move |look| {
        let (from, to) = (from.unwrap_or(look.now), to.unwrap_or(look.now));
        let query = history::DiffQuery { slug, from, to, after };
        let diff = history::diff(look, &query, limit)?;
        Ok(DiffView {
            segment: query.slug.to_string(),
            from: times::write(from),
            to: times::write(to),
            entered: diff.entered.iter().map(ToString::to_string).collect(),
            left: diff.left.iter().map(ToString::to_string).collect(),
            next_cursor: diff.next.map(|user| cursors::write(&(DIFF, user.as_str()))),
        })
    })
    .await
}
