//! `bench bulk`: millions of rows in and out, and acts on hundreds of thousands at once.

mod deletions;
mod distributions;
mod expiries;
mod exports;
mod fills;
mod imports;

use std::{fmt::Display, path::PathBuf};

use clap::{Args, ValueEnum};

use crate::{
    Failure,
    clients::Client,
    draws::Draws,
    figures::grouped,
    inputs,
    meters::{Children, Reading},
    reports::Report,
    rounds::{self, Comparison, Plan},
    stores::{Engine, Store, Workshop},
    suites::{self, Common},
};

#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    common: Common,
    /// How many memberships, history rows or users [default: 1000000, quick: 20000]
    #[arg(long, value_parser = clap::value_parser!(u64).range(1_000..=100_000_000))]
    rows: Option<u64>,
    /// Also imports, exports and expires among ten times as many rows
    #[arg(long)]
    pub(crate) large: bool,
    /// Only this engine
    #[arg(long, conflicts_with = "write")]
    engine: Option<Engine>,
    /// Only this part
    #[arg(long, conflicts_with = "write")]
    only: Option<Part>,
}

impl Options {
    /// Both engines and all parts.
    pub(crate) fn new(common: &Common) -> Options {
        Options { common: common.clone(), rows: None, large: false, engine: None, only: None }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    Import,
    Export,
    Distribute,
    Delete,
    Expire,
}

const PARTS: [Part; 5] = [Part::Import, Part::Export, Part::Distribute, Part::Delete, Part::Expire];

pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let common = &options.common;
    let (rows, rounds) = if common.quick { (20_000, 2) } else { (1_000_000, 5) };
    let (plan, seed, mut report) = suites::begin(&suites::BULK, common, rounds)?;
    for engine in [Engine::Sqlite, Engine::Postgres] {
        if options.engine.is_some_and(|only| only != engine) {
            continue;
        }
        let workshop = Workshop::open(engine, &common.strata, &common.folder)?;
        report.tell(format!("{}.\n", workshop.version()?))?;
        let mut bulk = Bulk {
            workshop: &workshop,
            inputs: common.folder.clone(),
            plan,
            rows: options.rows.unwrap_or(rows),
            large: options.large,
            draws: Draws(seed),
            report: &mut report,
        };
        for part in PARTS.into_iter().filter(|part| options.only.is_none_or(|only| only == *part)) {
            bulk.take_part(part)?;
        }
        workshop.close()?;
    }
    suites::end(&suites::BULK, common, &report)
}

/// One engine's turn.
struct Bulk<'a> {
    workshop: &'a Workshop,
    inputs: PathBuf,
    plan: Plan,
    rows: u64,
    large: bool,
    draws: Draws,
    report: &'a mut Report,
}

impl Bulk<'_> {
    fn take_part(&mut self, part: Part) -> Result<(), Failure> {
        match part {
            Part::Import => imports::run(self),
            Part::Export => exports::run(self),
            Part::Distribute => distributions::run(self),
            Part::Delete => deletions::run(self),
            Part::Expire => expiries::run(self),
        }
    }

    fn hold(&mut self, plan: Plan, comparison: Comparison) -> Result<(), Failure> {
        let results = rounds::run(comparison, plan, &mut self.draws)?;
        self.report.add(&results)
    }

    /// A title names what is done, among how many, and the engine.
    fn title(&self, what: impl Display, rows: u64, of: &str) -> String {
        format!("{what} {} {of}, {}", grouped(rows), self.workshop.engine)
    }

    fn input(&self, rows: u64) -> Result<PathBuf, Failure> {
        inputs::memberships(&self.inputs, rows)
    }
}

impl Workshop {
    /// Times what a client does with a server that was just started on this store.
    fn measure_server<T>(
        &self,
        store: &Store,
        work: impl FnOnce(&Client) -> Result<T, Failure>,
    ) -> Result<(Reading, T), Failure> {
        let server = self.strata.serve(&store.url)?;
        self.meter.measure(Some(server.id()), Children::Clients, || work(&server.client))
    }

    /// Times statements in the engine's shell.
    fn measure_shell(&self, store: &Store, script: &str) -> Result<Reading, Failure> {
        let measured = self.meter.measure(None, self.whose_shell(), || self.execute(store, script));
        measured.map(|(reading, ())| reading)
    }
}
