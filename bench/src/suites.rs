//! The suites: what each is called, what it is told, and how one or all of them are run.

mod algebra;
mod batches;
mod freshness;
mod growth;
mod lookups;
mod open_loops;
mod reads;
mod redis;
mod targets;
mod writes;

use std::{
    fs,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use clap::Args;

use crate::{
    Failure, bulk, documents,
    draws::Draws,
    failed,
    figures::grouped,
    loads::{
        require,
        wrk::{self, Load},
    },
    meters,
    reports::Report,
    rounds::{self, Comparison, Plan, Results},
    say,
};

/// What every suite is told.
#[derive(Args, Clone)]
pub(crate) struct Common {
    /// The release binary of Strata
    #[arg(long, value_name = "FILE", hide = true)]
    pub(crate) strata: PathBuf,
    /// Where inputs and filled stores are kept between runs, and other stores during one
    #[arg(long, hide = true)]
    pub(crate) folder: PathBuf,
    /// Where benchmarks.md and benchmarks.json are
    #[arg(long, hide = true)]
    docs: PathBuf,
    /// Less of everything, to see that it works
    #[arg(long)]
    pub(crate) quick: bool,
    /// How many rounds count, after one to warm up
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..1000))]
    pub(crate) rounds: Option<u64>,
    /// The order of targets inside the rounds, and which users are asked for; another one every time without it
    #[arg(long)]
    seed: Option<u64>,
    /// Put the results into docs/benchmarks.md and docs/benchmarks.json, in place of the last ones of this suite
    #[arg(long)]
    write: bool,
}

/// What the suites of requests are told.
#[derive(Args, Clone)]
pub(crate) struct Options {
    #[command(flatten)]
    common: Common,
    /// How many users there are, with ten memberships each and more [default: 1000000, quick: 100000]
    #[arg(long, value_parser = clap::value_parser!(u64).range(1_000..=1_000_000))]
    users: Option<u64>,
}

/// What those suites are told that can also be run with a lot more data.
#[derive(Args, Clone)]
pub(crate) struct LargeOptions {
    #[command(flatten)]
    options: Options,
    /// Also with five times (growth) or ten times (bulk) as much
    #[arg(long)]
    large: bool,
}

/// A suite by its names: on the command line, and above its section.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) heading: &'static str,
}

impl Kind {
    /// In the order in which they are run and written.
    pub(crate) const ALL: [Kind; 12] = [
        BULK,
        LOOKUP,
        REDIS,
        READS_POSTGRES,
        READS_SQLITE,
        WRITES_POSTGRES,
        WRITES_SQLITE,
        BATCHES,
        ALGEBRA,
        OPEN_LOOP,
        FRESHNESS,
        GROWTH,
    ];
}

pub(crate) const BULK: Kind = Kind { name: "bulk", heading: "Bulk" };
const LOOKUP: Kind = Kind { name: "lookup", heading: "Lookups" };
const REDIS: Kind = Kind { name: "redis", heading: "Lookups beside Redis" };
const READS_POSTGRES: Kind = Kind { name: "reads-postgres", heading: "Reads from PostgreSQL" };
const READS_SQLITE: Kind = Kind { name: "reads-sqlite", heading: "Reads from SQLite" };
const WRITES_POSTGRES: Kind = Kind { name: "writes-postgres", heading: "Writes to PostgreSQL" };
const WRITES_SQLITE: Kind = Kind { name: "writes-sqlite", heading: "Writes to SQLite" };
const BATCHES: Kind = Kind { name: "batches", heading: "Batches" };
const ALGEBRA: Kind = Kind { name: "algebra", heading: "Set algebra" };
const OPEN_LOOP: Kind = Kind { name: "open-loop", heading: "Open loop" };
const FRESHNESS: Kind = Kind { name: "freshness", heading: "Freshness of a second node" };
const GROWTH: Kind = Kind { name: "growth", heading: "Growth" };

pub(crate) fn lookup(options: &Options) -> Result<(), Failure> {
    run(&LOOKUP, options, lookups::run)
}

pub(crate) fn redis(options: &Options) -> Result<(), Failure> {
    run(&REDIS, options, redis::run)
}

pub(crate) fn reads_postgres(options: &Options) -> Result<(), Failure> {
    run(&READS_POSTGRES, options, reads::from_postgres)
}

pub(crate) fn reads_sqlite(options: &Options) -> Result<(), Failure> {
    run(&READS_SQLITE, options, reads::from_sqlite)
}

pub(crate) fn writes_postgres(options: &Options) -> Result<(), Failure> {
    run(&WRITES_POSTGRES, options, writes::to_postgres)
}

pub(crate) fn writes_sqlite(options: &Options) -> Result<(), Failure> {
    run(&WRITES_SQLITE, options, writes::to_sqlite)
}

