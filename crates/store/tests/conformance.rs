//! What every store must do, this one does on both engines.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use store::{DieselStore, Options};
use testkit::TempPostgres;

fn migrated(url: String) -> DieselStore {
    let options = Options {
        url,
        pool_size: 8,
        pool_timeout: Duration::from_secs(30),
        statement_timeout: Duration::from_secs(30),
    };
    let store = DieselStore::open(&options).unwrap();
    store.migrate().unwrap();
    store
}

#[test]
fn sqlite_conforms() {
    let dir = tempfile::tempdir().unwrap();
    let next = std::cell::Cell::new(0);
    testkit::conformance(|| {
        next.set(next.get() + 1);
        Box::new(migrated(format!("sqlite://{}/{}.db", dir.path().display(), next.get())))
    });
}

#[test]
fn postgres_conforms() {
    testkit::conformance(|| Box::new(migrated(TempPostgres::shared().database())));
}
