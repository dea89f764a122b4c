//! Imports: a file of shuffled memberships, against the engine's own way to take it in.

use std::path::Path;

use serde_json::Value;

use super::Bulk;
use crate::{
    Failure, must_be,
    populations::now_us,
    rounds::{Comparison, Figure, Goal, Outcome, Plan, Target, Unit},
    stores::{Engine, Store, Workshop},
};

const PATH: &str = "/api/v1/memberships/import?create_segments=true";
const GROWTH_MIB_MAX: f64 = 64.0;

pub(super) fn run(bulk: &mut Bulk) -> Result<(), Failure> {
    let workshop = bulk.workshop;
    let rows = bulk.rows;
    let input = bulk.input(rows)?;
    let empty = workshop.migrated()?;
    workshop.settle(&empty)?;
    let strata = || Target::new("strata", || import(workshop, &empty, &input, rows));
    let comparison = match workshop.engine {
        Engine::Postgres => {
            let dumps = dump(workshop, &empty, &input, rows)?;
            let sides = sides_of_postgres(workshop, &empty, &input, dumps, rows);
            compare(bulk, strata(), sides, Goal::at_most(1.3))
        }
        Engine::Sqlite => {
            let sides = sides_of_sqlite(workshop, &empty, &input, rows)?;
            compare(bulk, strata(), sides, Goal::at_most(1.5))
        }
    };
    bulk.hold(bulk.plan, comparison)?;
    if bulk.large {
        let rows = rows * 10;
        let input = bulk.input(rows)?;
        let comparison = Comparison {
            unit: Unit::Row,
            title: bulk.title("Import of", rows, "memberships"),
            targets: vec![Target::new("strata", || import(workshop, &empty, &input, rows))],
            figures: vec![(Figure::GrowthMib { of: "strata" }, Goal::at_most(GROWTH_MIB_MAX))],
            remarks: vec!["One round, for the growth of memory.".to_owned()],
        };
        bulk.hold(Plan { warm_ups: 0, rounds: 1 }, comparison)?;
    }
    workshop.discard(empty)
}

/// The goal is for the first of the others.
fn compare<'a>(bulk: &Bulk, strata: Target<'a>, others: Vec<Target<'a>>, goal: Goal) -> Comparison<'a> {
    let goals = std::iter::once(goal).chain(std::iter::repeat(Goal::NONE));
    let mut figures: Vec<(Figure, Goal)> =
        others.iter().zip(goals).map(|(other, goal)| (Figure::Time { of: "strata", to: other.name }, goal)).collect();
    figures.push((Figure::GrowthMib { of: "strata" }, Goal::at_most(GROWTH_MIB_MAX)));
    let remarks = "From the first byte of the request to the end of the job, into a fresh store; users and segments are \
                   created on the way, by Strata only.";
    Comparison {
        unit: Unit::Row,
        title: bulk.title("Import of", bulk.rows, "memberships"),
        targets: std::iter::once(strata).chain(others).collect(),
        figures,
        remarks: vec![remarks.to_owned()],
    }
}

fn import(workshop: &Workshop, empty: &Store, input: &Path, rows: u64) -> Result<Outcome, Failure> {
    workshop.with_copy(empty, |store| {
        let (reading, job) = workshop.measure_server(store, |client| client.import(PATH, input))?;
        check_job(&job, rows)?;
        must_be("memberships", workshop.rows(store, "memberships")?, rows)?;
        must_be("history rows", workshop.rows(store, "history")?, rows)?;
        Ok(Outcome::new(reading, rows))
    })
}

fn check_job(job: &Value, rows: u64) -> Result<(), Failure> {
    must_be(&format!("rows added by {job}"), job["counts"]["added"].as_u64(), Some(rows))?;
    must_be(&format!("rows refused by {job}"), job["refused"].as_u64(), Some(0))
}

/// Times a script on a copy of the store, after another one that is not timed.
fn script(
    workshop: &Workshop,
    empty: &Store,
    before: &str,
    timed: &str,
    counts: &[(&str, u64)],
) -> Result<Outcome, Failure> {
    workshop.with_copy(empty, |store| {
        workshop.execute(store, before)?;
        let reading = workshop.measure_shell(store, timed)?;
        for (table, rows) in counts {
            must_be(table, workshop.rows(store, table)?, *rows)?;
        }
        Ok(Outcome::new(reading, counts[0].1))
    })
}

