//! Writes: a user enters one segment, and leaves it again.

use std::{
    io::Write,
    time::{Duration, Instant},
};

use serde_json::json;

use super::{
    Bench, reads,
    targets::{Asked, INDEX_OFF, outcome, postgres},
};
use crate::{
    Failure, failed,
    figures::grouped,
    loads::{Answered, pgbench, wrk::Script},
    must_be,
    populations::{self, CHANGES, FIRST_CHANGE_ID, now_us, user_id},
    rounds::{Comparison, Figure, Goal, Outcome, Target, Unit},
    servers::Server,
    stores::{Engine, Store, Workshop},
};

/// Strata changes memberships in the first so many segments, the others in the rest: what one leaves is not in another's way.
const OURS: u64 = CHANGES / 2;
/// Of ten thousand requests so many may change nothing: a pair that was drawn again before it was out.
const IDLE_MAX: f64 = 10.0;

/// The statements are written down once, and what they add afterwards is to be found.
const A_DAY_US: u64 = 86_400_000_000;

/// Whether COMMIT waits for the disk, how many ask at once, and what is expected of it.
struct Manner {
    name: &'static str,
    synchronous_commit: &'static str,
    clients: u64,
    goal: Goal,
}

pub(super) fn to_postgres(bench: &mut Bench) -> Result<(), Failure> {
    let (workshop, store) = populations::open(Engine::Postgres, &bench.common, bench.users)?;
    bench.report.tell(format!("{}.\n", workshop.version()?))?;
    let asynchronous = Manner {
        name: "asynchronous commit",
        synchronous_commit: "off",
        clients: 32,
        goal: Goal::at_least(1.0).dream(1.3),
    };
    let durable =
        Manner { name: "durable", synchronous_commit: "on", clients: 128, goal: Goal::at_least(2.0).dream(3.0) };
    for manner in [asynchronous, durable] {
        let set = format!(
            "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = {}', current_database()); END $$;\n",
            manner.synchronous_commit
        );
        workshop.execute(&store, &set)?;
        beside_pgbench(bench, &workshop, &store, &manner)?;
    }
    workshop.close()
}

fn beside_pgbench(bench: &mut Bench, workshop: &Workshop, store: &Store, manner: &Manner) -> Result<(), Failure> {
    let Manner { name, clients, goal, .. } = *manner;
    let (users, seconds) = (bench.users, bench.seconds);
    let server = workshop.strata.serve_with(&store.url, &[INDEX_OFF])?;
    let statements = pgbench::Script { text: statements(users, clients, now_us()?), requests: 2 };
    let statements = postgres("statements", workshop, store, statements, clients, seconds);
    let comparison = Comparison {
        unit: Unit::Request,
        title: format!("Changes of {} users, {}, {name}, {clients} at once", grouped(users), workshop.engine),
        targets: vec![strata(bench, workshop, store, &server, clients), counted(workshop, store, statements)],
        figures: vec![(Figure::Throughput { of: "strata", to: "statements" }, goal)],
        remarks: vec![
            "`statements` is `pgbench -M prepared` with the statements that Strata's change of one user takes, in one \
             transaction. Its connections and plans are warm before the time begins."
                .to_owned(),
        ],
    };
    bench.hold(comparison)?;
    Ok(())
}

pub(super) fn to_sqlite(bench: &mut Bench) -> Result<(), Failure> {
    let (workshop, kept) = populations::open(Engine::Sqlite, &bench.common, bench.users)?;
    let (users, seconds) = (bench.users, bench.seconds);
    let clients = 64;
    // What others left in its log is not copied.
    workshop.settle(&kept)?;
    let store = workshop.copy(&kept)?;
    let server = workshop.strata.serve_with(&store.url, &[INDEX_OFF])?;
    let shell = Target::new("transactions", || in_shell(&workshop, &store, users, seconds));
    let comparison = Comparison {
        unit: Unit::Request,
        title: format!("Changes of {} users, {}, durable, {clients} at once", grouped(users), workshop.engine),
        targets: vec![strata(bench, &workshop, &store, &server, clients), counted(&workshop, &store, shell)],
        figures: vec![(Figure::Throughput { of: "strata", to: "transactions" }, Goal::at_least(1.5).dream(2.0))],
        remarks: vec![
            "`transactions` is SQLite's shell with one BEGIN IMMEDIATE, a row of history, the membership and COMMIT for each \
             change, WAL and synchronous FULL: without any question before it."
                .to_owned(),
        ],
    };
    bench.hold(comparison)?;
    drop(server);
    workshop.discard(store)?;
    workshop.close()
}

