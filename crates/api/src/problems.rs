//! Problems: what a client is told when a request fails (RFC 9457).

use std::fmt;

use actix_web::{
    HttpRequest, HttpResponse, ResponseError,
    http::{
        StatusCode,
        header::{CACHE_CONTROL, RETRY_AFTER, WWW_AUTHENTICATE},
    },
    web::Path,
};
use serde::Serialize;
use usecases::{Error, Fault, Subject, ports::StoreError};
use utoipa::ToSchema;

use crate::requests;

/// The kinds of failure. Their names never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    MalformedJson,
    Invalid,
    SegmentNotFound,
    UserNotFound,
    JobNotFound,
    AccountNotFound,
    TokenNotFound,
    ProviderNotFound,
    RouteNotFound,
    Unauthenticated,
    Forbidden,
    CsrfRefused,
    LinkRefused,
    MethodNotAllowed,
    SlugTaken,
    UserIdTaken,
    LoginTaken,
    TokenNameTaken,
    Conflict,
    VersionMismatch,
    BodyTooSlow,
    BodyTooLarge,
    UnsupportedMediaType,
    IdempotencyKeyReused,
    IfMatchRequired,
    TooManyRequests,
    Refused,
    Internal,
    Busy,
    Unavailable,
    ProviderUnavailable,
    TimedOut,
    Behind,
    Loading,
}

impl Code {
    pub(crate) const ALL: [Code; 34] = [
        Code::MalformedJson,
        Code::Invalid,
        Code::SegmentNotFound,
        Code::UserNotFound,
        Code::JobNotFound,
        Code::AccountNotFound,
        Code::TokenNotFound,
        Code::ProviderNotFound,
        Code::RouteNotFound,
        Code::Unauthenticated,
        Code::Forbidden,
        Code::CsrfRefused,
        Code::LinkRefused,
        Code::MethodNotAllowed,
        Code::SlugTaken,
        Code::UserIdTaken,
        Code::LoginTaken,
        Code::TokenNameTaken,
        Code::Conflict,
        Code::VersionMismatch,
        Code::BodyTooSlow,
        Code::BodyTooLarge,
        Code::UnsupportedMediaType,
        Code::IdempotencyKeyReused,
        Code::IfMatchRequired,
        Code::TooManyRequests,
        Code::Refused,
        Code::Internal,
        Code::Busy,
        Code::Unavailable,
        Code::ProviderUnavailable,
        Code::TimedOut,
        Code::Behind,
        Code::Loading,
    ];

