//! Whether the service lives, and whether it can serve.

use actix_web::{
    HttpResponse,
    web::{self, Data, ServiceConfig},
};
use serde::Serialize;
use usecases::App;
use utoipa::ToSchema;

use crate::{
    blocking,
    problems::{Code, Problem},
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(web::resource("/healthz").get(alive)).service(web::resource("/readyz").get(ready));
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    #[schema(example = "ok")]
    status: &'static str,
}

/// Does the process answer?
#[utoipa::path(get, path = "/healthz", tag = "service", responses((status = 200, description = "It does", body = Health)))]
pub(crate) async fn alive() -> HttpResponse {
    HttpResponse::Ok().json(Health { status: "ok" })
}

/// Can requests be served?
#[utoipa::path(get, path = "/readyz", tag = "service",
    responses((status = 200, description = "The store answers, its schema is up to date, and the index is loaded", body = Health)))]
pub(crate) async fn ready(app: Data<App>) -> Result<HttpResponse, Problem> {
    let is_loaded = app.index.is_loaded();
    blocking::run(app, |app| Ok(app.store.ready()?)).await?;
    if !is_loaded {
        return Err(Problem::new(Code::Loading, "the index is being loaded; until then the store answers"));
    }
    Ok(HttpResponse::Ok().json(Health { status: "ready" }))
}
