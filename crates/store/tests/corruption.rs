//! What is told of rows that nobody should have written.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use diesel::{Connection, PgConnection, SqliteConnection, connection::SimpleConnection};
use domain::{Membership, SegmentId, UserId};
use store::{DieselStore, Options};
use testkit::{TempPostgres, slug};
use usecases::ports::{Access, AuditQuery, Store, StoreError, Verdict};

/// Runs a test on each engine, on a database to which these rows were written behind the service's back.
fn on_both(rows: &str, test: impl Fn(&dyn Store)) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("strata.db");
    let postgres = TempPostgres::shared().database();
    for url in [format!("sqlite://{}", path.display()), postgres] {
        let second = Duration::from_secs(1);
        let options = Options { url: url.clone(), pool_size: 2, pool_timeout: 5 * second, statement_timeout: second };
        let store = DieselStore::open(&options).unwrap();
        store.migrate().unwrap();
        match url.starts_with("sqlite") {
            true => SqliteConnection::establish(path.to_str().unwrap()).unwrap().batch_execute(rows).unwrap(),
            false => PgConnection::establish(&url).unwrap().batch_execute(rows).unwrap(),
        }
        test(&store);
    }
}

#[test]
fn an_audit_row_that_cannot_be_read_is_named() {
    for (action, hash) in [("account.praised", "0"), ("account.created", "0")] {
        let rows = format!(
            "INSERT INTO audit (id, at, actor, action, subject, detail, hash) \
             VALUES (7, 1, 'x', '{action}', 'account/1', '{{}}', '{hash}')"
        );
        on_both(&rows, |store| {
            let refused = store.read(|unit| unit.audit().list(&AuditQuery::default(), 9));
            let Err(StoreError::Corrupt { table: "audit", detail }) = refused else { panic!("{refused:?}") };
            assert!(detail.starts_with("row 7: "), "{detail}");
        });
    }
}

fn of_user(store: &dyn Store) -> Result<Vec<Membership>, StoreError> {
    store.read(|unit| unit.memberships().of_users(&[UserId::parse("u").unwrap()]))
}

#[test]
fn a_membership_that_outlived_its_segment_goes_by_the_last_name() {
    let rows = "INSERT INTO segment_names (segment_id, slug, since, until) VALUES (7, 'Old', 1, 2), (7, 'New', 2, 3);
                INSERT INTO memberships (user_id, segment_id, since, source, actor) VALUES ('u', 7, 1, 'manual', 'x')";
    on_both(rows, |store| {
        let found = of_user(store).unwrap();
        assert_eq!((found[0].segment.id, &found[0].segment.slug), (SegmentId(7), &slug("New")));
    });
}

#[test]
fn a_membership_of_a_segment_that_never_was_is_corrupt() {
    let rows = "INSERT INTO memberships (user_id, segment_id, since, source, actor) VALUES ('u', 7, 1, 'manual', 'x')";
    on_both(rows, |store| {
        let refused = of_user(store);
        assert!(matches!(refused, Err(StoreError::Corrupt { table: "memberships", .. })), "{refused:?}");
    });
}

#[test]
fn a_unit_that_overlooked_corruption_does_not_commit() {
    let rows = "INSERT INTO users (user_id, attributes, created_at, updated_at, version) VALUES ('u', '[', 1, 1, 1)";
    on_both(rows, |store| {
        let user = UserId::parse("u").unwrap();
        let ended = store.run(Access::Write, &mut |unit| {
            let refused = unit.users().find(&user);
            assert!(matches!(refused, Err(StoreError::Corrupt { table: "users", .. })), "{refused:?}");
            Verdict::Commit
        });
        assert!(matches!(ended, Err(StoreError::Aborted)), "{ended:?}");
    });
}
