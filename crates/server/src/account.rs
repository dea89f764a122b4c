//! `strata account`: the operator's hand on accounts, for instance when nobody can sign in.

use std::io::{self, BufRead, IsTerminal};

use clap::{Args, Subcommand, ValueEnum};
use domain::{Account, AuditRow, Caller, Identity, Login, Password, PasswordHash, Role};
use usecases::{
    Act, App, Error, Expected,
    accounts::{self, ChangeAccount, CreateAccount},
    passwords,
    ports::AccountQuery,
    signatures,
};

use crate::{Common, Failure, say, serve, settings::Settings, world};

/// How many are read at once.
const PAGE: usize = 1_000;

#[derive(Subcommand)]
pub(crate) enum AccountCommand {
    /// Make an account; its password is asked for, or read from standard input when that is no terminal
    Create {
        #[command(flatten)]
        of: Named,
        /// What it may do
        #[arg(long, value_enum, default_value_t = RoleArg::Viewer)]
        role: RoleArg,
        /// Give it no password: it signs in by other means
        #[arg(long)]
        no_password: bool,
        /// Let it see names, e-mail addresses and attributes of users, which a viewer does not
        #[arg(long)]
        sees_persons: bool,
    },
    /// List accounts
    List {
        /// Only those whose login holds this
        #[arg(long, value_name = "TEXT")]
        query: Option<String>,
        #[command(flatten)]
        common: Common,
    },
    /// Give an account another password, asked for or read as by `create`
    Password {
        #[command(flatten)]
        of: Named,
    },
    /// Give an account another role
    Role {
        #[command(flatten)]
        of: Named,
        #[arg(value_enum)]
        role: RoleArg,
    },
    /// Let nobody sign in with an account any more
    Disable {
        #[command(flatten)]
        of: Named,
    },
    /// Let an account that was disabled sign in again
    Enable {
        #[command(flatten)]
        of: Named,
    },
    /// Print a link that signs in with an account, once and within a day
    Link {
        #[command(flatten)]
        of: Named,
        /// Where browsers reach the service; without it the setting public_url, or else `listen`
        #[arg(long, value_name = "URL")]
        base: Option<String>,
    },
    /// Let an account sign in as somebody whom a provider knows
    Identify {
        #[command(flatten)]
        of: Named,
        /// The provider's name, for instance yandex
        provider: String,
        /// The id that it gives somebody, not an e-mail address
        subject: String,
    },
    /// Delete an account; the audit log goes on telling what it did
    Delete {
        #[command(flatten)]
        of: Named,
    },
    /// Tell what was done to an account
    History {
        #[command(flatten)]
        of: Named,
    },
}

