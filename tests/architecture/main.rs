//! The arrows of ARCHITECTURE.md, and the facts that its invariants and the documents state, held in place.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

use serde_json::Value;

/// The whole list of what each inner crate depends on. A new name here is a decision, not a detail.
const INNER: [(&str, &[&str]); 3] = [
    ("domain", &["chrono", "jiff", "serde_json", "sha2", "thiserror"]),
    ("tables", &["calamine", "chrono", "flate2", "serde", "serde_json", "tempfile", "thiserror", "zip"]),
    (
        "usecases",
        &[
            "argon2",
            "chrono",
            "domain",
            "hmac",
            "jsonwebtoken",
            "postcard",
            "serde",
            "serde_json",
            "sha2",
            "tables",
            "thiserror",
        ],
    ),
];

/// The arrows between our own crates. What a crate may know of the others is all that stands here.
const ARROWS: [(&str, &[&str]); 14] = [
    ("api", &["domain", "tables", "usecases"]),
    ("bench", &["api", "testkit"]),
    ("domain", &[]),
    ("files", &["usecases"]),
    ("index", &["domain", "usecases"]),
    ("providers", &["domain", "usecases"]),
    ("server", &["api", "domain", "files", "index", "providers", "store", "tables", "usecases", "worker"]),
    ("store", &["domain", "usecases"]),
    ("tables", &[]),
    ("testkit", &["domain", "tables", "usecases"]),
    ("tests", &[]),
    ("usecases", &["domain", "tables"]),
    ("worker", &["domain", "usecases"]),
    ("xtask", &[]),
];

/// What a crate does not have, not even through what it depends on. A name with `*` stands for all that begin so.
const ABSENT: [(&str, &[&str]); 9] = [
    ("domain", &["actix*", "diesel*", "tokio*", "utoipa*"]),
    ("tables", &["actix*", "diesel*", "tokio*", "utoipa*"]),
    ("files", &["actix*", "api", "diesel*", "store", "utoipa*", "worker"]),
    ("index", &["actix*", "api", "diesel*", "store", "tokio*", "utoipa*", "worker"]),
    ("providers", &["actix*", "api", "diesel*", "store", "utoipa*", "worker"]),
    ("usecases", &["actix*", "diesel*", "tokio*", "utoipa*"]),
    ("api", &["diesel*", "server", "store", "worker"]),
    ("store", &["actix*", "api", "tokio*", "utoipa*", "worker"]),
    ("worker", &["actix*", "api", "diesel*", "store", "utoipa*"]),
];

const ADAPTERS: [&str; 4] = ["files", "index", "providers", "store"];
const ENTRANCES: [&str; 2] = ["api", "worker"];

/// The thin binary: it alone sees both sides, the environment and the machine's clock.
const SERVER: &str = "server";
/// Tools for tests: they start servers, and have to know the machine they run on.
const TESTKIT: &str = "testkit";

