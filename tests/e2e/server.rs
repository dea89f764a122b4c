//! The real binary, started on a free port with a store of its own, and ended by its id.

use std::{
    cell::Cell,
    fs::File,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Output, Stdio},
    sync::{
        Mutex, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use tempfile::TempDir;
use testkit::TempPostgres;

use crate::client::Client;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// An empty store and room for files, which outlive the servers on them.
pub struct Place {
    pub url: String,
    pub dir: TempDir,
    has_index: bool,
    /// Whether nobody has to sign in.
    is_open: bool,
    /// The address of the server that was started last.
    latest: Mutex<Option<String>>,
}

thread_local! {
    static HAS_INDEX: Cell<bool> = const { Cell::new(true) };
}

/// The places that this thread makes have no index.
pub fn without_index() {
    HAS_INDEX.set(false);
}

impl Place {
    pub fn new(engine: Engine) -> Place {
        let dir = tempfile::tempdir().unwrap();
        let url = match engine {
            Engine::Sqlite => format!("sqlite://{}", dir.path().join("strata.db").display()),
            Engine::Postgres => TempPostgres::shared().database(),
        };
        Place { url, dir, has_index: HAS_INDEX.get(), is_open: true, latest: Mutex::default() }
    }

    /// Where whoever comes has to sign in.
    pub fn guarded(engine: Engine) -> Place {
        Place { is_open: false, ..Place::new(engine) }
    }

    /// A fresh API token, made by the operator.
    pub fn token(&self, name: &str, flags: &[&str]) -> String {
        let output = self.run(&[&["token", "create", name], flags].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// An account with a password, made by the operator.
    pub fn account(&self, login: &str, role: &str, password: &str) {
        let mut command = self.command(&["account", "create", login, "--role", role]);
        let mut made = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        made.stdin.take().unwrap().write_all(password.as_bytes()).unwrap();
        assert!(made.wait().unwrap().success());
    }

    /// A store on a PostgreSQL of its own, for tests that stop it.
    pub fn on(postgres: &TempPostgres) -> Place {
        Place {
            url: postgres.database(),
            dir: tempfile::tempdir().unwrap(),
            has_index: HAS_INDEX.get(),
            is_open: true,
            latest: Mutex::default(),
        }
    }

    /// Where inputs, refused rows and reports lie.
    pub fn files(&self) -> PathBuf {
        self.dir.path().join("files")
    }

    fn files_url(&self) -> String {
        format!("file://{}", self.files().display())
    }

    pub fn serve(&self) -> Server {
        self.serve_with(&[])
    }

    pub fn serve_with(&self, settings: &[(&str, &str)]) -> Server {
        Server::launch(strata(), self, settings)
    }

    /// A server whose log is written to a file.
    pub fn serve_logging(&self, log: &Path, settings: &[(&str, &str)]) -> Server {
        let log = File::create(log).unwrap();
        Server::launch_to(strata(), self, &self.url, settings, log.into())
    }

    /// A server that reaches the store of this place by another address.
    pub fn serve_by(&self, url: &str, settings: &[(&str, &str)]) -> Server {
        Server::launch_by(strata(), self, url, settings)
    }

    /// Where the index leaves its snapshot.
    pub fn index_file(&self) -> PathBuf {
        self.dir.path().join("index")
    }

    /// The binary, with the store and the files of this place.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = strata();
        command.args(arguments).args(["--database-url", &self.url]).env("STRATA_FILES_URL", self.files_url());
        command
    }

    /// Runs another command of the binary to its end.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Asserts that the live state is what history says, and that the server that was started last, if it still runs,
    /// answers out of its index as the store does.
    pub fn is_sound(&self) {
        self.finds_no_differences(&["check"]);
        let base = self.latest.lock().unwrap().clone();
        if let Some(base) = base.filter(|base| self.has_index && ureq::get(format!("{base}/healthz")).call().is_ok()) {
            self.finds_no_differences(&["check", "--index", &base]);
        }
    }

    fn finds_no_differences(&self, arguments: &[&str]) {
        let mut command = self.command(arguments);
        if !self.is_open {
            static CHECKS: AtomicU32 = AtomicU32::new(0);
            let name = format!("check-{}", CHECKS.fetch_add(1, Ordering::Relaxed));
            command.env("STRATA_TOKEN", self.token(&name, &["--scope", "read"]));
        }
        let output = command.output().unwrap();
        let told = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && told.contains(" 0 differences"), "strata {arguments:?} says:\n{told}");
    }
}

pub struct Server {
    child: Child,
    /// What it goes on saying.
    said: BufReader<ChildStdout>,
    pub client: Client,
    pub base: String,
}

impl Server {
    /// Starts by a command that is the binary or becomes it, and waits until it listens. Settings are given as the
    /// environment gives them.
    pub fn launch(command: Command, place: &Place, settings: &[(&str, &str)]) -> Server {
        Server::launch_by(command, place, &place.url, settings)
    }

    fn launch_by(command: Command, place: &Place, url: &str, settings: &[(&str, &str)]) -> Server {
        Server::launch_to(command, place, url, settings, Stdio::null())
    }

    fn launch_to(mut command: Command, place: &Place, url: &str, settings: &[(&str, &str)], log: Stdio) -> Server {
        command.args(["serve", "--listen", "127.0.0.1:0", "--database-url", url]);
        if place.is_open {
            command.arg("--open");
        }
        command.env("STRATA_FILES_URL", place.files_url()).env("STRATA_INDEX_FILE", place.index_file());
        command.env("STRATA_INDEX", if place.has_index { "on" } else { "off" });
        command.envs(settings.iter().copied()).stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        said.read_line(&mut line).unwrap();
        let base = line.split_whitespace().find(|word| word.starts_with("http"));
        let base = base.unwrap_or_else(|| panic!("the server did not start: {line:?}")).to_owned();
        *place.latest.lock().unwrap() = Some(base.clone());
        Server { child, said, client: Client::new(base.clone()), base }
    }

    /// The one-time link that it printed, because there was no account.
    pub fn link(&mut self) -> String {
        let mut lines = (&mut self.said).lines().map(Result::unwrap);
        lines.by_ref().find(|line| line.contains("There was no account yet")).unwrap();
        lines.next().unwrap()
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it at once, as kill -9 does.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end, and waits until it has.
    pub fn stop(mut self) -> std::process::ExitStatus {
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(asked.success());
        self.child.wait().unwrap()
    }
}

/// A process beside the server, ended with this.
pub struct Beside(pub Child);

impl Place {
    /// A worker of its own, as `strata work` is.
    pub fn work(&self, settings: &[(&str, &str)]) -> Beside {
        let mut command = self.command(&["work"]);
        command.envs(settings.iter().copied());
        Beside(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already, by `kill` or `stop`.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Where the shared data lie: customers and purchases of an online retailer (UCI Online Retail II, CC BY 4.0).
pub fn real_data() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let folder = std::env::var_os("STRATA_TEST_DATA").map_or(beside, PathBuf::from);
    folder.join("bought.csv.gz").exists().then_some(folder)
}

/// The binary, built once, with none of the surrounding settings.
pub fn strata() -> Command {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    let path = BINARY.get_or_init(|| {
        if let Some(path) = std::env::var_os("STRATA_TEST_BIN") {
            return path.into();
        }
        let built = Command::new(env!("CARGO")).args(["build", "--quiet", "--package", "server"]).status().unwrap();
        assert!(built.success(), "the binary cannot be built");
        // This test runs as target/debug/deps/e2e-…
        std::env::current_exe().unwrap().parent().unwrap().parent().unwrap().join("strata")
    });
    let mut command = Command::new(path);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("STRATA_")) {
        command.env_remove(name);
    }
    command
}

/// Makes one test of a story for each engine.
macro_rules! on_both_engines {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[test] fn $name() { super::$name($crate::server::Engine::Sqlite) })*
        }
        mod postgres {
            $(#[test] fn $name() { super::$name($crate::server::Engine::Postgres) })*
        }
    };
}
pub(crate) use on_both_engines;

/// The same, each with the index and without.
macro_rules! with_and_without_index {
    ($($name:ident),* $(,)?) => {
        $crate::server::on_both_engines!($($name),*);
        mod sqlite_alone {
            $(#[test] fn $name() {
                $crate::server::without_index();
                super::$name($crate::server::Engine::Sqlite)
            })*
        }
        mod postgres_alone {
            $(#[test] fn $name() {
                $crate::server::without_index();
                super::$name($crate::server::Engine::Postgres)
            })*
        }
    };
}
pub(crate) use with_and_without_index;
