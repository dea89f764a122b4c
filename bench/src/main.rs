//! Benchmarks: Strata beside what its machine gives without it, in one run. Started by `cargo xtask bench`.

mod bulk;
mod clients;
mod draws;
mod figures;
mod inputs;
mod meters;
mod reports;
mod rounds;
mod servers;
mod stores;

use std::{fmt::Display, io::Write, process::ExitCode};

use clap::{Parser, Subcommand};

/// Measures Strata beside what its machine gives without it.
///
/// Every round runs each target once, in random order; ratios are formed inside a round; what is shown is the median and
/// the smallest and largest value of all rounds.
#[derive(Parser)]
#[command(name = "cargo xtask bench", max_term_width = 100, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    suite: Suite,
}

#[derive(Subcommand)]
enum Suite {
    /// Millions of rows in and out, distributions, deletions, expiry
    Bulk(bulk::Options),
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
    let Cli { suite: Suite::Bulk(options) } = Cli::parse();
    match bulk::run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure(reason)) => {
            eprintln!("bench: {reason}");
            ExitCode::FAILURE
        }
    }
}
