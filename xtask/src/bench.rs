//! `cargo xtask bench`: the benchmarks, on a release build.

use std::{ffi::OsString, process::Command};

use crate::{Outcome, machine, must};

/// What the benchmark is told is its own business: `cargo xtask bench bulk --help` lists it.
pub(crate) fn run(arguments: &[OsString]) -> Outcome {
    machine::has_postgres()?;
    machine::has_sqlite()?;
    let packages = ["--release", "--package", "server", "--package", "bench"];
    must(machine::cargo("build").args(packages).args(machine::features()))?;
    let release = machine::target().join("release");
    let mut bench = Command::new(release.join("bench"));
    bench.args(arguments);
    // Without a suite it says which there are, and that is all that can be told to it.
    if !arguments.is_empty() {
        bench.arg("--strata").arg(release.join("strata"));
        bench.arg("--folder").arg(machine::target().join("tmp/bench"));
        bench.arg("--docs").arg(machine::root().join("docs"));
    }
    must(&mut bench)
}
