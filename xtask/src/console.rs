//! The web console: what is made of `ui/`.

use std::process::Command;

use crate::{Failure, Outcome, machine, must};

/// What its tools need at least.
const NODE: (u32, u32) = (20, 19);

/// Type check, lints, format and unit tests, and that it can be built.
pub(crate) fn check() -> Outcome {
    install()?;
    must(&mut npm(&["run", "check"]))?;
    must(&mut npm(&["run", "build"]))
}

/// What the binary embeds.
pub(crate) fn build() -> Outcome {
    install()?;
    must(&mut npm(&["run", "build"]))
}

/// The same where Node is there; a binary without a console says on its page how to get it.
pub(crate) fn build_if_possible() -> Outcome {
    if let Err(Failure(reason)) = has_tools() {
        println!("\nThe console is left out: {reason}");
        return Ok(());
    }
    build()
}

/// The packages that the lock file names, and no others.
fn install() -> Outcome {
    machine::has_node()?;
    has_tools()?;
    if is_installed() {
        return Ok(());
    }
    must(&mut npm(&["ci", "--no-audit", "--no-fund"]))
}

/// npm writes down what it installed.
fn is_installed() -> bool {
    let written = |name: &str| machine::root().join("ui").join(name).metadata().and_then(|file| file.modified()).ok();
    written("node_modules/.package-lock.json")
        .zip(written("package-lock.json"))
        .is_some_and(|(have, want)| have >= want)
}

fn has_tools() -> Outcome {
    let output = Command::new("node").arg("--version").output();
    let version = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default();
    if !is_enough(&version) {
        let (major, minor) = NODE;
        return Err(Failure(format!("the console needs Node.js {major}.{minor} or later; this one is `{version}`")));
    }
    Ok(())
}

fn is_enough(version: &str) -> bool {
    let mut parts = version.trim_start_matches('v').split('.').map_while(|part| part.parse::<u32>().ok());
    matches!((parts.next(), parts.next()), (Some(major), Some(minor)) if (major, minor) >= NODE)
}

fn npm(arguments: &[&str]) -> Command {
    let mut command = Command::new("npm");
    command.args(arguments).current_dir(machine::root().join("ui"));
    command
}

#[cfg(test)]
mod tests {
    use super::is_enough;

    #[test]
    fn versions_of_node_are_compared_by_number() {
        assert!(is_enough("v20.19.0") && is_enough("v22.1.0") && is_enough("v100.0.0"));
        assert!(!is_enough("v20.9.0") && !is_enough("v18.20.4") && !is_enough(""));
    }
}
