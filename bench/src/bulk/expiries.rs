//! Expiry: memberships whose time is up among many others, against the rows alone.

use super::{
    Bulk,
    fills::{self, Deadlines},
};
use crate::{
    Failure,
    figures::grouped,
    meters::Children,
    must_be,
    populations::now_us,
    rounds::{Comparison, Figure, Goal, Outcome, Target, Unit},
    stores::{Engine, Store},
};

const DUE_MAX: u64 = 100_000;
/// As many as the worker takes at once unless told otherwise.
const BATCH: u64 = 1_000;

pub(super) fn run(bulk: &mut Bulk) -> Result<(), Failure> {
    among(bulk, bulk.rows)?;
    if bulk.large { among(bulk, bulk.rows * 10) } else { Ok(()) }
}

fn among(bulk: &mut Bulk, rows: u64) -> Result<(), Failure> {
    let workshop = bulk.workshop;
    let store = fills::with_memberships(workshop, rows, Deadlines::Due((rows / 10).min(DUE_MAX)))?;
    let filled = &store;
    let now = now_us()?;
    let due = workshop.rows(filled, &format!("memberships WHERE expires_at <= {now}"))?;
    let check = move |store: &Store, history: u64| {
        must_be("memberships", workshop.rows(store, "memberships")?, rows - due)?;
        must_be("history rows", workshop.rows(store, "history")?, rows + history)
    };
    let shell = move |script: String, history: u64| {
        move || {
            workshop.with_copy(filled, |store| {
                let reading = workshop.measure_shell(store, &script)?;
                check(store, history)?;
                Ok(Outcome::new(reading, due))
            })
        }
    };
    let work = move |batch: u64| {
        move || {
            workshop.with_copy(filled, |store| {
                let mut command = workshop.strata.command(&store.url, &["work", "--once"])?;
                command.env("STRATA_WORKER_BATCH", batch.to_string());
                let (reading, told) =
                    workshop.meter.measure(None, Children::Strata, || workshop.strata.run(command))?;
                let expected = format!("{due} memberships expired");
                must_be("what the worker says", told.lines().next(), Some(expected.as_str()))?;
                check(store, due)?;
                Ok(Outcome::new(reading, due))
            })
        }
    };
    let one_shot = format!("DELETE FROM memberships WHERE expires_at <= {now};\n");
    let comparison = Comparison {
        unit: Unit::Row,
        title: bulk.title(format_args!("Expiry of {} of", grouped(due)), rows, "memberships"),
        targets: vec![
            Target::new("strata", work(BATCH)),
            Target::new("strata_one_shot", work(DUE_MAX)),
            Target::new("delete", shell(one_shot, 0)),
            Target::new("delete_batches", shell(delete_batches(workshop.engine, now, due), 0)),
            Target::new("delete_and_tell", shell(delete_and_tell(workshop.engine, now), due)),
        ],
        figures: vec![
            (Figure::Time { of: "strata_one_shot", to: "delete" }, Goal::at_most(1.5)),
            (Figure::Time { of: "strata", to: "delete" }, Goal::at_most(2.6)),
            (Figure::Time { of: "strata", to: "delete_batches" }, Goal::NONE),
            (Figure::Time { of: "strata_one_shot", to: "delete_and_tell" }, Goal::NONE),
        ],
        remarks: vec![format!(
            "`strata` is `strata work --once` with its start, in batches of {BATCH}, each one transaction, as is \
             `delete_batches`; `strata_one_shot` takes {DUE_MAX} at once. Only Strata and `delete_and_tell` write history."
        )],
    };
    bulk.hold(bulk.plan, comparison)?;
    workshop.discard(store)
}

fn delete_batches(engine: Engine, now: u64, due: u64) -> String {
    let delete = format!(
        "DELETE FROM memberships WHERE (user_id, segment_id) IN \
         (SELECT user_id, segment_id FROM memberships WHERE expires_at <= {now} ORDER BY expires_at LIMIT {BATCH});\n"
    );
    match engine {
        Engine::Postgres => format!("DO $$ BEGIN LOOP {delete} EXIT WHEN NOT FOUND; COMMIT; END LOOP; END $$;\n"),
        Engine::Sqlite => delete.repeat(due.div_ceil(BATCH) as usize + 1),
    }
}

fn delete_and_tell(engine: Engine, now: u64) -> String {
    let into = "INSERT INTO history (user_id, segment_id, slug, operation, at, expires_at, source, actor)";
    let told = "user_id, segment_id, slug, 'remove', expires_at, expires_at, 'expiry', 'bench'";
    match engine {
        Engine::Postgres => format!(
            "WITH gone AS (DELETE FROM memberships WHERE expires_at <= {now} RETURNING user_id, segment_id, expires_at)
             {into} SELECT {told} FROM gone JOIN segments ON segments.id = segment_id ORDER BY expires_at;\n"
        ),
        Engine::Sqlite => format!(
            "BEGIN IMMEDIATE;
             {into} SELECT {told} FROM memberships JOIN segments ON segments.id = segment_id
             WHERE expires_at <= {now} ORDER BY expires_at;
             DELETE FROM memberships WHERE expires_at <= {now};
             COMMIT;\n"
        ),
    }
}
