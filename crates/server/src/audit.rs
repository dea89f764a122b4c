//! `strata audit`: the operator's proof that nobody changed the audit log.

use std::process::ExitCode;

use clap::Subcommand;
use domain::ChainHash;
use usecases::audit;

use crate::{Common, Failure, account::operator, check, say, settings::Settings};

#[derive(Subcommand)]
pub(crate) enum AuditCommand {
    /// Reckon every row's hash again, and name the rows that were changed or are gone
    ///
    /// Ends with status 1 when there are any. Prints the last row as ID:HASH. Keep that elsewhere, and give it the next time:
    /// then it also shows when rows at the end are gone, or all rows were written anew.
    Verify {
        /// A row that an earlier run printed
        #[arg(long, value_name = "ID:HASH", value_parser = row)]
        noted: Option<(i64, ChainHash)>,
        #[command(flatten)]
        common: Common,
    },
}

impl AuditCommand {
    pub(crate) fn common(&self) -> &Common {
        match self {
            AuditCommand::Verify { common, .. } => common,
        }
    }
}

pub(crate) fn run(settings: &Settings, command: &AuditCommand) -> Result<ExitCode, Failure> {
    let AuditCommand::Verify { noted, .. } = command;
    let app = check::opened(settings)?;
    let mut said = Ok(());
    let verified = app.look(&operator(), |look| {
        audit::verify(look, *noted, &mut |flaw| {
            if said.is_ok() {
                said = say(flaw);
            }
        })
    })?;
    said?;
    let last = verified.last.map_or_else(String::new, |(id, hash)| format!(", the last is {id}:{hash}"));
    say(format_args!("{} rows: {} flaws{last}", verified.rows, verified.flaws))?;
    Ok(if verified.flaws == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn row(text: &str) -> Result<(i64, ChainHash), String> {
    let parsed = text.split_once(':').and_then(|(id, hash)| Some((id.parse().ok()?, ChainHash::parse(hash)?)));
    parsed.ok_or_else(|| {
        "must be as `strata audit verify` prints it: a number, a colon, 64 hexadecimal digits".to_owned()
    })
}
