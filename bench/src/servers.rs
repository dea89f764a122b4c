//! The real binary: started on a free port for a store, and ended by its id.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::{Failure, clients::Client, failed, must_be, populations::now_us};

/// The program that is measured, and room for its files.
pub(crate) struct Strata {
    program: PathBuf,
    folder: PathBuf,
}

pub(crate) struct Server {
    child: Child,
    pub(crate) client: Client,
    /// Where it is reached, for instance `http://127.0.0.1:4711`.
    pub(crate) base: String,
    /// What whoever asks has to show.
    pub(crate) token: Option<String>,
    /// How long its start took.
    pub(crate) ready_after: Duration,
}

/// Loading an index of many memberships takes its time.
const READY_WITHIN: Duration = Duration::from_secs(900);
const LOOK_EVERY: Duration = Duration::from_millis(5);

impl Strata {
    pub(crate) fn new(program: &Path, folder: &Path) -> Strata {
        Strata { program: program.to_owned(), folder: folder.to_owned() }
    }

    /// A command of the binary on this store, with none of the surrounding settings.
    pub(crate) fn command(&self, database_url: &str, arguments: &[&str]) -> Result<Command, Failure> {
        let log = self.log();
        let log = File::options().create(true).append(true).open(&log).map_err(failed(log.display()))?;
        let mut command = Command::new(&self.program);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("STRATA_")) {
            command.env_remove(name);
        }
        command
            .args(arguments)
            .args(["--database-url", database_url])
            .env("STRATA_FILES_URL", format!("file://{}", self.files().display()))
            .env("STRATA_INDEX_FILE", self.index_file())
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
        Err(Failure(format!("{command:?} ended with {}: {told}; see {}", output.status, self.log().display())))
    }

    /// Starts a server, and waits until it can serve.
    pub(crate) fn serve(&self, database_url: &str) -> Result<Server, Failure> {
        self.serve_with(database_url, &[])
    }

    /// Starts a server with these settings, by the names that they have in the environment.
    pub(crate) fn serve_with(&self, database_url: &str, settings: &[(&str, &str)]) -> Result<Server, Failure> {
        self.begin(self.serving(database_url, settings)?)
    }

    /// As `serve_with`, and Ctrl-C at the terminal does not reach it.
    pub(crate) fn serve_apart(&self, database_url: &str, settings: &[(&str, &str)]) -> Result<Server, Failure> {
        let mut command = self.serving(database_url, settings)?;
        command.process_group(0);
        self.begin(command)
    }

    fn serving(&self, database_url: &str, settings: &[(&str, &str)]) -> Result<Command, Failure> {
        let mut command = self.command(database_url, &["serve", "--open", "--listen", "127.0.0.1:0"])?;
        command.envs(settings.iter().copied());
        Ok(command)
    }

    /// As `serve_with`, where whoever asks shows a token.
    pub(crate) fn serve_guarded(&self, database_url: &str, settings: &[(&str, &str)]) -> Result<Server, Failure> {
        // The store is kept between runs, and no two tokens have one name.
        let name = format!("bench-{}", now_us()?);
        let made = self.command(database_url, &["token", "create", &name, "--scope", "read"])?;
        let token = self.run(made)?;
        let mut command = self.command(database_url, &["serve", "--listen", "127.0.0.1:0"])?;
        command.envs(settings.iter().copied());
        let token = token.trim();
        self.begin_as(command, |server| server.bearing(token))
    }

    fn begin(&self, command: Command) -> Result<Server, Failure> {
        self.begin_as(command, |server| server)
    }

    fn begin_as(&self, mut command: Command, known: impl FnOnce(Server) -> Server) -> Result<Server, Failure> {
        let begun = Instant::now();
        let started = Server::start(&mut command)
            .map_err(|Failure(reason)| Failure(format!("{reason}; see {}", self.log().display())))?;
        let mut server = known(started);
        while server.client.status("/readyz")? != 200 {
            if begun.elapsed() > READY_WITHIN {
                return Err(Failure(format!("the server was not ready within {} s", READY_WITHIN.as_secs())));
            }
            thread::sleep(LOOK_EVERY);
        }
        server.ready_after = begun.elapsed();
        server.client.get("/api/v1/segments?limit=1")?;
        Ok(server)
    }

    /// What every process of it says of itself.
    pub(crate) fn log(&self) -> PathBuf {
        self.folder.join("strata.log")
    }

    fn files(&self) -> PathBuf {
        self.folder.join("files")
    }

    fn index_file(&self) -> PathBuf {
        self.folder.join("index")
    }

    /// Removes what imports and reports left, and the snapshot of the index.
    pub(crate) fn clear_files(&self) -> Result<(), Failure> {
        match fs::remove_file(self.index_file()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(failed(self.index_file().display())(error));
            }
            _ => {}
        }
        let files = self.files();
        match fs::remove_dir_all(&files) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(failed(files.display())(error)),
            _ => Ok(()),
        }
    }
}

impl Server {
    /// Starts any program that says where it listens in the first line that it prints.
    pub(crate) fn start(command: &mut Command) -> Result<Server, Failure> {
        let begun = Instant::now();
        let program = command.get_program().to_string_lossy().into_owned();
        let mut child = command.stdout(Stdio::piped()).spawn().map_err(failed(program))?;
        let mut line = String::new();
        let told = child.stdout.take().map(|out| BufReader::new(out).read_line(&mut line));
        let word = |beginning: &str| line.split_whitespace().find(|word| word.starts_with(beginning));
        let (base, token) = (word("http://").unwrap_or_default().to_owned(), word("strata_"));
        // From here on the process is ended by drop.
        let server =
            Server { child, client: Client::new(base.clone()), ready_after: begun.elapsed(), token: None, base };
        let server = match token {
            Some(token) => server.bearing(token),
            None => server,
        };
        told.transpose().map_err(failed("the server's first line"))?;
        if server.base.is_empty() {
            return Err(Failure("the server did not start".to_owned()));
        }
        Ok(server)
    }

    /// From now on this token is shown with every request.
    pub(crate) fn bearing(self, token: &str) -> Server {
        // What is taken out of it is not dropped with it.
        let mut server = self;
        server.client = Client::bearing(server.base.clone(), token);
        server.token = Some(token.to_owned());
        server
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to end, and waits until it has.
    pub(crate) fn stop(mut self) -> Result<(), Failure> {
        let told = Command::new("kill").arg(self.id().to_string()).status().map_err(failed("kill"))?;
        must_be("the status of kill", told.success(), true)?;
        let ended = self.child.wait().map_err(failed("the server"))?;
        must_be("the status of the server", ended.success(), true)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself, which the next question to it would have shown.
        self.child.kill().unwrap_or_default();
        self.child.wait().map(drop).unwrap_or_default();
    }
}
