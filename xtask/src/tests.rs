//! `cargo xtask test`: everything that must hold.

use crate::{Outcome, console, machine, must};

pub(crate) fn run() -> Outcome {
    machine::has_make()?;
    machine::has_postgres()?;
    machine::has_node()?;
    machine::has_chromium()?;
    must(machine::cargo("fmt").args(["--all", "--check"]))?;
    let lints = ["--workspace", "--all-targets", "--locked"];
    must(machine::cargo("clippy").args(lints).args(machine::features()).args(["--", "--deny", "warnings"]))?;
    console::check()?;
    let strata = machine::build_strata()?;
    let mut tests = machine::cargo("test");
    tests.args(["--workspace", "--locked", "--no-fail-fast"]).args(machine::features()).env("STRATA_TEST_BIN", strata);
    must(&mut tests)
}
