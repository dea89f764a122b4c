//! Strata in one binary: reads the settings, wires the adapters to the use cases, and runs a role.

mod check;
mod demo;
mod import;
mod logging;
mod serve;
mod settings;
mod world;

use std::{fmt::Display, io::Write, path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};
use settings::{Flags, Settings};
use usecases::ports::StoreError;

/// Strata: knows which users are in which segment, since when, until when and why.
///
/// Without anything installed it keeps its data in a SQLite file; with a postgres:// address it keeps them in PostgreSQL.
#[derive(Parser)]
#[command(version, max_term_width = 100, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the REST API, and do the scheduled work beside it
    ///
    /// Brings the store's schema up to date first. Prints the address when it listens. SIGTERM and Ctrl-C let requests
    /// under way end.
    Serve {
        #[command(flatten)]
        common: Common,
        /// Where to listen, HOST:PORT; port 0 takes a free one
        #[arg(long, value_name = "ADDR")]
        listen: Option<String>,
        /// Leave the scheduled work to `strata work`
        #[arg(long)]
        no_worker: bool,
    },
    /// Do the scheduled work: end memberships whose deadline came
    ///
    /// Any number of workers may run at once on one store; none does another's work again.
    Work {
        #[command(flatten)]
        common: Common,
        /// Do all that is due now, say what was done, and end
        #[arg(long)]
        once: bool,
    },
    /// Bring the store's schema up to date, and end
    Migrate {
        #[command(flatten)]
        common: Common,
    },
    /// Replay the whole history and compare it with the live state
    ///
    /// Names every difference; ends with status 1 when there are any. Reads only, from one consistent state: it may run
    /// while others work.
    Check {
        #[command(flatten)]
        common: Common,
    },
    /// Read users or memberships from a CSV file
    Import {
        #[command(subcommand)]
        what: Import,
    },
    /// Fill an empty store with a made-up shop: 10,000 users, segments, deadlines, months of history
    Demo {
        #[command(flatten)]
        common: Common,
    },
}

#[derive(Subcommand)]
enum Import {
    /// Users: user_id, and optionally name and email; every other column becomes an attribute
    ///
    /// The file has a header line and , or ; or tab between cells; it may be packed with gzip. It is read twice: when any
    /// row is bad, all bad rows are named with their lines and nothing is imported. Importing again changes nothing.
    Users {
        file: PathBuf,
        #[command(flatten)]
        common: Common,
    },
    /// Memberships: user_id, segment, and optionally since, ttl or expires_at, reason
    ///
    /// `since` keeps the joining instant of data that comes from elsewhere. Users and segments that do not exist are created.
    /// The file is read as for users.
    Memberships {
        file: PathBuf,
        /// Refuse rows whose segment does not exist, instead of creating it
        #[arg(long)]
        no_create_segments: bool,
        #[command(flatten)]
        common: Common,
    },
}

#[derive(Args)]
struct Common {
    /// sqlite://FILE or postgres://USER@HOST/DATABASE; passwords are better set by STRATA_DATABASE_URL
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,
    /// A TOML file of settings; config/default.toml lists all
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Why the command ended badly, for the person who started it.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl From<usecases::Error> for Failure {
    fn from(error: usecases::Error) -> Failure {
        Failure(error.to_string())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Failure {
        Failure(error.to_string())
    }
}

/// Tells the person or script that started us. Nobody may be reading any more, which is no reason to panic.
pub(crate) fn say(line: impl Display) -> Result<(), Failure> {
    let mut out = std::io::stdout();
    writeln!(out, "{line}").and_then(|()| out.flush()).map_err(|error| Failure(format!("standard output: {error}")))
}

fn main() -> ExitCode {
    let Cli { command } = Cli::parse();
    let settings = match settings::read(&flags(&command), std::env::vars_os()) {
        Ok(settings) => settings,
        Err(mistakes) => {
            eprint!("strata: {mistakes}");
            return ExitCode::from(2);
        }
    };
    logging::start(&settings);
    match run(command, settings) {
        Ok(code) => code,
        Err(Failure(reason)) => {
            eprintln!("strata: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command, settings: Settings) -> Result<ExitCode, Failure> {
    match command {
        Command::Serve { .. } => serve::serve(settings)?,
        Command::Work { once: false, .. } => serve::work(&settings)?,
        Command::Work { once: true, .. } => serve::work_once(&settings)?,
        Command::Migrate { .. } => check::migrate(&settings)?,
        Command::Check { .. } => return check::check(&settings),
        Command::Import { what: Import::Users { file, .. } } => import::users(&settings, &file)?,
        Command::Import { what: Import::Memberships { file, no_create_segments, .. } } => {
            let missing = match no_create_segments {
                true => usecases::imports::MissingSegments::Refuse,
                false => usecases::imports::MissingSegments::Create,
            };
            import::memberships(&settings, &file, missing)?;
        }
        Command::Demo { .. } => demo::fill(&settings)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn flags(command: &Command) -> Flags {
    let (common, listen, worker) = match command {
        Command::Serve { common, listen, no_worker } => (common, listen.clone(), no_worker.then_some(false)),
        Command::Work { common, .. }
        | Command::Migrate { common }
        | Command::Check { common }
        | Command::Demo { common }
        | Command::Import { what: Import::Users { common, .. } | Import::Memberships { common, .. } } => {
            (common, None, None)
        }
    };
    Flags { config: common.config.clone(), database_url: common.database_url.clone(), listen, worker }
}
