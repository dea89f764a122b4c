//! `strata import`: files into the store that the settings name, or into a running server.

use std::{
    fs::File,
    io::{self, IsTerminal},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant as Stopwatch},
};

use domain::{Caller, Instant, Job, JobId, JobState, Reason, Slug, Ttl};
use indicatif::{ProgressBar, ProgressStyle};
use reqwest::blocking::{Body, RequestBuilder, Response};
use serde_json::Value;
use usecases::{
    App,
    imports::{self, Import, Outcome, What},
    jobs,
    memberships::Deadline,
};

use crate::{
    Failure, ImportArgs, MembershipArgs, account::operator, remote::Remote, say, serve, settings::Settings, world,
};

/// How often it is looked how far an import came.
const LOOK_EVERY: Duration = Duration::from_millis(200);

pub(crate) fn users(settings: &Settings, args: &ImportArgs) -> Result<ExitCode, Failure> {
    let import = Import { atomic: args.atomic, dry_run: args.dry_run, ..Import::of_rows(What::Users) };
    run(settings, args, "users/import", &import)
}

pub(crate) fn segments(settings: &Settings, args: &ImportArgs) -> Result<ExitCode, Failure> {
    let import = Import { atomic: args.atomic, dry_run: args.dry_run, ..Import::of_rows(What::Segments) };
    run(settings, args, "segments/import", &import)
}

pub(crate) fn memberships(settings: &Settings, args: &ImportArgs, of: &MembershipArgs) -> Result<ExitCode, Failure> {
    let refuse = |what: &str, error: String| Failure(format!("--{what}: {error}"));
    let segment = of.segment.as_deref().map(Slug::parse).transpose();
    let segment = segment.map_err(|error| refuse("segment", error.to_string()))?;
    let ttl =
        of.ttl.as_deref().map(Ttl::parse_or_seconds).transpose().map_err(|error| refuse("ttl", error.to_string()))?;
    let at = of.expires_at.as_deref().map(str::parse::<Instant>).transpose();
    let at = at.map_err(|_| refuse("expires-at", "is not an instant such as 2026-11-20T12:00:00Z".to_owned()))?;
    let reason = of.reason.as_deref().map(Reason::parse).transpose();
    let path = match &segment {
        Some(slug) => format!("segments/{slug}/users/import"),
        None => "memberships/import".to_owned(),
    };
    let import = Import {
        create_segments: !of.no_create_segments && segment.is_none(),
        what: What::Memberships { segment },
        mode: of.mode.into(),
        atomic: args.atomic,
        dry_run: args.dry_run,
        deadline: ttl.map(Deadline::After).or(at.map(Deadline::At)),
        reason: reason.map_err(|error| refuse("reason", error.to_string()))?,
    };
    run(settings, args, &path, &import)
}

fn run(settings: &Settings, args: &ImportArgs, path: &str, import: &Import) -> Result<ExitCode, Failure> {
    let begun = Stopwatch::now();
    let file = File::open(&args.file).map_err(|error| Failure(format!("{}: {error}", args.file.display())))?;
    let progress = Progress::new(args.progress);
    let told = match &args.server {
        Some(server) => Remote::new(server)?.import(path, import, file, &args.file, &progress)?,
        None => here(settings, import, file, &args.file, &progress)?,
    };
    progress.end();
    told.say(begun.elapsed(), import.dry_run)
}

/// What came of an import.
struct Told {
    state: String,
    total: u64,
    counts: Vec<(String, u64)>,
    refused: u64,
    refusals: Vec<String>,
    refused_file: Option<PathBuf>,
    problem: Option<String>,
    job: i64,
}

impl Told {
    fn say(self, took: Duration, dry_run: bool) -> Result<ExitCode, Failure> {
        let counts: Vec<String> = self
            .counts
            .iter()
            .filter(|(_, count)| *count > 0)
            .map(|(name, count)| format!("{count} {}", name.replace('_', " ")))
            .collect();
        let counts = if counts.is_empty() { "nothing to do".to_owned() } else { counts.join(", ") };
        let would = if dry_run { " would be" } else { "" };
        say(format_args!("{} rows in {:.1} s{would}: {counts} (job {})", self.total, took.as_secs_f64(), self.job))?;
        if self.refused > 0 {
            let mut text = format!("{} rows were refused", self.refused);
            if let Some(file) = &self.refused_file {
                text.push_str(&format!("; mend them in {} and import it", file.display()));
            }
            for refusal in &self.refusals {
                text.push_str(&format!("\n  {refusal}"));
            }
            eprintln!("strata: {text}");
        }
        match self.problem {
            Some(problem) => Err(Failure(problem)),
            None if self.state != JobState::Done.as_str() => Err(Failure(format!("the import is {}", self.state))),
            None if self.refused > 0 => Ok(ExitCode::FAILURE),
            None => Ok(ExitCode::SUCCESS),
        }
    }
}