    /// Name, status, title and what to do about it.
    pub(crate) fn facts(self) -> (&'static str, u16, &'static str, &'static str) {
        match self {
            Code::MalformedJson => (
                "malformed_json",
                400,
                "The body is not JSON",
                "Send one well-formed JSON value in UTF-8, without duplicate keys.",
            ),
            Code::Invalid => (
                "invalid",
                400,
                "The request breaks a rule",
                "Correct what `errors` names: each has a pointer, a code and a sentence.",
            ),
            Code::SegmentNotFound => (
                "segment_not_found",
                404,
                "No such segment",
                "Every slug that does not exist is named; nothing was changed.",
            ),
            Code::UserNotFound => (
                "user_not_found",
                404,
                "No such user",
                "The user was never named in an add, created or imported, or was deleted.",
            ),
            Code::JobNotFound => {
                ("job_not_found", 404, "No such job", "Jobs are listed at /api/v1/jobs; old ones are forgotten.")
            }
            Code::AccountNotFound => (
                "account_not_found",
                404,
                "No such account",
                "It never was, or was deleted; the audit log still tells of it.",
            ),
            Code::TokenNotFound => {
                ("token_not_found", 404, "No such API token", "API tokens are listed at /api/v1/tokens.")
            }
            Code::ProviderNotFound => (
                "provider_not_found",
                404,
                "No such provider",
                "Those that one may sign in by are listed at /api/v1/auth/providers.",
            ),
            Code::Unauthenticated => (
                "unauthenticated",
                401,
                "Nobody knows who asks",
                "Sign in at /sign-in or by POST /api/v1/auth/token, or send an API token that holds as `Authorization: Bearer`.",
            ),
            Code::Forbidden => (
                "forbidden",
                403,
                "Not yours to do",
                "Ask an administrator for a role, or for a token with the scope, that has the permission which is named.",
            ),
            Code::CsrfRefused => (
                "csrf_refused",
                403,
                "The CSRF token is missing or wrong",
                "Who is signed in by a cookie sends the `csrf_token` of GET /api/v1/accounts/me as X-CSRF-Token.",
            ),
            Code::LinkRefused => (
                "link_refused",
                403,
                "The link does not hold",
                "It ended, or was changed on its way: ask for a fresh one with POST /api/v1/reports/….",
            ),
            Code::RouteNotFound => {
                ("route_not_found", 404, "No such address", "The addresses are listed at /api/docs.")
            }
            Code::MethodNotAllowed => (
                "method_not_allowed",
                405,
                "The address does not take this method",
                "The methods it takes are in the Allow header.",
            ),
            Code::SlugTaken => {
                ("slug_taken", 409, "The slug is taken", "Choose another slug, or change the segment that has it.")
            }
            Code::UserIdTaken => {
                ("user_id_taken", 409, "The user id is taken", "The user exists; change it with PATCH.")
            }
            Code::LoginTaken => {
                ("login_taken", 409, "The login is taken", "Choose another; letter case does not tell logins apart.")
            }
            Code::TokenNameTaken => (
                "token_name_taken",
                409,
                "The name is taken",
                "Choose another: a name stays a token's also when the token was revoked.",
            ),
            Code::Conflict => ("conflict", 409, "Not possible for this one", "The detail says why."),
            Code::VersionMismatch => (
                "version_mismatch",
                412,
                "Changed meanwhile",
                "Read the resource again and decide anew; If-Match takes the ETag of that answer.",
            ),
            Code::BodyTooSlow => {
                ("body_too_slow", 408, "The body arrived too slowly", "Send it again, at once; nothing was changed.")
            }
            Code::BodyTooLarge => (
                "body_too_large",
                413,
                "The body is too large",
                "Send less at once: a body has at most 1 MiB unless the operator set otherwise.",
            ),
            Code::UnsupportedMediaType => (
                "unsupported_media_type",
                415,
                "The body is not declared as what is read here",
                "Send Content-Type: application/json; for an import text/csv, application/x-ndjson or that of XLSX.",
            ),
            Code::IdempotencyKeyReused => (
                "idempotency_key_reused",
                422,
                "The Idempotency-Key was used for another request",
                "Use a fresh key for each request; the same key only repeats the same request.",
            ),
            Code::IfMatchRequired => (
                "if_match_required",
                428,
                "If-Match is required",
                "Send the ETag that you last read as If-Match, or `*` to overwrite whatever is there.",
            ),
            Code::TooManyRequests => (
                "too_many_requests",
                429,
                "Too many requests",
                "Send it again after Retry-After seconds, and fewer from then on: the RateLimit headers say how many.",
            ),
            Code::Refused => (
                "refused",
                400,
                "The request was refused",
                "The request could not be read as HTTP that this service speaks.",
            ),
            Code::Internal => ("internal", 500, "A fault of the service", "Tell the operator the request_id."),
            Code::Busy => {
                ("busy", 503, "Too busy", "Nothing is wrong with the request: send it again after Retry-After seconds.")
            }
            Code::Unavailable => (
                "unavailable",
                503,
                "The store is unavailable",
                "Send it again after Retry-After seconds. When the store went away at the very end, a change may have been made: with an Idempotency-Key it is safe to send it again.",
            ),
            Code::ProviderUnavailable => (
                "provider_unavailable",
                503,
                "The provider does not answer",
                "Begin to sign in again after Retry-After seconds, or sign in by other means.",
            ),
            Code::TimedOut => (
                "timed_out",
                503,
                "It took too long",
                "The act may or may not have happened; with an Idempotency-Key it is safe to send it again.",
            ),
            Code::Behind => (
                "behind",
                503,
                "This node is behind",
                "It has not heard of what Strata-At-Least names yet: send it again after Retry-After seconds, or ask another node.",
            ),
            Code::Loading => (
                "loading",
                503,
                "This node is loading",
                "Send requests to another node until /readyz is 200; those that come here are answered by the store.",
            ),
        }
    }

