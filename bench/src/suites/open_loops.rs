//! An open loop: lookups and changes at fixed rates, whatever becomes of them.

use std::{
    fs::File,
    os::unix::fs::FileExt,
    path::Path,
    thread::{self, ScopedJoinHandle},
    time::{Duration, Instant},
};

use super::{
    Bench,
    targets::{INDEX_ON, check_user},
};
use crate::{
    Failure,
    clusters::WEAR_IN,
    failed,
    figures::{grouped, short},
    loads::rates::{self, Latencies, Rate, Request},
    meters::{Children, Reading},
    must_be,
    populations::{self, CHANGES, user_id},
    reports::table,
    rounds::Goal,
    stores::Engine,
};

const LOOKUPS_A_SECOND: u64 = 10_000;
pub(super) const CHANGES_A_SECOND: u64 = 1_000;
pub(super) const CONNECTIONS: u64 = 32;
const NAPS_A_SECOND: u64 = 1_000;
const SYNCS_A_SECOND: u64 = 10;
const SLOW: Duration = Duration::from_millis(50);
/// For connections to be there before the first request goes out.
pub(super) const LEAD: Duration = Duration::from_millis(500);
/// Before what counts.
const WARM_UP_S: u64 = 2;

pub(super) fn run(bench: &mut Bench) -> Result<(), Failure> {
    let (workshop, store) = populations::open(Engine::Postgres, &bench.common, bench.users)?;
    bench.report.tell(format!("{}.\n", workshop.version()?))?;
    workshop.execute(&store, WEAR_IN)?;
    let server = workshop.strata.serve_with(&store.url, &[INDEX_ON])?;
    check_user(&server.client, bench.draws.below(bench.users) + 1)?;
    let seconds = if bench.common.quick { 10 } else { 60 };
    let before = workshop.rows(&store, "history")?;
    let mut load = |seconds| all(&server.base, &workshop.folder, bench.users, bench.draws.draw(), seconds);
    load(WARM_UP_S)?;
    let (reading, told) = workshop.meter.measure(Some(server.id()), Children::Clients, || load(seconds))?;
    let changes = CHANGES_A_SECOND * (WARM_UP_S + seconds) - told[1].1.errors;
    must_be("rows that changes added to history", workshop.rows(&store, "history")? - before, changes)?;
    tell(bench, seconds, &reading, &told)?;
    drop(server);
    workshop.close()
}

/// What was sent, and what the machine does meanwhile by itself.
type Told = [(&'static str, Latencies); 4];

/// Lookups and changes at the same time.
fn all(base: &str, folder: &Path, users: u64, seed: u64, seconds: u64) -> Result<Told, Failure> {
    let address = base.trim_start_matches("http://");
    let begin = Instant::now() + LEAD;
    let at = |a_second, connections| Rate { a_second, seconds, connections };
    thread::scope(|scope| {
        let lookups = scope.spawn(move || {
            rates::run(address, begin, at(LOOKUPS_A_SECOND, CONNECTIONS), |connection, count| {
                lookup(users, seed, connection, count)
            })
        });
        let naps = scope.spawn(move || rates::alone(begin, at(NAPS_A_SECOND, 1), || Ok(())));
        let syncs = scope.spawn(move || rates::alone(begin, at(SYNCS_A_SECOND, 1), sync(folder)?));
        let changes = rates::run(address, begin, at(CHANGES_A_SECOND, CONNECTIONS), |connection, count| {
            change(users, seed, connection, count)
        });
        let ended = |thread: ScopedJoinHandle<Result<Latencies, Failure>>| thread.join().expect("no thread panics");
        Ok([("lookups", ended(lookups)?), ("changes", changes?), ("naps", ended(naps)?), ("syncs", ended(syncs)?)])
    })
}

/// Writes over a page of a file that is long enough, as PostgreSQL does with its log.
fn sync(folder: &Path) -> Result<impl FnMut() -> Result<(), Failure>, Failure> {
    let path = folder.join("synced");
    let file = File::create(&path).map_err(failed(path.display()))?;
    Ok(move || {
        let written = file.write_all_at(&[0; 8_192], 0).and_then(|()| file.sync_data());
        written.map_err(failed(path.display()))
    })
}

/// A number from 1 to `users`, another one for each place.
fn drawn(users: u64, seed: u64, connection: u64, place: u64) -> u64 {
    crate::draws::Draws(seed ^ (connection << 40) ^ place).below(users) + 1
}

fn lookup(users: u64, seed: u64, connection: u64, count: u64) -> Request {
    let user = user_id(drawn(users, seed, connection, count));
    Request::get(&format!("/api/v1/users/{user}/segments"), format!("\"{user}\""))
}

/// What a connection adds, it removes next. Each has segments of its own, so that nobody is in one already.
pub(super) fn change(users: u64, seed: u64, connection: u64, count: u64) -> Request {
    let user = user_id(drawn(users, seed, connection, count / 2));
    let own = CHANGES / CONNECTIONS;
    let slug = format!("change-{:04}", 1 + connection * own + count / 2 % own);
    let (what, told) = if count.is_multiple_of(2) { ("add", "added") } else { ("remove", "removed") };
    let path = format!("/api/v1/users/{user}/segments");
    Request::post(&path, &format!("{{\"{what}\":[\"{slug}\"]}}"), format!("\"{told}\":[\"{slug}\"]"))
}

fn tell(bench: &mut Bench, seconds: u64, reading: &Reading, told: &Told) -> Result<(), Failure> {
    let rows = told.iter().map(|(name, latencies)| {
        let ms = |thousandth| {
            latencies.quantile(thousandth).map_or_else(String::new, |latency| short(latency.as_secs_f64() * 1e3))
        };
        [
            (*name).to_owned(),
            grouped(latencies.answered()),
            ms(500),
            ms(990),
            ms(999),
            ms(1_000),
            latencies.errors.to_string(),
            latencies.over(SLOW).to_string(),
        ]
    });
    let head = ["requests", "answered", "p50 ms", "p99 ms", "p99.9 ms", "max ms", "errors", "over 50 ms"];
    let sent = &told[..2];
    let answered: u64 = sent.iter().map(|(_, latencies)| latencies.answered()).sum();
    let text = format!(
        "### {} lookups and {} changes a second for {seconds} s, index on, PostgreSQL\n\n\
         One run, after {WARM_UP_S} s to warm up, on a PostgreSQL that has used files of its log to write over. A latency \
         counts from the instant at which the request was to be sent. Beside them is what the machine does at the same time \
         without any server: `naps` is a thread that wakes {NAPS_A_SECOND} times a second, `syncs` one that writes and syncs \
         8 KiB {SYNCS_A_SECOND} times a second. For a request the server and PostgreSQL took \
         {} µs of CPU; others used {} % of the processors, and the generator shares them too. The goal is that there are no \
         errors and none over {} ms.\n\n{}",
        grouped(LOOKUPS_A_SECOND),
        grouped(CHANGES_A_SECOND),
        short(reading.work_s() * 1e6 / answered.max(1) as f64),
        short(reading.foreign * 100.0),
        SLOW.as_millis(),
        table(head, rows)
    );
    for (name, latencies) in sent {
        bench.report.add_figure(&format!("errors of {name}"), latencies.errors as f64, Goal::at_most(0.0));
        bench.report.add_figure(&format!("{name} over 50 ms"), latencies.over(SLOW) as f64, Goal::at_most(0.0));
    }
    bench.report.tell(text)
}