/// What is said of a refused row. Some reasons are about the whole row, and not about one column.
fn refusal(line: u64, column: &str, reason: &str) -> String {
    if column.is_empty() { format!("line {line}: {reason}") } else { format!("line {line}: {column}: {reason}") }
}

/// Where refused rows are written: beside the file that they come from.
fn refused_path(file: &Path, extension: &str) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".refused.{extension}"));
    file.with_file_name(name)
}

fn here(
    settings: &Settings,
    import: &Import,
    mut file: File,
    path: &Path,
    progress: &Progress,
) -> Result<Told, Failure> {
    let app = world::app(settings, serve::migrated(settings)?)?;
    let limits = tables::Limits { unpacked_bytes_max: settings.import_bytes_max, ..tables::Limits::default() };
    let (job, _) = imports::accept(&app, &Caller::service("import"), import, None, &limits, &mut file)?;
    let job = carry_out(&app, job, progress)?;
    let outcome = Outcome::of(&job);
    let refused_file = match imports::refused_file(&app, &operator(), job.id)? {
        None => None,
        Some((format, mut rows)) => {
            let path = refused_path(path, format.as_str());
            let fail = |error: io::Error| Failure(format!("{}: {error}", path.display()));
            io::copy(&mut rows, &mut File::create(&path).map_err(fail)?).map_err(fail)?;
            Some(path)
        }
    };
    let counts = [
        ("added", outcome.added),
        ("extended", outcome.extended),
        ("updated", outcome.updated),
        ("removed", outcome.removed),
        ("unchanged", outcome.unchanged),
        ("duplicates", outcome.duplicates),
        ("users_created", outcome.users_created),
        ("segments_created", outcome.segments_created),
    ];
    let refusals = outcome.refusals.iter();
    Ok(Told {
        state: job.state.to_string(),
        total: job.total.unwrap_or(job.done),
        counts: counts.map(|(name, count)| (name.to_owned(), count)).to_vec(),
        refused: job.refused,
        refusals: refusals.map(|row| refusal(row.line, &row.column, &row.reason)).collect(),
        refused_file,
        problem: job.problem,
        job: job.id.0,
    })
}

/// Carries the job out, unless a worker was quicker, and follows it to its end.
fn carry_out(app: &Arc<App>, job: Job, progress: &Progress) -> Result<Job, Failure> {
    let id = job.id;
    let claimed = if job.state == JobState::Running { Some(job) } else { jobs::take_up(app, id)? };
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                // The store may be busy with the import itself.
                if let Ok(job) = app.look(&operator(), |look| jobs::get(look, id)) {
                    progress.tell(job.done, job.total);
                }
                thread::sleep(LOOK_EVERY);
            }
        });
        let ended = claimed.map_or_else(|| follow(app, id), |job| Ok(jobs::run(app, job, &|| false)?));
        over.store(true, Ordering::Relaxed);
        ended
    })
}

fn follow(app: &App, id: JobId) -> Result<Job, Failure> {
    loop {
        let job = app.look(&operator(), |look| jobs::get(look, id))?;
        if job.state.is_final() {
            return Ok(job);
        }
        thread::sleep(LOOK_EVERY);
    }
}

impl Remote {
    fn send(&self, request: RequestBuilder) -> Result<Response, Failure> {
        let answer = self.authorized(request).send().map_err(|error| Failure(format!("{}: {error}", self.base)))?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let status = answer.status();
        let text = answer.text().unwrap_or_default();
        let problem: Option<Value> = serde_json::from_str(&text).ok();
        let detail = problem.as_ref().and_then(|problem| problem["detail"].as_str()).unwrap_or(&text);
        Err(Failure(format!("{} answers {status}: {detail}", self.base)))
    }

