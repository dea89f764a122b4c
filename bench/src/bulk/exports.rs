//! Exports: all of history, against the engine's own shell with the same rows.

use std::cell::Cell;

use super::{
    Bulk,
    fills::{self, Deadlines},
};
use crate::{
    Failure,
    clients::Counted,
    must_be,
    rounds::{Comparison, Figure, Goal, Outcome, Plan, Target, Unit},
    stores::{Engine, Store, Workshop},
};

const GROWTH_MIB_MAX: f64 = 16.0;
const XLSX_GROWTH_MIB_MAX: f64 = 200.0;
const FIRST_BYTE_MS_MAX: f64 = 50.0;
/// `user_id;segment;operation;timestamp` and the end of the line.
const HEADER_BYTES: u64 = 36;

pub(super) fn run(bulk: &mut Bulk) -> Result<(), Failure> {
    csv(bulk, bulk.rows)?;
    if bulk.large { csv(bulk, bulk.rows * 10) } else { Ok(()) }
}

fn csv(bulk: &mut Bulk, rows: u64) -> Result<(), Failure> {
    let workshop = bulk.workshop;
    let filled = fills::with_memberships(workshop, rows, Deadlines::None)?;
    let store = &filled;
    let (goal, statements) = match workshop.engine {
        Engine::Postgres => (Goal::at_least(0.9), POSTGRES),
        Engine::Sqlite => (Goal::at_least(0.8), SQLITE),
    };
    let bytes = &Cell::new(None);
    let shells = statements.map(|(name, arguments, statement)| {
        Target::new(name, move || shell(workshop, store, rows, arguments, statement))
    });
    let strata = Target::new("strata", move || {
        let (outcome, counted) = download(workshop, store, rows, "/api/v1/history.csv")?;
        must_be("lines with the header", counted.lines, rows + 1)?;
        must_be_as_before(bytes, counted.bytes)?;
        Ok(outcome)
    });
    let [raw, formatted] = [statements[0].0, statements[1].0];
    let comparison = Comparison {
        unit: Unit::Row,
        title: bulk.title("History as CSV,", rows, "rows"),
        targets: std::iter::once(strata).chain(shells).collect(),
        figures: vec![
            (Figure::Throughput { of: "strata", to: raw }, goal),
            (Figure::Throughput { of: "strata", to: formatted }, Goal::NONE),
            (Figure::FirstByteMs { of: "strata" }, Goal::at_most(FIRST_BYTE_MS_MAX)),
            (Figure::GrowthMib { of: "strata" }, Goal::at_most(GROWTH_MIB_MAX)),
        ],
        remarks: vec![format!(
            "Everything is read to its end, by a socket or a pipe, and its lines are counted. `{raw}` writes instants as the \
             numbers they are kept as, `{formatted}` as Strata does."
        )],
    };
    bulk.hold(bulk.plan, comparison)?;
    check_format(workshop, store, rows)?;
    if rows == bulk.rows {
        let bytes = &Cell::new(None);
        let comparison = Comparison {
            unit: Unit::Row,
            title: bulk.title("History as XLSX,", rows, "rows"),
            targets: vec![Target::new("strata", || {
                let (outcome, counted) = download(workshop, store, rows, "/api/v1/history.xlsx")?;
                must_be_as_before(bytes, counted.bytes)?;
                Ok(outcome)
            })],
            figures: vec![(Figure::GrowthMib { of: "strata" }, Goal::at_most(XLSX_GROWTH_MIB_MAX))],
            remarks: Vec::new(),
        };
        bulk.hold(Plan { rounds: bulk.plan.rounds.min(3), ..bulk.plan }, comparison)?;
    }
    workshop.discard(filled)
}

/// The same export has the same size every time.
fn must_be_as_before(before: &Cell<Option<u64>>, bytes: u64) -> Result<(), Failure> {
    must_be("bytes", bytes, before.replace(Some(bytes)).unwrap_or(bytes))
}

type Statement = (&'static str, &'static [&'static str], &'static str);

const POSTGRES: [Statement; 2] = [
    (
        "copy",
        &[],
        "COPY (SELECT user_id, slug, operation, at FROM history ORDER BY at, id) TO STDOUT (FORMAT csv, DELIMITER ';');\n",
    ),
    (
        "copy_rfc3339",
        &[],
        "COPY (SELECT user_id, slug, operation,
                      to_char(TIMESTAMP '1970-01-01' + at * INTERVAL '1 us', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')
               FROM history ORDER BY at, id) TO STDOUT (FORMAT csv, DELIMITER ';');\n",
    ),
];

const SQLITE: [Statement; 2] = [
    (
        "shell",
        &["-csv", "-separator", ";", "-newline", "\n"],
        "SELECT user_id, slug, operation, at FROM history ORDER BY at, id;\n",
    ),
    (
        "shell_rfc3339",
        &["-csv", "-separator", ";", "-newline", "\n"],
        "SELECT user_id, slug, operation,
                strftime('%Y-%m-%dT%H:%M:%S', at / 1000000, 'unixepoch') || printf('.%06dZ', at % 1000000)
         FROM history ORDER BY at, id;\n",
    ),
];

fn download(workshop: &Workshop, store: &Store, rows: u64, path: &str) -> Result<(Outcome, Counted), Failure> {
    let (reading, counted) = workshop.measure_server(store, |client| client.download(path))?;
    let first_byte_ms = Some(counted.first_byte.as_secs_f64() * 1000.0);
    Ok((Outcome { first_byte_ms, ..Outcome::new(reading, rows) }, counted))
}

fn shell(workshop: &Workshop, store: &Store, rows: u64, arguments: &[&str], sql: &str) -> Result<Outcome, Failure> {
    let whose = workshop.whose_shell();
    let (reading, counted) = workshop.meter.measure(None, whose, || workshop.count(store, arguments, sql))?;
    must_be("lines", counted.lines, rows)?;
    Ok(Outcome::new(reading, rows))
}

/// The shell with formatted instants and Strata say the same, to the byte, but for the header.
fn check_format(workshop: &Workshop, store: &Store, rows: u64) -> Result<(), Failure> {
    let statements = if workshop.engine == Engine::Postgres { POSTGRES } else { SQLITE };
    let (_, arguments, sql) = statements[1];
    let theirs = workshop.count(store, arguments, sql)?.bytes;
    let (_, ours) = download(workshop, store, rows, "/api/v1/history.csv")?;
    must_be("bytes", ours.bytes, theirs + HEADER_BYTES)
}
