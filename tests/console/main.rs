//! The console in Chromium: Playwright's stories (`ui/e2e`) against the real binary, on both engines, with a real shop in the store.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may fail where it stands, and tell")]

#[allow(dead_code, unused_imports, reason = "the stories of e2e need more of it")]
#[path = "../e2e/client.rs"]
mod client;
#[allow(dead_code, unused_imports, unused_macros, reason = "the stories of e2e need more of it")]
#[path = "../e2e/server.rs"]
mod server;

use std::{
    env, fs,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::json;
use server::{Engine, Place};

const UI: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../ui");
const PASSWORD: &str = "correct horse battery staple";
/// Who can sign in at each shop.
const ACCOUNTS: [(&str, &str); 3] = [("root", "administrator"), ("anna", "analyst"), ("vera", "viewer")];
/// The members of the largest segment there is.
const CROWD: u32 = 1_000_000;

#[test]
fn the_console_does_what_people_want_on_sqlite() {
    tells_its_stories(Engine::Sqlite);
}

#[test]
fn the_console_does_what_people_want_on_postgres() {
    tells_its_stories(Engine::Postgres);
}

fn tells_its_stories(engine: Engine) {
    let playwright = Path::new(UI).join("node_modules/@playwright/test/cli.js");
    assert!(playwright.is_file(), "the console's packages are not installed: `cargo xtask test` does that");
    assert!(Path::new(UI).join("dist/index.html").is_file(), "the console is not built: `cargo xtask build` does that");
    let results = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("console-{engine:?}").to_lowercase());
    let [shop, crowd, away, empty] = [(); 4].map(|()| Place::guarded(engine));
    fill_shop(&shop);
    fill_crowd(&crowd);
    for place in [&shop, &crowd, &away] {
        for (login, role) in ACCOUNTS {
            place.account(login, role, PASSWORD);
        }
    }
    let stores = json!({"shop": shop.url, "crowd": crowd.url, "away": away.url, "empty": empty.url});
    let mut command = Command::new("node");
    // Told only when one fails: then that one, and not the hundred that passed.
    command.arg(playwright).args(["test", "--project", "stories", "--reporter", "dot"]).current_dir(UI);
    command.env("E2E_STORES", stores.to_string()).env("E2E_RESULTS", &results);
    command.env("E2E_BINARY", server::strata().get_program()).env("E2E_CHROMIUM", chromium());
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    println!("{told}");
    assert!(output.status.success(), "stories failed on {engine:?}; screenshots lie in {}", results.display());
    for place in [&shop, &away, &empty] {
        place.is_sound();
    }
}

/// The customers and purchases of a real shop where the shared data lie, and else the made-up one.
fn fill_shop(place: &Place) {
    let Some(folder) = server::real_data() else {
        println!("with the made-up shop: there are no shared data, set STRATA_TEST_DATA to a folder that has them");
        return must(place, &["demo"]);
    };
    for (what, file) in [("users", "customers.csv"), ("memberships", "bought.csv.gz")] {
        must(place, &["import", what, folder.join(file).to_str().unwrap()]);
    }
}

fn fill_crowd(place: &Place) {
    let path = place.dir.path().join("crowd.csv");
    let mut file = std::io::BufWriter::new(fs::File::create(&path).unwrap());
    writeln!(file, "user_id,segment").unwrap();
    for number in 0..CROWD {
        writeln!(file, "user-{number:07},CROWD").unwrap();
    }
    file.into_inner().unwrap().sync_data().unwrap();
    must(place, &["import", "memberships", path.to_str().unwrap()]);
}

fn must(place: &Place, arguments: &[&str]) {
    let output = place.run(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn chromium() -> PathBuf {
    let given = env::var_os("STRATA_TEST_CHROMIUM").map(PathBuf::from);
    let usual = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].map(PathBuf::from);
    given.or_else(|| usual.into_iter().find(|path| path.exists())).expect(
        "Chromium is not at /usr/bin/chromium (on Debian: `apt install chromium`); set STRATA_TEST_CHROMIUM to where it is",
    )
}
