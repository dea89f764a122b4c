//! Servers that answer every question with one body: Strata's own, with all that each request gets there, and actix-web
//! alone, which is the least that a server can do. Both have as many workers as Strata has.

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Duration,
};

use actix_web::{
    App, HttpResponse, HttpResponseBuilder, HttpServer,
    web::{self, Bytes, Data},
};
use api::{Access, Asker, Batches, Limits, TrustedProxies};
use clap::Args;
use testkit::World;
use tokio::sync::Semaphore;

use crate::{Failure, failed, say, servers::Server};

#[derive(Args)]
pub(crate) struct Options {
    /// The file that holds the body
    #[arg(long, value_name = "FILE")]
    body: PathBuf,
    /// actix-web alone
    #[arg(long)]
    bare: bool,
    /// Whoever asks has to show a token, which is told with the address
    #[arg(long, conflicts_with = "bare")]
    guarded: bool,
}

/// Where the body is for every user: an address of the same form and length as that of a lookup, because to read it and to
/// find its route is a part of the work.
pub(crate) const PATH: &str = "/static/users/user-%07d/segments";
const ROUTE: &str = "/static/users/{user_id}/segments";

/// Serves until it is ended.
pub(crate) fn serve(options: &Options) -> Result<(), Failure> {
    let body = std::fs::read_to_string(&options.body).map_err(failed(options.body.display()))?;
    let body = Bytes::from(body);
    actix_web::rt::System::new()
        .block_on(async move { if options.bare { bare(body).await } else { whole(body, options.guarded).await } })
}

/// The heads are as many and as long as those of a lookup, but for the request's id.
fn heads() -> HttpResponseBuilder {
    let mut answer = HttpResponse::Ok();
    answer
        .insert_header(("strata-position", "1"))
        .insert_header(("cache-control", "no-cache"))
        .insert_header(("etag", "W/\"256f160abc2ba581f97901a3\""))
        .content_type("application/json");
    answer
}

async fn bare(body: Bytes) -> Result<(), Failure> {
    let server = HttpServer::new(move || {
        let body = body.clone();
        App::new().default_service(web::to(move || {
            let id = ("x-request-id", "964d6f31e37f90fbd907d26fc130fe0c");
            let answer = heads().insert_header(id).body(body.clone());
            async move { answer }
        }))
    });
    let server = server.client_request_timeout(CLIENT_TIMEOUT).listen(listener()?).map_err(failed(ANY_PORT))?;
    server.run().await.map_err(failed("the static server"))
}

async fn whole(body: Bytes, is_guarded: bool) -> Result<(), Failure> {
    let world = World::in_memory();
    let token = is_guarded.then(|| world.has_token());
    let app = Arc::new(world.app);
    let batches = Data::new(Batches::start(&app).map_err(failed("threads"))?);
    let app = Data::from(app);
    let limits = Limits {
        request_timeout: Duration::from_secs(30),
        body_timeout: Duration::from_secs(10),
        body_bytes_max: 1 << 20,
        import_bytes_max: 1 << 20,
        exports: Arc::new(Semaphore::new(1)),
        followers: Arc::new(Semaphore::new(1)),
        export_patience: Duration::from_secs(30),
        position_timeout: Duration::from_secs(1),
        public_url: None,
        cors_origins: Vec::new(),
        is_tls: false,
        trusted_proxies: TrustedProxies::default(),
        rates: None,
        caller_rates: None,
        access: if is_guarded { Access::SignIn } else { Access::Open },
        sign_up_domains: Vec::new(),
        attempts: Arc::default(),
        refusals: Arc::default(),
        engine: "memory",
        has_index: false,
        changes: Arc::default(),
    };
    let server = HttpServer::new(move || {
        let body = body.clone();
        // As a lookup, it asks who is there before anything else.
        let resource = web::resource(ROUTE).get(move |_: Asker| {
            let answer = heads().body(body.clone());
            async move { answer }
        });
        api::service(app.clone(), batches.clone(), limits.clone()).service(resource)
    });
    let listener = listener_telling(token.as_deref())?;
    let server = server.client_request_timeout(CLIENT_TIMEOUT).listen(listener).map_err(failed(ANY_PORT))?;
    server.run().await.map_err(failed("the static server"))
}

const ANY_PORT: &str = "127.0.0.1:0";
const CLIENT_TIMEOUT: Duration = Duration::from_secs(10);

/// On a free port, which is told to whoever started us.
fn listener() -> Result<TcpListener, Failure> {
    listener_telling(None)
}

/// The same, and what has to be shown.
fn listener_telling(token: Option<&str>) -> Result<TcpListener, Failure> {
    let listener = TcpListener::bind(ANY_PORT).map_err(failed(ANY_PORT))?;
    let address = listener.local_addr().map_err(failed(ANY_PORT))?;
    say(format_args!("static answers at http://{address} {}", token.unwrap_or_default()))?;
    Ok(listener)
}

/// How much such a server does for a request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Care {
    Bare,
    Whole,
    /// And asks for a token.
    Guarded,
}

/// Starts this program as such a server.
pub(crate) fn start(folder: &Path, body: &str, care: Care) -> Result<Server, Failure> {
    let path = folder.join("static.json");
    std::fs::write(&path, body).map_err(failed(path.display()))?;
    let program = std::env::current_exe().map_err(failed("this program"))?;
    let mut command = Command::new(program);
    command.arg("static").arg("--body").arg(&path);
    match care {
        Care::Bare => drop(command.arg("--bare")),
        Care::Whole => {}
        Care::Guarded => drop(command.arg("--guarded")),
    }
    Server::start(&mut command)
}
