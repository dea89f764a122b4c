//! A PostgreSQL of our own: started, stopped, kept in a folder and brought back from it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use testkit::TempPostgres;

use crate::{Failure, failed, must_be};

/// More than PostgreSQL and the tests' server come with, as anybody with millions of rows would have it. Everything else
/// is as it comes, durability too.
pub(crate) const SETTINGS: [(&str, &str); 3] =
    [("shared_buffers", "1GB"), ("max_wal_size", "8GB"), ("min_wal_size", "1GB")];

/// Leaves used files of the log, which are written over from then on, as those of a server that has run for a while: to
/// make a new one takes fifty milliseconds, in which nobody commits.
pub(crate) const WEAR_IN: &str = "DO $$ BEGIN FOR file IN 1..60 LOOP
    PERFORM pg_logical_emit_message(false, 'bench', ''); PERFORM pg_switch_wal();
END LOOP; END $$;
CHECKPOINT;
";

pub(crate) struct Postgres {
    /// Held, because the server ends with it.
    server: TempPostgres,
    /// The address up to the name of the database, and what follows it.
    pub(crate) address: (String, String),
}

impl Postgres {
    /// A server of our own, durable as it comes. It ends with this process, however that ends.
    pub(crate) fn start() -> Result<Postgres, Failure> {
        let server = TempPostgres::start();
        let url = server.database();
        let cut = || Failure(format!("the address of PostgreSQL has a new form: {url}"));
        let (start, rest) = url.split_once("@/").ok_or_else(cut)?;
        let (_, end) = rest.split_once('?').ok_or_else(cut)?;
        let postgres = Postgres { server, address: (format!("{start}@/"), format!("?{end}")) };
        for (name, value) in SETTINGS {
            let altered = Command::new(program("psql"))
                .args(["-X", "-q", "-w", "-d", &url, "-c", &format!("ALTER SYSTEM SET {name} = '{value}'")])
                .status()
                .map_err(failed("psql"))?;
            must_be("the status of psql", altered.success(), true)?;
        }
        postgres.server.stop();
        postgres.server.restart();
        Ok(postgres)
    }

    /// Ends with the server stopped.
    pub(crate) fn keep(&self, path: &Path) -> Result<(), Failure> {
        self.server.stop();
        // Under another name until it is whole, for a run that is interrupted.
        let unfinished = path.with_extension("unfinished");
        remove_folder(&unfinished)?;
        copy_folder(&self.data(), &unfinished)?;
        fs::rename(&unfinished, path).map_err(failed(path.display()))
    }

    /// Goes on with what was kept, and with the settings of this server, which name its own socket.
    pub(crate) fn restore(&self, path: &Path) -> Result<(), Failure> {
        self.server.stop();
        let data = self.data();
        let mut settings = Vec::new();
        for name in ["postgresql.conf", "postgresql.auto.conf"] {
            let path = data.join(name);
            settings.push((fs::read(&path).map_err(failed(path.display()))?, path));
        }
        remove_folder(&data)?;
        copy_folder(path, &data)?;
        write_through()?;
        for (text, path) in settings {
            fs::write(&path, text).map_err(failed(path.display()))?;
        }
        self.server.restart();
        Ok(())
    }

    fn data(&self) -> PathBuf {
        Path::new(self.address.1.trim_start_matches("?host=")).join("data")
    }

    pub(crate) fn first_process(&self) -> Result<u32, Failure> {
        let path = self.data().join("postmaster.pid");
        let text = fs::read_to_string(&path).map_err(failed(path.display()))?;
        let id = text.lines().next().and_then(|line| line.trim().parse().ok());
        id.ok_or_else(|| Failure(format!("{} does not begin with a process", path.display())))
    }
}

fn remove_folder(path: &Path) -> Result<(), Failure> {
    if path.exists() { fs::remove_dir_all(path).map_err(failed(path.display())) } else { Ok(()) }
}

/// With its owners and permissions, without which PostgreSQL does not start.
fn copy_folder(from: &Path, to: &Path) -> Result<(), Failure> {
    let copied = Command::new("cp").args(["-a", "--reflink=auto"]).args([from, to]).status().map_err(failed("cp"))?;
    must_be("the status of cp", copied.success(), true)
}

/// What was written has reached the disk, so that nobody who is timed waits for it.
pub(crate) fn write_through() -> Result<(), Failure> {
    let synced = Command::new("sync").status().map_err(failed("sync"))?;
    must_be("the status of sync", synced.success(), true)
}

/// Where the tests find PostgreSQL's programs: where they are told, else where Debian keeps them, else on the path. Debian's
/// own `psql` on the path is a script that looks for the program first, which takes longer than many a statement.
pub(crate) fn program(name: &str) -> PathBuf {
    if let Some(told) = std::env::var_os("PG_BIN") {
        return Path::new(&told).join(name);
    }
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let version = |entry: &fs::DirEntry| entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok());
    let newest = debian.filter(|entry| entry.path().join("bin").join(name).exists()).max_by_key(version);
    newest.map_or_else(|| PathBuf::from(name), |entry| entry.path().join("bin").join(name))
}
