//! `bench bulk`: millions of rows in and out, and acts on hundreds of thousands at once.

mod deletions;
mod distributions;
mod expiries;
mod exports;
mod fills;
mod imports;

use std::{fmt::Display, fs, path::PathBuf, time::UNIX_EPOCH};

use clap::{Args, ValueEnum};

use crate::{
    Failure,
    clients::Client,
    draws::Draws,
    failed,
    figures::grouped,
    inputs,
    meters::{self, Children, Reading},
    reports,
    rounds::{self, Comparison, Plan, Results},
    say,
    stores::{Engine, Store, Workshop},
};

#[derive(Args)]
pub(crate) struct Options {
    /// The release binary of Strata
    #[arg(long, value_name = "FILE", hide = true)]
    strata: PathBuf,
    /// Where inputs are kept between runs, and stores during one
    #[arg(long, hide = true)]
    folder: PathBuf,
    /// 20,000 rows and 2 rounds, to see that everything works
    #[arg(long)]
    quick: bool,
    /// How many rounds count, after one to warm up
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..1000))]
    rounds: Option<u64>,
    /// How many memberships, history rows or users
    #[arg(long, value_parser = clap::value_parser!(u64).range(1_000..=100_000_000))]
    rows: Option<u64>,
    /// Also imports, exports and expires among ten times as many rows
    #[arg(long)]
    large: bool,
    /// Only this engine
    #[arg(long)]
    engine: Option<Engine>,
    /// Only this part
    #[arg(long)]
    only: Option<Part>,
    /// The order of targets inside the rounds; another one every time without it
    #[arg(long)]
    seed: Option<u64>,
    /// Write the tables here too
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Write the ratios here
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
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
    let (rows, rounds) = if options.quick { (20_000, 2) } else { (1_000_000, 5) };
    let plan = Plan { warm_ups: 1, rounds: options.rounds.map_or(rounds, |rounds| rounds as usize) };
    let since = UNIX_EPOCH.elapsed().map_err(failed("the machine's clock"))?;
    let seed = options.seed.unwrap_or(since.as_micros() as u64);
    fs::create_dir_all(&options.folder).map_err(failed(options.folder.display()))?;
    let begun = format!("# Bulk\n\n{}. {plan}. The order of targets is by seed {seed}.\n", meters::machine()?);
    say(&begun)?;
    let mut report = Report { text: begun, results: Vec::new() };
    for engine in [Engine::Sqlite, Engine::Postgres] {
        if options.engine.is_some_and(|only| only != engine) {
            continue;
        }
        let workshop = Workshop::open(engine, &options.strata, &options.folder)?;
        report.tell(format!("{}.\n", workshop.version()?))?;
        let mut bulk = Bulk {
            workshop: &workshop,
            inputs: options.folder.clone(),
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
    if let Some(path) = &options.markdown {
        fs::write(path, &report.text).map_err(failed(path.display()))?;
    }
    options.json.as_ref().map_or(Ok(()), |path| reports::write_json(path, &report.results))
}

struct Report {
    text: String,
    results: Vec<Results>,
}

impl Report {
    fn tell(&mut self, text: String) -> Result<(), Failure> {
        say(&text)?;
        self.text.push_str(&text);
        self.text.push('\n');
        Ok(())
    }
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
        self.report.tell(reports::text(&results))?;
        self.report.results.push(results);
        Ok(())
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

    /// How many rows there are of a table, or of a table with a condition.
    fn rows(&self, store: &Store, of: &str) -> Result<u64, Failure> {
        let told = self.ask(store, &format!("SELECT count(*) FROM {of};\n"))?;
        told.parse().map_err(failed(format!("count(*) of {of} is `{told}`")))
    }
}
