//! `/users`: the profiles.

use actix_web::{
    HttpResponse,
    web::{self, Path, ServiceConfig},
};
use domain::{Attributes, User, UserId};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use usecases::{
    Revision, persons,
    ports::UserQuery,
    users::{self, ChangeUser, CreateUser},
};
use utoipa::ToSchema;
use validator::Validate;

use crate::{
    answers::{Answer, Call, Page},
    bodies, cursors,
    fields::{Faults, UserIdField, object, present},
    parameters::Parameters,
    problems::Problem,
    times,
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/users").post(create).get(list))
        .service(web::resource("/users/{user_id}").get(get).patch(change).delete(delete));
}

#[derive(Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewUser {
    /// Drawn at random when absent.
    user_id: Option<UserIdField>,
    #[validate(length(max = 320))]
    #[schema(example = "Anna Petrova", pattern = r"^[^\x00-\x1f\x7f-\x9f]*$")]
    name: Option<String>,
    #[validate(length(max = 320))]
    #[schema(example = "anna@example.com", pattern = r"^[^\x00-\x1f\x7f-\x9f]*$")]
    email: Option<String>,
    #[serde(default, deserialize_with = "object")]
    #[schema(value_type = Option<Object>, nullable = false, example = json!({"country": "UK", "orders": 12}))]
    attributes: Option<Attributes>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserPatch {
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, max_length = 320, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$")]
    name: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, max_length = 320, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$")]
    email: Option<Option<String>>,
    /// Merged: a null takes its key away (RFC 7396).
    #[serde(default, deserialize_with = "object")]
    #[schema(value_type = Option<Object>, nullable = false)]
    attributes: Option<Attributes>,
}

/// What is known of a user.
#[derive(Serialize, ToSchema)]
#[schema(as = User)]
pub(crate) struct UserView {
    #[schema(example = "1000")]
    user_id: String,
    #[schema(required = true)]
    name: Option<String>,
    #[schema(required = true)]
    email: Option<String>,
    #[schema(value_type = Object, example = json!({"country": "UK", "orders": 12}))]
    attributes: Attributes,
    #[schema(value_type = chrono::DateTime<chrono::Utc>, example = "2026-11-20T12:00:00.000000Z")]
    created_at: String,
    #[schema(value_type = chrono::DateTime<chrono::Utc>, example = "2026-11-20T12:00:00.000000Z")]
    updated_at: String,
    /// Counts the changes of the profile, from 1.
    version: i64,
}

impl From<User> for UserView {
    fn from(user: User) -> UserView {
        UserView {
            user_id: user.id.to_string(),
            name: user.name,
            email: user.email,
            attributes: user.attributes,
            created_at: times::write(user.created_at),
            updated_at: times::write(user.updated_at),
            version: user.version,
        }
    }
}

/// Reads a user id that stands in the address.
pub(crate) fn user_in(path: &str) -> Result<UserId, Problem> {
    UserId::parse(path).map_err(|error| Problem::fault("user_id", "invalid_user_id", error))
}

fn answer(user: User) -> Answer {
    let revision = Revision::from(&user);
    Answer::ok(&UserView::from(user)).with_revision(revision)
}

/// Create a user
#[utoipa::path(post, path = "/api/v1/users", tag = "users", request_body = NewUser,
    responses(
        (status = 201, description = "Created; the user joins each distributed segment that has its position", body = UserView,
            headers(("Location" = String), ("ETag" = String))),
        (status = 409, description = "`user_id_taken`"),
    ))]
pub(crate) async fn create(call: Call) -> Result<HttpResponse, Problem> {
    Parameters::of(&call.request)?.end()?;
    let command = bodies::read::<NewUser>(&call.request, &call.body)?.into_command()?;
    call.act(|act| {
        let user = users::create(act, command)?;
        let (revision, location) = (Revision::from(&user), format!("/api/v1/users/{}", encoded(&user.id)));
        Ok(Answer::created(&UserView::from(user), location).with_revision(revision))
    })
    .await
}

/// An id as one segment of an address.
fn encoded(id: &UserId) -> String {
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'~').remove(b'.');
    utf8_percent_encode(id.as_str(), KEPT).to_string()
}

impl NewUser {
    fn into_command(self) -> Result<CreateUser, Problem> {
        let mut faults = Faults::default();
        faults.validated(&self);
        let id = self.user_id.and_then(|id| faults.user_id("/user_id", &id.0));
        for (pointer, text) in [("/name", &self.name), ("/email", &self.email)] {
            refuse_controls(&mut faults, pointer, text.as_deref());
        }
        let attributes = self.attributes.unwrap_or_default();
        refuse_nul(&mut faults, &attributes);
        faults.none_or_problem()?;
        Ok(CreateUser { id, name: self.name, email: self.email, attributes })
    }
}

fn refuse_controls(faults: &mut Faults, pointer: &str, text: Option<&str>) {
    if text.is_some_and(|text| text.chars().any(char::is_control)) {
        faults.add(pointer, "invalid_value", "cannot hold control characters");
    }
}

