//! The real world behind the ports: the store by its address, the machine's clock, the machine's chance.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use domain::Instant;
use files::ObjectFiles;
use index::{Index, Indexed};
use providers::SetUpProviders;
use store::{DieselStore, Options};
use usecases::{
    App, Keys,
    ports::{self, Chance, Clock, NoIndex, Store, StoreError},
};

use crate::{Failure, settings::Settings};

/// Opens the store; its schema is the caller's concern.
pub(crate) fn open_store(settings: &Settings) -> Result<DieselStore, StoreError> {
    DieselStore::open(&Options {
        url: settings.database_url.clone(),
        pool_size: settings.pool_size,
        pool_timeout: settings.pool_timeout,
        statement_timeout: settings.statement_timeout,
    })
}

/// The world without an index: the store answers everything.
pub(crate) fn app(settings: &Settings, store: DieselStore) -> Result<Arc<App>, Failure> {
    assemble(settings, Box::new(store), Arc::new(NoIndex))
}

/// The world with an index that hears of everything which is committed here; what others commit it has to be told.
pub(crate) fn indexed_app(settings: &Settings, store: DieselStore, index: Arc<Index>) -> Result<Arc<App>, Failure> {
    assemble(settings, Box::new(Indexed { store, index: Arc::clone(&index) }), index)
}

fn assemble(settings: &Settings, store: Box<dyn Store>, index: Arc<dyn ports::Index>) -> Result<Arc<App>, Failure> {
    let clock = Box::new(MachineClock::default());
    let files = Box::new(open_files(settings)?);
    let providers = Box::new(SetUpProviders::new(settings.providers.clone()));
    let (chance, keys) = (Box::new(MachineChance), Keys::default());
    Ok(Arc::new(App { store, index, files, providers, clock, chance, keys }))
}

pub(crate) fn open_files(settings: &Settings) -> Result<ObjectFiles, Failure> {
    ObjectFiles::open(&settings.files).map_err(|error| Failure(format!("files: {error}")))
}

/// The present, for what has no [`App`] yet.
pub(crate) fn now() -> Instant {
    MachineClock::default().now()
}

/// The machine's clock, kept from going back.
#[derive(Default)]
struct MachineClock {
    latest_us: AtomicI64,
}

impl Clock for MachineClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everybody else asks")]
    fn now(&self) -> Instant {
        let now_us = chrono::Utc::now().timestamp_micros();
        let before_us = self.latest_us.fetch_max(now_us, Ordering::SeqCst);
        Instant::from_timestamp_micros(now_us.max(before_us)).expect("the present can be written")
    }
}

struct MachineChance;

impl Chance for MachineChance {
    fn draw(&self) -> u64 {
        rand::random()
    }
}
