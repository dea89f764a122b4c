//! Stores of both engines: made, filled, copied, asked by the engine's own shell, and thrown away.

use std::{
    cell::Cell,
    fmt, fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    time::Instant,
};

use crate::{
    Failure,
    clients::{Counted, count},
    clusters::{self, Postgres, write_through},
    failed,
    meters::{Children, Meter},
    must_be,
    servers::Strata,
};

/// What the server sets on its own connections; a file that it made is in WAL mode for ever.
const PRAGMAS: &str = ".output /dev/null\n.timeout 5000\nPRAGMA synchronous = FULL;\nPRAGMA temp_store = MEMORY;\n\
                       PRAGMA cache_size = -16000;\n.output\n";

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Engine::Sqlite => "SQLite",
            Engine::Postgres => "PostgreSQL",
        })
    }
}

/// A database of PostgreSQL or a file of SQLite.
#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) url: String,
    place: Place,
}

#[derive(Debug)]
enum Place {
    File(PathBuf),
    Database(String),
}

/// One engine with all that is needed to work on it.
pub(crate) struct Workshop {
    pub(crate) engine: Engine,
    pub(crate) strata: Strata,
    pub(crate) meter: Meter,
    /// Where stores and other things of this run lie.
    pub(crate) folder: PathBuf,
    postgres: Option<Postgres>,
    stores: Cell<u32>,
}