#[derive(Args)]
pub(crate) struct Named {
    /// An e-mail address or a name; letter case does not count
    login: String,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum RoleArg {
    /// Reads
    Viewer,
    /// Works with segments and memberships
    Analyst,
    /// Everything
    Administrator,
}

impl From<RoleArg> for Role {
    fn from(role: RoleArg) -> Role {
        match role {
            RoleArg::Viewer => Role::Viewer,
            RoleArg::Analyst => Role::Analyst,
            RoleArg::Administrator => Role::Administrator,
        }
    }
}

impl AccountCommand {
    pub(crate) fn common(&self) -> &Common {
        match self {
            AccountCommand::List { common, .. } => common,
            AccountCommand::Create { of, .. }
            | AccountCommand::Password { of }
            | AccountCommand::Role { of, .. }
            | AccountCommand::Disable { of }
            | AccountCommand::Enable { of }
            | AccountCommand::Link { of, .. }
            | AccountCommand::Identify { of, .. }
            | AccountCommand::Delete { of }
            | AccountCommand::History { of } => &of.common,
        }
    }
}

pub(crate) fn run(settings: &Settings, command: &AccountCommand) -> Result<(), Failure> {
    let app = world::app(settings, serve::migrated(settings)?)?;
    match command {
        AccountCommand::Create { of, role, no_password, sees_persons } => {
            let login = of.login()?;
            let password = if *no_password { None } else { Some(ask_password(&app, &login)?) };
            let command = CreateAccount { login, role: (*role).into(), sees_persons: *sees_persons, password };
            say(format_args!("created: {}", shown(&act(&app, |act| accounts::create(act, command))?)))
        }
        AccountCommand::List { query, .. } => list(&app, query.as_deref()),
        AccountCommand::Password { of } => set_password(&app, of),
        AccountCommand::Role { of, role } => {
            let command = ChangeAccount { role: Some((*role).into()), ..ChangeAccount::default() };
            change(&app, of, command)
        }
        AccountCommand::Disable { of } => {
            change(&app, of, ChangeAccount { disabled: Some(true), ..ChangeAccount::default() })
        }
        AccountCommand::Enable { of } => {
            change(&app, of, ChangeAccount { disabled: Some(false), ..ChangeAccount::default() })
        }
        AccountCommand::Link { of, base } => {
            let account = found(&app, of)?;
            let (_, secret) = act(&app, |act| accounts::make_link(act, account.id))?;
            let listen = || format!("http://{}", settings.listen);
            let base = base.clone().or(settings.public_url.clone()).unwrap_or_else(listen);
            say(format_args!("{}/sign-in#{}", base.trim_end_matches('/'), secret.reveal()))
        }
        AccountCommand::Identify { of, provider, subject } => {
            let account = found(&app, of)?;
            let identity = Identity::new(provider, subject).map_err(|error| Failure(error.to_string()))?;
            act(&app, |act| accounts::link(act, account.id, &identity))?;
            say(format_args!("signs in by {provider} too: {}", shown(&account)))
        }
        AccountCommand::Delete { of } => {
            let account = found(&app, of)?;
            act(&app, |act| accounts::delete(act, account.id, &Expected::Any))?;
            say(format_args!("deleted: {}", shown(&account)))
        }
        AccountCommand::History { of } => history(&app, of),
    }
}

fn set_password(app: &App, of: &Named) -> Result<(), Failure> {
    let account = found(app, of)?;
    let password = ask_password(app, &account.login)?;
    let account = act(app, |act| accounts::set_password(act, account.id, password))?;
    say(format_args!("another password: {}", shown(&account)))
}

fn change(app: &App, of: &Named, command: ChangeAccount) -> Result<(), Failure> {
    let before = found(app, of)?;
    let after = act(app, |act| accounts::change(act, before.id, &Expected::Any, command))?;
    let what = if after.version == before.version { "it is so already" } else { "changed" };
    say(format_args!("{what}: {}", shown(&after)))
}

fn list(app: &App, text: Option<&str>) -> Result<(), Failure> {
    let mut query = AccountQuery { text: text.map(str::to_owned), ..AccountQuery::default() };
    loop {
        let page = app.look(&operator(), |look| accounts::list(look, &query, PAGE))?;
        page.iter().try_for_each(|account| say(shown(account)))?;
        match page.last() {
            Some(last) if page.len() == PAGE => query.after = Some(last.id),
            _ => return Ok(()),
        }
    }
}

fn history(app: &App, of: &Named) -> Result<(), Failure> {
    let account = found(app, of)?;
    let mut after = None;
    loop {
        let page = app.look(&operator(), |look| accounts::history(look, account.id, after, PAGE))?;
        page.iter().try_for_each(|AuditRow { entry, .. }| {
            let at = entry.at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
            say(format_args!("{at} {} by {} {}", entry.action, entry.actor, entry.detail))
        })?;
        match page.last() {
            Some(last) if page.len() == PAGE => after = Some(last.id),
            _ => return Ok(()),
        }
    }
}

impl Named {
    fn login(&self) -> Result<Login, Failure> {
        Login::parse(&self.login).map_err(|error| Failure(error.to_string()))
    }
}

fn found(app: &App, of: &Named) -> Result<Account, Failure> {
    let login = of.login()?;
    Ok(app.look(&operator(), |look| accounts::find(look, &login))?)
}

fn act<T>(app: &App, work: impl FnOnce(&mut Act) -> Result<T, Error>) -> Result<T, Failure> {
    Ok(app.act(&operator(), work)?)
}

/// Whoever has the store's address and its password may do everything.
pub(crate) fn operator() -> Caller {
    Caller::service("operator")
}

pub(crate) fn rotate_keys(settings: &Settings) -> Result<(), Failure> {
    let app = world::app(settings, serve::migrated(settings)?)?;
    signatures::rotate(&app, &operator())?;
    say("another key signs access tokens from now on")
}

fn shown(account: &Account) -> String {
    let disabled = if account.disabled_at.is_some() { ", disabled" } else { "" };
    let password = if account.password.is_none() { ", without a password" } else { "" };
    format!("{} ({}{password}{disabled})", account.login, account.role)
}

/// Never from the command line, which others on the machine can read.
fn ask_password(app: &App, login: &Login) -> Result<PasswordHash, Failure> {
    let fault = |error: io::Error| Failure(format!("no password: {error}"));
    let typed = if io::stdin().is_terminal() {
        let typed = rpassword::prompt_password(format!("password for {login}: ")).map_err(fault)?;
        if rpassword::prompt_password("once more: ").map_err(fault)? != typed {
            return Err(Failure("the two passwords differ".to_owned()));
        }
        typed
    } else {
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line).map_err(fault)?;
        line.trim_end_matches(['\r', '\n']).to_owned()
    };
    let password = Password::choose(&typed, login).map_err(|error| Failure(error.to_string()))?;
    Ok(passwords::hash(&*app.chance, &password))
}
