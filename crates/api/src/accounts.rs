//! `/accounts`: those who sign in.

use std::{sync::Arc, time::Instant};

use actix_web::{
    HttpResponse, guard,
    web::{self, Path, ServiceConfig},
};
use domain::{Account, AccountId, Identity, Login, Password, Role, Session, Who};
use serde::{Deserialize, Serialize};
use usecases::{
    Revision,
    accounts::{self, ChangeAccount, CreateAccount},
    ports::AccountQuery,
    sessions,
};
use utoipa::ToSchema;

use crate::{
    addresses,
    answers::{Answer, Call, Page},
    audit::AuditRowView,
    auth, blocking, bodies, cursors,
    fields::Faults,
    parameters::Parameters,
    problems::{Code, Problem},
    times,
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/accounts").post(create).get(list))
        .service(web::resource("/accounts/me").get(me))
        .service(web::resource("/accounts/me/password").put(set_password))
        .service(web::resource("/accounts/me/sessions").get(own_sessions))
        // There may be a user who is called me: all else than reading means that one.
        .service(web::resource("/users/me").guard(guard::Get()).get(me))
        .service(web::resource("/accounts/{id}").get(get).patch(change).delete(delete))
        .service(web::resource("/accounts/{id}/link").post(make_link))
        .service(web::resource("/accounts/{id}/sign_out").post(sign_out))
        .service(web::resource("/accounts/{id}/history").get(history))
        .service(web::resource("/accounts/{id}/identities").get(identities).post(link))
        .service(web::resource("/accounts/{id}/identities/{provider}/{subject}").delete(unlink));
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAccount {
    /// An e-mail address or a name; letter case does not count.
    #[schema(example = "anna@example.com", min_length = 1, max_length = 254, pattern = r"^[^\s\x00-\x1f\x7f-\x9f]+$")]
    login: String,
    #[schema(value_type = RoleView)]
    role: String,
    /// A viewer sees names, e-mail addresses and attributes of users only with this.
    #[serde(default)]
    sees_persons: bool,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccountPatch {
    #[schema(value_type = Option<RoleView>)]
    role: Option<String>,
    sees_persons: Option<bool>,
    /// Whoever is disabled is signed out everywhere, at once.
    disabled: Option<bool>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPassword {
    /// The one that the account has, if it has one.
    #[schema(format = Password, max_length = 256)]
    current_password: Option<String>,
    #[schema(format = Password, min_length = 15, max_length = 256)]
    password: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewIdentity {
    #[schema(example = "yandex", pattern = "^[a-z0-9-]{1,32}$")]
    provider: String,
    /// The id that the provider gives, not an e-mail address.
    #[schema(example = "1130000012345678", min_length = 1, max_length = 255)]
    subject: String,
}

#[derive(ToSchema)]
#[schema(as = Role, rename_all = "lowercase")]
#[allow(dead_code)]
pub(crate) enum RoleView {
    Viewer,
    Analyst,
    Administrator,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Account)]
pub(crate) struct AccountView {
    #[schema(example = 7)]
    id: i64,
    #[schema(example = "anna@example.com")]
    login: String,
    #[schema(value_type = RoleView)]
    role: &'static str,
    sees_persons: bool,
    has_password: bool,
    #[schema(value_type = Option<chrono::DateTime<chrono::Utc>>, required = true)]
    disabled_at: Option<String>,
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    created_at: String,
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    updated_at: String,
    version: i64,
}

impl From<&Account> for AccountView {
    fn from(account: &Account) -> AccountView {
        AccountView {
            id: account.id.0,
            login: account.login.to_string(),
            role: account.role.as_str(),
            sees_persons: account.sees_persons,
            has_password: account.password.is_some(),
            disabled_at: account.disabled_at.map(times::write),
            created_at: times::write(account.created_at),
            updated_at: times::write(account.updated_at),
            version: account.version,
        }
    }
}

/// Who asks.
#[derive(Serialize, ToSchema)]
pub(crate) struct Me {
    /// `account`, `token`, or `anybody` where nobody has to sign in.
    #[schema(example = "account")]
    kind: &'static str,
    /// The name that stands as `actor` in memberships, history and jobs.
    #[schema(example = "anna@example.com")]
    actor: String,
    #[schema(required = true)]
    account: Option<AccountView>,
    /// What the caller may do.
    #[schema(example = json!(["segments.read"]))]
    permissions: Vec<&'static str>,
    /// The segments that a token is confined to begin so.
    #[schema(required = true)]
    segment_prefix: Option<String>,
    /// For one who shows a cookie: send it as `X-CSRF-Token` with whatever changes something.
    #[schema(required = true)]
    csrf_token: Option<String>,
    /// Until when what was shown holds.
    #[schema(value_type = Option<chrono::DateTime<chrono::Utc>>, required = true)]
    expires_at: Option<String>,
}

/// A link that signs in with an account, once.
#[derive(Serialize, ToSchema)]
pub(crate) struct SignInLink {
    #[schema(example = 7)]
    account_id: i64,
    /// Left out when the same request was answered before: it is told once.
    #[schema(required = false)]
    link: Option<String>,
    /// How long it holds.
    #[schema(example = 24)]
    hours: i64,
}

#[derive(Serialize, ToSchema)]
#[schema(as = SessionsEnded)]
pub(crate) struct SignedOut {
    sessions_ended: u64,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct SessionList {
    items: Vec<SessionView>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
pub(crate) struct SessionView {
    id: i64,
    /// `browser` or `tokens`.
    kind: &'static str,
    /// `password`, `link`, or a provider's name.
    means: String,
    /// Whether it is the one that asks.
    current: bool,
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    created_at: String,
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    expires_at: String,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct IdentityList {
    items: Vec<IdentityView>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Identity)]
pub(crate) struct IdentityView {
    provider: String,
    subject: String,
}

fn id_in(text: &str) -> Result<AccountId, Problem> {
    let id = text.parse().ok().filter(|id| *id > 0).map(AccountId);
    id.ok_or_else(|| Problem::new(Code::AccountNotFound, format!("no account named `{}`", text.escape_debug())))
}

fn answer(account: &Account) -> Answer {
    Answer::ok(&AccountView::from(account)).with_revision(Revision::from(account))
}

fn read_role(faults: &mut Faults, text: &str) -> Option<Role> {
    let role = Role::parse(text).ok_or("must be viewer, analyst or administrator");
    faults.take("/role", "invalid_value", role)
}

/// Who am I?
#[utoipa::path(get, path = "/api/v1/accounts/me", tag = "accounts",
    responses((status = 200, description = "Who asks, and what that one may do", body = Me)))]
pub(crate) async fn me(call: Call) -> Result<HttpResponse, Problem> {
    Parameters::of(&call.request)?.end()?;
    let asker = call.asker.clone();
    call.look(move |look| {
        let account = match look.caller.account_id() {
            Some(_) => Some(AccountView::from(&accounts::own(look)?)),
            None => None,
        };
        let kind = match look.caller.who {
            Who::Account(..) => "account",
            Who::Token(_) => "token",
            Who::Anybody | Who::Service => "anybody",
        };
        Ok(Me {
            kind,
            actor: look.caller.actor().to_string(),
            account,
            permissions: look.caller.permissions().map(|permission| permission.as_str()).collect(),
            segment_prefix: look.caller.prefix().map(|prefix| prefix.as_str().to_owned()),
            csrf_token: asker.csrf_token.clone(),
            expires_at: asker.recognized().ends_at.map(times::write),
        })
    })
    .await
}

/// Who am I?
///
/// The same as `/accounts/me`. What a user called `me` is, `/users?query=me` tells; to change and to delete that one goes by
/// this address as for any other.
#[utoipa::path(get, path = "/api/v1/users/me", tag = "accounts",
    responses((status = 200, description = "Who asks, and what that one may do", body = Me)))]
#[allow(dead_code, reason = "the other address is answered by the same function")]
pub(crate) async fn me_among_users() {}

/// Change my password
///
/// Whoever signed in by a link or a provider and has none sets one. All other sessions of the account end.
#[utoipa::path(put, path = "/api/v1/accounts/me/password", tag = "accounts", request_body = NewPassword,
    responses(
        (status = 200, description = "The account", body = AccountView),
        (status = 404, description = "`account_not_found`: who asks is a token"),
        (status = 409, description = "`conflict`: it was changed meanwhile"),
    ))]
