//! What the machine has, and what it may be given.

use std::{
    env,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{Failure, Outcome, console, must};

/// The root of the workspace that cargo runs this for: a build folder may be shared with another clone, which built it.
pub(crate) fn root() -> PathBuf {
    let folder = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&folder).parent().expect("xtask lies in the workspace").to_owned()
}

/// Where builds, tools and demo data are kept between runs, outside the clone.
pub(crate) fn cache() -> PathBuf {
    let home = || env::var_os("HOME").map(|home| Path::new(&home).join(".cache"));
    let base = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(home);
    base.unwrap_or_else(env::temp_dir).join("strata")
}

/// Each clone has its own: cargo takes what another clone built later for its own.
pub(crate) fn target() -> PathBuf {
    let own = || {
        let mut hasher = DefaultHasher::new();
        root().hash(&mut hasher);
        cache().join(format!("target-{:016x}", hasher.finish()))
    };
    env::var_os("CARGO_TARGET_DIR").map_or_else(own, PathBuf::from)
}

/// Cargo in the workspace, building outside the clone.
pub(crate) fn cargo(subcommand: &str) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.arg(subcommand).current_dir(root()).env("CARGO_TARGET_DIR", target());
    command
}

/// The features that this machine needs: OpenSSL is built from source where its headers are missing.
pub(crate) fn features() -> &'static [&'static str] {
    if answers("pkg-config", &["--exists", "openssl"]) { &[] } else { &["--features", "server/vendored-openssl"] }
}

/// Makes sure that make is there, which builds jemalloc.
pub(crate) fn has_make() -> Outcome {
    if answers("make", &["--version"]) { Ok(()) } else { install(&["make"], "make") }
}

/// Builds the binary and tells where it is.
pub(crate) fn build_strata() -> Result<PathBuf, Failure> {
    has_make()?;
    must(cargo("build").args(["--package", "server"]).args(features()))?;
    Ok(target().join("debug/strata"))
}

/// Builds the binary that is deployed, and says where it is.
pub(crate) fn build_release() -> Outcome {
    has_make()?;
    console::build()?;
    must(cargo("build").args(["--release", "--locked", "--package", "server"]).args(features()))?;
    println!("\nThe binary is {}", target().join("release/strata").display());
    Ok(())
}

pub(crate) fn answers(program: &str, arguments: &[&str]) -> bool {
    let quiet = Command::new(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
    quiet.is_ok_and(|status| status.success())
}

/// Makes sure that PostgreSQL's programs are there for the tests.
pub(crate) fn has_postgres() -> Outcome {
    // The folder is also there when only the client is installed.
    let versions = Path::new("/usr/lib/postgresql").read_dir().into_iter().flatten().flatten();
    let installed = versions.into_iter().any(|version| version.path().join("bin/initdb").exists());
    if env::var_os("STRATA_TEST_POSTGRES_URL").is_some()
        || env::var_os("PG_BIN").is_some()
        || installed
        || answers("initdb", &["--version"])
    {
        return Ok(());
    }
    install(
        &["postgresql"],
        "PostgreSQL's programs (initdb, postgres, psql), or set STRATA_TEST_POSTGRES_URL to a server that tests may use",
    )
}

/// Makes sure that SQLite's shell is there for the benchmarks.
pub(crate) fn has_sqlite() -> Outcome {
    if answers("sqlite3", &["--version"]) {
        return Ok(());
    }
    install(&["sqlite3"], "SQLite's shell")
}

/// Makes sure that load generators and Redis are there for the benchmarks of requests.
pub(crate) fn has_load_generators() -> Outcome {
    // wrk ends badly whatever it is asked.
    let is_there = |program: &&str| answers("sh", &["-c", &format!("command -v {program}")]);
    if ["wrk", "redis-benchmark", "redis-server"].iter().all(is_there) {
        return Ok(());
    }
    install(&["wrk", "redis-server"], "wrk and Redis")
}

/// Makes sure that Node and npm are there for the Postman collection.
pub(crate) fn has_node() -> Outcome {
    if answers("node", &["--version"]) && answers("npm", &["--version"]) {
        return Ok(());
    }
    install(&["nodejs", "npm"], "Node.js 18 or later with npm")
}

/// Where Chromium is, in which the console is tested.
pub(crate) fn chromium() -> Option<PathBuf> {
    let usual = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].map(PathBuf::from);
    let given = env::var_os("STRATA_TEST_CHROMIUM").map(PathBuf::from);
    given.or_else(|| usual.into_iter().find(|path| path.exists()))
}

/// Makes sure that it is there.
pub(crate) fn has_chromium() -> Outcome {
    if chromium().is_some() {
        return Ok(());
    }
    install(&["chromium", "fonts-dejavu-core"], "Chromium, or STRATA_TEST_CHROMIUM set to where it is")
}

/// Installs Debian's packages when this is root on Debian, and otherwise says what to do.
fn install(packages: &[&str], what: &str) -> Outcome {
    let needed = format!("this needs {what}; on Debian or Ubuntu: apt-get install {}", packages.join(" "));
    if !answers("apt-get", &["--version"]) || !is_root() {
        return Err(Failure(needed));
    }
    must(Command::new("apt-get").args(["update", "--quiet"]))?;
    let installing = must(
        Command::new("apt-get")
            .args(["install", "--yes", "--quiet", "--no-install-recommends"])
            .args(packages)
            .env("DEBIAN_FRONTEND", "noninteractive"),
    );
    installing.map_err(|Failure(reason)| Failure(format!("{reason}; {needed}")))
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.starts_with(b"0\n"))
}
