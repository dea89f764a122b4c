//! Strata in one binary: reads the settings, wires the adapters to the use cases, and runs a role.

mod account;
mod audit;
mod check;
mod demo;
mod import;
mod logging;
mod remote;
mod serve;
mod settings;
mod tls;
mod token;
mod world;

use std::{fmt::Display, io::Write, path::PathBuf, process::ExitCode};

use account::AccountCommand;
use audit::AuditCommand;
use clap::{Args, Parser, Subcommand};
use settings::{Flags, Settings};
use token::TokenCommand;
use usecases::ports::StoreError;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

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
    /// Brings the store's schema up to date first. In a store without accounts it makes an administrator, and prints a link
    /// to sign in with, once. Prints the address when it listens. SIGTERM and Ctrl-C let requests
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
        /// Let anybody on this machine do everything, without signing in; refused for other addresses than this machine's own
        #[arg(long)]
        open: bool,
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
        /// Compare the store with what the index of this running node answers instead, for instance http://127.0.0.1:8080; an
        /// API token in STRATA_TOKEN proves who asks
        #[arg(long, value_name = "URL")]
        index: Option<String>,
        #[command(flatten)]
        common: Common,
    },
    /// Read users, segments or memberships from a file
    Import {
        #[command(subcommand)]
        what: Import,
    },
    /// Make and change accounts: those who sign in
    Account {
        #[command(subcommand)]
        what: AccountCommand,
    },
    /// Make, list and revoke API tokens: what services sign in with
    Token {
        #[command(subcommand)]
        what: TokenCommand,
    },
    /// Replace the keys that access tokens are signed with
    Keys {
        #[command(subcommand)]
        what: KeysCommand,
    },
    /// Prove the audit log
    Audit {
        #[command(subcommand)]
        what: AuditCommand,
    },
    /// Fill an empty store with a made-up shop: 10,000 users, segments, deadlines, months of history
    Demo {
        #[command(flatten)]
        common: Common,
    },
}

#[derive(Subcommand)]
enum KeysCommand {
    /// Draw another key: it signs from now on, and those before it are taken until what they signed has ended
    ///
    /// It also happens by itself every 30 days. To sign everybody out, use `strata account password` or `disable`.
    Rotate {
        #[command(flatten)]
        common: Common,
    },
}

#[derive(Subcommand)]
enum Import {
    /// Users: user_id, and optionally name, email, attributes (a JSON object), created_at; any other column is an attribute
    ///
    /// CSV (; or , or tab), NDJSON or XLSX, packed with gzip or not, of any length. Bad rows stop none of the others: they
    /// are written beside the file, to be mended and imported. Importing again changes nothing.
    Users {
        #[command(flatten)]
        args: ImportArgs,
        #[command(flatten)]
        common: Common,
    },
    /// Segments: segment, and optionally name, description, kind, percent, seed, default_ttl, created_at, updated_at
    ///
    /// An export of statistics is taken as it is. A percent gives the segment to its share of all users. The file is read
    /// as for users.
    Segments {
        #[command(flatten)]
        args: ImportArgs,
        #[command(flatten)]
        common: Common,
    },
    /// Memberships: user_id, segment, and optionally since, ttl or expires_at, reason
    ///
    /// `since` keeps the joining instant of data that comes from elsewhere. Users and segments that do not exist are created.
    /// An exported history (columns operation and timestamp) is told again as it happened. The file is read as for users.
    Memberships {
        #[command(flatten)]
        args: ImportArgs,
        #[command(flatten)]
        of: MembershipArgs,
        #[command(flatten)]
        common: Common,
    },
}

#[derive(Args)]
pub(crate) struct ImportArgs {
    file: PathBuf,
    /// Tell what would happen, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// One bad row refuses all, and all happens at once or not at all
    #[arg(long)]
    atomic: bool,
    /// Tell how far it came in lines, also where there is no terminal
    #[arg(long)]
    progress: bool,
    /// Send the file to this server instead of into the store, for instance https://strata.example.com; an API token in
    /// STRATA_TOKEN proves who sends it
    #[arg(long, value_name = "URL")]
    server: Option<String>,
}

#[derive(Args)]
pub(crate) struct MembershipArgs {
    /// All rows are of this segment
    #[arg(long, value_name = "SLUG")]
    segment: Option<String>,
    /// What happens to the memberships that rows name
    #[arg(long, value_enum, default_value_t = ModeArg::Add)]
    mode: ModeArg,
    /// Refuse rows whose segment does not exist, instead of creating it
    #[arg(long)]
    no_create_segments: bool,
    /// How long memberships last whose row does not say, as P30D or seconds
    #[arg(long, conflicts_with = "expires_at")]
    ttl: Option<String>,
    /// When memberships end whose row does not say
    #[arg(long, value_name = "INSTANT")]
    expires_at: Option<String>,
    /// Why, for rows that do not say
    #[arg(long)]
    reason: Option<String>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum ModeArg {
    Add,
    Remove,
    /// Each segment that rows name has exactly the users of its rows afterwards
    Replace,
}

impl From<ModeArg> for usecases::imports::Mode {
    fn from(mode: ModeArg) -> usecases::imports::Mode {
        match mode {
            ModeArg::Add => usecases::imports::Mode::Add,
            ModeArg::Remove => usecases::imports::Mode::Remove,
            ModeArg::Replace => usecases::imports::Mode::Replace,
        }
    }
}

#[derive(Args)]
pub(crate) struct Common {
    /// sqlite://FILE or postgres://USER@HOST/DATABASE; an address with a password goes into STRATA_DATABASE_URL
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
        Command::Check { index: None, .. } => return check::check(&settings),
        Command::Check { index: Some(node), .. } => return check::check_index(&settings, &node),
        Command::Import { what: Import::Users { args, .. } } => return import::users(&settings, &args),
        Command::Import { what: Import::Segments { args, .. } } => return import::segments(&settings, &args),
        Command::Import { what: Import::Memberships { args, of, .. } } => {
            return import::memberships(&settings, &args, &of);
        }
        Command::Account { what } => account::run(&settings, &what)?,
        Command::Token { what } => token::run(&settings, &what)?,
        Command::Keys { what: KeysCommand::Rotate { .. } } => account::rotate_keys(&settings)?,
        Command::Audit { what } => return audit::run(&settings, &what),
        Command::Demo { .. } => demo::fill(&settings)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn flags(command: &Command) -> Flags {
    let open = matches!(command, Command::Serve { open: true, .. });
    let (common, listen, worker) = match command {
        Command::Serve { common, listen, no_worker, .. } => (common, listen.clone(), no_worker.then_some(false)),
        Command::Work { common, .. }
        | Command::Migrate { common }
        | Command::Check { common, .. }
        | Command::Demo { common }
        | Command::Import {
            what: Import::Users { common, .. } | Import::Segments { common, .. } | Import::Memberships { common, .. },
        } => (common, None, None),
        Command::Account { what } => (what.common(), None, None),
        Command::Token { what } => (what.common(), None, None),
        Command::Keys { what: KeysCommand::Rotate { common } } => (common, None, None),
        Command::Audit { what } => (what.common(), None, None),
    };
    Flags { config: common.config.clone(), database_url: common.database_url.clone(), listen, worker, open }
}
