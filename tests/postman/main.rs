//! The Postman collection: it names every endpoint, and newman runs it against the real binary on both engines.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may fail where it stands, and tell")]

#[allow(dead_code, unused_imports, reason = "the stories of e2e need more of it")]
#[path = "../e2e/client.rs"]
mod client;
#[allow(dead_code, unused_imports, unused_macros, reason = "the stories of e2e need more of it")]
#[path = "../e2e/server.rs"]
mod server;

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::OnceLock,
};

use serde_json::Value;
use server::{Engine, Place};

/// Whom the collection signs in as.
const LOGIN: &str = "root";
const PASSWORD: &str = "correct horse battery staple";
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
/// What is served and documented, but not in the OpenAPI document.
const SERVICE_ROUTES: [&str; 3] = ["GET /api/docs", "GET /api/openapi.json", "GET /api/problems/{}"];
/// What an export can be; the document's own address ends with another.
const FORMS: [&str; 3] = ["csv", "ndjson", "xlsx"];
/// Its requests ask for what is not served.
const NO_ROUTES_FOLDER: &str = "11. Addresses that are not there";

#[test]
fn the_collection_names_every_endpoint_and_no_other() {
    let mut documented: BTreeSet<String> = SERVICE_ROUTES.map(str::to_owned).into();
    for (path, operations) in read("docs/openapi.json")["paths"].as_object().unwrap() {
        documented.extend(operations.as_object().unwrap().keys().map(|method| endpoint(method, path)));
    }
    let named: BTreeSet<String> = requests()
        .iter()
        .filter(|(folder, _)| folder != NO_ROUTES_FOLDER)
        .map(|(_, item)| {
            let path = item["request"]["url"]["path"].as_array().unwrap();
            let path: String = path.iter().map(|segment| format!("/{}", segment.as_str().unwrap())).collect();
            endpoint(item["request"]["method"].as_str().unwrap(), &path)
        })
        .collect();
    let missing: Vec<_> = documented.difference(&named).collect();
    let unknown: Vec<_> = named.difference(&documented).collect();
    assert!(
        missing.is_empty() && unknown.is_empty(),
        "not in the collection: {missing:?}; not in the document: {unknown:?}"
    );
}

#[test]
fn each_request_says_what_it_is_for_and_asserts_a_status() {
    for (folder, item) in requests() {
        let name = format!("{folder} / {}", item["name"].as_str().unwrap());
        assert!(
            item["request"]["description"].as_str().is_some_and(|text| !text.is_empty()),
            "{name} has no description"
        );
        let events = item["event"].as_array().unwrap();
        let tests = events.iter().filter(|event| event["listen"] == "test");
        let lines = tests.flat_map(|event| event["script"]["exec"].as_array().unwrap());
        let asserts =
            |line: &str| line.contains("pm.response.to.have.status(") || line.contains("expect(pm.response.code)");
        assert!(lines.map(|line| line.as_str().unwrap()).any(asserts), "{name} asserts no status");
    }
}

#[test]
fn the_collection_runs_on_sqlite() {
    runs_twice(Engine::Sqlite);
}

#[test]
fn the_collection_runs_on_postgres() {
    runs_twice(Engine::Postgres);
}

/// The second run finds what the first left behind: nothing but history.
fn runs_twice(engine: Engine) {
    let place = Place::guarded(engine);
    place.account(LOGIN, "administrator", PASSWORD);
    let server = place.serve();
    for run in ["first", "second"] {
        let output = newman(&server.base);
        let told = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "the {run} run on {engine:?} failed, {}:\n{told}", output.status);
        let summary = told.find('┌').map_or("", |at| &told[at..]);
        println!("the {run} run on {engine:?}:\n{summary}");
    }
    assert!(server.stop().success());
    place.is_sound();
}

fn read(path: &str) -> Value {
    let path = Path::new(ROOT).join(path);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap()
}

/// Each request of the collection with the name of its folder.
fn requests() -> Vec<(String, Value)> {
    let collection = read("postman_collection.json");
    let mut requests = Vec::new();
    for folder in collection["item"].as_array().unwrap() {
        let name = folder["name"].as_str().unwrap();
        requests.extend(folder["item"].as_array().unwrap().iter().map(|item| (name.to_owned(), item.clone())));
    }
    requests
}

/// `GET /api/v1/users/{}` for `/api/v1/users/{user_id}`, `/api/v1/users/:user_id` and `/api/v1/users/{{user}}`, and
/// `GET /api/v1/users.{}` for `/api/v1/users.{form}` and `/api/v1/users.csv`.
fn endpoint(method: &str, path: &str) -> String {
    let segment = |segment: &str| match segment.split_once('.') {
        _ if segment.starts_with([':', '{']) => "{}".to_owned(),
        Some((name, form)) if form == "{form}" || FORMS.contains(&form) => format!("{name}.{{}}"),
        _ => segment.to_owned(),
    };
    let segments: Vec<String> = path.trim_matches('/').split('/').map(segment).collect();
    format!("{} /{}", method.to_uppercase(), segments.join("/"))
}

fn newman(base: &str) -> Output {
    static SCRIPT: OnceLock<PathBuf> = OnceLock::new();
    let script = SCRIPT.get_or_init(|| {
        let given = env::var_os("STRATA_TEST_NEWMAN").map(PathBuf::from);
        given.unwrap_or_else(|| installed(&cache().join("strata/newman")))
    });
    let mut command = Command::new("node");
    command.arg(script).arg("run").arg(Path::new(ROOT).join("postman_collection.json"));
    for (name, value) in [("baseUrl", base), ("login", LOGIN), ("password", PASSWORD)] {
        command.arg("--env-var").arg(format!("{name}={value}"));
    }
    command.args(["--color", "off", "--reporter-cli-no-banner", "--reporter-cli-no-success-assertions"]);
    command.output().unwrap_or_else(|error| needs("node", &error))
}

fn cache() -> PathBuf {
    let given = env::var_os("XDG_CACHE_HOME").filter(|path| !path.is_empty()).map(PathBuf::from);
    given.unwrap_or_else(|| Path::new(&env::var_os("HOME").expect("HOME or XDG_CACHE_HOME is set")).join(".cache"))
}

/// newman below this folder, fetched by npm when it is not there.
fn installed(folder: &Path) -> PathBuf {
    let script = folder.join("node_modules/newman/bin/newman.js");
    if script.is_file() {
        return script;
    }
    // Another test process may be installing too: each does it aside, and the first one's takes the place.
    let aside = folder.with_extension(std::process::id().to_string());
    fs::create_dir_all(&aside).unwrap();
    let mut npm = Command::new("npm");
    npm.args(["install", "newman@6", "--no-fund", "--no-audit", "--prefix"]).arg(&aside);
    let output = npm.output().unwrap_or_else(|error| needs("npm", &error));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "newman is not at {} and `{npm:?}` failed:\n{told}", script.display());
    if fs::rename(&aside, folder).is_err() {
        fs::remove_dir_all(&aside).unwrap();
    }
    assert!(script.is_file(), "{} is there without newman: remove it and run again", folder.display());
    script
}

fn needs(program: &str, error: &std::io::Error) -> ! {
    panic!(
        "`{program}` cannot be started ({error}): this test runs newman, which needs Node.js 16 or later with npm \
         (https://nodejs.org, or `apt install nodejs npm`); or set STRATA_TEST_NEWMAN to the path of a newman.js, which needs node alone"
    )
}