    fn import(
        &self,
        path: &str,
        import: &Import,
        file: File,
        file_path: &Path,
        progress: &Progress,
    ) -> Result<Told, Failure> {
        let mut query: Vec<(&str, String)> = Vec::new();
        for (name, flag) in [("atomic", import.atomic), ("dry_run", import.dry_run)] {
            query.extend(flag.then(|| (name, "true".to_owned())));
        }
        if let What::Memberships { segment } = &import.what {
            query.push(("mode", import.mode.as_str().to_owned()));
            if segment.is_none() {
                query.push(("create_segments", import.create_segments.to_string()));
            }
            query.extend(import.reason.as_ref().map(|reason| ("reason", reason.to_string())));
            query.extend(import.deadline.map(|deadline| match deadline {
                Deadline::After(ttl) => ("ttl", ttl.to_string()),
                Deadline::At(at) => ("expires_at", at.to_rfc3339()),
            }));
        }
        let url = format!("{}/api/v1/{path}", self.base);
        let request = self.client.post(url).query(&query).header("content-type", "application/octet-stream");
        let mut job = self.json(request.body(Body::new(file)))?;
        while matches!(job["state"].as_str(), Some("queued" | "running")) {
            progress.tell(job["progress"]["done"].as_u64().unwrap_or(0), job["progress"]["total"].as_u64());
            thread::sleep(LOOK_EVERY);
            job = self.json(self.client.get(format!("{}/api/v1/jobs/{}", self.base, job["id"])))?;
        }
        let refused_file = match job["errors_url"].as_str() {
            None => None,
            Some(path) => {
                let mut answer = self.send(self.client.get(format!("{}{path}", self.base)))?;
                let name = answer.headers().get("content-disposition").and_then(|value| value.to_str().ok());
                let extension = name.and_then(|name| name.trim_end_matches('"').rsplit('.').next()).unwrap_or("csv");
                let path = refused_path(file_path, extension);
                let fail = |error: io::Error| Failure(format!("{}: {error}", path.display()));
                io::copy(&mut answer, &mut File::create(&path).map_err(fail)?).map_err(fail)?;
                Some(path)
            }
        };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let counts = job["counts"].as_object().into_iter().flatten();
        let refusals = job["refusals"].as_array().into_iter().flatten();
        Ok(Told {
            state: text(&job["state"]),
            total: job["progress"]["total"].as_u64().unwrap_or(0),
            counts: counts.map(|(name, count)| (name.clone(), count.as_u64().unwrap_or(0))).collect(),
            refused: job["refused"].as_u64().unwrap_or(0),
            refusals: refusals
                .map(|row| refusal(row["line"].as_u64().unwrap_or(0), &text(&row["column"]), &text(&row["reason"])))
                .collect(),
            refused_file,
            problem: job["problem"].as_str().map(str::to_owned),
            job: job["id"].as_i64().unwrap_or(0),
        })
    }

    fn json(&self, request: RequestBuilder) -> Result<Value, Failure> {
        let text = self.send(request)?.text().map_err(|error| Failure(format!("{}: {error}", self.base)))?;
        serde_json::from_str(&text).map_err(|error| Failure(format!("{} gives no JSON: {error}", self.base)))
    }
}

/// Tells how far it came: a bar on a terminal, or lines when they are asked for.
struct Progress {
    bar: ProgressBar,
    lines: bool,
}

impl Progress {
    fn new(asked: bool) -> Progress {
        let bar = ProgressBar::no_length();
        let style = ProgressStyle::with_template("{wide_bar} {human_pos} of {human_len} rows, {per_sec}, {eta} left");
        bar.set_style(style.expect("the template is one of ours"));
        Progress { bar, lines: asked && !io::stderr().is_terminal() }
    }

    fn tell(&self, done: u64, total: Option<u64>) {
        if let Some(total) = total {
            self.bar.set_length(total);
        }
        let news = self.bar.position() != done;
        self.bar.set_position(done);
        if self.lines && news {
            let total = total.map_or("?".to_owned(), |total| total.to_string());
            eprintln!("{done} of {total} rows");
        }
    }

    fn end(&self) {
        self.bar.finish_and_clear();
    }
}