/// PostgreSQL's text has no NUL, and what one store cannot keep no store takes.
fn refuse_nul(faults: &mut Faults, attributes: &Attributes) {
    if attributes.iter().any(|(key, value)| key.contains('\0') || holds_nul(value)) {
        faults.add("/attributes", "invalid_value", "cannot hold the NUL character");
    }
}

fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(holds_nul),
        Value::Object(fields) => fields.iter().any(|(key, value)| key.contains('\0') || holds_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// What a cursor of this list is marked with.
const LIST: &str = "users";

/// List and search users
#[utoipa::path(get, path = "/api/v1/users", tag = "users",
    params(
        ("query" = Option<String>, Query, description = "The beginning of the id, or a part of the name or e-mail, where letter case does not count", max_length = 200),
        crate::openapi::Paging,
    ),
    responses((status = 200, description = "A page of users, by id", body = Page<UserView>)))]
pub(crate) async fn list(call: Call) -> Result<HttpResponse, Problem> {
    let mut parameters = Parameters::of(&call.request)?;
    let text = parameters.search("query");
    let after = parameters.user_cursor(LIST);
    let (limit, exact) = (parameters.limit(), parameters.counts_exactly());
    parameters.end()?;
    let query = UserQuery { text, after, ..UserQuery::default() };
    call.look(move |look| {
        let found = users::list(look, &query, limit + 1)?;
        let total = if exact { Some(users::count(look, &query)?) } else { None };
        let (found, next_cursor) = cursors::page(found, limit, |last| cursors::write(&(LIST, last.id.as_str())));
        Ok(Page { items: found.into_iter().map(UserView::from).collect(), next_cursor, total })
    })
    .await
}

/// Read a user
#[utoipa::path(get, path = "/api/v1/users/{user_id}", tag = "users", params(("user_id" = String, Path)),
    responses(
        (status = 200, description = "The user", body = UserView, headers(("ETag" = String))),
        (status = 304, description = "It is as If-None-Match says"),
        (status = 404, description = "`user_not_found`"),
    ))]
pub(crate) async fn get(call: Call, path: Path<String>) -> Result<HttpResponse, Problem> {
    let id = user_in(&path)?;
    Parameters::of(&call.request)?.end()?;
    call.look_at(move |look| Ok(answer(users::get(look, &id)?))).await
}

/// Change a user
#[utoipa::path(patch, path = "/api/v1/users/{user_id}", tag = "users", params(("user_id" = String, Path)), request_body = UserPatch,
    responses(
        (status = 200, description = "The user as it is now", body = UserView, headers(("ETag" = String))),
        (status = 404, description = "`user_not_found`"),
    ))]
pub(crate) async fn change(call: Call, path: Path<String>) -> Result<HttpResponse, Problem> {
    let id = user_in(&path)?;
    Parameters::of(&call.request)?.end()?;
    let expected = call.expected_or_required()?;
    let command = bodies::read::<UserPatch>(&call.request, &call.body)?.into_command()?;
    call.act(move |act| Ok(answer(users::change(act, &id, &expected, command)?))).await
}

impl UserPatch {
    fn into_command(self) -> Result<ChangeUser, Problem> {
        let mut faults = Faults::default();
        for (pointer, text) in [("/name", &self.name), ("/email", &self.email)] {
            let text = text.as_ref().and_then(Option::as_deref);
            if text.is_some_and(|text| text.chars().count() > User::TEXT_CHARS_MAX) {
                faults.add(pointer, "wrong_length", format!("must have at most {}", User::TEXT_CHARS_MAX));
            }
            refuse_controls(&mut faults, pointer, text);
        }
        if let Some(attributes) = &self.attributes {
            refuse_nul(&mut faults, attributes);
        }
        faults.none_or_problem()?;
        Ok(ChangeUser { name: self.name, email: self.email, attributes: self.attributes })
    }
}

/// Delete a user
///
/// The profile is forgotten and the memberships end, with history; history stays readable. With `erase=true` the user is forgotten
/// for good, also one who was deleted before: history goes on under a pseudonym and without reasons, so that its counts stay.
#[utoipa::path(delete, path = "/api/v1/users/{user_id}", tag = "users",
    params(("user_id" = String, Path), ("erase" = Option<bool>, Query, description = "Nothing is left that says who it was")),
    responses(
        (status = 204, description = "Gone"),
        (status = 404, description = "`user_not_found`"),
    ))]
pub(crate) async fn delete(call: Call, path: Path<String>) -> Result<HttpResponse, Problem> {
    let id = user_in(&path)?;
    let mut parameters = Parameters::of(&call.request)?;
    let erase = parameters.flag("erase");
    parameters.end()?;
    let expected = call.expected();
    call.act(move |act| {
        match erase {
            true => drop(persons::erase(act, &id, &expected)?),
            false => users::delete(act, &id, &expected)?,
        }
        Ok(Answer::no_content())
    })
    .await
}
