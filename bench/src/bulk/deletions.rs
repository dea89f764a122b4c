//! Deletions: a segment with three members of ten users, against the rows alone.

use super::{
    Bulk,
    fills::{self, BIG, Deadlines},
};
use crate::{
    Failure,
    figures::grouped,
    must_be,
    populations::now_us,
    rounds::{Comparison, Figure, Goal, Outcome, Target, Unit},
    stores::{Engine, Store, Workshop},
};

const TIME_MAX: f64 = 1.5;

pub(super) fn run(bulk: &mut Bulk) -> Result<(), Failure> {
    let workshop = bulk.workshop;
    let rows = fills::users_of(bulk.rows);
    let store = fills::with_memberships(workshop, rows, Deadlines::None)?;
    let filled = &store;
    let members = workshop.rows(filled, "memberships WHERE segment_id = 1")?;
    let check = move |store: &Store, history: u64| {
        must_be("members", workshop.rows(store, "memberships WHERE segment_id = 1")?, 0)?;
        must_be("other members", workshop.rows(store, "memberships")?, rows - members)?;
        must_be("history rows", workshop.rows(store, "history")?, rows + history)
    };
    let shell = move |script: String, history: u64| {
        move || {
            workshop.with_copy(filled, |store| {
                let reading = workshop.measure_shell(store, &script)?;
                check(store, history)?;
                Ok(Outcome::new(reading, members))
            })
        }
    };
    let comparison = Comparison {
        unit: Unit::Row,
        title: bulk.title(format_args!("Deletion of a segment with {} of", grouped(members)), rows, "memberships"),
        targets: vec![
            Target::new("strata", move || {
                workshop.with_copy(filled, |store| {
                    let path = format!("/api/v1/segments/{BIG}");
                    let (reading, ()) = workshop.measure_server(store, |client| client.delete(&path))?;
                    check(store, members)?;
                    Ok(Outcome::new(reading, members))
                })
            }),
            Target::new("delete", shell("DELETE FROM memberships WHERE segment_id = 1;\n".to_owned(), 0)),
            Target::new("delete_and_tell", shell(delete_and_tell(workshop)?, members)),
        ],
        figures: vec![
            (Figure::Time { of: "strata", to: "delete" }, Goal::at_most(TIME_MAX)),
            (Figure::Time { of: "strata", to: "delete_and_tell" }, Goal::NONE),
        ],
        remarks: vec!["`delete_and_tell` also writes a row of history for each, as Strata does.".to_owned()],
    };
    bulk.hold(bulk.plan, comparison)?;
    workshop.discard(store)
}

fn delete_and_tell(workshop: &Workshop) -> Result<String, Failure> {
    let now = now_us()?;
    let into = "INSERT INTO history (user_id, segment_id, slug, operation, at, source, actor, reason)";
    let told = format!("user_id, 1, '{BIG}', 'remove', {now}, 'manual', 'bench', 'segment deleted'");
    Ok(match workshop.engine {
        Engine::Postgres => format!(
            "WITH gone AS (DELETE FROM memberships WHERE segment_id = 1 RETURNING user_id) {into} SELECT {told} FROM gone ORDER BY user_id;\n"
        ),
        Engine::Sqlite => format!(
            "BEGIN IMMEDIATE;
             {into} SELECT {told} FROM memberships WHERE segment_id = 1;
             DELETE FROM memberships WHERE segment_id = 1;
             COMMIT;\n"
        ),
    })
}
