//! Freshness: how long it takes until one node shows what another one wrote, while many changes are written.

use std::{
    ops::Range,
    thread,
    time::{Duration, Instant},
};

use serde_json::json;

use super::{
    Bench,
    open_loops::{self, CHANGES_A_SECOND, CONNECTIONS, LEAD},
    targets::{INDEX_ON, check_user},
};
use crate::{
    Failure, failed,
    figures::{grouped, short},
    loads::rates::{self, Latencies, Rate},
    meters::Reading,
    must_be,
    populations::{self, CHANGES, user_id},
    reports::table,
    rounds::Goal,
    servers::Server,
    stores::Engine,
};

/// The second node is asked again after so long, so a delay is told to about as much.
const ASK_EVERY: Duration = Duration::from_millis(2);
/// Whoever does not show a change by then has lost it.
const PATIENCE: Duration = Duration::from_secs(10);
const GOAL_MS: f64 = 1_000.0;

pub(super) fn run(bench: &mut Bench) -> Result<(), Failure> {
    let (workshop, store) = populations::open(Engine::Postgres, &bench.common, bench.users)?;
    bench.report.tell(format!("{}.\n", workshop.version()?))?;
    let seconds = if bench.common.quick { 5 } else { 20 };
    let serve = |name: &str| {
        let file = workshop.folder.join(name).display().to_string();
        workshop.strata.serve_with(&store.url, &[INDEX_ON, ("STRATA_INDEX_FILE", &file)])
    };
    let (first, second) = (serve("first-index")?, serve("second-index")?);
    check_user(&second.client, bench.draws.below(bench.users) + 1)?;
    // The last tenth of the users is the sampler's own.
    let users = bench.users / 10 * 9;
    let rate = Rate { a_second: CHANGES_A_SECOND, seconds, connections: CONNECTIONS };
    let seed = bench.draws.draw();
    let begin = Instant::now() + LEAD;
    let (reading, (changes, delays)) = workshop.meter.measure_nodes([first.id(), second.id()], || {
        thread::scope(|scope| {
            let load = scope.spawn(|| {
                let address = first.base.trim_start_matches("http://");
                rates::run(address, begin, rate, |connection, count| open_loops::change(users, seed, connection, count))
            });
            let delays = sampled(&first, &second, users + 1..bench.users + 1, begin, seconds);
            Ok((load.join().expect("the generator does not panic")?, delays?))
        })
    })?;
    tell(bench, rate, &reading, &changes, &delays)?;
    drop((first, second));
    workshop.close()
}

/// Writes one change after the other on the first node, and asks the second one until it shows it. What is added to all users
/// is removed from them next.
fn sampled(
    first: &Server,
    second: &Server,
    users: Range<u64>,
    begin: Instant,
    seconds: u64,
) -> Result<Latencies, Failure> {
    let slug = format!("change-{CHANGES:04}");
    let mut micros = Vec::new();
    let rounds = [("add", true), ("remove", false)].into_iter().cycle();
    let samples = rounds.flat_map(|round| users.clone().map(move |number| (round, number)));
    thread::sleep(begin.saturating_duration_since(Instant::now()));
    for ((what, is_member), number) in samples {
        if begin.elapsed() > Duration::from_secs(seconds) {
            break;
        }
        let path = format!("/api/v1/users/{}/segments", user_id(number));
        first.client.post(&path, &json!({ what: [slug] }))?;
        let written = Instant::now();
        while second.client.get(&format!("{path}/{slug}"))?["is_member"] != is_member {
            must_be(&format!("whether `{what}` of {path} is heard of in time"), written.elapsed() < PATIENCE, true)?;
            thread::sleep(ASK_EVERY);
        }
        micros.push(u64::try_from(written.elapsed().as_micros()).map_err(failed("a delay"))?);
    }
    Ok(Latencies::new(micros, 0))
}

fn tell(
    bench: &mut Bench,
    rate: Rate,
    reading: &Reading,
    changes: &Latencies,
    delays: &Latencies,
) -> Result<(), Failure> {
    let ms = |thousandth| {
        let delay =
            delays.quantile(thousandth).ok_or_else(|| Failure("there was no time for any sample".to_owned()))?;
        Ok(delay.as_secs_f64() * 1e3)
    };
    let [p50, p99, max] = [ms(500)?, ms(990)?, ms(1_000)?];
    let row = [
        grouped(delays.answered()),
        short(p50),
        short(p99),
        short(max),
        grouped(changes.answered()),
        changes.errors.to_string(),
    ];
    let head = ["samples", "p50 ms", "p99 ms", "max ms", "changes of the load", "errors"];
    let Rate { a_second, seconds, .. } = rate;
    bench.report.tell(format!(
        "### What a second node shows, at {} changes a second for {seconds} s, index on, PostgreSQL\n\n\
         One run. The changes go to the first of two nodes. One more client writes a change there and asks the second node, \
         without `Strata-At-Least`, every {} ms until it shows it. A delay counts from the answer to the change. Others used \
         {} % of the processors, and nodes, PostgreSQL and clients share them. The goal is a p99 of {} ms at most.\n\n{}",
        grouped(a_second),
        ASK_EVERY.as_millis(),
        short(reading.foreign * 100.0),
        short(GOAL_MS),
        table(head, std::iter::once(row))
    ))?;
    for (name, ms, goal) in [("p50", p50, Goal::NONE), ("p99", p99, Goal::at_most(GOAL_MS)), ("max", max, Goal::NONE)] {
        bench.report.add_figure(&format!("{name} ms until a second node shows a change"), ms, goal);
    }
    bench.report.add_figure("errors of changes beside it", changes.errors as f64, Goal::at_most(0.0));
    Ok(())
}
