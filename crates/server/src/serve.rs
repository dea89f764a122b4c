//! `strata serve` and `strata work`: the roles that stay.

use std::{fmt::Display, sync::Arc, time::Duration};

use actix_web::{HttpServer, dev::ServerHandle, web::Data};
use api::{Access, Attempts, Batches, Changes, Rates};
use domain::Caller;
use index::Index;
use store::DieselStore;
use tokio::sync::{Semaphore, watch};
use usecases::{App, accounts, audit, ports::StoreError, retention};
use worker::Schedule;

use crate::{Failure, say, settings::Settings, tls, world};

/// How often a store that is not there yet is asked again at the start.
const START_TRIES_MAX: u32 = 30;
/// How many jobs may be followed at once.
const FOLLOWERS_MAX: usize = 256;

pub(crate) fn serve(settings: Settings) -> Result<(), Failure> {
    actix_web::rt::System::new().block_on(serve_until_stopped(settings))
}

async fn serve_until_stopped(settings: Settings) -> Result<(), Failure> {
    let store = migrated(&settings)?;
    let engine = store.engine();
    let (app, following) = if settings.index {
        let index = Arc::new(Index::new(settings.index_patience));
        let app = world::indexed_app(&settings, store, Arc::clone(&index))?;
        let following = index::follow(index, Arc::clone(&app), settings.index_file.clone());
        (app, Some(following.map_err(|error| Failure(format!("no thread for the index: {error}")))?))
    } else {
        (world::app(&settings, store)?, None)
    };
    let followers = Arc::new(Semaphore::new(FOLLOWERS_MAX));
    let limits = api::Limits {
        request_timeout: settings.request_timeout,
        body_bytes_max: settings.body_bytes_max,
        body_timeout: settings.body_timeout,
        import_bytes_max: settings.import_bytes_max,
        exports: Arc::new(Semaphore::new((settings.pool_size as usize / 4).max(1))),
        followers: Arc::clone(&followers),
        export_patience: settings.export_patience,
        position_timeout: settings.position_timeout,
        public_url: settings.public_url.clone(),
        cors_origins: settings.cors_origins.clone(),
        is_tls: settings.tls.is_some(),
        trusted_proxies: settings.trusted_proxies.clone(),
        rates: settings.requests_per_second.map(|rate| Arc::new(Rates::per_second(rate))),
        caller_rates: settings.caller_requests_per_second.map(|rate| Arc::new(Rates::per_second(rate))),
        access: settings.access,
        sign_up_domains: settings.sign_up_domains.clone(),
        attempts: Arc::new(Attempts::default()),
        refusals: Arc::default(),
        engine,
        has_index: settings.index,
        changes: Arc::new(Changes::default()),
    };
    let data = Data::from(Arc::clone(&app));
    let batches = Data::new(Batches::start(&app).map_err(|error| Failure(format!("no threads for batches: {error}")))?);
    let mut server = HttpServer::new(move || api::service(data.clone(), batches.clone(), limits.clone()))
        .disable_signals()
        .shutdown_timeout(settings.shutdown_timeout_s)
        .client_request_timeout(Duration::from_secs(10));
    if settings.http_threads > 0 {
        server = server.workers(settings.http_threads);
    }
    let (bound, scheme) = match &settings.tls {
        Some(files) => (server.bind_rustls_0_23(&settings.listen, tls::config(files)?), "https"),
        None => (server.bind(&settings.listen), "http"),
    };
    let server = bound.map_err(|error| Failure(format!("cannot listen on {}: {error}", settings.listen)))?;
    let addresses = server.addrs();
    let running = server.run();
    actix_web::rt::spawn(stop_when_asked(running.handle(), followers));

    let (stop, stopped) = watch::channel(());
    let world = Arc::clone(&app);
    let working = settings.worker.then(|| actix_web::rt::spawn(work_until(app, schedule(&settings), stopped)));
    let first = addresses.first().map(|address| format!("{scheme}://{address}"));
    for address in addresses {
        say(format_args!("strata listens on {scheme}://{address} (API documentation at /api/docs)"))?;
    }
    welcome(&world, &settings, first.as_deref().unwrap_or_default())?;
    let ended = running.await;
    drop(stop);
    if let Some(working) = working {
        working.await.map_err(|error| Failure(format!("the worker ended badly: {error}")))?;
    }
    // It leaves its file when nobody writes any more.
    drop(following);
    log::info!("stopped");
    ended.map_err(|error| Failure(format!("the server ended badly: {error}")))
}

