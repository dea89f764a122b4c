//! Cookies: two of them, one for who is signed in, one for who is on the way through a provider.

use actix_web::{
    HttpResponseBuilder,
    http::header::{HeaderValue, SET_COOKIE},
};
use usecases::{sessions::BROWSER_HOURS, sign_ins};

use crate::Limits;

/// Browsers give a cookie of such a name to nobody but us, when it came by TLS.
const SECURE: &str = "__Host-strata";
const PLAIN: &str = "strata";
const SECURE_STATE: &str = "__Host-strata-state";
const PLAIN_STATE: &str = "strata-state";

pub(crate) fn session(limits: &Limits) -> &'static str {
    if is_secure(limits) { SECURE } else { PLAIN }
}

pub(crate) fn state(limits: &Limits) -> &'static str {
    if is_secure(limits) { SECURE_STATE } else { PLAIN_STATE }
}

/// Whether browsers reach the service by TLS.
fn is_secure(limits: &Limits) -> bool {
    limits.is_tls || limits.public_url.as_deref().is_some_and(|url| url.starts_with("https://"))
}

pub(crate) fn set_session(response: &mut HttpResponseBuilder, limits: &Limits, secret: &str) {
    set(response, limits, session(limits), secret, BROWSER_HOURS * 60 * 60);
}

pub(crate) fn clear_session(response: &mut HttpResponseBuilder, limits: &Limits) {
    set(response, limits, session(limits), "", 0);
}

pub(crate) fn set_state(response: &mut HttpResponseBuilder, limits: &Limits, secret: &str) {
    set(response, limits, state(limits), secret, sign_ins::MINUTES * 60);
}

pub(crate) fn clear_state(response: &mut HttpResponseBuilder, limits: &Limits) {
    set(response, limits, state(limits), "", 0);
}

/// Lax, so that it also comes along when a provider, or a link in a mail, leads here; what changes anything needs a CSRF
/// token besides.
fn set(response: &mut HttpResponseBuilder, limits: &Limits, name: &str, value: &str, seconds: i64) {
    let secure = if is_secure(limits) { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
    if let Ok(value) = HeaderValue::try_from(text) {
        response.append_header((SET_COOKIE, value));
    }
}

/// The first cookie of this name.
pub(crate) fn find<'h>(headers: impl Iterator<Item = &'h HeaderValue>, name: &str) -> Option<&'h str> {
    let pairs = headers.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(';'));
    let mut named = pairs.filter_map(|pair| pair.trim().split_once('=')).filter(|(found, _)| *found == name);
    named.next().map(|(_, value)| value).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let headers = ["a=1; strata=x ;b=2", "strata=y"].map(HeaderValue::from_static);
        assert_eq!(find(headers.iter(), "strata"), Some("x"));
        assert_eq!(find(headers.iter(), "b"), Some("2"));
        assert_eq!(find(headers.iter(), "trata"), None);
        assert_eq!(find([HeaderValue::from_static("strata=; x=1")].iter(), "strata"), None);
    }
}