pub(crate) fn batches(options: &Options) -> Result<(), Failure> {
    run(&BATCHES, options, batches::run)
}

pub(crate) fn algebra(options: &Options) -> Result<(), Failure> {
    run(&ALGEBRA, options, algebra::run)
}

pub(crate) fn open_loop(options: &Options) -> Result<(), Failure> {
    run(&OPEN_LOOP, options, open_loops::run)
}

pub(crate) fn freshness(options: &Options) -> Result<(), Failure> {
    run(&FRESHNESS, options, freshness::run)
}

pub(crate) fn growth(LargeOptions { options, large }: &LargeOptions) -> Result<(), Failure> {
    let steps = if *large { growth::LARGE } else { growth::USUAL };
    run(&GROWTH, options, |bench| growth::run(bench, steps))
}

/// Every suite, one after the other. One that fails does not keep the others from being run.
pub(crate) fn all(told: &LargeOptions) -> Result<(), Failure> {
    let mut told = told.clone();
    told.options.common.write = true;
    let options = &told.options;
    let mut bulk_options = bulk::Options::new(&options.common);
    bulk_options.large = told.large;
    let ended = [
        (BULK, bulk::run(&bulk_options)),
        (LOOKUP, lookup(options)),
        (REDIS, redis(options)),
        (READS_POSTGRES, reads_postgres(options)),
        (READS_SQLITE, reads_sqlite(options)),
        (WRITES_POSTGRES, writes_postgres(options)),
        (WRITES_SQLITE, writes_sqlite(options)),
        (BATCHES, batches(options)),
        (ALGEBRA, algebra(options)),
        (OPEN_LOOP, open_loop(options)),
        (FRESHNESS, freshness(options)),
        (GROWTH, growth(&told)),
    ];
    let failures: Vec<String> = ended
        .into_iter()
        .filter_map(|(kind, ended)| ended.err().map(|Failure(reason)| format!("{}: {reason}", kind.name)))
        .collect();
    if failures.is_empty() { Ok(()) } else { Err(Failure(failures.join("\n"))) }
}

/// A suite of requests while it is run.
struct Bench {
    common: Common,
    plan: Plan,
    /// How long each target is run for in a round.
    seconds: u64,
    users: u64,
    draws: Draws,
    report: Report,
}

fn run(kind: &Kind, options: &Options, suite: impl FnOnce(&mut Bench) -> Result<(), Failure>) -> Result<(), Failure> {
    let common = options.common.clone();
    let (rounds, seconds, users) = if common.quick { (3, 1, 100_000) } else { (7, 3, 1_000_000) };
    require(wrk::PROGRAM, wrk::PROGRAM)?;
    let (plan, seed, mut report) = begin(kind, &common, rounds)?;
    let users = options.users.unwrap_or(users);
    report.tell(format!("{} users, {seconds} s for each target of a round.\n", grouped(users)))?;
    let mut bench = Bench { common, plan, seconds, users, draws: Draws(seed), report };
    suite(&mut bench)?;
    end(kind, &bench.common, &bench.report)
}

/// The head of a suite's report, with the plan and the seed that it is run with.
pub(crate) fn begin(kind: &Kind, common: &Common, rounds: usize) -> Result<(Plan, u64, Report), Failure> {
    let plan = Plan { warm_ups: 1, rounds: common.rounds.map_or(rounds, |rounds| rounds as usize) };
    let since = UNIX_EPOCH.elapsed().map_err(failed("the machine's clock"))?;
    let seed = common.seed.unwrap_or(since.as_micros() as u64);
    fs::create_dir_all(&common.folder).map_err(failed(common.folder.display()))?;
    say(format_args!("# {}\n", kind.heading))?;
    let quick = if common.quick { " A quick run, for a first impression." } else { "" };
    let mut report = Report::default();
    report.tell(format!("{}. {plan}. The order of targets is by seed {seed}.{quick}\n", meters::machine()?))?;
    Ok((plan, seed, report))
}

pub(crate) fn end(kind: &Kind, common: &Common, report: &Report) -> Result<(), Failure> {
    if common.write { documents::write(&common.docs, kind, report) } else { Ok(()) }
}

impl Bench {
    fn hold(&mut self, comparison: Comparison) -> Result<Results, Failure> {
        let results = rounds::run(comparison, self.plan, &mut self.draws)?;
        self.report.add(&results)?;
        Ok(results)
    }

    /// Of so many connections for as long as each target is run.
    fn load(&mut self, connections: u64, bytes_min: u64) -> Load {
        // Lua takes no larger numbers as they are.
        Load { connections, seconds: self.seconds, seed: self.draws.below(1 << 30), bytes_min }
    }

    fn docs(&self) -> &Path {
        &self.common.docs
    }
}
