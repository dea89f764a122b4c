//! What becomes of connections when the database goes away, and when there are too few.

#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};

use store::{DieselStore, Options};
use testkit::TempPostgres;
use usecases::ports::{Access, Hold, Locks, Store, StoreError, Verdict};

fn options(url: String) -> Options {
    Options { url, pool_size: 3, pool_timeout: Duration::from_secs(2), statement_timeout: Duration::from_secs(10) }
}

fn works(store: &DieselStore) -> Result<(), StoreError> {
    store
        .run(Access::Write, &mut |unit| match unit.users().count(&Default::default()) {
            Ok(_) => Verdict::Commit,
            Err(_) => Verdict::Rollback,
        })
        .map(drop)
}

/// Opens `many` connections at once, so that the pool holds them afterwards.
fn nested(store: &DieselStore, many: usize) -> Result<(), StoreError> {
    let mut inner = Ok(());
    store.run(Access::Read, &mut |unit| {
        unit.users().count(&Default::default()).unwrap();
        if many > 1 {
            inner = nested(store, many - 1);
        }
        Verdict::Rollback
    })?;
    inner
}

#[test]
fn a_pool_without_a_free_connection_is_busy() {
    let store = DieselStore::open(&options(TempPostgres::shared().database())).unwrap();
    store.migrate().unwrap();
    nested(&store, 3).unwrap();
    let refused = nested(&store, 4);
    assert!(matches!(refused, Err(StoreError::Busy(_))), "{refused:?}");
    nested(&store, 3).unwrap();
}

#[test]
fn a_restart_of_the_database_is_survived() {
    let server = TempPostgres::start();
    let store = DieselStore::open(&options(server.database())).unwrap();
    store.migrate().unwrap();
    nested(&store, 3).unwrap();

    server.stop();
    for _ in 0..2 {
        let begun = Instant::now();
        let refused = works(&store);
        assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
        assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    }
    server.restart();
    works(&store).unwrap();

    nested(&store, 3).unwrap();
    server.stop();
    server.restart();
    // Every connection of the pool is stale, and nobody who asks is told so.
    for _ in 0..4 {
        works(&store).unwrap();
    }

    let interrupted = store.run(Access::Write, &mut |unit| {
        server.stop();
        server.restart();
        assert!(unit.users().count(&Default::default()).is_err());
        Verdict::Commit
    });
    assert!(interrupted.is_err(), "{interrupted:?}");
    works(&store).unwrap();

    let unsure = store.run(Access::Write, &mut |unit| {
        unit.users().count(&Default::default()).unwrap();
        server.stop();
        server.restart();
        Verdict::Commit
    });
    assert!(matches!(unsure, Err(StoreError::Unavailable(_))), "{unsure:?}");
    works(&store).unwrap();
}

#[test]
fn a_lock_that_others_keep_is_contention() {
    let short = Options { statement_timeout: Duration::from_millis(500), ..options(TempPostgres::shared().database()) };
    let store = DieselStore::open(&short).unwrap();
    store.migrate().unwrap();
    let store: &dyn Store = &store;
    let locks = Locks::new().population(Hold::Alone);
    let refused = store.write(|outer| {
        outer.lock(&locks)?;
        let inner: Result<(), StoreError> = store.write(|inner| inner.lock(&locks));
        Ok::<_, StoreError>(inner)
    });
    assert!(matches!(refused, Ok(Err(StoreError::Contended(_)))), "{refused:?}");
    store.write(|unit| unit.lock(&locks)).unwrap();
}
