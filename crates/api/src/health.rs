//! Whether the service lives, and whether it can serve.

use actix_web::{
    HttpResponse,
    web::{self, Data, ServiceConfig},
};
use serde::Serialize;
use usecases::App;
use utoipa::ToSchema;

use crate::{blocking, problems::Problem};

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
    responses((status = 200, description = "The store answers and its schema is up to date", body = Health)))]
pub(crate) async fn ready(app: Data<App>) -> Result<HttpResponse, Problem> {
    blocking::run(app, |app| Ok(app.store.ready()?)).await?;
    Ok(HttpResponse::Ok().json(Health { status: "ready" }))
}
