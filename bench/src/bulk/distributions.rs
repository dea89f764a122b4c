//! Distributions: a segment for three users of ten, against the statements that do the same.

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::Path,
};

use serde_json::json;
use sha2::{Digest, Sha256};

use super::{
    Bulk,
    fills::{self, BIG, SEED},
};
use crate::{
    Failure, failed, must_be,
    populations::now_us,
    rounds::{Comparison, Figure, Goal, Outcome, Target, Unit},
    stores::{Engine, Store, Workshop},
};

const TIME_MAX: f64 = 1.1;

pub(super) fn run(bulk: &mut Bulk) -> Result<(), Failure> {
    let workshop = bulk.workshop;
    let users = fills::users_of(bulk.rows);
    let chosen = users * 3 / 10;
    let store = fills::with_users(workshop, users)?;
    let filled = &store;
    let (before, statement) = match workshop.engine {
        Engine::Postgres => (String::new(), in_postgres(chosen)?),
        Engine::Sqlite => in_sqlite(workshop, filled, users, chosen)?,
    };
    // Told by the first, and then the same for all.
    let same = &std::cell::RefCell::new(None::<String>);
    let check = move |store: &Store| {
        must_be("memberships", workshop.rows(store, "memberships")?, chosen)?;
        must_be("history rows", workshop.rows(store, "history")?, chosen)?;
        let told = workshop.ask(store, &format!("{};\n", who(workshop.engine)))?;
        let first = same.borrow_mut().get_or_insert_with(|| told.clone()).clone();
        must_be("who was chosen", told, first)
    };
    let comparison = Comparison {
        unit: Unit::Row,
        title: bulk.title("Distribution of 30 % of", users, "users"),
        targets: vec![
            Target::new("strata", move || {
                workshop.with_copy(filled, |store| {
                    let path = format!("/api/v1/segments/{BIG}/distribute");
                    let (reading, told) =
                        workshop.measure_server(store, |client| client.post(&path, &json!({ "percent": 30 })))?;
                    must_be("users added", told["added"].as_u64(), Some(chosen))?;
                    check(store)?;
                    Ok(Outcome::new(reading, chosen))
                })
            }),
            Target::new("statement", move || {
                workshop.with_copy(filled, |store| {
                    let script = format!("{before}{statement}");
                    let reading = workshop.measure_shell(store, &script)?;
                    check(store)?;
                    Ok(Outcome::new(reading, chosen))
                })
            }),
        ],
        figures: vec![(Figure::Time { of: "strata", to: "statement" }, Goal::at_most(TIME_MAX))],
        remarks: remarks(workshop.engine),
    };
    bulk.hold(bulk.plan, comparison)?;
    workshop.discard(store)
}

fn remarks(engine: Engine) -> Vec<String> {
    let remark = match engine {
        Engine::Postgres => {
            "`statement` ranks by the same SHA-256, with work_mem 256MB, and writes in the order of users, which is faster than in \
             that of positions."
        }
        Engine::Sqlite => {
            "The shell of SQLite knows no SHA-256, so `statement` finds the positions in a table that was made before, and \
             does not compute them; it writes memberships and history by two statements in one \
             transaction, in the order of users."
        }
    };
    vec![remark.to_owned()]
}

fn in_postgres(chosen: u64) -> Result<String, Failure> {
    let now = now_us()?;
    Ok(format!(
        "SET work_mem = '256MB';
         WITH ranked AS (
             SELECT user_id FROM users
             ORDER BY substr(sha256(convert_to('{SEED:016x}:' || user_id, 'UTF8')), 1, 8), user_id LIMIT {chosen}
         ), added AS (
             INSERT INTO memberships (user_id, segment_id, since, source, actor)
             SELECT user_id, 1, {now}, 'percent', 'bench' FROM ranked ORDER BY user_id RETURNING user_id
         )
         INSERT INTO history (user_id, segment_id, slug, operation, at, source, actor)
         SELECT user_id, 1, '{BIG}', 'add', {now}, 'percent', 'bench' FROM added;\n"
    ))
}

/// The statements, and what makes the positions known to them.
fn in_sqlite(workshop: &Workshop, filled: &Store, users: u64, chosen: u64) -> Result<(String, String), Failure> {
    let file = workshop.folder.join("positions.csv");
    write_positions(&file, users).map_err(failed(file.display()))?;
    let attach = format!("ATTACH '{}' AS aside;\n", workshop.folder.join("positions.db").display());
    let make = format!(
        "{attach}CREATE TABLE aside.positions (user_id TEXT PRIMARY KEY NOT NULL, position BIGINT NOT NULL) WITHOUT ROWID;\n\
         .mode csv\n.separator \";\" \"\\n\"\n.import --schema aside {} positions\n",
        file.display()
    );
    workshop.execute(filled, &make)?;
    let now = now_us()?;
    let statement = format!(
        "BEGIN IMMEDIATE;
         CREATE TEMP TABLE chosen AS
         SELECT user_id FROM users JOIN aside.positions USING (user_id) ORDER BY position, user_id LIMIT {chosen};
         INSERT INTO memberships (user_id, segment_id, since, source, actor)
         SELECT user_id, 1, {now}, 'percent', 'bench' FROM chosen ORDER BY user_id;
         INSERT INTO history (user_id, segment_id, slug, operation, at, source, actor)
         SELECT user_id, 1, '{BIG}', 'add', {now}, 'percent', 'bench' FROM chosen ORDER BY user_id;
         COMMIT;\n"
    );
    Ok((attach, statement))
}

/// As docs/positions.md defines positions, moved so that SQLite's signed numbers sort as they do.
fn write_positions(path: &Path, users: u64) -> std::io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    for number in 0..users {
        let user = format!("user-{number:07}");
        let digest = Sha256::digest(format!("{SEED:016x}:{user}"));
        let (first, _) = digest.split_first_chunk::<8>().expect("a SHA-256 digest has 32 bytes");
        let signed = (u64::from_be_bytes(*first) ^ (1 << 63)).cast_signed();
        writeln!(file, "{user};{signed}")?;
    }
    file.flush()
}

/// A query whose answer differs when other users are in.
fn who(engine: Engine) -> &'static str {
    match engine {
        Engine::Postgres => "SELECT md5(string_agg(user_id, ',' ORDER BY user_id)) FROM memberships",
        Engine::Sqlite => {
            "SELECT lower(hex(sha3(group_concat(user_id), 256))) FROM (SELECT user_id FROM memberships ORDER BY user_id)"
        }
    }
}