/// What Strata writes of the file, in random order.
struct Dumps {
    memberships: String,
    history: String,
}

fn dump(workshop: &Workshop, empty: &Store, input: &Path, rows: u64) -> Result<Dumps, Failure> {
    let file = |name: &str| workshop.folder.join(name).display().to_string();
    let dumps = Dumps { memberships: file("memberships.copy"), history: file("history.copy") };
    workshop.with_copy(empty, |store| {
        let (_, job) = workshop.measure_server(store, |client| client.import(PATH, input))?;
        check_job(&job, rows)?;
        let shuffled = |table: &str, file: &str| {
            format!("\\copy (SELECT * FROM {table} ORDER BY md5(user_id || '/' || segment_id)) TO '{file}'\n")
        };
        workshop.execute(store, &shuffled("memberships", &dumps.memberships))?;
        workshop.execute(store, &shuffled("history", &dumps.history))
    })?;
    Ok(dumps)
}

fn sides_of_postgres<'a>(
    workshop: &'a Workshop,
    empty: &'a Store,
    input: &Path,
    dumps: Dumps,
    rows: u64,
) -> Vec<Target<'a>> {
    let bare = "CREATE TABLE copied (user_id TEXT COLLATE \"C\", segment TEXT COLLATE \"C\");\n";
    let keyed = "CREATE TABLE copied (user_id TEXT COLLATE \"C\", segment TEXT COLLATE \"C\", PRIMARY KEY (user_id, segment));\n\
                 CREATE INDEX copied_by_segment ON copied (segment, user_id);\n";
    let copy = format!("\\copy copied FROM '{}' WITH (FORMAT csv, DELIMITER ';', HEADER)\n", input.display());
    let copy_too = copy.clone();
    let Dumps { memberships, history } = dumps;
    let both = format!("\\copy memberships FROM '{memberships}'\n\\copy history FROM '{history}'\n");
    vec![
        Target::new("copy_bare", move || script(workshop, empty, bare, &copy, &[("copied", rows)])),
        Target::new("copy_keyed", move || script(workshop, empty, keyed, &copy_too, &[("copied", rows)])),
        Target::new("copy_both", move || {
            script(workshop, empty, "", &both, &[("memberships", rows), ("history", rows)])
        }),
    ]
}

fn sides_of_sqlite<'a>(
    workshop: &'a Workshop,
    empty: &'a Store,
    input: &Path,
    rows: u64,
) -> Result<Vec<Target<'a>>, Failure> {
    let import = format!(
        ".mode csv\n.separator \";\" \"\\n\"\nCREATE TABLE staged (user_id TEXT, segment TEXT);\n.import --skip 1 {} staged\n",
        input.display()
    );
    let keyed = "CREATE TABLE keyed (user_id TEXT NOT NULL, segment TEXT NOT NULL, PRIMARY KEY (user_id, segment)) WITHOUT ROWID;\n\
                 CREATE INDEX keyed_by_segment ON keyed (segment, user_id);\n";
    let now = now_us()?;
    let segments = format!(
        "INSERT INTO segments (slug, name, description, kind, seed, search, created_at, updated_at, version)
         SELECT 'SEG_' || substr(CAST(10000 + value AS TEXT), 2), '', '', 'manual', value, '', {now}, {now}, 1
         FROM generate_series(0, 999) AS value;\n"
    );
    let both = format!(
        "{import}BEGIN;
         INSERT INTO memberships (user_id, segment_id, since, source, actor)
         SELECT user_id, id, {now}, 'import', 'bench' FROM staged JOIN segments ON slug = segment;
         INSERT INTO history (user_id, segment_id, slug, operation, at, source, actor, job_id)
         SELECT user_id, id, slug, 'add', {now}, 'import', 'bench', 1 FROM staged JOIN segments ON slug = segment;
         COMMIT;\n"
    );
    let select = format!("{import}INSERT INTO keyed SELECT user_id, segment FROM staged;\n");
    let sorted = format!("{import}INSERT INTO keyed SELECT user_id, segment FROM staged ORDER BY user_id, segment;\n");
    Ok(vec![
        Target::new("import_select", move || script(workshop, empty, keyed, &select, &[("keyed", rows)])),
        Target::new("import_sorted", move || script(workshop, empty, keyed, &sorted, &[("keyed", rows)])),
        Target::new("import_both", move || {
            script(workshop, empty, &segments, &both, &[("memberships", rows), ("history", rows)])
        }),
    ])
}
