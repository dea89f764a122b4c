//! `strata migrate` and `strata check`: the operator's questions about a store.

use std::process::ExitCode;

use usecases::{checks, ports::Store};

use crate::{Failure, settings::Settings, world};

#[allow(clippy::print_stdout, reason = "the answer to the person at the terminal")]
pub(crate) fn migrate(settings: &Settings) -> Result<(), Failure> {
    let names = world::open_store(settings)?.migrate()?;
    names.iter().for_each(|name| println!("migrated: {name}"));
    println!("the schema is up to date");
    Ok(())
}

#[allow(clippy::print_stdout, reason = "the answer to the person at the terminal")]
pub(crate) fn check(settings: &Settings) -> Result<ExitCode, Failure> {
    let store = world::open_store(settings)?;
    store.ready()?;
    let app = world::app(store);
    let checked = app.look(|look| checks::check(look, &mut |difference| println!("{difference}")))?;
    println!(
        "{} users, {} memberships, {} history rows: {} differences",
        checked.users, checked.memberships, checked.history_rows, checked.differences
    );
    Ok(if checked.differences == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
