//! The two schemas, and the ways of opening them.

#![allow(clippy::unwrap_used)]

use std::{collections::BTreeSet, fs, path::Path, time::Duration};

use diesel::{Connection, PgConnection, SqliteConnection};
use diesel_migrations::{FileBasedMigrations, MigrationHarness};
use store::{DieselStore, Options};
use testkit::TempPostgres;
use usecases::ports::{Store, StoreError};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations");

fn options(url: &str) -> Options {
    let second = Duration::from_secs(1);
    Options { url: url.to_owned(), pool_size: 2, pool_timeout: second, statement_timeout: 10 * second }
}

fn names(engine: &str) -> BTreeSet<String> {
    let folders = fs::read_dir(Path::new(FOLDER).join(engine)).unwrap();
    folders.map(|folder| folder.unwrap().file_name().into_string().unwrap()).collect()
}

fn source(engine: &str) -> FileBasedMigrations {
    FileBasedMigrations::from_path(Path::new(FOLDER).join(engine)).unwrap()
}

#[test]
fn both_engines_have_the_same_migrations() {
    assert!(!names("sqlite").is_empty());
    assert_eq!(names("sqlite"), names("postgres"));
}

#[test]
fn sqlite_migrates_up_and_down_and_up() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("strata.db");
    up_and_down_and_up(&format!("sqlite://{}", path.display()), || {
        let mut conn = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
        conn.revert_all_migrations(source("sqlite")).unwrap();
    });
}

#[test]
fn postgres_migrates_up_and_down_and_up() {
    let url = TempPostgres::shared().database();
    up_and_down_and_up(&url, || {
        let mut conn = PgConnection::establish(&url).unwrap();
        conn.revert_all_migrations(source("postgres")).unwrap();
    });
}

fn up_and_down_and_up(url: &str, down: impl Fn()) {
    let store = DieselStore::open(&options(url)).unwrap();
    assert!(store.ready().is_err());
    let all = Vec::from_iter(names("sqlite"));
    for _ in 0..2 {
        assert_eq!(store.migrate().unwrap(), all);
        assert_eq!(store.migrate().unwrap(), Vec::<String>::new());
        store.ready().unwrap();
        down();
        let pending = store.ready().unwrap_err().to_string();
        assert!(pending.contains(&all[0]), "{pending}");
    }
}

#[test]
fn nodes_that_start_at_once_migrate_once() {
    let dir = tempfile::tempdir().unwrap();
    let urls = [format!("sqlite://{}/strata.db", dir.path().display()), TempPostgres::shared().database()];
    for url in urls {
        let done: Vec<usize> = std::thread::scope(|scope| {
            let nodes: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| DieselStore::open(&options(&url)).unwrap().migrate().unwrap().len()))
                .collect();
            nodes.into_iter().map(|node| node.join().unwrap()).collect()
        });
        assert_eq!(done.iter().sum::<usize>(), names("sqlite").len(), "{done:?}");
    }
}

#[test]
fn a_schema_from_the_future_is_not_ready() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("strata.db");
    let store = DieselStore::open(&options(&format!("sqlite://{}", path.display()))).unwrap();
    store.migrate().unwrap();
    let mut conn = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    diesel::connection::SimpleConnection::batch_execute(
        &mut conn,
        "INSERT INTO __diesel_schema_migrations (version) VALUES ('99991231000000')",
    )
    .unwrap();
    let refusal = store.ready().unwrap_err().to_string();
    assert!(refusal.contains("99991231000000"), "{refusal}");
}

#[test]
fn only_known_engines_are_opened() {
    for url in ["mysql://db/strata", "strata.db", "", "postgres:/db", "sqlite:strata.db", "http://db"] {
        assert!(DieselStore::open(&options(url)).is_err(), "{url}");
    }
}

#[test]
fn opening_and_asking_create_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("strata.db");
    let store = DieselStore::open(&options(&format!("sqlite://{}", path.display()))).unwrap();
    let refusal = store.ready().unwrap_err().to_string();
    assert!(refusal.contains("no database file"), "{refusal}");
    assert!(!path.exists());
}

#[test]
fn no_error_repeats_a_password() {
    for url in [
        "mysql://ann:s3cret@127.0.0.1/strata",
        "postgres://ann:s3cret@127.0.0.1:1/strata",
        "postgres://ann:s3cret@127.0.0.1:port/strata",
        "postgres://ann:s3cret@127.0.0.1:1/strata?nonsense=s3cret&password=s3cret",
        "postgres://ann:12/s3cret@127.0.0.1:1/strata",
        "postgres://ann:12%s3cret@127.0.0.1:1/strata",
        "postgres://ann:s3cret@no-such-host.invalid/strata",
        "postgres://ann:s3cret@127.0.0.1:1/strata?password=s3cret%",
        "host=127.0.0.1 password=s3cret",
    ] {
        let error = match DieselStore::open(&options(url)) {
            Ok(store) => {
                [store.ready().unwrap_err(), store.migrate().unwrap_err()].map(|error| told(&error)).join("\n")
            }
            Err(error) => told(&error),
        };
        assert!(!error.contains("s3cret"), "{url}: {error}");
        assert!(!store::redacted(url).contains("s3cret") || url.contains("nonsense"), "{}", store::redacted(url));
    }
}

fn told(error: &StoreError) -> String {
    format!("{error} {error:?}")
}