pub(crate) async fn set_password(call: Call) -> Result<HttpResponse, Problem> {
    Parameters::of(&call.request)?.end()?;
    let body = bodies::read::<NewPassword>(&call.request, &call.body)?;
    let (app, asker) = (call.app.clone(), call.asker.clone());
    let looking = asker.clone();
    let account = blocking::run(app.clone(), move |app| app.look(looking.caller(), accounts::own)).await?;
    let password = Password::choose(&body.password, &account.login)
        .map_err(|error| Problem::fault("/password", "weak_password", error))?;
    let (login, address) = (account.login.to_string(), auth::client(&call.request, call.limits()));
    let attempts = &call.limits().attempts;
    if let Some(wait) = attempts.wait(&login, address, Instant::now()) {
        return Err(auth::too_often(wait));
    }
    attempts.begin(&login, address, Instant::now());
    let turn = Arc::clone(&attempts.turns).acquire_owned().await;
    let turn = turn.map_err(|_| Problem::new(Code::Busy, "the service ends"))?;
    let changes = Arc::clone(&call.limits().changes);
    let changed = blocking::run(app, move |app| {
        let _turn = turn;
        let current = body.current_password.as_deref();
        let changed = accounts::set_own_password(app, asker.caller(), asker.session(), current, &password);
        changes.note();
        changed
    })
    .await?;
    attempts.succeed(&login, address);
    Ok(HttpResponse::Ok().json(AccountView::from(&changed)))
}

