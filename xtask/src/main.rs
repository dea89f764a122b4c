//! The project's own commands: `cargo xtask run`, `build`, `test`, `screenshots`, `fuzz`, `bench` and `soak`.

#![allow(clippy::print_stdout, reason = "a command line talks to a person")]

mod bench;
mod console;
mod fuzz;
mod machine;
mod run;
mod screenshots;
mod tests;

use std::{
    ffi::OsString,
    process::{Command, ExitCode},
};

use clap::{Parser, Subcommand};

/// Builds, runs and tests Strata.
#[derive(Parser)]
#[command(name = "cargo xtask", max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build everything, and serve a made-up shop from an embedded store
    Run {
        /// Where to listen; a free port is taken when this one is not
        #[arg(long, default_value = "127.0.0.1:8080")]
        listen: String,
    },
    /// Build the console, and then the release binary that has it inside
    Build,
    /// Run every test: format, lints, the console, Rust on SQLite and PostgreSQL, the Postman collection, and
    /// the console in Chromium
    ///
    /// Installs what it needs when it may (root on Debian), and otherwise says what to install.
    Test,
    /// Take pictures of every screen of the console, with real data, into docs/screenshots
    Screenshots,
    /// Send made-up requests to every address of the OpenAPI document, by schemathesis
    ///
    /// Fails on any 5xx, on statuses the document does not list, and on answers that do not fit their schema.
    Fuzz {
        /// How many examples for each operation
        #[arg(long, default_value_t = 100)]
        examples: u32,
    },
    /// Measure Strata beside what its machine gives without it: `cargo xtask bench lookup --quick`
    ///
    /// `cargo xtask bench console` measures the console's first view. `cargo xtask bench --help` lists the other suites, and `cargo xtask bench lookup --help` what can be chosen of one. Installs
    /// what it needs when it may (root on Debian).
    #[command(disable_help_flag = true)]
    Bench {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "SUITE AND OPTIONS")]
        arguments: Vec<OsString>,
    },
    /// Run mixed load for an hour on nodes that come and go, and check every answer: `cargo xtask soak --minutes 10`
    ///
    /// `cargo xtask soak --help` lists what can be chosen.
    #[command(disable_help_flag = true)]
    Soak {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "OPTIONS")]
        arguments: Vec<OsString>,
    },
}

/// Why a task ended badly, for the person who started it.
pub(crate) struct Failure(pub(crate) String);

pub(crate) type Outcome = Result<(), Failure>;

fn main() -> ExitCode {
    let ended = match Cli::parse().task {
        Task::Run { listen } => run::run(&listen),
        Task::Build => machine::build_release(),
        Task::Test => tests::run(),
        Task::Screenshots => screenshots::run(),
        Task::Fuzz { examples } => fuzz::run(examples),
        Task::Bench { arguments } => bench::run(&arguments),
        Task::Soak { arguments } => bench::soak(&arguments),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure(reason)) => {
            eprintln!("xtask: {reason}");
            ExitCode::FAILURE
        }
    }
}

/// Runs a command that must end well, after showing it.
pub(crate) fn must(command: &mut Command) -> Outcome {
    let shown: Vec<_> =
        std::iter::once(command.get_program()).chain(command.get_args()).map(|part| part.to_string_lossy()).collect();
    let shown = shown.join(" ");
    println!("\n$ {shown}");
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Failure(format!("`{shown}` ended with {status}"))),
        Err(error) => Err(Failure(format!("`{shown}` cannot be started: {error}"))),
    }
}
