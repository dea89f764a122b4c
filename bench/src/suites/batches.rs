//! Batches: the segments of many users by one request, beside one request for each.

use serde_json::json;

use super::{
    Bench, lookups,
    targets::{Asked, INDEX_OFF, INDEX_ON},
};
use crate::{
    Failure,
    figures::grouped,
    loads::wrk::Script,
    must_be,
    populations::{self, slugs_of, user_id},
    rounds::{Comparison, Figure, Goal, Unit},
    servers::Server,
    stores::{Engine, Workshop},
};

const SIZE: u64 = 100;
const CONNECTIONS: u64 = 32;

pub(super) fn run(bench: &mut Bench) -> Result<(), Failure> {
    let (workshop, store) = populations::open(Engine::Postgres, &bench.common, bench.users)?;
    bench.report.tell(format!("{}.\n", workshop.version()?))?;
    for setting in [INDEX_ON, INDEX_OFF] {
        let server = workshop.strata.serve_with(&store.url, &[setting])?;
        compare(bench, &workshop, &server, setting.1)?;
    }
    workshop.close()
}

fn compare(bench: &mut Bench, workshop: &Workshop, server: &Server, index: &str) -> Result<(), Failure> {
    let users = bench.users;
    let checked = bench.draws.below(users) + 1;
    let batches = Asked {
        workshop,
        server,
        script: Script::Batches { size: SIZE, users },
        load: bench.load(CONNECTIONS, 100 * SIZE),
        worth: SIZE,
        check: Box::new(move || check_batch(server, [checked, users + 1 - checked])),
    };
    let comparison = Comparison {
        unit: Unit::User,
        title: format!("{SIZE} of {} users a request, index {index}, {}", grouped(users), workshop.engine),
        targets: vec![
            batches.target("batches"),
            lookups::strata(workshop, server, users, bench.load(CONNECTIONS, 200), checked).named("singles"),
        ],
        figures: vec![(Figure::Throughput { of: "batches", to: "singles" }, Goal::at_least(15.0).dream(25.0))],
        remarks: vec![format!(
            "`wrk -c{CONNECTIONS}` for both, another random user each time; batches are drawn before the time begins, 2,000 a thread."
        )],
    };
    bench.hold(comparison)?;
    Ok(())
}

fn check_batch(server: &Server, numbers: [u64; 2]) -> Result<(), Failure> {
    let found = server.client.post("/api/v1/users/segments/lookup", &json!({ "user_ids": numbers.map(user_id) }))?;
    let items = numbers.map(|number| json!({ "user_id": user_id(number), "segments": slugs_of(number) }));
    must_be("what is answered", found, json!({ "items": items }))
}
