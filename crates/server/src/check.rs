//! `strata migrate` and `strata check`: the operator's questions about a store.

use std::process::ExitCode;

use usecases::{checks, ports::Store};

use crate::{Failure, say, settings::Settings, world};

pub(crate) fn migrate(settings: &Settings) -> Result<(), Failure> {
    let names = world::open_store(settings)?.migrate()?;
    names.iter().try_for_each(|name| say(format_args!("migrated: {name}")))?;
    say("the schema is up to date")
}

pub(crate) fn check(settings: &Settings) -> Result<ExitCode, Failure> {
    let store = world::open_store(settings)?;
    store.ready()?;
    let app = world::app(settings, store)?;
    let mut said = Ok(());
    let checked = app.look(|look| {
        checks::check(look, &mut |difference| {
            if said.is_ok() {
                said = say(difference);
            }
        })
    })?;
    said?;
    say(format_args!(
        "{} users, {} memberships, {} history rows: {} differences",
        checked.users, checked.memberships, checked.history_rows, checked.differences
    ))?;
    Ok(if checked.differences == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
