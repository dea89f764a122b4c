//! The audit log: whoever changes it is found out.

#![allow(clippy::unwrap_used)]

use domain::{Action, Actor, AuditEntry, AuditRow, ChainHash, Instant};
use testkit::World;
use usecases::audit::{self, Flaw};

fn entry(number: i64) -> AuditEntry {
    AuditEntry {
        at: Instant::from_timestamp_micros(number).unwrap(),
        actor: Actor::new("anna"),
        action: Action::PasswordChanged,
        subject: "account/1".to_owned(),
        detail: "{}".to_owned(),
    }
}

/// Ten rows, changed by somebody.
fn flaws(change: impl FnOnce(&mut Vec<AuditRow>), noted: Option<(i64, ChainHash)>) -> Vec<Flaw> {
    let mut rows: Vec<AuditRow> = Vec::new();
    for number in 1..=10 {
        rows.push(AuditRow::following(rows.last().map(|row| (row.id, row.hash)), entry(number)));
    }
    change(&mut rows);
    let world = World::in_memory();
    world.act(|act| Ok(rows.iter().try_for_each(|row| act.unit.audit().append(row))?)).unwrap();
    let mut flaws = Vec::new();
    let verified = world.look(|look| audit::verify(look, noted, &mut |flaw| flaws.push(flaw.clone())));
    assert_eq!((verified.rows, verified.flaws), (rows.len() as u64, flaws.len() as u64));
    assert_eq!(verified.last, rows.last().map(|row| (row.id, row.hash)));
    flaws
}

/// Every row anew, with hashes that fit.
fn rewrite(rows: &mut Vec<AuditRow>) {
    let entries: Vec<AuditEntry> = rows.drain(..).map(|row| row.entry).collect();
    for entry in entries {
        rows.push(AuditRow::following(rows.last().map(|row| (row.id, row.hash)), entry));
    }
}

#[test]
fn a_log_that_nobody_changed_has_no_flaws() {
    assert_eq!(flaws(|_| (), None), []);
    assert_eq!(flaws(Vec::clear, None), []);
}

#[test]
fn each_row_that_was_changed_is_named() {
    for place in 0..10 {
        let id = place as i64 + 1;
        assert_eq!(flaws(|rows| rows[place].entry.actor = Actor::new("ivan"), None), [Flaw::Changed(id)]);
        assert_eq!(flaws(|rows| rows[place].entry.detail.push(' '), None), [Flaw::Changed(id)]);
    }
}

#[test]
fn a_row_that_was_changed_with_its_hash_shows_in_the_next() {
    let change = |rows: &mut Vec<AuditRow>| {
        let before = (rows[3].id, rows[3].hash);
        rows[4] = AuditRow::following(Some(before), entry(500));
    };
    assert_eq!(flaws(change, None), [Flaw::Changed(6)]);
}

#[test]
fn rows_that_are_gone_are_named() {
    assert_eq!(flaws(|rows| drop(rows.drain(2..4)), None), [Flaw::Missing(3, 4)]);
    assert_eq!(flaws(|rows| drop(rows.remove(0)), None), [Flaw::Missing(1, 1)]);
    assert_eq!(Flaw::Missing(3, 4).to_string(), "rows 3 to 4 are missing");
    assert_eq!(Flaw::Missing(1, 1).to_string(), "row 1 is missing");
}

#[test]
fn whoever_noted_a_hash_sees_that_the_end_is_gone_or_all_is_new() {
    let mut noted = None;
    flaws(|rows| noted = rows.get(7).map(|row| (row.id, row.hash)), None);
    assert_eq!(flaws(|_| (), noted), []);
    assert_eq!(flaws(|rows| rows.truncate(5), None), []);
    assert_eq!(flaws(|rows| rows.truncate(5), noted), [Flaw::Missing(6, 8)]);
    let anew = |rows: &mut Vec<AuditRow>| {
        rows[2].entry.actor = Actor::new("ivan");
        rewrite(rows);
    };
    assert_eq!(flaws(anew, None), []);
    assert_eq!(flaws(anew, noted), [Flaw::Another(8)]);
}
