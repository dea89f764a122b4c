//! Benchmarks: Strata beside what its machine gives without it, in one run. Started by `cargo xtask bench`.

mod bulk;
mod clients;
mod clusters;
mod documents;
mod draws;
mod figures;
mod inputs;
mod interrupts;
mod loads;
mod meters;
mod plots;
mod populations;
mod reports;
mod rounds;
mod servers;
mod soak;
mod statics;
mod stores;
mod suites;

use std::{fmt::Display, io::Write, process::ExitCode};

use clap::{Parser, Subcommand};

use crate::suites::{LargeOptions, Options};

/// That of Strata, for the servers that it is measured beside.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Measures Strata beside what its machine gives without it.
///
/// Every round runs each target once, in random order; ratios are formed inside a round; what is shown is the median and
/// the smallest and largest value of all rounds.
#[derive(Parser)]
#[command(
    name = "cargo xtask bench",
    bin_name = "cargo xtask bench",
    max_term_width = 100,
    arg_required_else_help = true
)]
struct Cli {
    #[command(subcommand)]
    suite: Suite,
}

#[derive(Subcommand)]
enum Suite {
    /// Every suite, one after the other, and all of docs/benchmarks.md and docs/benchmarks.json
    All(LargeOptions),
    /// Millions of rows in and out, distributions, deletions, expiry
    Bulk(bulk::Options),
    /// A user's segments from the index, beside a static answer of the same size
    Lookup(Options),
    /// A user's segments from the index, beside a set in Redis
    Redis(Options),
    /// A user's segments from PostgreSQL, beside pgbench with the same statement
    ReadsPostgres(Options),
    /// A user's segments from SQLite, beside a static answer of the same size
    ReadsSqlite(Options),
    /// Changes of single users in PostgreSQL, beside pgbench with the same statements
    WritesPostgres(Options),
    /// Changes of single users in SQLite, beside one transaction for each in SQLite's shell
    WritesSqlite(Options),
    /// The segments of a hundred users at once, beside a hundred questions
    Batches(Options),
    /// Who is in a combination of three large segments, beside the same in PostgreSQL's SQL
    Algebra(Options),
    /// Lookups and changes at a fixed rate, with their latencies
    OpenLoop(Options),
    /// How long it takes until a second node shows what the first one wrote, at a thousand changes a second
    Freshness(Options),
    /// Lookups, memory and the time to load as memberships become more
    Growth(LargeOptions),
    /// `cargo xtask soak`, which is no suite: it measures nothing
    #[command(hide = true, override_usage = "cargo xtask soak [OPTIONS]")]
    Soak(soak::Options),
    #[command(hide = true)]
    Static(statics::Options),
}

/// Why there is no result, for the person who started it.
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) String);

/// Says what was being done when an error came.
pub(crate) fn failed<E: Display>(what: impl Display) -> impl FnOnce(E) -> Failure {
    move |error| Failure(format!("{what}: {error}"))
}

/// Answers are checked as well as timed: a fast wrong one is no result.
pub(crate) fn must_be<T: PartialEq + std::fmt::Debug>(what: &str, found: T, expected: T) -> Result<(), Failure> {
    if found == expected {
        return Ok(());
    }
    Err(Failure(format!("{what}: {found:?} instead of {expected:?}")))
}

/// Tells the person or script that started us.
pub(crate) fn say(line: impl Display) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).map_err(failed("standard output"))
}

fn main() -> ExitCode {
    let ended = match &Cli::parse().suite {
        Suite::All(options) => suites::all(options),
        Suite::Bulk(options) => bulk::run(options),
        Suite::Lookup(options) => suites::lookup(options),
        Suite::Redis(options) => suites::redis(options),
        Suite::ReadsPostgres(options) => suites::reads_postgres(options),
        Suite::ReadsSqlite(options) => suites::reads_sqlite(options),
        Suite::WritesPostgres(options) => suites::writes_postgres(options),
        Suite::WritesSqlite(options) => suites::writes_sqlite(options),
        Suite::Batches(options) => suites::batches(options),
        Suite::Algebra(options) => suites::algebra(options),
        Suite::OpenLoop(options) => suites::open_loop(options),
        Suite::Freshness(options) => suites::freshness(options),
        Suite::Growth(options) => suites::growth(options),
        Suite::Soak(options) => soak::run(options),
        Suite::Static(options) => statics::serve(options),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure(reason)) => {
            eprintln!("bench: {reason}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_holds_together() {
        Cli::command().debug_assert();
    }
}