/// Where am I signed in?
#[utoipa::path(get, path = "/api/v1/accounts/me/sessions", tag = "accounts",
    responses(
        (status = 200, description = "Sessions that hold, the newest first; a hundred at most", body = SessionList),
        (status = 409, description = "`conflict`: who asks is no account"),
    ))]
pub(crate) async fn own_sessions(call: Call) -> Result<HttpResponse, Problem> {
    Parameters::of(&call.request)?.end()?;
    let current = call.asker.session();
    call.look(move |look| {
        let view = |session: Session| SessionView {
            id: session.id.0,
            kind: session.kind.as_str(),
            means: session.means,
            current: Some(session.id) == current,
            created_at: times::write(session.created_at),
            expires_at: times::write(session.expires_at),
        };
        Ok(SessionList { items: sessions::own(look, 100)?.into_iter().map(view).collect() })
    })
    .await
}

/// Create an account
///
/// It has no password: send its owner a link made by `/accounts/{id}/link`.
#[utoipa::path(post, path = "/api/v1/accounts", tag = "accounts", request_body = NewAccount,
    responses(
        (status = 201, description = "Created", body = AccountView, headers(("Location" = String), ("ETag" = String))),
        (status = 409, description = "`login_taken`"),
    ))]
pub(crate) async fn create(call: Call) -> Result<HttpResponse, Problem> {
    Parameters::of(&call.request)?.end()?;
    let body = bodies::read::<NewAccount>(&call.request, &call.body)?;
    let mut faults = Faults::default();
    let login = faults.take("/login", "invalid_login", Login::parse(&body.login));
    let role = read_role(&mut faults, &body.role);
    let (login, role) = faults.or(login.zip(role))?;
    let command = CreateAccount { login, role, sees_persons: body.sees_persons, password: None };
    call.act_on_access(move |act| {
        let account = accounts::create(act, command)?;
        let location = format!("/api/v1/accounts/{}", account.id);
        Ok(Answer::created(&AccountView::from(&account), location).with_revision(Revision::from(&account)))
    })
    .await
}

/// List and search accounts
#[utoipa::path(get, path = "/api/v1/accounts", tag = "accounts",
    params(
        ("query" = Option<String>, Query, description = "A part of the login; letter case does not count", max_length = 200),
        ("role" = Option<RoleView>, Query),
        crate::openapi::Paging,
    ),
    responses((status = 200, description = "A page of accounts, by id", body = Page<AccountView>)))]
