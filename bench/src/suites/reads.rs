//! Reads: one user's segments from the store, without the index.

use super::{
    Bench,
    lookups::{self, Goals},
    targets::{INDEX_OFF, postgres},
};
use crate::{
    Failure,
    figures::grouped,
    loads::pgbench::Script,
    must_be,
    populations::{self, now_us, slugs_of},
    rounds::{Comparison, Figure, Goal, Unit},
    stores::{Engine, Store, Workshop},
};

/// How many ask at once, with the goal and the dream.
const CROWDS: [(u64, f64, f64); 3] = [(32, 0.85, 1.1), (64, 1.2, 1.5), (128, 2.0, 2.5)];

pub(super) fn from_postgres(bench: &mut Bench) -> Result<(), Failure> {
    let (workshop, store) = populations::open(Engine::Postgres, &bench.common, bench.users)?;
    bench.report.tell(format!("{}.\n", workshop.version()?))?;
    let (users, seconds) = (bench.users, bench.seconds);
    let server = workshop.strata.serve_with(&store.url, &[INDEX_OFF])?;
    let checked = bench.draws.below(users) + 1;
    check_statement(&workshop, &store, checked)?;
    let draw = format!("\\set n random(1, {users})\n");
    let select = select(":n", now_us()?);
    for (clients, goal, dream) in CROWDS {
        let statement = Script { text: format!("{draw}{select};\n"), requests: 1 };
        let transaction = Script {
            text: format!("{draw}BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;\n{select};\nROLLBACK;\n"),
            requests: 1,
        };
        let comparison = Comparison {
            unit: Unit::Request,
            title: format!(
                "Lookup of one of {} users, index off, {}, {clients} at once",
                grouped(users),
                workshop.engine
            ),
            targets: vec![
                lookups::strata(&workshop, &server, users, bench.load(clients, 200), checked),
                postgres("statement", &workshop, &store, statement, clients, seconds),
                postgres("transaction", &workshop, &store, transaction, clients, seconds),
            ],
            figures: vec![
                (Figure::Throughput { of: "strata", to: "statement" }, Goal::at_least(goal).dream(dream)),
                (Figure::Throughput { of: "strata", to: "transaction" }, Goal::NONE),
            ],
            remarks: vec![
                "`statement` is `pgbench -M prepared` with the SELECT that Strata asks; `transaction` puts BEGIN and ROLLBACK \
                 around it."
                    .to_owned(),
            ],
        };
        bench.hold(comparison)?;
    }
    drop(server);
    workshop.close()
}

pub(super) fn from_sqlite(bench: &mut Bench) -> Result<(), Failure> {
    let (workshop, store) = populations::open(Engine::Sqlite, &bench.common, bench.users)?;
    let server = workshop.strata.serve_with(&store.url, &[INDEX_OFF])?;
    let title = format!("Lookup of one of {} users, index off, {}", grouped(bench.users), workshop.engine);
    let goals = Goals { throughput: Goal::at_least(0.45).dream(0.7), cpu: Goal::NONE };
    lookups::beside_static(bench, &workshop, &server, title, bench.users, goals)?;
    drop(server);
    workshop.close()
}

/// As the store asks for the segments of users, here for one.
pub(super) fn select(number: &str, now: u64) -> String {
    format!(
        "SELECT m.user_id, s.slug FROM memberships m JOIN segments s ON s.id = m.segment_id \
         WHERE m.user_id = ANY(ARRAY['user-' || lpad(CAST({number} AS TEXT), 7, '0')]) \
         AND m.since <= {now} AND (m.expires_at IS NULL OR m.expires_at > {now}) ORDER BY m.user_id, s.slug"
    )
}

fn check_statement(workshop: &Workshop, store: &Store, number: u64) -> Result<(), Failure> {
    let told = workshop.ask(store, &format!("{};\n", select(&number.to_string(), now_us()?)))?;
    let slugs: Vec<String> =
        told.lines().filter_map(|line| line.split_once('|')).map(|(_, slug)| slug.to_owned()).collect();
    must_be("what the statement finds", slugs, slugs_of(number))
}