    pub(crate) fn name(self) -> &'static str {
        self.facts().0
    }

    pub(crate) fn status(self) -> StatusCode {
        StatusCode::from_u16(self.facts().1).expect("the table holds known statuses")
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Problem {
    code: Code,
    status: StatusCode,
    detail: String,
    errors: Vec<Fault>,
}

impl Problem {
    pub(crate) fn new(code: Code, detail: impl fmt::Display) -> Problem {
        Problem { code, status: code.status(), detail: detail.to_string(), errors: Vec::new() }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.code.name()
    }

    pub(crate) fn is(&self, code: Code) -> bool {
        self.code == code
    }

    /// Several things are wrong with the request, or one. However much is, the answer stays small.
    pub(crate) fn invalid(errors: Vec<Fault>) -> Problem {
        let more = errors.len().saturating_sub(FAULTS_TOLD_MAX);
        let errors: Vec<Fault> = errors
            .into_iter()
            .take(FAULTS_TOLD_MAX)
            .map(|fault| Fault { pointer: shortened(fault.pointer), detail: shortened(fault.detail), ..fault })
            .collect();
        let mut detail = errors.iter().map(Fault::sentence).collect::<Vec<_>>().join("; ");
        if more > 0 {
            detail = format!("{detail}; and {more} more");
        }
        Problem { errors, ..Problem::new(Code::Invalid, detail) }
    }

    pub(crate) fn fault(pointer: impl Into<String>, code: &'static str, detail: impl fmt::Display) -> Problem {
        Problem::invalid(vec![Fault { pointer: pointer.into(), code, detail: detail.to_string() }])
    }

    /// For failures that the HTTP library found before any of our code saw the request.
    pub(crate) fn of_status(status: StatusCode) -> Problem {
        let code = match status {
            StatusCode::NOT_FOUND => Code::RouteNotFound,
            StatusCode::METHOD_NOT_ALLOWED => Code::MethodNotAllowed,
            StatusCode::PAYLOAD_TOO_LARGE => Code::BodyTooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Code::UnsupportedMediaType,
            status if status.is_server_error() => Code::Internal,
            _ => Code::Refused,
        };
        Problem { status, ..Problem::new(code, code.facts().3) }
    }

    fn document(&self) -> ProblemDocument {
        let (code, _, title, _) = self.code.facts();
        let request = requests::current();
        ProblemDocument {
            kind: format!("/api/problems/{code}"),
            title,
            status: self.status.as_u16(),
            detail: self.detail.clone(),
            instance: request.as_ref().map(|request| request.path.clone()).unwrap_or_default(),
            code,
            request_id: request.map(|request| request.id.clone()).unwrap_or_default(),
            errors: self
                .errors
                .iter()
                .map(|fault| FaultDocument {
                    pointer: fault.pointer.clone(),
                    code: fault.code,
                    detail: fault.detail.clone(),
                })
                .collect(),
        }
    }
}

const FAULTS_TOLD_MAX: usize = 100;
const FAULT_CHARS_MAX: usize = 300;

/// What repeats a client's own words repeats the beginning of them.
fn shortened(text: String) -> String {
    match text.char_indices().nth(FAULT_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// The one place where a use case's refusal becomes a status.
impl From<Error> for Problem {
    fn from(error: Error) -> Problem {
        let code = match &error {
            Error::NotFound(Subject::Segment, _) => Code::SegmentNotFound,
            Error::NotFound(Subject::User, _) => Code::UserNotFound,
            Error::Taken(Subject::Segment, _) => Code::SlugTaken,
            Error::Taken(Subject::User, _) => Code::UserIdTaken,
            Error::NotFound(Subject::Job, _) => Code::JobNotFound,
            Error::NotFound(Subject::Account, _) => Code::AccountNotFound,
            Error::Taken(Subject::Account, _) => Code::LoginTaken,
            Error::NotFound(Subject::Token, _) => Code::TokenNotFound,
            Error::Taken(Subject::Token, _) => Code::TokenNameTaken,
            Error::NotFound(Subject::Provider, _) => Code::ProviderNotFound,
            Error::Unauthenticated(_) => Code::Unauthenticated,
            Error::Forbidden(_) => Code::Forbidden,
            Error::Provider(_) => Code::ProviderUnavailable,
            Error::TooLarge(_) => Code::BodyTooLarge,
            Error::Denied(_) => Code::LinkRefused,
            Error::Files(_) => Code::Unavailable,
            Error::Conflict(_) | Error::Taken(Subject::Job | Subject::Provider, _) => Code::Conflict,
            Error::Stale(..) => Code::VersionMismatch,
            Error::KeyReused => Code::IdempotencyKeyReused,
            Error::Invalid(_) => Code::Invalid,
            Error::Store(StoreError::Duplicate | StoreError::Contended(_) | StoreError::Busy(_)) => Code::Busy,
            Error::Store(StoreError::Unavailable(_)) => Code::Unavailable,
            Error::Store(StoreError::Aborted | StoreError::Corrupt { .. }) => Code::Internal,
        };
        match error {
            Error::Invalid(faults) => Problem::invalid(faults),
            // What the store says may name hosts and files: it is for the log, not for the client.
            Error::Store(error) => {
                log::warn!("{error}");
                Problem::new(code, code.facts().3)
            }
            // So may what a provider says.
            Error::Provider(error) => {
                log::warn!("a provider of identities: {error}");
                Problem::new(code, code.facts().3)
            }
            Error::Files(error) => {
                log::warn!("files: {error}");
                Problem::new(code, code.facts().3)
            }
            other => Problem::new(code, other),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.name(), self.detail)
    }
}

impl std::error::Error for Problem {}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        response.content_type("application/problem+json").insert_header((CACHE_CONTROL, "no-store"));
        if self.status == StatusCode::UNAUTHORIZED {
            response.insert_header((WWW_AUTHENTICATE, "Bearer"));
        }
        if let (Code::Forbidden, Some(request)) = (self.code, requests::current()) {
            request.note_refusal(&self.detail);
        }
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.insert_header((RETRY_AFTER, "1"));
        }
        let text = serde_json::to_string(&self.document()).expect("a problem is plain data");
        response.body(text)
    }
}