pub(crate) async fn list(call: Call) -> Result<HttpResponse, Problem> {
    let mut parameters = Parameters::of(&call.request)?;
    let text = parameters.search("query");
    let read = |text: &str| Role::parse(text).ok_or("must be viewer, analyst or administrator");
    let role = parameters.read("role", "invalid_value", read);
    let after = parameters.id_cursor("accounts").map(AccountId);
    let (limit, exact) = (parameters.limit(), parameters.counts_exactly());
    parameters.end()?;
    call.look(move |look| {
        let query = AccountQuery { text, role, after };
        let found = accounts::list(look, &query, limit + 1)?;
        let total = if exact { Some(accounts::count(look, &query)?) } else { None };
        let (found, next_cursor) = cursors::page(found, limit, |last| cursors::write(&("accounts", last.id.0)));
        Ok(Page { items: found.iter().map(AccountView::from).collect(), next_cursor, total })
    })
    .await
}

/// Read an account
///
/// Anybody's for an administrator, or else one's own: of others it is not told whether there are such.
#[utoipa::path(get, path = "/api/v1/accounts/{id}", tag = "accounts",
    responses(
        (status = 200, description = "The account", body = AccountView, headers(("ETag" = String))),
        (status = 404, description = "`account_not_found`"),
    ))]
pub(crate) async fn get(call: Call, id: Path<String>) -> Result<HttpResponse, Problem> {
    let id = id_in(&id)?;
    Parameters::of(&call.request)?.end()?;
    call.look_at(move |look| Ok(answer(&accounts::get(look, id)?))).await
}

/// Change an account
///
/// Holds from its next request on. The last administrator who may sign in stays one.
#[utoipa::path(patch, path = "/api/v1/accounts/{id}", tag = "accounts", request_body = AccountPatch,
    responses(
        (status = 200, description = "The account as it is now", body = AccountView, headers(("ETag" = String))),
        (status = 404, description = "`account_not_found`"),
        (status = 409, description = "`conflict`: it is the last administrator who may sign in"),
    ))]
pub(crate) async fn change(call: Call, id: Path<String>) -> Result<HttpResponse, Problem> {
    let id = id_in(&id)?;
    Parameters::of(&call.request)?.end()?;
    let expected = call.expected_or_required()?;
    let body = bodies::read::<AccountPatch>(&call.request, &call.body)?;
    let mut faults = Faults::default();
    let role = body.role.as_deref().and_then(|text| read_role(&mut faults, text));
    faults.none_or_problem()?;
    let command = ChangeAccount { role, sees_persons: body.sees_persons, disabled: body.disabled };
    call.act_on_access(move |act| Ok(answer(&accounts::change(act, id, &expected, command)?))).await
}

/// Delete an account
///
/// Its sessions end. What it did stays, under its login.
#[utoipa::path(delete, path = "/api/v1/accounts/{id}", tag = "accounts",
    responses(
        (status = 204, description = "Gone"),
        (status = 404, description = "`account_not_found`"),
        (status = 409, description = "`conflict`: it is the last administrator who may sign in"),
    ))]
pub(crate) async fn delete(call: Call, id: Path<String>) -> Result<HttpResponse, Problem> {
    let id = id_in(&id)?;
    Parameters::of(&call.request)?.end()?;
    let expected = call.expected();
    call.act_on_access(move |act| accounts::delete(act, id, &expected).map(|()| Answer::no_content())).await
}

/// Make a link to sign in with
///
/// It holds once, for a day, and is told once. Whoever follows it is signed in as that account, and can set a password.
#[utoipa::path(post, path = "/api/v1/accounts/{id}/link", tag = "accounts",
    responses(
        (status = 201, description = "The link", body = SignInLink),
        (status = 404, description = "`account_not_found`"),
        (status = 409, description = "`conflict`: the account is disabled"),
    ))]
pub(crate) async fn make_link(call: Call, id: Path<String>) -> Result<HttpResponse, Problem> {
    let id = id_in(&id)?;
    Parameters::of(&call.request)?.end()?;
    let base = addresses::base(&call.request);
    let write = move |secret: &domain::Secret| format!("{base}/sign-in#{}", secret.reveal());
    call.act_with_secret("link", write, move |act| {
        let (account, secret) = accounts::make_link(act, id)?;
        let view = serde_json::json!({"account_id": account.id.0, "hours": accounts::LINK_HOURS});
        Ok((Answer::created(&view, format!("/api/v1/accounts/{}", account.id)), secret))
    })
    .await
}

/// Sign an account out everywhere
///
/// Anybody's by an administrator, or else one's own.
#[utoipa::path(post, path = "/api/v1/accounts/{id}/sign_out", tag = "accounts",
    responses(
        (status = 200, description = "How many sessions that were", body = SignedOut),
        (status = 404, description = "`account_not_found`"),
    ))]