fn strata<'a>(
    bench: &mut Bench,
    workshop: &'a Workshop,
    store: &'a Store,
    server: &'a Server,
    connections: u64,
) -> Target<'a> {
    let (users, checked) = (bench.users, bench.draws.below(bench.users) + 1);
    let asked = Asked {
        workshop,
        server,
        script: Script::Changes { users, segments: OURS },
        load: bench.load(connections, 200),
        worth: 1,
        check: Box::new(move || check_change(server, checked)),
    };
    counted(workshop, store, asked.target("strata"))
}

/// Enters and leaves a segment that the load does not know.
fn check_change(server: &Server, number: u64) -> Result<(), Failure> {
    let path = format!("/api/v1/users/{}/segments", user_id(number));
    let slug = format!("change-{CHANGES:04}");
    for (what, told) in [("add", "added"), ("remove", "removed")] {
        let answer = server.client.post(&path, &json!({ what: [slug] }))?;
        must_be(&format!("what is {told} by {answer}"), &answer[told], &json!([slug]))?;
    }
    Ok(())
}

/// Looks into history whether as much happened as is told.
fn counted<'a>(workshop: &'a Workshop, store: &'a Store, target: Target<'a>) -> Target<'a> {
    Target::new(target.name, move || {
        let begun = now_us()?;
        let outcome = target.run()?;
        let written = workshop.rows(store, &format!("history WHERE at >= {begun}"))?;
        let needed = (outcome.rows as f64 * (1.0 - IDLE_MAX / 10_000.0)) as u64;
        let what = format!("whether history has enough rows, {written}, for {} changes", outcome.rows);
        must_be(&what, written >= needed, true)?;
        Ok(outcome)
    })
}

/// As many changes as the shell carries out in that time; it reads them from a pipe, which holds a few more.
fn in_shell(workshop: &Workshop, store: &Store, users: u64, seconds: u64) -> Result<Outcome, Failure> {
    let run = || {
        let begun = Instant::now();
        let (mut shell, mut input) = workshop.begin_shell(store, &[])?;
        // As the server has it.
        write!(input, ".output /dev/null\nPRAGMA wal_autocheckpoint = 8192;\n").map_err(failed("the shell"))?;
        let mut changes = 0;
        while begun.elapsed() < Duration::from_secs(seconds) {
            let number = 1 + changes / 2 * 7_919 % users;
            let segment = FIRST_CHANGE_ID + OURS + changes / 2 % (OURS - 1);
            for operation in ["add", "remove"] {
                let transaction = transaction(operation, number, segment, now_us()?);
                input.write_all(transaction.as_bytes()).map_err(failed("the shell"))?;
                changes += 1;
            }
        }
        drop(input);
        must_be("the status of the shell", shell.wait().map_err(failed("the shell"))?.success(), true)?;
        Ok(Answered { requests: changes, seconds: begun.elapsed().as_secs_f64(), p99_ms: None })
    };
    let (reading, answered) = workshop.meter.measure(None, workshop.whose_shell(), run)?;
    Ok(outcome(reading, answered, 1))
}

/// What a change tells those who follow takes so many bytes; which they are makes no difference to a database.
const TOLD: &str = "00112233445566778899aabbccddeeff";
const REST_OF_TOLD: &str = "0011223344556677";

fn transaction(operation: &str, number: u64, segment: u64, now: u64) -> String {
    let user = user_id(number);
    let slug = format!("change-{:04}", segment + 1 - FIRST_CHANGE_ID);
    let change = match operation {
        "add" => format!(
            "INSERT INTO memberships (user_id, segment_id, since, source, actor) \
             VALUES ('{user}', {segment}, {now}, 'manual', 'bench')"
        ),
        _ => format!("DELETE FROM memberships WHERE user_id = '{user}' AND segment_id = {segment}"),
    };
    format!(
        "BEGIN IMMEDIATE; INSERT INTO history (user_id, segment_id, slug, operation, at, source, actor) \
         VALUES ('{user}', {segment}, '{slug}', '{operation}', {now}, 'manual', 'bench'); {change}; \
         INSERT INTO changes (transaction_id, told) VALUES (\
         coalesce((SELECT seq + 1 FROM sqlite_sequence WHERE name = 'changes'), 1), x'{TOLD}{REST_OF_TOLD}'); COMMIT;\n"
    )
}

