//! The least that a server can do: actix-web, with as many workers as Strata has, that answers every question with one body.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use actix_web::{App, HttpResponse, HttpServer, web};
use clap::Args;

use crate::{Failure, failed, say, servers::Server};

#[derive(Args)]
pub(crate) struct Options {
    /// The file that holds the body
    #[arg(long, value_name = "FILE")]
    body: PathBuf,
}

/// Serves until it is ended. The heads are as many and as long as Strata's.
pub(crate) fn serve(options: &Options) -> Result<(), Failure> {
    let body = std::fs::read_to_string(&options.body).map_err(failed(options.body.display()))?;
    let body = web::Bytes::from(body);
    actix_web::rt::System::new().block_on(async move {
        let server = HttpServer::new(move || {
            let body = body.clone();
            App::new().default_service(web::to(move || {
                let body = body.clone();
                async move {
                    HttpResponse::Ok()
                        .insert_header(("cache-control", "no-cache"))
                        .insert_header(("x-request-id", "964d6f31e37f90fbd907d26fc130fe0c"))
                        .insert_header(("etag", "W/\"256f160abc2ba581f97901a3\""))
                        .content_type("application/json")
                        .body(body)
                }
            }))
        })
        .client_request_timeout(Duration::from_secs(10))
        .bind("127.0.0.1:0")
        .map_err(failed("a free port"))?;
        for address in server.addrs() {
            say(format_args!("static answers at http://{address}"))?;
        }
        server.run().await.map_err(failed("the static server"))
    })
}

/// Starts this program as such a server.
pub(crate) fn start(folder: &Path, body: &str) -> Result<Server, Failure> {
    let path = folder.join("static.json");
    std::fs::write(&path, body).map_err(failed(path.display()))?;
    let program = std::env::current_exe().map_err(failed("this program"))?;
    Server::start(Command::new(program).arg("static").arg("--body").arg(&path))
}
