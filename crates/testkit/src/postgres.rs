//! A throw-away PostgreSQL: on a Unix socket only, and gone when the test process is gone, however it ended.

use std::{
    env, fs,
    io::Write,
    os::unix::{
        fs::{MetadataExt, PermissionsExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{
        LazyLock, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

/// Names a server that is there already, for machines without PostgreSQL's programs.
const SERVER_VARIABLE: &str = "STRATA_TEST_POSTGRES_URL";

/// Reads until the pipe that the test process holds is closed, by drop or by death. The rounds are for a server or an
/// `initdb` that was just beginning when the process died.
const STOP_AND_REMOVE: &str = r#"trap '' INT TERM HUP
cat >/dev/null
for round in 1 2 3 4 5; do
    "$1" stop -s -w -t 20 -m immediate -D "$2/data"
    rm -rf "$2"
    [ -e "$2" ] || exit 0
    sleep 1
done"#;

/// Is told the names of databases, one a line, and drops them at the end.
const DROP_DATABASES: &str = r#"trap '' INT TERM HUP
names=$(cat)
for name in $names; do
    "$1" -X -q -d "$2" -c "DROP DATABASE IF EXISTS \"$name\" WITH (FORCE)"
done"#;

static SHARED: LazyLock<TempPostgres> = LazyLock::new(|| match env::var(SERVER_VARIABLE) {
    Ok(url) if !url.is_empty() => TempPostgres::given(url),
    _ => TempPostgres::private(Durability::None),
});

/// A PostgreSQL server for tests, and the databases on it.
///
/// Dropping it stops the server and removes its folder. So does the end of the process, by a watchdog of its own:
/// statics are never dropped, and nobody runs any code after `kill -9`.
pub struct TempPostgres {
    server: Server,
    watchdog: Mutex<Child>,
    databases: AtomicU32,
}

enum Server {
    Private(Private),
    Given { url: String, psql: PathBuf },
}

struct Private {
    bin: PathBuf,
    folder: PathBuf,
    account: Option<Account>,
}

/// PostgreSQL refuses to run as root, so root borrows another account for it.
#[derive(Clone, Copy)]
struct Account {
    uid: u32,
    gid: u32,
}

enum Durability {
    /// As PostgreSQL comes: what was committed survives a crash.
    Full,
    /// For speed: nobody looks at the data after a crash.
    None,
}

enum Collation {
    /// Of a language, as most servers have it: `a` comes before `Z`. A store that relies on the default fails here.
    Linguistic,
    /// Byte by byte, where the letter case of other than ASCII is not known.
    Bytewise,
}

impl TempPostgres {
    /// The one server of this test process. It does not sync to disk; with `STRATA_TEST_POSTGRES_URL` it is that server.
    pub fn shared() -> &'static TempPostgres {
        &SHARED
    }

    /// A server of its own, as durable as PostgreSQL comes: for tests that stop it.
    pub fn start() -> TempPostgres {
        TempPostgres::private(Durability::Full)
    }

    /// Creates an empty database with a linguistic collation, where the server knows one, and returns its address.
    pub fn database(&self) -> String {
        self.create_database(Collation::Linguistic)
    }

    /// Creates an empty database with the collation `C`, and returns its address.
    pub fn database_in_c(&self) -> String {
        self.create_database(Collation::Bytewise)
    }

    /// Ends the server at once, as a crash would: whatever was not committed is lost.
    pub fn stop(&self) {
        let private = self.require_private();
        let data = private.folder.join("data");
        succeed(private.command("pg_ctl").args(["stop", "-s", "-w", "-m", "immediate", "-D"]).arg(data));
    }

    /// Starts the stopped server again, at the same address and with what was committed.
    pub fn restart(&self) {
        self.require_private().run();
    }

    fn require_private(&self) -> &Private {
        match &self.server {
            Server::Private(private) => private,
            Server::Given { .. } => panic!("only a private server can be stopped: use TempPostgres::start()"),
        }
    }

    fn private(durability: Durability) -> TempPostgres {
        let bin = folder_with("initdb").unwrap_or_else(|| panic!("{}", missing("initdb")));
        let (folder, account) = own_folder();
        let private = Private { bin, folder, account };
        // The watchdog comes first, so that nothing that follows can be left behind.
        let watchdog = watch(&mut private.command("sh"), STOP_AND_REMOVE, &private.bin.join("pg_ctl"), &private.folder);
        let server = TempPostgres {
            server: Server::Private(private),
            watchdog: Mutex::new(watchdog),
            databases: AtomicU32::new(0),
        };
        server.require_private().initialise(&durability);
        server.require_private().run();
        server
    }

    fn given(url: String) -> TempPostgres {
        let psql = folder_with("psql").unwrap_or_else(|| panic!("{}", missing("psql"))).join("psql");
        let watchdog = watch(&mut Command::new("sh"), DROP_DATABASES, &psql, Path::new(&url));
        TempPostgres {
            server: Server::Given { url, psql },
            watchdog: Mutex::new(watchdog),
            databases: AtomicU32::new(0),
        }
    }

    fn create_database(&self, collation: Collation) -> String {
        let number = self.databases.fetch_add(1, Ordering::Relaxed);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros());
        let name = format!("strata_test_{}_{now:x}_{number}", std::process::id());
        let mut watchdog = self.watchdog.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let told = watchdog.stdin.as_mut().map(|pipe| writeln!(pipe, "{name}"));
        assert!(matches!(told, Some(Ok(()))), "the watchdog of PostgreSQL ended before the tests did");
        drop(watchdog);

        let create = format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'");
        let plain = format!("{create} LC_COLLATE 'C' LC_CTYPE 'C'");
        let linguistic = format!("{plain} LOCALE_PROVIDER icu ICU_LOCALE 'en-US'");
        let created = match collation {
            Collation::Linguistic => self.execute(&linguistic).or_else(|_| self.execute(&create)),
            Collation::Bytewise => self.execute(&plain),
        };
        if let Err(message) = created {
            panic!("cannot create a database: {message}");
        }
        self.address(&name)
    }

    fn execute(&self, sql: &str) -> Result<(), String> {
        let (mut psql, url) = match &self.server {
            Server::Private(private) => (private.command("psql"), self.address("postgres")),
            Server::Given { url, psql } => (Command::new(psql), url.clone()),
        };
        let output = output(psql.args(["-X", "-q", "-w", "-v", "ON_ERROR_STOP=1", "-d", &url, "-c", sql]));
        if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
    }

    fn address(&self, database: &str) -> String {
        match &self.server {
            Server::Private(private) => {
                let folder = private.folder.to_str().expect("a temporary folder is named in UTF-8");
                format!("postgres://postgres@/{database}?host={}", percent_encoded(folder))
            }
            Server::Given { url, .. } => with_database(url, database),
        }
    }
}

impl Drop for TempPostgres {
    fn drop(&mut self) {
        let watchdog = self.watchdog.get_mut().unwrap_or_else(|poisoned| poisoned.into_inner());
        drop(watchdog.stdin.take());
        // Nothing can be done about a failure here, and the folder is a temporary one.
        let _ = watchdog.wait();
    }
}

impl Private {
    fn initialise(&self, durability: &Durability) {
        let data = self.folder.join("data");
        let mut initdb = self.command("initdb");
        succeed(
            initdb.args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync", "-D"]).arg(&data),
        );
        let folder = self.folder.to_str().expect("a temporary folder is named in UTF-8").replace('\'', "''");
        let mut settings = format!(
            "listen_addresses = ''\nunix_socket_directories = '{folder}'\nmax_connections = 200\nshared_buffers = 32MB\n"
        );
        if matches!(durability, Durability::None) {
            settings += "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n";
        }
        let written = fs::OpenOptions::new()
            .append(true)
            .open(data.join("postgresql.conf"))
            .and_then(|mut file| file.write_all(settings.as_bytes()));
        written.expect("the settings that initdb made can be written");
    }

    fn run(&self) {
        let mut start = self.command("pg_ctl");
        start.args(["start", "-s", "-w", "-t", "60", "-D"]).arg(self.folder.join("data"));
        let started = output(start.arg("-l").arg(self.folder.join("log")));
        if !started.status.success() {
            let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            panic!("PostgreSQL does not start: {}{log}", String::from_utf8_lossy(&started.stderr));
        }
    }

    /// One of PostgreSQL's programs, or the shell, under the account that owns the folder.
    fn command(&self, program: &str) -> Command {
        let own = self.bin.join(program);
        let mut command = if own.exists() { Command::new(own) } else { Command::new(program) };
        if let Some(account) = self.account {
            command.uid(account.uid).gid(account.gid);
        }
        command.current_dir("/").stdin(Stdio::null());
        command
    }
}

/// Starts a shell that outlives this process: in a group of its own, where no Ctrl-C reaches it, and holding none of
/// the pipes that somebody may read to their end.
fn watch(shell: &mut Command, script: &str, program: &Path, target: &Path) -> Child {
    shell
        .args(["-c", script, "watchdog"])
        .arg(program)
        .arg(target)
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a POSIX shell is there")
}

fn output(command: &mut Command) -> Output {
    let program = command.get_program().to_owned();
    command.output().unwrap_or_else(|error| panic!("{} does not run: {error}", program.display()))
}

fn succeed(command: &mut Command) {
    let output = output(command);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{} failed: {told}", command.get_program().display());
}

fn missing(program: &str) -> String {
    format!(
        "no `{program}` in $PG_BIN, /usr/lib/postgresql/*/bin or $PATH: install PostgreSQL (`apt-get install postgresql`), \
         or set {SERVER_VARIABLE} to the address of a server where tests may create databases"
    )
}

/// Where this program of PostgreSQL is: as told, else the newest that Debian keeps, else on the path.
fn folder_with(program: &str) -> Option<PathBuf> {
    if let Some(told) = env::var_os("PG_BIN") {
        return Some(PathBuf::from(told));
    }
    let version = |bin: &PathBuf| bin.parent().and_then(|folder| folder.file_name()?.to_str()?.parse::<u32>().ok());
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    debian
        .map(|entry| entry.path().join("bin"))
        .filter(|bin| bin.join(program).exists())
        .max_by_key(version)
        .or_else(|| env::split_paths(&env::var_os("PATH")?).find(|folder| folder.join(program).exists()))
}

/// A new folder that nobody else can look into, and the account it was given to when this is root.
fn own_folder() -> (PathBuf, Option<Account>) {
    // A socket's path has at most 107 bytes, and a temporary folder's can be longer.
    let parent = Some(env::temp_dir()).filter(|path| path.as_os_str().len() < 70).unwrap_or_else(|| "/tmp".into());
    let folder = tempfile::Builder::new().prefix("pg-").tempdir_in(parent).expect("a temporary folder can be made");
    // From here on the watchdog removes it: it may belong to another account, and a static is never dropped.
    let folder = folder.keep();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).expect("an own folder can be closed");
    let is_root = fs::metadata(&folder).is_ok_and(|made| made.uid() == 0);
    if !is_root {
        return (folder, None);
    }
    let account = ["postgres", "nobody"]
        .into_iter()
        .find_map(account_named)
        .expect("/etc/passwd has `postgres` or `nobody`, which root borrows because PostgreSQL refuses to run as root");
    chown(&folder, Some(account.uid), Some(account.gid)).expect("root can give a folder away");
    (folder, Some(account))
}

fn account_named(name: &str) -> Option<Account> {
    let accounts = fs::read_to_string("/etc/passwd").ok()?;
    let line = accounts.lines().find(|line| line.split(':').next() == Some(name))?;
    let mut fields = line.split(':').skip(2);
    Some(Account { uid: fields.next()?.parse().ok()?, gid: fields.next()?.parse().ok()? })
}

fn percent_encoded(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
    path.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// The address of another database on the server of this one.
fn with_database(url: &str, database: &str) -> String {
    let (rest, query) = url.split_once('?').map_or((url, String::new()), |(rest, query)| (rest, format!("?{query}")));
    let authority = rest.find("://").map_or(0, |scheme| scheme + 3);
    let server = rest[authority..].find('/').map_or(rest, |slash| &rest[..authority + slash]);
    format!("{server}/{database}{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_keeps_its_data_over_a_crash_and_leaves_nothing() {
        let server = TempPostgres::start();
        let url = server.database();
        let private = server.require_private();
        let folder = private.folder.clone();
        let query = |sql: &str| output(private.command("psql").args(["-X", "-At", "-w", "-d", &url, "-c", sql]));
        assert!(query("CREATE TABLE kept AS SELECT 42 AS answer").status.success());
        server.stop();
        assert!(!query("SELECT 1").status.success());
        server.restart();
        assert_eq!(String::from_utf8_lossy(&query("SELECT answer FROM kept").stdout), "42\n");
        drop(server);
        assert!(!folder.exists());
    }

    #[test]
    fn databases_on_a_given_server_are_dropped_at_the_end() {
        let server = TempPostgres::start();
        let given = TempPostgres::given(server.address("postgres"));
        let url = given.database();
        let private = server.require_private();
        let query = |sql: &str| output(private.command("psql").args(["-X", "-At", "-w", "-d", &url, "-c", sql]));
        assert!(query("SELECT 1").status.success());
        drop(given);
        assert!(!query("SELECT 1").status.success());
    }

    #[test]
    fn text_is_sorted_by_language_or_by_bytes() {
        let server = TempPostgres::shared();
        let sorts = |url: &str| {
            let Server::Private(private) = &server.server else { return String::new() };
            let sql = "SELECT 'a' < 'Z', lower('Я') = 'я'";
            let told = output(private.command("psql").args(["-X", "-At", "-w", "-d", url, "-c", sql]));
            String::from_utf8_lossy(&told.stdout).into_owned()
        };
        let told = [sorts(&server.database()), sorts(&server.database_in_c())];
        // A server without ICU knows only bytes; one that was given is its owner's.
        assert!([["t|t\n", "f|f\n"], ["f|f\n", "f|f\n"], ["", ""]].iter().any(|known| told == *known), "{told:?}");
        eprintln!("{told:?}");
    }

    #[test]
    fn each_database_is_its_own() {
        let (first, second) = (TempPostgres::shared().database(), TempPostgres::shared().database_in_c());
        assert_ne!(first, second);
    }

    #[test]
    fn an_address_is_kept_but_for_the_database() {
        for (url, other) in [
            ("postgres://me:pw@db:5433/app?sslmode=require", "postgres://me:pw@db:5433/x?sslmode=require"),
            ("postgres://postgres@/postgres?host=/tmp/a", "postgres://postgres@/x?host=/tmp/a"),
            ("postgres://db", "postgres://db/x"),
        ] {
            assert_eq!(with_database(url, "x"), other);
        }
        assert_eq!(percent_encoded("/tmp/a b&c"), "/tmp/a%20b%26c");
    }
}
