//! `strata token`: API tokens by the operator's hand.

use clap::{Args, Subcommand, ValueEnum};
use domain::{ApiToken, Scope, SegmentPrefix, TokenName, Ttl};
use usecases::{
    App,
    memberships::Deadline,
    tokens::{self, CreateToken},
};

use crate::{Common, Failure, account::operator, say, serve, settings::Settings, world};

/// How many are read at once.
const PAGE: usize = 1_000;

#[derive(Subcommand)]
pub(crate) enum TokenCommand {
    /// Make an API token and print it, once
    Create {
        #[command(flatten)]
        of: Named,
        /// What it is for; may be given several times
        #[arg(long = "scope", value_enum, required = true)]
        scopes: Vec<ScopeArg>,
        /// Confine it to segments whose slug begins so
        #[arg(long, value_name = "TEXT")]
        segment_prefix: Option<String>,
        /// How long it is good, as P90D; always without it
        #[arg(long, value_name = "DURATION")]
        ttl: Option<String>,
    },
    /// List API tokens, also those that are good no more
    List {
        #[command(flatten)]
        common: Common,
    },
    /// Let nobody in with an API token any more
    Revoke {
        #[command(flatten)]
        of: Named,
    },
}

#[derive(Args)]
pub(crate) struct Named {
    /// What it is called
    name: String,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum ScopeArg {
    /// See segments, members and history
    Read,
    /// Put single users in and out
    Assign,
    /// Make, change, distribute and delete segments and users, import, export
    Manage,
    /// See names, e-mail addresses and attributes
    Persons,
}

impl From<ScopeArg> for Scope {
    fn from(scope: ScopeArg) -> Scope {
        match scope {
            ScopeArg::Read => Scope::Read,
            ScopeArg::Assign => Scope::Assign,
            ScopeArg::Manage => Scope::Manage,
            ScopeArg::Persons => Scope::Persons,
        }
    }
}

impl TokenCommand {
    pub(crate) fn common(&self) -> &Common {
        match self {
            TokenCommand::List { common } => common,
            TokenCommand::Create { of, .. } | TokenCommand::Revoke { of } => &of.common,
        }
    }
}

pub(crate) fn run(settings: &Settings, command: &TokenCommand) -> Result<(), Failure> {
    let app = world::app(settings, serve::migrated(settings)?)?;
    match command {
        TokenCommand::Create { of, scopes, segment_prefix, ttl } => {
            let fault = |error: &dyn std::error::Error| Failure(error.to_string());
            let name = TokenName::parse(&of.name).map_err(|error| fault(&error))?;
            let prefix = segment_prefix.as_deref().map(SegmentPrefix::parse).transpose();
            let ttl = ttl.as_deref().map(Ttl::parse_or_seconds).transpose().map_err(|error| fault(&error))?;
            let mut scopes: Vec<Scope> = scopes.iter().map(|scope| (*scope).into()).collect();
            scopes.sort_unstable();
            scopes.dedup();
            let prefix = prefix.map_err(|error| fault(&error))?;
            let command = CreateToken { name, scopes, prefix, deadline: ttl.map(Deadline::After) };
            let (_, secret) = app.act(&operator(), |act| tokens::create(act, command))?;
            say(secret.reveal())
        }
        TokenCommand::List { .. } => each(&app, &mut |token| say(shown(token))),
        TokenCommand::Revoke { of } => {
            let mut found = None;
            each(&app, &mut |token| {
                if token.name.as_str() == of.name {
                    found = Some(token.clone());
                }
                Ok(())
            })?;
            let token = found.ok_or_else(|| Failure(format!("no token named `{}`", of.name)))?;
            app.act(&operator(), |act| tokens::revoke(act, token.id))?;
            say(format_args!("revoked: {}", token.name))
        }
    }
}

fn each(app: &App, take: &mut dyn FnMut(&ApiToken) -> Result<(), Failure>) -> Result<(), Failure> {
    let mut after = None;
    loop {
        let page = app.look(&operator(), |look| tokens::list(look, after, PAGE))?;
        page.iter().try_for_each(&mut *take)?;
        match page.last() {
            Some(last) if page.len() == PAGE => after = Some(last.id),
            _ => return Ok(()),
        }
    }
}

fn shown(token: &ApiToken) -> String {
    let scopes: Vec<&str> = token.scopes.iter().map(|scope| scope.as_str()).collect();
    let prefix = token.prefix.as_ref().map_or(String::new(), |prefix| format!(", only {}…", prefix.as_str()));
    let ends = token.expires_at.map_or(String::new(), |at| format!(", until {}", at.to_rfc3339()));
    let revoked = if token.revoked_at.is_some() { ", revoked" } else { "" };
    format!("{} ({}{prefix}{ends}{revoked}) by {}", token.name, scopes.join(" "), token.created_by)
}
