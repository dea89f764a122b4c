//! The product on a real store is what its rules say, whatever is done to it and in whatever order.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use store::{DieselStore, Options};
use testkit::{TempPostgres, World, random_acts};

const SEEDS: std::ops::Range<u64> = 0..8;
const STEPS: usize = 60;

fn world(url: String) -> World {
    let options = Options {
        url,
        pool_size: 2,
        pool_timeout: Duration::from_secs(10),
        statement_timeout: Duration::from_secs(30),
    };
    let store = DieselStore::open(&options).unwrap();
    store.migrate().unwrap();
    World::on(Box::new(store))
}

#[test]
fn random_acts_on_sqlite_do_what_the_rules_say() {
    for seed in SEEDS {
        let folder = tempfile::tempdir().unwrap();
        random_acts(&world(format!("sqlite://{}", folder.path().join("model.db").display())), seed, STEPS);
    }
}

#[test]
fn random_acts_on_postgresql_do_what_the_rules_say() {
    for seed in SEEDS {
        random_acts(&world(TempPostgres::shared().database()), seed, STEPS);
    }
}
