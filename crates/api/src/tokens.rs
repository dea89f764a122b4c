//! `/tokens`: what services sign in with.

use actix_web::{
    HttpResponse,
    web::{self, Path, ServiceConfig},
};
use domain::{ApiToken, Scope, SegmentPrefix, TokenId, TokenName};
use serde::{Deserialize, Serialize};
use usecases::tokens::{self, CreateToken};
use utoipa::ToSchema;

use crate::{
    answers::{Answer, Call, Page},
    bodies, cursors,
    fields::{Faults, TtlField},
    parameters::Parameters,
    problems::{Code, Problem},
    times,
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/tokens").post(create).get(list))
        .service(web::resource("/tokens/{id}").get(get).delete(revoke));
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewToken {
    /// Stands as `token:NAME` for who did something. No two tokens have one, also not after one was revoked.
    #[schema(example = "shop-backend", min_length = 1, max_length = 100, pattern = r"^[^\s\x00-\x1f\x7f-\x9f]+$")]
    name: String,
    #[schema(value_type = Vec<ScopeView>, min_items = 1, max_items = 4)]
    scopes: Vec<String>,
    /// Confines the token to segments whose slug begins so; then it does nothing that goes beyond them.
    #[schema(example = "promo_", min_length = 1, max_length = 255, pattern = "^[A-Za-z0-9][A-Za-z0-9_-]{0,254}$")]
    segment_prefix: Option<String>,
    ttl: Option<TtlField>,
    /// Not good from then on; without it and `ttl` always good.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
}

#[derive(ToSchema)]
#[schema(as = Scope, rename_all = "lowercase")]
#[allow(dead_code)]
pub(crate) enum ScopeView {
    /// See segments, members and history.
    Read,
    /// Put single users in and out.
    Assign,
    /// Make, change, distribute and delete segments and users, import, export.
    Manage,
    /// See names, e-mail addresses and attributes.
    Persons,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Token)]
pub(crate) struct TokenView {
    #[schema(example = 3)]
    id: i64,
    name: String,
    /// The token itself, in the answer that made it and nowhere else.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    token: Option<String>,
    #[schema(value_type = Vec<ScopeView>)]
    scopes: Vec<&'static str>,
    #[schema(required = true)]
    segment_prefix: Option<String>,
    created_by: String,
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    created_at: String,
    #[schema(value_type = Option<chrono::DateTime<chrono::Utc>>, required = true)]
    expires_at: Option<String>,
    #[schema(value_type = Option<chrono::DateTime<chrono::Utc>>, required = true)]
    revoked_at: Option<String>,
    /// Exact to a minute or so.
    #[schema(value_type = Option<chrono::DateTime<chrono::Utc>>, required = true)]
    used_at: Option<String>,
}

impl From<&ApiToken> for TokenView {
    fn from(token: &ApiToken) -> TokenView {
        TokenView {
            id: token.id.0,
            name: token.name.to_string(),
            token: None,
            scopes: token.scopes.iter().map(|scope| scope.as_str()).collect(),
            segment_prefix: token.prefix.as_ref().map(|prefix| prefix.as_str().to_owned()),
            created_by: token.created_by.to_string(),
            created_at: times::write(token.created_at),
            expires_at: token.expires_at.map(times::write),
            revoked_at: token.revoked_at.map(times::write),
            used_at: token.used_at.map(times::write),
        }
    }
}

fn id_in(text: &str) -> Result<TokenId, Problem> {
    let id = text.parse().ok().filter(|id| *id > 0).map(TokenId);
    id.ok_or_else(|| Problem::new(Code::TokenNotFound, format!("no token named `{}`", text.escape_debug())))
}

/// Create an API token
///
/// `token` in the answer is told once. The same request made again with its `Idempotency-Key` is answered without it.
#[utoipa::path(post, path = "/api/v1/tokens", tag = "tokens", request_body = NewToken,
    responses(
        (status = 201, description = "Created", body = TokenView, headers(("Location" = String))),
        (status = 409, description = "`token_name_taken`"),
    ))]