pub(crate) async fn sign_out(call: Call, id: Path<String>) -> Result<HttpResponse, Problem> {
    let id = id_in(&id)?;
    Parameters::of(&call.request)?.end()?;
    call.act_on_access(move |act| Ok(Answer::ok(&SignedOut { sessions_ended: accounts::sign_out(act, id)? }))).await
}

/// What was done to an account
///
/// Also to one that is deleted: rows of the audit log, the oldest first.
#[utoipa::path(get, path = "/api/v1/accounts/{id}/history", tag = "accounts",
    params(
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000),
        ("cursor" = Option<String>, Query),
    ),
    responses(
        (status = 200, description = "A page of rows", body = Page<AuditRowView>),
        (status = 404, description = "`account_not_found`: there can be no such id"),
    ))]
pub(crate) async fn history(call: Call, id: Path<String>) -> Result<HttpResponse, Problem> {
    let id = id_in(&id)?;
    let mut parameters = Parameters::of(&call.request)?;
    let after = parameters.id_cursor("account");
    let limit = parameters.limit();
    parameters.end()?;
    call.look(move |look| {
        let found = accounts::history(look, id, after, limit + 1)?;
        let (found, next_cursor) = cursors::page(found, limit, |last| cursors::write(&("account", last.id)));
        Ok(Page { items: found.iter().map(AuditRowView::from).collect(), next_cursor, total: None })
    })
    .await
}

/// By which identities does an account sign in?
#[utoipa::path(get, path = "/api/v1/accounts/{id}/identities", tag = "accounts",
    responses(
        (status = 200, description = "By provider", body = IdentityList),
        (status = 404, description = "`account_not_found`"),
    ))]
pub(crate) async fn identities(call: Call, id: Path<String>) -> Result<HttpResponse, Problem> {
    let id = id_in(&id)?;
    Parameters::of(&call.request)?.end()?;
    call.look(move |look| {
        let view = |identity: Identity| IdentityView {
            provider: identity.provider().to_owned(),
            subject: identity.subject().to_owned(),
        };
        Ok(IdentityList { items: accounts::identities(look, id)?.into_iter().map(view).collect() })
    })
    .await
}

/// Let an account sign in by an identity
///
/// For administrators, who know the provider's id of somebody. Others link their own at `/auth/providers/{provider}`.
#[utoipa::path(post, path = "/api/v1/accounts/{id}/identities", tag = "accounts", request_body = NewIdentity,
    responses(
        (status = 201, description = "Linked", body = IdentityView),
        (status = 404, description = "`account_not_found`"),
        (status = 409, description = "`conflict`: it is an account's already"),
    ))]
pub(crate) async fn link(call: Call, id: Path<String>) -> Result<HttpResponse, Problem> {
    let id = id_in(&id)?;
    Parameters::of(&call.request)?.end()?;
    let body = bodies::read::<NewIdentity>(&call.request, &call.body)?;
    let identity = Identity::new(&body.provider, &body.subject)
        .map_err(|error| Problem::fault("/provider", "invalid_value", error))?;
    call.act_on_access(move |act| {
        accounts::link(act, id, &identity)?;
        let view = IdentityView { provider: body.provider, subject: body.subject };
        Ok(Answer::created(&view, format!("/api/v1/accounts/{id}/identities")))
    })
    .await
}

/// Let an account no longer sign in by an identity
#[utoipa::path(delete, path = "/api/v1/accounts/{id}/identities/{provider}/{subject}", tag = "accounts",
    responses(
        (status = 204, description = "Unlinked"),
        (status = 404, description = "`account_not_found`, or `provider_not_found` when it was not linked"),
    ))]
pub(crate) async fn unlink(call: Call, path: Path<(String, String, String)>) -> Result<HttpResponse, Problem> {
    let (id, provider, subject) = path.into_inner();
    let id = id_in(&id)?;
    Parameters::of(&call.request)?.end()?;
    let identity =
        Identity::new(&provider, &subject).map_err(|error| Problem::fault("provider", "invalid_value", error))?;
    call.act_on_access(move |act| accounts::unlink(act, id, &identity).map(|()| Answer::no_content())).await
}
