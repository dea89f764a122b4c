use domain::{Action, Actor, AuditEntry, AuditRow, Period};
use usecases::ports::{AuditQuery, Direction, Store, StoreError};

use super::{
    Case, attempt,
    concurrency::{THREADS, persist, together},
    look, minute, must, pages,
};

pub(super) const CASES: &[Case] = &[
    ("rows of the audit log are found as they were appended", rows_are_found_as_appended),
    ("an audit row that is rolled back was never appended", row_rolled_back),
    ("an audit row does not take another's place", row_takes_no_place),
    ("audit rows are filtered and counted", rows_are_filtered),
    ("sixteen who append to the audit log at once make one chain", one_chain),
];

fn entry(minutes: i64, actor: &str, action: Action, subject: &str) -> AuditEntry {
    let detail = r#"{"text":"тайна; \"it's\" % _ 🎉"}"#.to_owned();
    AuditEntry { at: minute(minutes), actor: Actor::new(actor), action, subject: subject.to_owned(), detail }
}

fn append(store: &dyn Store, entry: AuditEntry) -> AuditRow {
    must(store, |unit| {
        let row = AuditRow::following(unit.audit().last()?, entry);
        unit.audit().append(&row)?;
        Ok(row)
    })
}

fn all(store: &dyn Store) -> Vec<AuditRow> {
    pages(3, |last: Option<&AuditRow>| {
        let query = AuditQuery { after: last.map(|row| row.id), ..AuditQuery::default() };
        look(store, |unit| unit.audit().list(&query, 3))
    })
}

fn rows_are_found_as_appended(store: &dyn Store) {
    assert_eq!(look(store, |unit| unit.audit().last()), None);
    let rows: Vec<AuditRow> = (0..Action::ALL.len())
        .map(|number| append(store, entry(number as i64, "Анна", Action::ALL[number], "account/1")))
        .collect();
    assert_eq!(all(store), rows);
    let last = rows.last().unwrap();
    assert_eq!(look(store, |unit| unit.audit().last()), Some((last.id, last.hash)));
}

fn row_rolled_back(store: &dyn Store) {
    let first = append(store, entry(0, "a", Action::AccountCreated, "account/1"));
    let failed: Result<(), StoreError> = attempt(store, |unit| {
        let second = AuditRow::following(unit.audit().last()?, entry(1, "a", Action::AccountDeleted, "account/1"));
        unit.audit().append(&second)?;
        Err(StoreError::Contended("a test".to_owned()))
    });
    failed.unwrap_err();
    assert_eq!(look(store, |unit| unit.audit().last()), Some((first.id, first.hash)));
    assert_eq!(append(store, entry(1, "a", Action::AccountChanged, "account/1")).id, 2);
}

fn row_takes_no_place(store: &dyn Store) {
    let first = append(store, entry(0, "a", Action::AccountCreated, "account/1"));
    let other = AuditRow::following(None, entry(1, "b", Action::AccountDeleted, "account/1"));
    let refused = attempt(store, |unit| unit.audit().append(&other));
    assert!(matches!(refused, Err(StoreError::Duplicate)), "{refused:?}");
    assert_eq!(all(store), [first]);
}

fn rows_are_filtered(store: &dyn Store) {
    for (minutes, actor, action, subject) in [
        (0, "anna", Action::AccountCreated, "account/1"),
        (1, "ivan", Action::AccountCreated, "account/2"),
        (2, "anna", Action::AccountDeleted, "account/2"),
        (3, "Anna", Action::AccountDeleted, "account/1"),
    ] {
        append(store, entry(minutes, actor, action, subject));
    }
    let found = |query: &AuditQuery| -> Vec<i64> {
        assert_eq!(look(store, |unit| unit.audit().count(query)), 2, "{query:?}");
        look(store, |unit| unit.audit().list(query, 9)).iter().map(|row| row.id).collect()
    };
    let any = AuditQuery::default;
    assert_eq!(found(&AuditQuery { actor: Some(Actor::new("anna")), ..any() }), [1, 3]);
    assert_eq!(found(&AuditQuery { action: Some(Action::AccountDeleted), ..any() }), [3, 4]);
    assert_eq!(found(&AuditQuery { subject: Some("account/2".to_owned()), ..any() }), [2, 3]);
    let period = Period { from: Some(minute(1)), to: Some(minute(3)) };
    assert_eq!(found(&AuditQuery { period, ..any() }), [2, 3]);
    // The cursor does not count.
    assert_eq!(found(&AuditQuery { period, after: Some(2), ..any() }), [3]);
    let direction = Direction::Descending;
    assert_eq!(found(&AuditQuery { period, direction, ..any() }), [3, 2]);
    assert_eq!(found(&AuditQuery { period, direction, after: Some(3), ..any() }), [2]);
}

fn one_chain(store: &dyn Store) {
    together(THREADS, |number| {
        persist(store, |unit| {
            let entry = entry(number as i64, &number.to_string(), Action::PasswordChanged, "account/1");
            let row = AuditRow::following(unit.audit().last()?, entry);
            unit.audit().append(&row)
        })
        .unwrap();
    });
    let rows = all(store);
    assert_eq!(rows.len(), THREADS);
    let mut last = None;
    for row in &rows {
        assert_eq!(*row, AuditRow::following(last, row.entry.clone()));
        last = Some((row.id, row.hash));
    }
}