/// What went wrong, as RFC 9457 writes it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemDocument {
    /// Where the code is explained.
    #[serde(rename = "type")]
    #[schema(example = "/api/problems/segment_not_found")]
    kind: String,
    title: &'static str,
    status: u16,
    #[schema(example = "no segment named `VIP`")]
    detail: String,
    /// The address that was asked.
    #[schema(example = "/api/v1/segments/VIP")]
    instance: String,
    /// A stable name for programs.
    #[schema(example = "segment_not_found")]
    code: &'static str,
    /// The same as in the X-Request-Id header and in the service's log.
    request_id: String,
    /// Each thing that is wrong with the request, when it is the request that is wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<FaultDocument>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Fault)]
pub(crate) struct FaultDocument {
    /// A JSON Pointer (RFC 6901) into the body, or the name of a parameter.
    #[schema(example = "/percent")]
    pointer: String,
    #[schema(example = "out_of_range")]
    code: &'static str,
    #[schema(example = "a percent is from 0 to 100, not 101")]
    detail: String,
}

/// A problem's type leads here: the code in plain words.
pub(crate) async fn explain(code: Path<String>) -> Result<HttpResponse, Problem> {
    let found = Code::ALL.into_iter().find(|known| known.name() == *code);
    let (code, status, title, remedy) = found.ok_or_else(|| Problem::of_status(StatusCode::NOT_FOUND))?.facts();
    Ok(HttpResponse::Ok().json(serde_json::json!({"code": code, "status": status, "title": title, "remedy": remedy})))
}

pub(crate) fn no_route(request: &HttpRequest) -> Problem {
    Problem::new(Code::RouteNotFound, format!("nothing is at {} {}", request.method(), request.path()))
}