/// Says who may come in: in an empty store the first administrator is made here, and told the way, once.
fn welcome(app: &App, settings: &Settings, address: &str) -> Result<(), Failure> {
    audit::note_settings(app, &settings.listen, &settings.noted)?;
    if settings.access == Access::Open {
        log::warn!("nobody has to sign in");
        tell("NOBODY HAS TO SIGN IN (--open): whoever is on this machine may do everything.");
        return Ok(());
    }
    let is_far =
        address.split_once("://").is_some_and(|(_, host)| !host.starts_with("127.") && !host.starts_with("[::1]"));
    if is_far && settings.tls.is_none() && settings.public_url.is_none() {
        log::warn!(
            "others reach the service without TLS, as far as it knows: set tls_certificate_file, or public_url behind a proxy"
        );
    }
    let made = app.act(&Caller::service("operator"), accounts::create_first)?;
    let Some((account, secret)) = made else { return Ok(()) };
    let base = settings.public_url.as_deref().unwrap_or(address);
    tell(format_args!("There was no account yet, so `{}` was made. Sign in, once and within a day:", account.login));
    tell(format_args!("{base}/sign-in#{}", secret.reveal()));
    Ok(())
}

/// Whoever started the service may have stopped reading by now, which is no reason to end it.
fn tell(line: impl Display) {
    if let Err(Failure(reason)) = say(line) {
        log::warn!("{reason}");
    }
}

/// Requests under way are ended first; asked a second time, it ends at once.
async fn stop_when_asked(server: ServerHandle, followers: Arc<Semaphore>) {
    termination().await;
    log::info!("stopping");
    // They would go on for as long as there are jobs.
    followers.close();
    tokio::select! {
        () = server.stop(true) => {}
        () = termination() => server.stop(false).await,
    }
}

pub(crate) fn work(settings: &Settings) -> Result<(), Failure> {
    let app = world::app(settings, migrated(settings)?)?;
    log::info!("working");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|error| Failure(format!("no threads: {error}")))?;
    runtime.block_on(worker::run(app, schedule(settings), termination()));
    log::info!("stopped");
    Ok(())
}

pub(crate) fn work_once(settings: &Settings) -> Result<(), Failure> {
    let app = world::app(settings, migrated(settings)?)?;
    for (what, count) in worker::once(&app, &schedule(settings))? {
        say(format_args!("{count} {what}"))?;
    }
    Ok(())
}

async fn work_until(app: Arc<App>, schedule: Schedule, mut stopped: watch::Receiver<()>) {
    // The sender never sends: it is dropped when the server has ended.
    worker::run(app, schedule, async move { while stopped.changed().await.is_ok() {} }).await;
}

fn schedule(settings: &Settings) -> Schedule {
    Schedule {
        interval: settings.worker_interval,
        batch: settings.worker_batch,
        jobs_at_once: settings.jobs_at_once,
        jobs_days: settings.jobs_days,
        history_months: settings.history_months,
        stale_after: settings.stale_after,
    }
}

/// Resolves when the process is asked to end.
async fn termination() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate()).expect("SIGTERM can be listened for");
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    }
    #[cfg(not(unix))]
    {
        tokio::signal::ctrl_c().await.expect("Ctrl-C can be listened for");
    }
}

/// The store with its schema up to date. A store that is still starting is waited for.
pub(crate) fn migrated(settings: &Settings) -> Result<DieselStore, Failure> {
    let store = world::open_store(settings)?;
    log::info!("the store is {}", store::redacted(&settings.database_url));
    let mut tries = 1;
    loop {
        match store.migrate() {
            Ok(names) => {
                names.iter().for_each(|name| log::info!("migrated: {name}"));
                // Before anybody writes: a row that comes while its part is made has to come again.
                retention::make_parts(&store, world::now())?;
                return Ok(store);
            }
            Err(StoreError::Unavailable(error)) if tries < START_TRIES_MAX && !is_file(settings) => {
                log::warn!("the store is not there yet ({tries} of {START_TRIES_MAX}): {error}");
                tries += 1;
                std::thread::sleep(Duration::from_secs(1));
            }
            Err(error) => return Err(error.into()),
        }
    }
}

fn is_file(settings: &Settings) -> bool {
    settings.database_url.starts_with("sqlite:")
}
