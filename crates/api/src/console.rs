//! The web console: what is built of `ui/`, as part of the binary. A build for development reads the files from where they
//! were built.

use std::borrow::Cow;

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        Method,
        header::{
            self, ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, VARY,
        },
    },
    web::{Bytes, Data, Path, ServiceConfig, resource},
};
use rust_embed::RustEmbed;
use usecases::App;

use crate::problems::{self, Problem};

#[derive(RustEmbed)]
#[folder = "../../ui/dist"]
#[allow_missing = true]
struct Files;

/// Where files lie whose names change with what is in them.
pub(crate) const ASSETS: &str = "/assets/";
/// What of a file's name says how it is compressed, and how that is called in headers; the shortest first.
const ENCODINGS: [(&str, &str); 2] = [("br", "br"), ("gz", "gzip")];
const ICON: &str = "icon.svg";
const NONCE: &str = r#"name="style-nonce" content=""#;
const WITHOUT: &str = include_str!("console/without.html");

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(resource("/").get(page))
        .service(resource("/sign-in").get(page))
        .service(resource(format!("/{ICON}")).get(icon))
        .service(resource("/assets/{name}").get(asset));
}

/// Every address that a browser shows belongs to the console, but those of the API.
pub(crate) async fn page_or_problem(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    if is_shown(&request) { Ok(page(app).await) } else { Err(problems::no_route(&request)) }
}

fn is_shown(request: &HttpRequest) -> bool {
    let is_ours = !request.path().starts_with("/api/") && !request.path().starts_with(ASSETS);
    let accepts = request.headers().get(ACCEPT).and_then(|accepted| accepted.to_str().ok()).unwrap_or_default();
    request.method() == Method::GET && is_ours && accepts.contains("text/html")
}

/// The same page for every address: its script reads there what to show.
async fn page(app: Data<App>) -> HttpResponse {
    let index = Files::get("index.html").and_then(|file| String::from_utf8(file.data.into_owned()).ok());
    page_of(index, &app.chance.digits(2))
}

/// Styles that the libraries make at run time carry the nonce. Nothing else runs or is loaded that is not a file of ours.
fn page_of(index: Option<String>, nonce: &str) -> HttpResponse {
    let text = index.map_or_else(|| WITHOUT.to_owned(), |text| text.replace(NONCE, &format!("{NONCE}{nonce}")));
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data: blob:; \
         font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((CONTENT_SECURITY_POLICY, policy))
        .body(text)
}

async fn icon(request: HttpRequest) -> Result<HttpResponse, Problem> {
    file(&request, ICON, "public, max-age=86400")
}

async fn asset(request: HttpRequest, name: Path<String>) -> Result<HttpResponse, Problem> {
    file(&request, &format!("assets/{name}"), "public, max-age=31536000, immutable")
}

/// The file in the shortest form that the browser understands.
fn file(request: &HttpRequest, path: &str, caching: &'static str) -> Result<HttpResponse, Problem> {
    let accepted =
        request.headers().get(ACCEPT_ENCODING).and_then(|accepted| accepted.to_str().ok()).unwrap_or_default();
    let short = ENCODINGS
        .into_iter()
        .filter(|(_, encoding)| is_accepted(accepted, encoding))
        .find_map(|(ending, encoding)| Some((Files::get(&format!("{path}.{ending}"))?, Some(encoding))));
    let found = short.or_else(|| Some((Files::get(path)?, None)));
    let (file, encoding) = found.ok_or_else(|| problems::no_route(request))?;
    let mut answer = HttpResponse::Ok();
    answer
        .insert_header((CONTENT_TYPE, kind_of(path)))
        .insert_header((CACHE_CONTROL, caching))
        .insert_header((VARY, header::HeaderValue::from_static("accept-encoding")));
    if let Some(encoding) = encoding {
        answer.insert_header((CONTENT_ENCODING, encoding));
    }
    Ok(match file.data {
        Cow::Borrowed(bytes) => answer.body(Bytes::from_static(bytes)),
        Cow::Owned(bytes) => answer.body(bytes),
    })
}

/// A browser says `gzip, deflate, br`; who says `br;q=0` does not want it.
fn is_accepted(accepted: &str, encoding: &str) -> bool {
    accepted.split(',').any(|one| {
        let (name, quality) = one.split_once(';').unwrap_or((one, ""));
        let quality = quality.trim().strip_prefix("q=").and_then(|quality| quality.parse::<f32>().ok());
        name.trim().eq_ignore_ascii_case(encoding) && quality.unwrap_or(1.0) > 0.0
    })
}

/// What Vite emits; what else there may be one day is bytes until it is named here.
fn kind_of(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use actix_web::body::to_bytes;

    use super::*;

    async fn text_of(index: Option<&'static str>) -> String {
        let bytes = to_bytes(page_of(index.map(str::to_owned), "abc").into_body()).await.unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[actix_web::test]
    async fn the_page_carries_the_nonce_that_its_policy_names() {
        let text = text_of(Some(r#"<meta name="style-nonce" content="" />"#)).await;
        assert_eq!(text, r#"<meta name="style-nonce" content="abc" />"#);
    }

    #[actix_web::test]
    async fn without_the_console_the_page_says_how_to_get_it() {
        let text = text_of(None).await;
        assert!(text.contains("cargo xtask build") && text.contains("/api/docs"), "{text}");
    }

    #[test]
    fn an_encoding_is_used_when_it_is_wanted() {
        assert!(is_accepted("gzip, deflate, br", "br") && is_accepted("br;q=0.5", "br"));
        assert!(!is_accepted("gzip", "br") && !is_accepted("br;q=0", "br") && !is_accepted("", "gzip"));
    }
}
