//! The web console: what is made of `ui/`.

use std::{
    fs,
    io::{BufWriter, Write},
    path::Path,
    process::{Command, Stdio},
};

use crate::{Failure, Outcome, machine, must};

/// What an administrator signs in with, on a store that is thrown away.
const PASSWORD: &str = "correct horse battery staple";
/// The users of the store that the first view is measured on.
const CROWD: u32 = 1_000_000;

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

/// How long the first view takes with a million users: `cargo xtask bench console`.
pub(crate) fn bench() -> Outcome {
    machine::has_chromium()?;
    machine::build_release()?;
    let (strata, folder) = (machine::target().join("release/strata"), machine::target().join("tmp/bench-console"));
    let failure = |error: std::io::Error| Failure(format!("{}: {error}", folder.display()));
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(failure)?;
    }
    fs::create_dir_all(&folder).map_err(failure)?;
    let (list, url) = (folder.join("crowd.csv"), format!("sqlite://{}", folder.join("crowd.db").display()));
    write_crowd(&list).map_err(failure)?;
    must(Command::new(&strata).args(["import", "memberships", "--database-url", &url]).arg(&list))?;
    make_administrator(&strata, &url)?;
    must(&mut playwright("bench", &strata, ("crowd", &url), &folder))?;
    fs::remove_dir_all(&folder).map_err(failure)
}

fn write_crowd(path: &Path) -> std::io::Result<()> {
    let mut list = BufWriter::new(fs::File::create(path)?);
    writeln!(list, "user_id,segment")?;
    (0..CROWD).try_for_each(|number| writeln!(list, "user-{number:07},CROWD"))?;
    list.flush()
}

/// `root`, who signs in with a password that stands in the stories.
pub(crate) fn make_administrator(strata: &Path, url: &str) -> Outcome {
    let failure = |error: std::io::Error| Failure(format!("{}: {error}", strata.display()));
    let mut account = Command::new(strata);
    account.args(["account", "create", "root", "--role", "administrator", "--database-url", url]);
    let mut made = account.stdin(Stdio::piped()).spawn().map_err(failure)?;
    if let Some(mut asked) = made.stdin.take() {
        asked.write_all(PASSWORD.as_bytes()).map_err(failure)?;
    }
    let ended = made.wait().map_err(failure)?;
    if ended.success() { Ok(()) } else { Err(Failure(format!("`strata account create` ended with {ended}"))) }
}

/// One project of `ui/playwright.config.ts`, on one store.
pub(crate) fn playwright(project: &str, strata: &Path, (store, url): (&str, &str), folder: &Path) -> Command {
    let mut command = Command::new("node");
    command.arg("node_modules/@playwright/test/cli.js").args(["test", "--project", project]);
    command.current_dir(machine::root().join("ui")).env("E2E_BINARY", strata);
    command.env("E2E_STORES", format!(r#"{{"{store}":"{url}"}}"#)).env("E2E_RESULTS", folder.join("results"));
    if let Some(chromium) = machine::chromium() {
        command.env("E2E_CHROMIUM", chromium);
    }
    command
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
