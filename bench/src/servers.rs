//! The real binary: started on a free port for a store, and ended by its id.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use crate::{Failure, clients::Client, failed};

/// The program that is measured, and room for its files.
pub(crate) struct Strata {
    program: PathBuf,
    folder: PathBuf,
}

pub(crate) struct Server {
    child: Child,
    pub(crate) client: Client,
}

impl Strata {
    pub(crate) fn new(program: &Path, folder: &Path) -> Strata {
        Strata { program: program.to_owned(), folder: folder.to_owned() }
    }

    /// A command of the binary on this store, with none of the surrounding settings.
    pub(crate) fn command(&self, database_url: &str, arguments: &[&str]) -> Result<Command, Failure> {
        let log = self.folder.join("strata.log");
        let log = File::options().create(true).append(true).open(&log).map_err(failed(log.display()))?;
        let mut command = Command::new(&self.program);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("STRATA_")) {
            command.env_remove(name);
        }
        command
            .args(arguments)
            .args(["--database-url", database_url])
            .env("STRATA_FILES_URL", format!("file://{}", self.files().display()))
            .env("STRATA_LOG", "warn")
            .stdin(Stdio::null())
            .stderr(log);
        Ok(command)
    }

    /// Runs a command to its end, which must be a good one, and returns what it says.
    pub(crate) fn run(&self, mut command: Command) -> Result<String, Failure> {
        let output = command.output().map_err(failed(self.program.display()))?;
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() {
            return Ok(told);
        }
        let log = self.folder.join("strata.log");
        Err(Failure(format!("{command:?} ended with {}: {told}; see {}", output.status, log.display())))
    }

    /// Starts a server, and waits until it answers.
    pub(crate) fn serve(&self, database_url: &str) -> Result<Server, Failure> {
        let mut command = self.command(database_url, &["serve", "--listen", "127.0.0.1:0"])?;
        let mut child = command.stdout(Stdio::piped()).spawn().map_err(failed(self.program.display()))?;
        let mut line = String::new();
        let told = child.stdout.take().map(|out| BufReader::new(out).read_line(&mut line));
        let base = line.split_whitespace().find(|word| word.starts_with("http://")).unwrap_or_default();
        // From here on the process is ended by drop.
        let server = Server { child, client: Client::new(base.to_owned()) };
        told.transpose().map_err(failed("the server's first line"))?;
        if base.is_empty() {
            let log = self.folder.join("strata.log");
            return Err(Failure(format!("the server did not start; see {}", log.display())));
        }
        server.client.get("/api/v1/segments?limit=1")?;
        Ok(server)
    }

    fn files(&self) -> PathBuf {
        self.folder.join("files")
    }

    /// Removes what imports and reports left.
    pub(crate) fn clear_files(&self) -> Result<(), Failure> {
        let files = self.files();
        match fs::remove_dir_all(&files) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(failed(files.display())(error)),
            _ => Ok(()),
        }
    }
}

impl Server {
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself, which the next question to it would have shown.
        self.child.kill().unwrap_or_default();
        self.child.wait().map(drop).unwrap_or_default();
    }
}
