//! What browsers are told to refuse: every answer says so.

use actix_web::http::header::{
    CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS,
};

/// Data is no page: it loads nothing and stands in no frame.
const OF_DATA: &str = "default-src 'none'; frame-ancestors 'none'";
/// Swagger UI sets styles in its elements, and has pictures in its style sheet. Its scripts are files of ours.
const OF_DOCS: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                       connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// A year.
const BY_TLS: &str = "max-age=31536000";

/// What an answer says itself of what it may load holds.
pub(crate) fn add(headers: &mut HeaderMap, path: &str, is_tls: bool) {
    let policy = if path.trim_start_matches('/').starts_with("api/docs/") { OF_DOCS } else { OF_DATA };
    if !headers.contains_key(CONTENT_SECURITY_POLICY) {
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    }
    let mut set = |name: HeaderName, value: &'static str| {
        headers.insert(name, HeaderValue::from_static(value));
    };
    set(X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(REFERRER_POLICY, "no-referrer");
    if is_tls {
        set(STRICT_TRANSPORT_SECURITY, BY_TLS);
    }
}