static ROOT: LazyLock<PathBuf> =
    LazyLock::new(|| Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests lie in the root").to_owned());

#[test]
fn inner_crates_depend_on_these_and_nothing_else() {
    for (name, allowed) in INNER {
        let allowed: BTreeSet<String> = allowed.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(dependencies(name, Depth::Direct), allowed, "what `{name}` depends on");
    }
}

#[test]
fn crates_know_of_each_other_what_the_map_says() {
    let ours: BTreeSet<String> = members().into_keys().collect();
    let known: BTreeMap<String, BTreeSet<String>> = ours
        .iter()
        .map(|name| (name.clone(), dependencies(name, Depth::Direct).intersection(&ours).cloned().collect()))
        .collect();
    let allowed: BTreeMap<String, BTreeSet<String>> = ARROWS
        .into_iter()
        .map(|(name, others)| (name.to_owned(), others.iter().map(|other| (*other).to_owned()).collect()))
        .collect();
    assert_eq!(known, allowed);
}

#[test]
fn crates_stay_free_of_what_is_not_theirs() {
    for (name, absent) in ABSENT {
        let present = dependencies(name, Depth::Transitive);
        for pattern in absent {
            let found: Vec<&String> = present.iter().filter(|present| matches(pattern, present)).collect();
            assert!(found.is_empty(), "`{name}` must be free of `{pattern}`, but has {found:?}");
        }
    }
}

#[test]
fn only_the_server_knows_both_an_adapter_and_an_entrance() {
    for (name, _) in members() {
        let direct = dependencies(&name, Depth::Direct);
        let knows = |names: &[&str]| names.iter().any(|known| direct.contains(*known));
        let both = knows(&ADAPTERS) && knows(&ENTRANCES);
        assert_eq!(both, name == SERVER, "`{name}` depends on {direct:?}");
    }
}

#[test]
fn only_the_store_knows_the_database() {
    for (name, _) in members().into_iter().filter(|(name, _)| name != "store") {
        let direct = dependencies(&name, Depth::Direct);
        let found: Vec<&String> = direct.iter().filter(|name| matches("diesel*", name)).collect();
        assert!(found.is_empty(), "`{name}` depends on {found:?}");
    }
}

#[test]
fn only_the_server_reads_the_environment() {
    for (name, folder) in members().into_iter().filter(|(_, folder)| folder.starts_with(ROOT.join("crates"))) {
        if name == SERVER || name == TESTKIT {
            continue;
        }
        // `env!` reads what Cargo knew while it compiled, and is not meant.
        assert_absent(&folder.join("src"), &["std::env", "env::var", "env::args", "use std::{env"]);
    }
}

#[test]
fn only_the_server_asks_the_machine_for_the_time() {
    for (name, folder) in members() {
        if folder.starts_with(ROOT.join("crates")) && name != SERVER {
            assert_absent(&folder.join("src"), &["Utc::now", "Local::now"]);
        }
    }
}

#[test]
fn the_api_acts_for_nobody_but_who_asks() {
    let folder = ROOT.join("crates/api/src");
    for file in sources(&folder) {
        let text = read(&file);
        let service = text.matches("Caller::service(").count();
        let anybody = text.matches("Caller::anybody(").count();
        let name = file.file_name().unwrap().to_str().unwrap();
        assert_eq!(service, usize::from(name == "batches.rs"), "{}", shown(&file));
        assert_eq!(anybody, usize::from(name == "callers.rs"), "{}", shown(&file));
    }
}

#[test]
fn nobody_steps_outside_the_safe_language() {
    let keyword = concat!("un", "safe");
    let forbidden = [format!("{keyword} "), format!("{keyword}{{")];
    for file in sources(&ROOT) {
        for (number, line) in code_of(&file) {
            let found = forbidden.iter().any(|words| line.contains(words));
            assert!(!found, "{}:{number}: {line}", shown(&file));
        }
    }
    let manifest = read(&ROOT.join("Cargo.toml"));
    assert!(manifest.contains(&format!("{keyword}_code = \"forbid\"")), "the lint stands in Cargo.toml");
}

#[test]
fn every_crate_takes_the_lints_of_the_workspace() {
    for (name, folder) in members() {
        let manifest = read(&folder.join("Cargo.toml"));
        assert!(manifest.contains("[lints]\nworkspace = true\n"), "`{name}` has lints of its own, or none");
    }
}

#[test]
fn files_are_named_after_what_is_in_them() {
    const NAMELESS: [&str; 6] = ["utils.rs", "util.rs", "helpers.rs", "helper.rs", "common.rs", "mod.rs"];
    for file in sources(&ROOT) {
        let name = file.file_name().unwrap().to_str().unwrap();
        assert!(!NAMELESS.contains(&name), "{} says nothing of what it holds", shown(&file));
    }
}

#[test]
fn both_engines_have_the_same_migrations() {
    let [postgres, sqlite] = ["postgres", "sqlite"].map(|engine| names_in(&ROOT.join("migrations").join(engine)));
    assert_eq!(postgres, sqlite);
    for (engine, name) in
        ["postgres", "sqlite"].iter().flat_map(|engine| postgres.iter().map(move |name| (engine, name)))
    {
        let folder = ROOT.join("migrations").join(engine).join(name);
        assert_eq!(names_in(&folder), BTreeSet::from(["down.sql", "up.sql"].map(str::to_owned)), "{}", shown(&folder));
    }
}

/// The service answers the same at /api/problems/{code}.
#[test]
fn docs_list_every_problem_as_the_service_explains_it() {
    let source = read(&ROOT.join("crates/api/src/problems.rs"));
    let (_, table) = source.split_once("fn facts(").expect("problems.rs has a table of facts");
    let (table, _) = table.split_once("fn ").expect("the table is not the last function");
    let facts: Vec<&str> = table.split("Code::").skip(1).collect();
    assert!(facts.len() > 10, "{} problems were found", facts.len());
    let documented = read(&ROOT.join("docs/problems.md"));
    for fact in &facts {
        let quoted: Vec<&str> = fact.split('"').collect();
        let [_, name, status, title, _, remedy, _] = quoted[..] else { panic!("a new form: {fact}") };
        let status = status.trim_matches(|c: char| !c.is_ascii_digit());
        let row = format!("| `{name}` | {status} | {title} | {remedy} |");
        assert!(documented.lines().any(|line| line == row), "docs/problems.md lacks: {row}");
    }
    let rows = documented.lines().filter(|line| line.starts_with("| `") && line.matches('|').count() == 5).count();
    assert_eq!(rows, facts.len(), "docs/problems.md has rows for problems that do not exist");
}

#[test]
fn docs_name_only_faults_that_the_service_finds() {
    let sources: String = sources(&ROOT.join("crates")).iter().map(|file| read(file)).collect();
    let documented = read(&ROOT.join("docs/problems.md"));
    let rows = documented.lines().filter(|line| line.starts_with("| `") && line.matches('|').count() == 3);
    let names: Vec<&str> = rows.map(|row| row.split('`').nth(1).unwrap()).collect();
    assert!(names.len() > 10, "{} faults are documented", names.len());
    for name in names {
        assert!(sources.contains(&format!("\"{name}\"")), "no source has the fault `{name}`");
    }
}

#[test]
fn the_readme_lists_every_setting_with_its_default() {
    let readme = read(&ROOT.join("README.md"));
    for line in read(&ROOT.join("config/default.toml")).lines().filter(|line| !line.starts_with('#')) {
        let Some((key, value)) = line.split_once(" = ") else { continue };
        let start = format!("| `{key}` | `{value}` |");
        assert!(readme.lines().any(|line| line.starts_with(&start)), "README.md lacks a row: {start}");
    }
}

enum Depth {
    Direct,
    Transitive,
}

/// The names of what a crate depends on in a normal build, without itself.
fn dependencies(name: &str, depth: Depth) -> BTreeSet<String> {
    let mut arguments = vec!["tree", "--offline", "--edges", "normal", "--prefix", "none", "--package", name];
    if let Depth::Direct = depth {
        arguments.extend(["--depth", "1"]);
    }
    let text = cargo(&arguments);
    text.lines().skip(1).filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

/// The crates of the workspace, each with its folder.
fn members() -> BTreeMap<String, PathBuf> {
    static MEMBERS: LazyLock<BTreeMap<String, PathBuf>> = LazyLock::new(|| {
        let metadata: Value =
            serde_json::from_str(&cargo(&["metadata", "--offline", "--no-deps", "--format-version", "1"])).unwrap();
        let packages = metadata["packages"].as_array().unwrap().iter();
        let member = |package: &Value| {
            let manifest = PathBuf::from(package["manifest_path"].as_str().unwrap());
            (package["name"].as_str().unwrap().to_owned(), manifest.parent().unwrap().to_owned())
        };
        packages.map(member).collect()
    });
    MEMBERS.clone()
}

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO")).args(arguments).current_dir(&*ROOT).output().unwrap();
    assert!(output.status.success(), "cargo {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == pattern,
    }
}

fn assert_absent(folder: &Path, words: &[&str]) {
    for file in sources(folder) {
        for (number, line) in code_of(&file) {
            for word in words {
                assert!(!line.contains(word), "{}:{number} has `{word}`: {line}", shown(&file));
            }
        }
    }
}

/// The lines of a file that are neither comments nor its tests, which stand last, with their numbers.
fn code_of(file: &Path) -> Vec<(usize, String)> {
    let text = read(file);
    let numbered = text.lines().enumerate().map(|(index, line)| (index + 1, line));
    numbered
        .take_while(|(_, line)| !line.starts_with("#[cfg(test)]"))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .map(|(number, line)| (number, line.to_owned()))
        .collect()
}

/// Every Rust file below a folder, without what was built.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !name.starts_with('.') && name != "target" && name != "node_modules" {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn names_in(folder: &Path) -> BTreeSet<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", shown(file)))
}

/// A path as people in the repository say it.
fn shown(file: &Path) -> String {
    file.strip_prefix(&*ROOT).unwrap_or(file).display().to_string()
}
