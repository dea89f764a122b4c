//! Targets of closed loops: as many requests as are answered.

use std::cell::Cell;

use crate::{
    Failure,
    clients::Client,
    loads::{
        Answered, pgbench,
        wrk::{self, Load, Script},
    },
    meters::{Children, Reading},
    must_be,
    populations::{slugs_of, user_id},
    rounds::{Outcome, Target},
    servers::Server,
    stores::{Store, Workshop},
};

pub(super) const INDEX_ON: (&str, &str) = ("STRATA_INDEX", "on");
pub(super) const INDEX_OFF: (&str, &str) = ("STRATA_INDEX", "off");

/// What is asked of a server, and how it is known beforehand that it answers well.
pub(super) struct Asked<'a> {
    pub(super) workshop: &'a Workshop,
    pub(super) server: &'a Server,
    pub(super) script: Script,
    pub(super) load: Load,
    /// How many rows, requests or users an answer counts for.
    pub(super) worth: u64,
    /// Is asked before each run.
    pub(super) check: Box<dyn Fn() -> Result<(), Failure> + 'a>,
}

impl<'a> Asked<'a> {
    /// Every run draws other users.
    pub(super) fn target(self, name: &'static str) -> Target<'a> {
        let seed = Cell::new(self.load.seed);
        Target::new(name, move || {
            (self.check)()?;
            let load = Load { seed: seed.replace(seed.get() + 1_000), ..self.load };
            self.run(load)
        })
    }

    fn run(&self, load: Load) -> Result<Outcome, Failure> {
        let Asked { workshop, server, script, .. } = self;
        let (reading, answered) = workshop.meter.measure(Some(server.id()), Children::Clients, || {
            wrk::run(&workshop.folder, &server.base, server.token.as_deref(), script, load)
        })?;
        Ok(outcome(reading, answered, self.worth))
    }
}

/// PostgreSQL, asked by its own clients, who are warm when the time begins.
pub(super) fn postgres<'a>(
    name: &'static str,
    workshop: &'a Workshop,
    store: &'a Store,
    script: pgbench::Script,
    clients: u64,
    seconds: u64,
) -> Target<'a> {
    Target::new(name, move || {
        let mut clients = pgbench::Clients::start(&workshop.folder, &store.url, &script, clients, seconds)?;
        let (reading, answered) = workshop.meter.measure_clients(clients.id(), || clients.go_on(seconds))?;
        clients.end()?;
        Ok(outcome(reading, answered, 1))
    })
}

/// As `postgres`, for one client and a statement that may take seconds.
pub(super) fn postgres_alone<'a>(
    name: &'static str,
    workshop: &'a Workshop,
    store: &'a Store,
    script: pgbench::Script,
    seconds: u64,
) -> Target<'a> {
    Target::new(name, move || {
        let (reading, answered) = workshop
            .meter
            .measure(None, Children::Clients, || pgbench::run_alone(&workshop.folder, &store.url, &script, seconds))?;
        Ok(outcome(reading, answered, 1))
    })
}

/// The time is as the load generator tells it: its own start and end are no part of it.
pub(super) fn outcome(reading: Reading, answered: Answered, worth: u64) -> Outcome {
    let reading = Reading { seconds: answered.seconds, ..reading };
    Outcome { p99_ms: answered.p99_ms, ..Outcome::new(reading, answered.requests * worth) }
}

/// Whether Strata knows this user as we do.
pub(super) fn check_user(client: &Client, number: u64) -> Result<(), Failure> {
    let found = client.get(&format!("/api/v1/users/{}/segments", user_id(number)))?;
    let expected = serde_json::json!({ "user_id": user_id(number), "segments": slugs_of(number) });
    must_be("what is answered", found, expected)
}