impl Workshop {
    /// Begins with an empty folder.
    pub(crate) fn open(engine: Engine, strata: &Path, folder: &Path) -> Result<Workshop, Failure> {
        let postgres = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => Some(Postgres::start()?),
        };
        Workshop::with(engine, strata, folder, postgres)
    }

    /// As `open`, with the store that was kept at `path`. A file of SQLite is used where it is, for whoever only reads or
    /// copies it; PostgreSQL works on a copy, and nobody has to be careful with that.
    pub(crate) fn open_kept(
        engine: Engine,
        strata: &Path,
        folder: &Path,
        path: &Path,
    ) -> Result<(Workshop, Store), Failure> {
        let postgres = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => {
                let postgres = Postgres::start()?;
                postgres.restore(path)?;
                Some(postgres)
            }
        };
        let workshop = Workshop::with(engine, strata, folder, postgres)?;
        let store = match engine {
            Engine::Sqlite => workshop.store(Place::File(path.to_owned())),
            Engine::Postgres => workshop.new_store(),
        };
        Ok((workshop, store))
    }

    /// Keeps the first store of this workshop, which ends with it, at `path`, where nothing is yet. The store has settled.
    pub(crate) fn keep(self, store: Store, path: &Path) -> Result<(), Failure> {
        match (&self.postgres, &store.place) {
            (Some(postgres), _) => postgres.keep(path)?,
            (None, Place::File(file)) => fs::rename(file, path).map_err(failed(path.display()))?,
            (None, Place::Database(name)) => return Err(Failure(format!("{name} has no PostgreSQL"))),
        }
        self.close()
    }

    fn with(engine: Engine, strata: &Path, folder: &Path, postgres: Option<Postgres>) -> Result<Workshop, Failure> {
        let folder = folder.join(format!("run-{engine:?}").to_lowercase());
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(failed(folder.display()))?;
        }
        fs::create_dir_all(&folder).map_err(failed(folder.display()))?;
        let postmaster = postgres.as_ref().map(Postgres::first_process).transpose()?;
        Ok(Workshop {
            engine,
            strata: Strata::new(strata, &folder),
            meter: Meter { postmaster },
            folder,
            postgres,
            stores: Cell::new(0),
        })
    }

    /// Throws everything away. After a failure it stays, for whoever looks for the reason, until the next run begins.
    pub(crate) fn close(self) -> Result<(), Failure> {
        fs::remove_dir_all(&self.folder).map_err(failed(self.folder.display()))
    }

    /// What the engine calls itself, with its version and settings.
    pub(crate) fn version(&self) -> Result<String, Failure> {
        match self.engine {
            Engine::Sqlite => {
                let output = Command::new("sqlite3").arg("--version").output().map_err(failed("sqlite3"))?;
                let version = String::from_utf8_lossy(&output.stdout);
                let number = version.split_whitespace().next().unwrap_or_default().to_owned();
                Ok(format!("sqlite3 {number}, WAL, synchronous FULL"))
            }
            Engine::Postgres => {
                let admin = self.store(Place::Database("postgres".to_owned()));
                let version = self.ask(&admin, "SHOW server_version;")?;
                let settings: Vec<_> =
                    clusters::SETTINGS.iter().map(|(name, value)| format!("{name} {value}")).collect();
                Ok(format!("PostgreSQL {version}, durable, {}", settings.join(", ")))
            }
        }
    }

    /// An empty store with its schema.
    pub(crate) fn migrated(&self) -> Result<Store, Failure> {
        let store = self.new_store();
        if let Place::Database(name) = &store.place {
            self.administer(&format!("CREATE DATABASE {name} TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'"))?;
        }
        self.strata.run(self.strata.command(&store.url, &["migrate"])?)?;
        Ok(store)
    }

    /// Another store with the same in it. Nobody may be connected to this one.
    pub(crate) fn copy(&self, of: &Store) -> Result<Store, Failure> {
        let store = self.new_store();
        match (&of.place, &store.place) {
            (Place::File(from), Place::File(to)) => {
                fs::copy(from, to).map(drop).map_err(failed(from.display()))?;
            }
            (Place::Database(from), Place::Database(to)) => {
                self.administer(&format!("CREATE DATABASE {to} TEMPLATE {from} STRATEGY FILE_COPY"))?;
                self.administer("CHECKPOINT")?;
            }
            _ => return Err(Failure("a store is copied to the same engine".to_owned())),
        }
        write_through()?;
        Ok(store)
    }

    /// Does something with a copy that is thrown away afterwards.
    pub(crate) fn with_copy<T>(
        &self,
        of: &Store,
        work: impl FnOnce(&Store) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let store = self.copy(of)?;
        let result = work(&store)?;
        self.discard(store)?;
        Ok(result)
    }

    pub(crate) fn discard(&self, store: Store) -> Result<(), Failure> {
        match &store.place {
            Place::Database(name) => self.administer(&format!("DROP DATABASE {name} WITH (FORCE)"))?,
            Place::File(path) => {
                for suffix in ["", "-wal", "-shm"] {
                    let path = PathBuf::from(format!("{}{suffix}", path.display()));
                    if path.exists() {
                        fs::remove_file(&path).map_err(failed(path.display()))?;
                    }
                }
            }
        }
        self.strata.clear_files()
    }

    /// After much was written: leaves nothing for the first reader to tidy up.
    pub(crate) fn settle(&self, store: &Store) -> Result<(), Failure> {
        let script = match self.engine {
            Engine::Sqlite => ".output /dev/null\nPRAGMA wal_checkpoint(TRUNCATE);\n",
            Engine::Postgres => "VACUUM (FREEZE, ANALYZE);\nCHECKPOINT;\n",
        };
        self.execute(store, script)
    }

    /// Runs statements in the engine's shell, which may say nothing.
    pub(crate) fn execute(&self, store: &Store, script: &str) -> Result<(), Failure> {
        must_be("what the shell says", self.ask(store, script)?.as_str(), "")
    }

    /// Runs statements in the engine's shell, and returns what it says.
    pub(crate) fn ask(&self, store: &Store, script: &str) -> Result<String, Failure> {
        let shell = self.shell(store, &[], script)?;
        let output = shell.wait_with_output().map_err(failed("the shell"))?;
        must_be("the status of the shell", output.status.success(), true)?;
        Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
    }

    /// Runs statements in the engine's shell, and counts what it says.
    pub(crate) fn count(&self, store: &Store, arguments: &[&str], script: &str) -> Result<Counted, Failure> {
        let asked = Instant::now();
        let mut shell = self.shell(store, arguments, script)?;
        let out = shell.stdout.take().expect("the output is piped");
        let counted = count(out, asked).map_err(failed("the shell"))?;
        must_be("the status of the shell", shell.wait().map_err(failed("the shell"))?.success(), true)?;
        Ok(counted)
    }

    /// Whose work the shell does.
    pub(crate) fn whose_shell(&self) -> Children {
        match self.engine {
            Engine::Sqlite => Children::Database,
            Engine::Postgres => Children::Clients,
        }
    }

    /// How many rows there are of a table, or of a table with a condition.
    pub(crate) fn rows(&self, store: &Store, of: &str) -> Result<u64, Failure> {
        let told = self.ask(store, &format!("SELECT count(*) FROM {of};\n"))?;
        told.parse().map_err(failed(format!("count(*) of {of} is `{told}`")))
    }

    /// The scripts are short enough for the pipe to take them whole.
    fn shell(&self, store: &Store, arguments: &[&str], script: &str) -> Result<Child, Failure> {
        let (shell, mut input) = self.begin_shell(store, arguments)?;
        input.write_all(script.as_bytes()).map_err(failed("the shell"))?;
        Ok(shell)
    }

    /// The engine's shell, and where it reads statements from until that is closed.
    pub(crate) fn begin_shell(&self, store: &Store, arguments: &[&str]) -> Result<(Child, ChildStdin), Failure> {
        let (mut command, prelude) = match &store.place {
            Place::File(path) => {
                let mut command = Command::new("sqlite3");
                command.args(["-batch", "-bail"]).args(arguments).arg(path);
                (command, PRAGMAS)
            }
            Place::Database(_) => {
                let mut command = Command::new(clusters::program("psql"));
                command.args(["-X", "-q", "-A", "-t", "-w", "-v", "ON_ERROR_STOP=1"]).args(arguments);
                command.args(["-d", &store.url, "-f", "-"]).env("PGOPTIONS", "-c client_min_messages=warning");
                (command, "")
            }
        };
        let program = command.get_program().to_string_lossy().into_owned();
        let mut shell =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(failed(format!("`{program}`")))?;
        let mut input = shell.stdin.take().expect("the input is piped");
        input.write_all(prelude.as_bytes()).map_err(failed(program))?;
        Ok((shell, input))
    }

    fn new_store(&self) -> Store {
        let number = self.stores.get();
        self.stores.set(number + 1);
        self.store(match self.engine {
            Engine::Sqlite => Place::File(self.folder.join(format!("store-{number}.db"))),
            Engine::Postgres => Place::Database(format!("store_{number}")),
        })
    }

    fn store(&self, place: Place) -> Store {
        let url = match &place {
            Place::File(path) => format!("sqlite://{}", path.display()),
            Place::Database(name) => {
                let (start, end) = &self.postgres.as_ref().expect("databases are PostgreSQL's").address;
                format!("{start}{name}{end}")
            }
        };
        Store { url, place }
    }

    fn administer(&self, sql: &str) -> Result<(), Failure> {
        self.execute(&self.store(Place::Database("postgres".to_owned())), &format!("{sql};\n"))
    }
}
