//! The audit log: whoever changes it is found out.

#![allow(clippy::unwrap_used)]

use domain::{Action, Actor, AuditEntry, AuditRow, Caller, ChainHash, Instant, Percent};
use serde_json::json;
use testkit::{World, importing, slug};
use usecases::{
    Expected,
    audit::{self, Flaw},
    distributions,
    imports::{Import, What},
    moves::{self, MoveUsers},
    ports::AuditQuery,
    segments::{self, ChangeSegment, CopiedMembers, CopySegment},
};

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

/// Action, subject and detail of each row.
fn noted(world: &World) -> Vec<(String, String, String)> {
    let rows = world.look(|look| audit::list(look, &AuditQuery::default(), 100));
    assert!(rows.iter().all(|row| row.entry.at == world.now()));
    rows.into_iter().map(|AuditRow { entry, .. }| (entry.action.to_string(), entry.subject, entry.detail)).collect()
}

fn rows(expected: &[(&str, &str, &str)]) -> Vec<(String, String, String)> {
    expected.iter().map(|(action, subject, detail)| ((*action).into(), (*subject).into(), (*detail).into())).collect()
}

#[test]
fn whatever_is_done_to_a_segment_is_noted() {
    let world = World::in_memory();
    world.has_users(2);
    let before = noted(&world).len();
    let half = Percent::parse("50").unwrap();
    world.has_segment_with("A", Some("100"), None);
    world.has_segment("B");
    world.act(|act| distributions::distribute(act, &slug("A"), half)).unwrap();
    world.act(|act| segments::rename(act, &slug("B"), &Expected::Any, slug("C"))).unwrap();
    let copy = CopySegment { slug: slug("D"), members: CopiedMembers::All };
    world.act(|act| segments::copy(act, &slug("A"), copy)).unwrap();
    world.act(|act| moves::move_users(act, MoveUsers { from: slug("A"), to: slug("C") })).unwrap();
    world.act(|act| segments::delete(act, &slug("C"), &Expected::Any)).unwrap();
    let expected = [
        ("segment.created", "segment/A", r#"{"percent":"100"}"#),
        ("segment.created", "segment/B", r#"{"percent":null}"#),
        ("segment.distributed", "segment/A", r#"{"added":0,"percent":{"from":"100","to":"50"},"removed":1}"#),
        ("segment.renamed", "segment/C", r#"{"from":"B"}"#),
        ("segment.changed", "segment/C", r#"{"name":{"from":"B","to":"C"}}"#),
        ("segment.copied", "segment/D", r#"{"from":"A","members":1}"#),
        ("segment.moved", "segment/A", r#"{"moved":1,"to":"C"}"#),
        ("segment.deleted", "segment/C", r#"{"members":1}"#),
    ];
    assert_eq!(noted(&world)[before..], rows(&expected));
}

#[test]
fn what_changes_nothing_or_is_refused_is_not_noted() {
    let world = World::in_memory();
    world.has_segment_with("A", Some("50"), None);
    let before = noted(&world);
    let half = Percent::parse("50").unwrap();
    world.act(|act| distributions::distribute(act, &slug("A"), half)).unwrap();
    world.act(|act| segments::change(act, &slug("A"), &Expected::Any, ChangeSegment::default())).unwrap();
    world.act(|act| segments::delete(act, &slug("B"), &Expected::Any)).unwrap_err();
    world.app.rehearse(&testkit::caller(), |act| segments::delete(act, &slug("A"), &Expected::Any)).unwrap();
    assert_eq!(noted(&world), before);
}

#[test]
fn an_import_and_its_taking_back_are_noted_and_no_trial_is() {
    let world = World::in_memory();
    world.has_segment("A");
    let before = noted(&world).len();
    let import = importing(What::Memberships { segment: Some(slug("A")) });
    world.import(&Import { dry_run: true, ..import.clone() }, "user_id\n1\n").unwrap();
    let job = world.import(&import, "user_id\n1\n2\n").unwrap();
    let undo = world.undo(job.id).unwrap();
    let expected = [
        ("data.imported", &format!("job/{}", job.id), json!({"kind": job.kind.as_str(), "mode": "add", "rows": 2})),
        ("data.imported", &format!("job/{}", undo.id), json!({"kind": undo.kind.as_str(), "undoes": job.id.0})),
    ];
    let expected = expected.map(|(action, subject, detail)| (action.to_owned(), subject.clone(), detail.to_string()));
    assert_eq!(noted(&world)[before..], expected);
}

#[test]
fn settings_are_noted_when_they_are_others_than_before() {
    let world = World::in_memory();
    let note = |node: &str, listen: &str| audit::note_settings(&world.app, node, &json!({"listen": listen})).unwrap();
    for (node, listen) in [("one", "a"), ("one", "a"), ("two", "b"), ("one", "a"), ("one", "b"), ("one", "a")] {
        note(node, listen);
    }
    let expected = [
        ("settings.changed", "settings/one", r#"{"listen":"a"}"#),
        ("settings.changed", "settings/two", r#"{"listen":"b"}"#),
        ("settings.changed", "settings/one", r#"{"listen":"b"}"#),
        ("settings.changed", "settings/one", r#"{"listen":"a"}"#),
    ];
    assert_eq!(noted(&world), rows(&expected));
}

#[test]
fn who_wanted_what_is_not_theirs_is_noted() {
    let world = World::in_memory();
    let anna = Caller::service("anna");
    audit::note_refusal(&world.app, &anna, "DELETE /api/v1/segments/A", "not allowed", 3).unwrap();
    let refused = [("access.refused", "DELETE /api/v1/segments/A", r#"{"times":3,"why":"not allowed"}"#)];
    assert_eq!(noted(&world), rows(&refused));
    let query = AuditQuery { actor: Some(Actor::new("anna")), ..AuditQuery::default() };
    assert_eq!(world.look(|look| audit::count(look, &query)), 1);
}
