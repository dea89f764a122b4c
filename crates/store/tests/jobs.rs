//! A job that is one long transaction tells that it goes on, where the engine has room for a second writer.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use chrono::TimeDelta;
use domain::JobState;
use store::{DieselStore, Options};
use testkit::{TempPostgres, World, importing, slug};
use usecases::{
    imports::{BATCH_MAX, Import, Outcome, What},
    jobs,
};

/// More than one batch.
const ROWS: usize = BATCH_MAX + 500;

fn carries_out_whole(url: String) {
    let options = Options {
        url,
        pool_size: 2,
        pool_timeout: Duration::from_millis(300),
        statement_timeout: Duration::from_secs(30),
    };
    let store = DieselStore::open(&options).unwrap();
    store.migrate().unwrap();
    let world = World::on(Box::new(store));
    let import = Import { atomic: true, ..importing(What::Memberships { segment: Some(slug("A")) }) };
    let lines: Vec<String> = (0..ROWS).map(|number| format!("u{number:05}")).collect();
    let file = format!("user_id\n{}\n", lines.join("\n"));
    let job = world.accept(&import, file.as_bytes()).unwrap();
    let job = jobs::take_up(&world.app, job.id).unwrap().unwrap();
    let job = jobs::run(&world.app, job, &|| {
        // So that it is time to tell after each batch.
        world.clock.advance(TimeDelta::seconds(6));
        false
    });
    let job = job.unwrap();
    assert_eq!((job.state, job.done, Outcome::of(&job).added), (JobState::Done, ROWS as u64, ROWS as u64));
    assert_eq!(world.look(|look| jobs::get(look, job.id)), job);
    assert_eq!(world.differences(), Vec::<String>::new());
}

#[test]
fn an_atomic_import_on_sqlite_is_done_whole() {
    let folder = tempfile::tempdir().unwrap();
    carries_out_whole(format!("sqlite://{}", folder.path().join("jobs.db").display()));
}

#[test]
fn an_atomic_import_on_postgresql_is_done_whole() {
    carries_out_whole(TempPostgres::shared().database());
}