/// An add and a removal, each with the statements that a change of one user takes. Every client has its own users, as it
/// otherwise could meet another between the two.
fn statements(users: u64, clients: u64, now: u64) -> String {
    let of_each = users / clients;
    let draws = format!(
        "\\set n :client_id * {of_each} + random(1, {of_each})\n\
         \\set place random({first}, {last})\n\
         \\set user_key hash(:n) & 4611686018427387903\n\
         \\set segment_key -9223372036854775807 + mod(:place, 256)\n",
        first = OURS + 1,
        last = CHANGES - 1,
    );
    format!("{draws}{}{}", statements_of("add", now), statements_of("remove", now))
}

fn statements_of(operation: &str, now: u64) -> String {
    let user = "'user-' || lpad(CAST(:n AS TEXT), 7, '0')";
    let slug = "'change-' || lpad(CAST(:place AS TEXT), 4, '0')";
    let segment = format!("CAST(:place AS BIGINT) + {}", FIRST_CHANGE_ID - 1);
    let at = "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)";
    let find = format!(
        "SELECT user_id, name, email, attributes, created_at, updated_at, version FROM users WHERE user_id = {user} LIMIT 1"
    );
    let change = match operation {
        "add" => format!(
            "INSERT INTO memberships (user_id, segment_id, since, expires_at, source, actor, reason)
             SELECT * FROM unnest(ARRAY[{user}], ARRAY[{segment}], ARRAY[{at}], ARRAY[CAST(NULL AS BIGINT)],
                                  ARRAY['manual'], ARRAY['bench'], ARRAY[CAST(NULL AS TEXT)]) AS e (user_id, segment_id)
             ORDER BY segment_id, user_id COLLATE \"C\""
        ),
        _ => format!(
            "DELETE FROM memberships m USING unnest(ARRAY[{user}], ARRAY[{segment}]) AS e (user_id, segment_id)
             WHERE m.user_id = e.user_id AND m.segment_id = e.segment_id"
        ),
    };
    format!(
        "BEGIN ISOLATION LEVEL READ COMMITTED;
         {find};
         SELECT strata_lock(ARRAY[CAST(:segment_key AS BIGINT), CAST(:user_key AS BIGINT)], ARRAY[FALSE, TRUE]);
         SELECT id, slug, name, description, kind, percent, seed, default_ttl, created_at, updated_at, version
         FROM segments WHERE slug = ANY(ARRAY[{slug}]) ORDER BY slug;
         {find};
         SELECT m.user_id, m.segment_id,
                COALESCE(s.slug, (SELECT n.slug FROM segment_names n WHERE n.segment_id = m.segment_id
                                  ORDER BY n.since DESC, n.id DESC LIMIT 1)),
                m.since, m.expires_at, m.source, m.actor, m.reason
         FROM unnest(ARRAY[{user}], ARRAY[{segment}]) AS p (user_id, segment_id) CROSS JOIN memberships m
         LEFT JOIN segments s ON s.id = m.segment_id
         WHERE m.user_id = p.user_id AND m.segment_id = p.segment_id ORDER BY m.user_id, m.segment_id FOR UPDATE OF m;
         INSERT INTO history (user_id, segment_id, slug, operation, at, since, expires_at, source, actor, reason, job_id)
         SELECT user_id, segment_id, slug, operation, at, since, expires_at, source, actor, reason, job_id
         FROM unnest(ARRAY[{user}], ARRAY[{segment}], ARRAY[{slug}], ARRAY['{operation}'], ARRAY[{at}],
                     ARRAY[CAST(NULL AS BIGINT)], ARRAY[CAST(NULL AS BIGINT)], ARRAY['manual'], ARRAY['bench'],
                     ARRAY[CAST(NULL AS TEXT)], ARRAY[CAST(NULL AS BIGINT)]) WITH ORDINALITY AS e
              (user_id, segment_id, slug, operation, at, since, expires_at, source, actor, reason, job_id, place)
         ORDER BY place;
         {change};
         {active};
         INSERT INTO changes (told) VALUES (decode(md5({user}) || '{REST_OF_TOLD}', 'hex'));
         COMMIT;\n",
        active = reads::select(":n", now + A_DAY_US),
    )
}