pub(crate) async fn create(call: Call) -> Result<HttpResponse, Problem> {
    Parameters::of(&call.request)?.end()?;
    let command = bodies::read::<NewToken>(&call.request, &call.body)?.into_command()?;
    call.act_with_secret(
        "token",
        |secret| secret.reveal().to_owned(),
        move |act| {
            let (token, secret) = tokens::create(act, command)?;
            Ok((Answer::created(&TokenView::from(&token), format!("/api/v1/tokens/{}", token.id)), secret))
        },
    )
    .await
}

impl NewToken {
    fn into_command(self) -> Result<CreateToken, Problem> {
        let mut faults = Faults::default();
        let name = faults.take("/name", "invalid_value", TokenName::parse(&self.name));
        if !(1..=Scope::ALL.len()).contains(&self.scopes.len()) {
            faults.add("/scopes", "wrong_length", "must have from 1 to 4 scopes");
        }
        let mut scopes = Vec::new();
        for (index, text) in self.scopes.iter().take(Scope::ALL.len()).enumerate() {
            let scope = Scope::parse(text).ok_or("must be read, assign, manage or persons");
            scopes.extend(faults.take(format!("/scopes/{index}"), "invalid_value", scope));
        }
        scopes.sort_unstable();
        scopes.dedup();
        let prefix = self.segment_prefix.as_deref().map(SegmentPrefix::parse);
        let prefix = prefix.and_then(|prefix| faults.take("/segment_prefix", "invalid_value", prefix));
        let deadline = faults.deadline("", self.ttl.as_ref(), self.expires_at.as_deref());
        let name = faults.or(name)?;
        Ok(CreateToken { name, scopes, prefix, deadline: deadline.map(|(deadline, _)| deadline) })
    }
}

/// List API tokens
///
/// Also those that are good no more. None tells the token itself.
#[utoipa::path(get, path = "/api/v1/tokens", tag = "tokens", params(crate::openapi::Paging),
    responses((status = 200, description = "A page of tokens, by id", body = Page<TokenView>)))]
pub(crate) async fn list(call: Call) -> Result<HttpResponse, Problem> {
    let mut parameters = Parameters::of(&call.request)?;
    let after = parameters.id_cursor("tokens").map(TokenId);
    let (limit, exact) = (parameters.limit(), parameters.counts_exactly());
    parameters.end()?;
    call.look(move |look| {
        let found = tokens::list(look, after, limit + 1)?;
        let total = if exact { Some(tokens::count(look)?) } else { None };
        let (found, next_cursor) = cursors::page(found, limit, |last| cursors::write(&("tokens", last.id.0)));
        Ok(Page { items: found.iter().map(TokenView::from).collect(), next_cursor, total })
    })
    .await
}

/// Read an API token
#[utoipa::path(get, path = "/api/v1/tokens/{id}", tag = "tokens",
    responses(
        (status = 200, description = "What is known of it", body = TokenView),
        (status = 404, description = "`token_not_found`"),
    ))]
pub(crate) async fn get(call: Call, id: Path<String>) -> Result<HttpResponse, Problem> {
    let id = id_in(&id)?;
    Parameters::of(&call.request)?.end()?;
    call.look(move |look| Ok(TokenView::from(&tokens::get(look, id)?))).await
}

/// Revoke an API token
///
/// Holds from its next request on; on other nodes within a second.
#[utoipa::path(delete, path = "/api/v1/tokens/{id}", tag = "tokens",
    responses(
        (status = 204, description = "Revoked, now or before"),
        (status = 404, description = "`token_not_found`"),
    ))]
pub(crate) async fn revoke(call: Call, id: Path<String>) -> Result<HttpResponse, Problem> {
    let id = id_in(&id)?;
    Parameters::of(&call.request)?.end()?;
    call.act_on_access(move |act| tokens::revoke(act, id).map(|()| Answer::no_content())).await
}
