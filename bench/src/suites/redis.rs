//! Lookups beside Redis: one user's segments as a set.

use std::cell::Cell;

use super::{
    Bench,
    lookups::{self, CONNECTIONS},
    targets::{INDEX_ON, outcome},
};
use crate::{
    Failure,
    figures::grouped,
    loads::{
        redis::{self, Redis},
        require,
    },
    meters::Children,
    must_be,
    populations::{self, slugs_of},
    rounds::{Comparison, Figure, Goal, Target, Unit},
    stores::Engine,
};

/// A second's requests for the first run; the others go by what the one before came to.
const RATE: f64 = 30_000.0;

pub(super) fn run(bench: &mut Bench) -> Result<(), Failure> {
    require(redis::PROGRAM, redis::PACKAGE)?;
    let (workshop, store) = populations::open(Engine::Sqlite, &bench.common, bench.users)?;
    let (users, seconds) = (bench.users, bench.seconds);
    let server_of_sets = Redis::start(&workshop.folder)?;
    server_of_sets.fill((1..=users).map(|number| (key(number), slugs_of(number))))?;
    let server = workshop.strata.serve_with(&store.url, &[INDEX_ON])?;
    let checked = bench.draws.below(users) + 1;
    let load = bench.load(CONNECTIONS, 200);
    let rate = Cell::new(RATE);
    let sets = Target::new("redis", || {
        must_be("the members of a set", server_of_sets.members(&key(checked))?, slugs_of(checked))?;
        let requests = (rate.get() * seconds as f64) as u64;
        let (reading, answered) = workshop.meter.measure(Some(server_of_sets.id()), Children::Clients, || {
            server_of_sets.run(CONNECTIONS, users, requests)
        })?;
        rate.set(answered.requests as f64 / answered.seconds);
        Ok(outcome(reading, answered, 1))
    });
    let comparison = Comparison {
        unit: Unit::Request,
        title: format!("Lookup of one of {} users, index on, and SMEMBERS", grouped(users)),
        targets: vec![lookups::strata(&workshop, &server, users, load, checked), sets],
        figures: vec![(Figure::Throughput { of: "strata", to: "redis" }, Goal::at_least(1.0).dream(1.3))],
        remarks: vec![format!(
            "`wrk -c{CONNECTIONS}` asks Strata with a thread for each processor, `redis-benchmark -c {CONNECTIONS}` Redis with \
             one, with which Redis comes further than with two; without pipelining or persistence. The generators share the \
             processors with the servers and do not cost the same: see the servers' CPU too."
        )],
    };
    bench.hold(comparison)?;
    drop(server);
    drop(server_of_sets);
    workshop.close()
}

/// redis-benchmark counts from 0.
fn key(number: u64) -> String {
    format!("user:{:012}", number - 1)
}
