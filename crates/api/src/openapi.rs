//! The API as a document: assembled here, written next to the handlers.

use domain::Permission;
use serde_json::json;
use tables::{Format, Packing};
use utoipa::{
    IntoParams, Modify, OpenApi,
    openapi::{
        ContentBuilder, Ref, RefOr, Required,
        example::{Example, ExampleBuilder},
        extensions::Extensions,
        path::{Operation, ParameterBuilder, ParameterIn},
        response::{Response, ResponseBuilder},
        schema::{ObjectBuilder, Type},
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};

use crate::problems::Code;

pub(crate) const SLUG_PATTERN: &str = "^[A-Za-z0-9][A-Za-z0-9_-]{0,254}$";
/// No white space, no control character.
pub(crate) const USER_ID_PATTERN: &str = r"^[^\s\x00-\x1f\x7f-\x9f]+$";

/// Parameters of every list.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code)]
pub(crate) struct Paging {
    /// How many items a page has at most.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u32>,
    /// Where the page begins: the `next_cursor` of the page before.
    cursor: Option<String>,
    /// `exact` counts the items of all pages as `total`.
    #[param(pattern = "^exact$")]
    count: Option<String>,
}

/// Which segments, and in which order.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code)]
pub(crate) struct SegmentFilters {
    /// A part of the slug or the name; letter case does not count.
    #[param(max_length = 200)]
    query: Option<String>,
    #[param(value_type = Option<crate::segments::KindView>)]
    kind: Option<String>,
    /// `slug` (default), `name`, `created_at` or `updated_at`; with `-` before it from the last.
    #[param(pattern = "^-?(slug|name|created_at|updated_at)$")]
    sort: Option<String>,
}

/// Which segments with their sizes, and in which order.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code)]
pub(crate) struct StatsFilters {
    /// A part of the slug or the name; letter case does not count.
    #[param(max_length = 200)]
    query: Option<String>,
    #[param(value_type = Option<crate::segments::KindView>)]
    kind: Option<String>,
    /// `slug` (default), `name`, `created_at`, `updated_at` or `user_count`; with `-` before it from the last.
    #[param(pattern = "^-?(slug|name|created_at|updated_at|user_count)$")]
    sort: Option<String>,
}

/// A parameter of every change of many users at once.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code)]
pub(crate) struct DryRun {
    /// Tell what would happen, and change nothing.
    dry_run: Option<bool>,
}

/// Why a user is taken out.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code)]
pub(crate) struct Reasoned {
    /// Why, for history.
    #[param(min_length = 1, max_length = 500, pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*$")]
    reason: Option<String>,
}

/// Which part of history.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code)]
pub(crate) struct HistoryFilters {
    /// Only this user.
    #[param(max_length = 128)]
    user_id: Option<String>,
    /// Only rows written under this slug, and those of the segment that has it now.
    #[param(pattern = "^[A-Za-z0-9][A-Za-z0-9_-]{0,254}$")]
    segment: Option<String>,
    /// A whole month, UTC; not together with `from` and `to`.
    #[param(pattern = "^[0-9]{4}-(0[1-9]|1[0-2])$", example = "2026-11")]
    month: Option<String>,
    /// From this instant on.
    from: Option<chrono::DateTime<chrono::Utc>>,
    /// Up to, and not including, this instant.
    to: Option<chrono::DateTime<chrono::Utc>>,
}

/// Which of a segment's members.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code)]
pub(crate) struct MemberSearch {
    /// Only those whom `/users?query=` finds: the beginning of the id, or a part of the name or e-mail, where letter case does
    /// not count. Who may not see persons finds by id alone.
    #[param(max_length = 200, example = "anna")]
    query: Option<String>,
}

/// How an export begins.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code)]
pub(crate) struct HeaderLine {
    /// `false` leaves out the line with the names, in CSV.
    header: Option<bool>,
}

/// How users and segments are imported.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code)]
pub(crate) struct DefinitionImportParameters {
    /// One bad row refuses all, and all happens at once or not at all.
    atomic: Option<bool>,
    /// Tell what would happen, and change nothing.
    dry_run: Option<bool>,
}

/// How memberships are imported.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code)]
pub(crate) struct ImportParameters {
    /// `add` (default), `remove`, or `replace`: each segment that rows name has exactly the users of its rows afterwards.
    #[param(pattern = "^(add|remove|replace)$")]
    mode: Option<String>,
    /// One bad row refuses all, and all happens at once or not at all.
    atomic: Option<bool>,
    /// Tell what would happen, and change nothing.
    dry_run: Option<bool>,
    /// For rows without a deadline: an ISO 8601 duration or seconds, counted from the import.
    ttl: Option<String>,
    /// For rows without a deadline.
    expires_at: Option<chrono::DateTime<chrono::Utc>>,
    /// For rows without a reason.
    #[param(min_length = 1, max_length = 500, pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*$")]
    reason: Option<String>,
}

/// Which rows of the audit log.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code)]
pub(crate) struct AuditFilters {
    /// Who did it.
    #[param(min_length = 1, max_length = 1000)]
    actor: Option<String>,
    /// What was done.
    #[param(pattern = "^[a-z_]+\\.[a-z_]+$", example = "segment.created")]
    action: Option<String>,
    /// What it was done to.
    #[param(min_length = 1, max_length = 1000, example = "segment/VIP")]
    subject: Option<String>,
    /// A whole month, UTC; not together with `from` and `to`.
    #[param(pattern = "^[0-9]{4}-(0[1-9]|1[0-2])$", example = "2026-11")]
    month: Option<String>,
    /// From this instant on.
    from: Option<chrono::DateTime<chrono::Utc>>,
    /// Up to, and not including, this instant.
    to: Option<chrono::DateTime<chrono::Utc>>,
    /// `-id` (default) is the newest first, `id` the oldest.
    #[param(pattern = "^-?id$")]
    sort: Option<String>,
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Strata",
        description = "Which users are in which segment, since when, until when and why.\n\nInstants are RFC 3339, UTC, with microseconds. \
                       Failures are `application/problem+json` (RFC 9457) with a stable `code`; each code is explained at its `type`. \
                       Every answer carries `X-Request-Id`; send your own to find it in the log.",
        license(name = "MIT OR Apache-2.0"),
    ),
    paths(
        crate::segments::create, crate::segments::list, crate::segments::stats, crate::sizes::of_each, crate::sizes::over_time, crate::algebra::evaluate, crate::algebra::overlap, crate::algebra::overlaps, crate::algebra::similar, crate::segments::get,
        crate::segments::change, crate::segments::delete, crate::segments::rename, crate::segments::copy,
        crate::segments::describe,
        crate::users::create, crate::users::list, crate::users::get, crate::users::change, crate::users::delete, crate::persons::export,
        crate::memberships::change, crate::memberships::active, crate::memberships::enter, crate::memberships::leave,
        crate::endings::list, crate::endings::sources, crate::memberships::is_member, crate::memberships::why, crate::memberships::of_user, crate::memberships::lookup,
        crate::memberships::members, crate::memberships::admit, crate::memberships::dismiss, crate::memberships::diff, crate::memberships::admit_diff, crate::memberships::dismiss_diff,
        crate::distributions::distribute, crate::distributions::get, crate::moves::move_users,
        crate::history::list, crate::history::counts,
        crate::imports::memberships, crate::imports::members, crate::imports::users, crate::imports::segments,
        crate::exports::members, crate::exports::set, crate::exports::users, crate::exports::history, crate::exports::stats,
        crate::reports::history, crate::reports::members, crate::reports::set, crate::reports::users, crate::reports::stats, crate::reports::fetch,
        crate::jobs::list, crate::jobs::get, crate::jobs::cancel, crate::jobs::undo, crate::jobs::forget, crate::jobs::tidy, crate::jobs::fill, crate::jobs::errors, crate::jobs::events,
        crate::auth::token, crate::auth::refresh, crate::auth::revoke, crate::auth::sign_in, crate::auth::follow_link, crate::auth::sign_out,
        crate::auth::providers, crate::auth::depart, crate::auth::link, crate::auth::arrive,
        crate::accounts::me, crate::accounts::me_among_users, crate::accounts::set_password, crate::accounts::own_sessions, crate::accounts::create, crate::accounts::list,
        crate::accounts::get, crate::accounts::change, crate::accounts::delete, crate::accounts::make_link, crate::accounts::sign_out, crate::accounts::history,
        crate::accounts::identities, crate::accounts::link, crate::accounts::unlink,
        crate::settings::sign_in,
        crate::tokens::create, crate::tokens::list, crate::tokens::get, crate::tokens::revoke,
        crate::audit::list, crate::audit::verify, crate::audit::export,
        crate::summaries::tell, crate::health::alive, crate::health::ready,
    ),
    components(schemas(crate::problems::ProblemDocument, crate::problems::FaultDocument)),
    modifiers(&Common),
    tags(
        (name = "segments", description = "Named sets of users"),
        (name = "users", description = "Those whom a company segments"),
        (name = "memberships", description = "Who is in which segment"),
        (name = "distributions", description = "Segments given to a share of all users"),
        (name = "history", description = "What happened"),
        (name = "imports", description = "Files of any length, taken in"),
        (name = "exports", description = "Tables of any length, as files"),
        (name = "reports", description = "Exports behind a link"),
        (name = "jobs", description = "Long acts, followed, stopped and taken back"),
        (name = "auth", description = "Signing in and out"),
        (name = "accounts", description = "Those who sign in"),
        (name = "tokens", description = "What services sign in with"),
        (name = "audit", description = "Who did what"),
        (name = "service", description = "The process itself"),
    ),
)]
struct Document;

