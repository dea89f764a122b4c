//! The page to sign in at: plain files that are part of the binary.

use actix_web::{
    HttpResponse,
    http::header::{CACHE_CONTROL, CONTENT_TYPE},
    web::{self, ServiceConfig},
};

const PAGE: &str = include_str!("pages/sign_in.html");
const SCRIPT: &str = include_str!("pages/sign_in.js");
const STYLE: &str = include_str!("pages/sign_in.css");

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/sign-in").get(async || file("text/html; charset=utf-8", PAGE)))
        .service(web::resource("/sign-in/page.js").get(async || file("text/javascript; charset=utf-8", SCRIPT)))
        .service(web::resource("/sign-in/page.css").get(async || file("text/css; charset=utf-8", STYLE)));
}

fn file(kind: &'static str, text: &'static str) -> HttpResponse {
    HttpResponse::Ok().insert_header((CONTENT_TYPE, kind)).insert_header((CACHE_CONTROL, "no-cache")).body(text)
}
