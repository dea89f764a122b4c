//! `cargo xtask fuzz`: schemathesis against a running server.

use std::{
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use crate::{Failure, Outcome, machine, must};

/// Pinned, so that the same commit is asked the same questions.
const SCHEMATHESIS: &str = "schemathesis==4.32.5";

/// Not the Allow header: a user may be called `import`, and then it is right and looks wrong. The tests of the contract know
/// that.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,response_headers_conformance,unsupported_method";

const ADMINISTRATORS: &str = r"^/api/v1/(accounts|tokens|audit|jobs|users/\{user_id\}/export)";

pub(crate) fn run(examples: u32) -> Outcome {
    let schemathesis = install()?;
    let strata = machine::build_strata()?;
    let folder = machine::cache().join(format!("fuzz-{}", std::process::id()));
    std::fs::create_dir_all(&folder).map_err(|error| Failure(format!("{}: {error}", folder.display())))?;
    let url = format!("sqlite://{}", folder.join("strata.db").display());
    must(Command::new(&strata).args(["demo", "--database-url", &url]))?;

    let files = format!("file://{}", folder.join("files").display());
    let bearer = format!("Authorization: Bearer {}", token(&strata, &url)?);
    let ask = |open: &[&str], further: &[&str]| -> Outcome {
        let mut server = Server::start(&strata, &url, &files, open)?;
        let ended = must(
            Command::new(&schemathesis)
                .args(["run", &format!("{}/api/openapi.json", server.base), "--url", &server.base])
                .args(["--checks", CHECKS, "--max-examples", &examples.to_string()])
                .args(["--phases", "examples,coverage,fuzzing,stateful", "--continue-on-failure"])
                .args(["--header", "If-Match: *", "--request-timeout", "20", "--seed", "20261120"])
                .args(further)
                .current_dir(&folder),
        );
        server.stop();
        ended
    };
    let by_token = ask(&[], &["--header", &bearer]);
    // No token may do what an administrator may.
    let open = ask(&["--open"], &["--include-path-regex", ADMINISTRATORS]);
    let sound = must(Command::new(&strata).args(["check", "--database-url", &url]));
    std::fs::remove_dir_all(&folder).map_err(|error| Failure(format!("{}: {error}", folder.display())))?;
    by_token.and(open).and(sound)
}

/// An API token with every scope, for this store, which is gone when the run is.
fn token(strata: &PathBuf, url: &str) -> Result<String, Failure> {
    let scopes = ["read", "assign", "manage", "persons"].into_iter().flat_map(|scope| ["--scope", scope]);
    let mut command = Command::new(strata);
    command.args(["token", "create", "fuzz", "--database-url", url]).args(scopes);
    let output = command.output().map_err(|error| Failure(format!("{command:?} cannot be started: {error}")))?;
    if !output.status.success() {
        return Err(Failure(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr))));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// schemathesis in an environment of its own, made once.
fn install() -> Result<PathBuf, Failure> {
    let folder = machine::cache().join(SCHEMATHESIS);
    let program = folder.join("bin/schemathesis");
    if machine::answers(&program.to_string_lossy(), &["--version"]) {
        return Ok(program);
    }
    must(Command::new("python3").args(["-m", "venv"]).arg(&folder))
        .map_err(|Failure(reason)| Failure(format!("{reason}; this needs Python 3 with venv")))?;
    must(Command::new(folder.join("bin/pip")).args(["install", "--quiet", SCHEMATHESIS]))?;
    Ok(program)
}

struct Server {
    child: Child,
    base: String,
}

impl Server {
    fn start(strata: &PathBuf, url: &str, files: &str, open: &[&str]) -> Result<Server, Failure> {
        let mut child = Command::new(strata)
            .args(["serve", "--listen", "127.0.0.1:0", "--database-url", url])
            .args(open)
            .envs([("STRATA_LOG", "warn"), ("STRATA_FILES_URL", files)])
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| Failure(format!("the server cannot be started: {error}")))?;
        let mut line = String::new();
        let out = child.stdout.take().expect("the output is piped");
        BufReader::new(out).read_line(&mut line).map_err(|error| Failure(error.to_string()))?;
        let base = line.split_whitespace().find(|word| word.starts_with("http://")).map(str::to_owned);
        base.map(|base| Server { child, base }).ok_or_else(|| Failure("the server did not start".to_owned()))
    }

    fn stop(&mut self) {
        // It may have ended by itself, which the check of the store would show.
        self.child.kill().unwrap_or_default();
        self.child.wait().map(drop).unwrap_or_default();
    }
}