pub fn document() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

/// What every operation has in common, said once.
struct Common;

impl Modify for Common {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("An access token of `/auth/token`, or an API token"))
            .build();
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
        let cookie = ApiKeyValue::with_description(
            "strata",
            "Set by `/auth/session`; `__Host-strata` by TLS. Whatever changes something also needs `X-CSRF-Token`",
        );
        components.add_security_scheme("cookie", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
        for (path, item) in &mut document.paths.paths {
            let operations = [
                ("get", &mut item.get),
                ("put", &mut item.put),
                ("post", &mut item.post),
                ("patch", &mut item.patch),
                ("delete", &mut item.delete),
            ];
            for (method, operation) in operations {
                if let Some(operation) = operation {
                    complete(path, method, operation);
                }
            }
        }
    }
}

fn complete(path: &str, method: &str, operation: &mut Operation) {
    // Names that generated clients can use.
    operation.operation_id = Some(operation_id(path, method));
    if path == "/healthz" {
        return;
    }
    if path == "/readyz" {
        add_problem(operation, Code::Loading);
    }
    let in_api = path.starts_with("/api/v1/");
    let need = need_of(path, method);
    let mut own_codes = Vec::new();
    match need {
        Need::Nothing => operation.security = Some(Vec::new()),
        Need::Caller | Need::Permissions(_) => {
            let schemes = ["bearer", "cookie"].map(|name| SecurityRequirement::new::<_, [&str; 0], &str>(name, []));
            operation.security = Some(schemes.to_vec());
            own_codes.push(Code::Unauthenticated);
            if method != "get" {
                own_codes.push(Code::CsrfRefused);
            }
        }
    }
    if let Need::Permissions(permissions) = need {
        own_codes.push(Code::Forbidden);
        let names: Vec<&str> = permissions.iter().map(|permission| permission.as_str()).collect();
        let extension = Extensions::builder().add("x-permissions", json!(names)).build();
        operation.extensions.get_or_insert_default().merge(extension);
        let line = format!("Needs the permission `{}`.", names.join("` and `"));
        let description = operation.description.take().filter(|text| !text.is_empty());
        operation.description = Some(description.map_or(line.clone(), |text| format!("{text}\n\n{line}")));
    }
    // Whoever is not let in by what it shows.
    if path.starts_with("/api/v1/auth/") && matches!(need, Need::Nothing) && path != "/api/v1/auth/providers" {
        own_codes.push(Code::Unauthenticated);
        if path.contains("{provider}") {
            own_codes.push(Code::ProviderUnavailable);
        }
    }
    if path == "/api/v1/auth/providers/{provider}" && method == "post" {
        own_codes.push(Code::ProviderUnavailable);
    }
    let asks = ["/lookup", "/segments/algebra", "/overlap", ".{form}"];
    let reads = method == "get" || asks.iter().any(|end| path.ends_with(end));
    let mut codes = vec![Code::Internal, Code::Busy, Code::Unavailable, Code::TimedOut];
    codes.extend(own_codes);
    if in_api {
        codes.extend([Code::Invalid, Code::TooManyRequests]);
    }
    if path.ends_with(".{form}") {
        codes.push(Code::RouteNotFound);
    }
    if operation.request_body.is_some() {
        codes.extend([Code::BodyTooLarge, Code::UnsupportedMediaType]);
        if !path.ends_with("/import") {
            codes.extend([Code::MalformedJson, Code::BodyTooSlow]);
        }
    }
    // What is told once is not kept to be told again.
    let acts_once = !path.starts_with("/api/v1/auth/");
    if in_api && acts_once && !reads && matches!(method, "post" | "patch") {
        codes.push(Code::IdempotencyKeyReused);
        let about = "The same key and body gives the same answer for 24 hours, and acts once";
        header(operation, "Idempotency-Key", Required::False, about);
    }
    let definition = matches!(path, "/api/v1/segments/{slug}" | "/api/v1/users/{user_id}" | "/api/v1/accounts/{id}");
    let versioned = (definition && matches!(method, "patch" | "delete"))
        || path.ends_with("/rename")
        || path.ends_with("/description");
    if versioned {
        codes.push(Code::VersionMismatch);
        let about = "The ETag of the version that is meant, or `*`";
        let required = if method == "patch" { Required::True } else { Required::False };
        header(operation, "If-Match", required, about);
    }
    if method == "patch" {
        codes.push(Code::IfMatchRequired);
    }
    let streams = path.ends_with(".{form}")
        || path.contains("/reports/")
        || path.ends_with("/errors")
        || path.ends_with("/export")
        || path.ends_with("/events")
        || path.starts_with("/api/v1/auth/");
    if method == "get" && in_api && !streams {
        header(operation, "If-None-Match", Required::False, "The ETag of the answer that the client has");
        let same = ResponseBuilder::new().description("It is as If-None-Match says").build();
        operation.responses.responses.entry("304".to_owned()).or_insert(RefOr::T(same));
    }
    // What the index may answer.
    let remembered = [
        "/users/{user_id}/segments",
        "/users/{user_id}/segments/{slug}",
        "/lookup",
        "/similar",
        "/overlap",
        "/overlaps",
        "/summary",
    ];
    let is_remembered = remembered.iter().any(|end| path.ends_with(end)) || path.ends_with("/segments/algebra");
    if reads && is_remembered {
        codes.push(Code::Behind);
        let about = "The Strata-Position of an earlier answer, of this node or another: the answer is no older";
        header(operation, "Strata-At-Least", Required::False, about);
    }
    // A file is of the form that was asked for.
    if path.ends_with(".{form}") || path.ends_with("/errors") || path.contains("/reports/{id}") {
        add_forms(operation);
    }
    for code in codes {
        add_problem(operation, code);
    }
    for parameter in operation.parameters.iter_mut().flatten() {
        if let RefOr::T(parameter) = parameter
            && parameter.parameter_in == ParameterIn::Path
        {
            let (pattern, length_max, example) = match parameter.name.as_str() {
                "slug" => (SLUG_PATTERN, 255, "DISCOUNT_30"),
                "form" => (r"^(csv|ndjson|xlsx)(\.gz)?$", 9, "csv"),
                "id" => ("^[1-9][0-9]{0,17}$", 18, "17"),
                "name" => ("^[A-Za-z0-9._-]+$", 300, "history.csv"),
                "provider" => ("^[a-z0-9-]{1,32}$", 32, "yandex"),
                "subject" => (r"^[^/\x00-\x1f\x7f-\x9f]+$", 255, "1130000012345678"),
                _ => (USER_ID_PATTERN, 128, "1000"),
            };
            let schema = ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern)).min_length(Some(1));
            parameter.schema = Some(schema.max_length(Some(length_max)).examples([example]).into());
        }
    }
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response
            && status.as_str() >= "400"
        {
            let examples = problem_examples(path, status, &response.description);
            let content = ContentBuilder::new()
                .schema(Some(Ref::from_schema_name("Problem")))
                .examples_from_iter(examples)
                .build();
            response.content.insert("application/problem+json".to_owned(), content.into());
        }
    }
}

/// What is said of the file as CSV is said of it in every form.
fn add_forms(operation: &mut Operation) {
    if let Some(RefOr::T(response)) = operation.responses.responses.get_mut("200")
        && let Some(content) = response.content.get("text/csv").cloned()
    {
        for (format, packing) in
            [(Format::Ndjson, Packing::Plain), (Format::Xlsx, Packing::Plain), (Format::Csv, Packing::Gzip)]
        {
            response.content.insert(tables::content_type(format, packing).to_owned(), content.clone());
        }
    }
}

/// What a caller needs for an operation.
#[derive(Clone, Copy)]
enum Need {
    Nothing,
    /// To be known; whatever else is its own.
    Caller,
    /// All of them.
    Permissions(&'static [Permission]),
}

/// What the use case behind an operation asks of the caller. A test walks all of them with every role and holds what
/// happens against this.
fn need_of(path: &str, method: &str) -> Need {
    let Some(path) = path.strip_prefix("/api/v1") else { return Need::Nothing };
    let reads = method == "get";
    match (method, path) {
        (_, "/auth/token" | "/auth/refresh" | "/auth/revoke" | "/auth/link" | "/auth/providers") => Need::Nothing,
        ("post", "/auth/session") | ("get", "/auth/providers/{provider}") => Need::Nothing,
        (_, "/auth/providers/{provider}/callback") => Need::Nothing,
        (_, "/reports/{id}/{name}") => Need::Nothing,
        (_, "/auth/session" | "/auth/providers/{provider}" | "/users/me") => Need::Caller,
        (_, path) if path.starts_with("/accounts/me") => Need::Caller,
        // One's own, or with the permission anybody's: of others it is not told whether there are such.
        ("get", "/accounts/{id}" | "/accounts/{id}/identities") | (_, "/accounts/{id}/sign_out") => Need::Caller,
        ("delete", "/accounts/{id}/identities/{provider}/{subject}") => Need::Caller,
        ("get", "/jobs/{id}" | "/jobs/{id}/events") | (_, "/jobs/{id}/cancel") => Need::Caller,
        (_, "/jobs/{id}/undo" | "/jobs/{id}/errors") => Need::Permissions(&[Permission::Manage]),
        (_, "/users/import") => Need::Permissions(&[Permission::Manage, Permission::ReadPersons]),
        (_, "/jobs/retention" | "/jobs/stale_segments" | "/jobs/demo") => Need::Permissions(&[Permission::Operate]),
        (_, path) if path.starts_with("/accounts") || path == "/settings/sign_in" => {
            Need::Permissions(&[Permission::ManageAccounts])
        }
        (_, path) if path.starts_with("/tokens") => Need::Permissions(&[Permission::ManageTokens]),
        (_, path) if path.starts_with("/audit") => Need::Permissions(&[Permission::ReadAudit]),
        (_, "/users/{user_id}/export") => Need::Permissions(&[Permission::FulfilRights]),
        (_, "/users.{form}" | "/reports/users") => Need::Permissions(&[Permission::Export, Permission::ReadPersons]),
        (_, path) if path.ends_with(".{form}") || path.starts_with("/reports/") => {
            Need::Permissions(&[Permission::Export])
        }
        ("post", "/users/segments/lookup" | "/segments/algebra" | "/segments/overlap") => {
            Need::Permissions(&[Permission::ReadSegments])
        }
        _ if reads => Need::Permissions(&[Permission::ReadSegments]),
        (_, "/users/{user_id}/segments" | "/users/{user_id}/segments/{slug}") => {
            Need::Permissions(&[Permission::Assign])
        }
        (_, "/segments/{slug}/users/{user_id}" | "/segments/{slug}/users/diff") => {
            Need::Permissions(&[Permission::Assign])
        }
        _ => Need::Permissions(&[Permission::Manage]),
    }
}

/// One response a status; its description names every code that comes with it.
fn add_problem(operation: &mut Operation, code: Code) {
    let (name, status, title, _) = code.facts();
    let line = format!("`{name}`: {title}");
    let entry = operation.responses.responses.entry(status.to_string());
    let response = entry.or_insert_with(|| RefOr::T(Response::default()));
    if let RefOr::T(response) = response {
        if !response.description.is_empty() {
            response.description.push_str("; ");
        }
        response.description.push_str(&line);
    }
}

/// One example for each code that a response's description names.
fn problem_examples(path: &str, status: &str, description: &str) -> Vec<(String, Example)> {
    let named = |code: &Code| {
        let (name, of_status, ..) = code.facts();
        of_status.to_string() == status && description.contains(&format!("`{name}`"))
    };
    let example = |code: Code| {
        let (name, status, title, remedy) = code.facts();
        let value = json!({"type": format!("/api/problems/{name}"), "title": title, "status": status, "detail": remedy,
            "instance": path, "code": name, "request_id": "0fd4a9d8f3ba0d081f81632baade52eb"});
        (name.to_owned(), ExampleBuilder::new().summary(title).value(Some(value)).build())
    };
    Code::ALL.into_iter().filter(named).map(example).collect()
}

fn header(operation: &mut Operation, name: &str, required: Required, about: &str) {
    let parameter = ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(required)
        .description(Some(about))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(255))))
        .build();
    operation.parameters.get_or_insert_default().push(parameter.into());
}

/// `get_segments_slug_users` for GET /api/v1/segments/{slug}/users.
fn operation_id(path: &str, method: &str) -> String {
    let words = path.trim_start_matches("/api/v1").split(['/', '.']).map(|word| word.trim_matches(['{', '}']));
    std::iter::once(method).chain(words.filter(|word| !word.is_empty())).collect::<Vec<_>>().join("_")
}

#[cfg(test)]
mod tests {
    /// The file is what people and generators read; `UPDATE_SNAPSHOTS=1` writes it anew.
    #[test]
    fn the_document_is_the_published_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
        let document = super::document().to_pretty_json().unwrap() + "\n";
        if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
            std::fs::write(path, &document).unwrap();
        }
        let published = std::fs::read_to_string(path).unwrap_or_default();
        assert!(document == published, "docs/openapi.json is not what the handlers say: run with UPDATE_SNAPSHOTS=1");
    }
}
