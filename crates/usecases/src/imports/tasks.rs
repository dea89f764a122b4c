//! What an import is to do, as it was asked for and as its job keeps it.

use domain::{Instant, Job, Reason, Slug, Ttl};
use serde::{Deserialize, Serialize};
use tables::Limits;

use crate::{Error, jobs, memberships::Deadline};

/// What is to be imported, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    pub what: What,
    pub mode: Mode,
    /// One bad row refuses all, and all happens at once or not at all.
    pub atomic: bool,
    /// Tells what would happen.
    pub dry_run: bool,
    /// Creates the segments that rows name and that do not exist, rather than refusing the rows.
    pub create_segments: bool,
    /// For rows without one of their own.
    pub deadline: Option<Deadline>,
    /// For rows without one of their own.
    pub reason: Option<Reason>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    Users,
    Segments,
    /// Of the segment that each row names, or all of one.
    Memberships {
        segment: Option<Slug>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    Add,
    Remove,
    /// Makes each segment that rows name exactly the users of its rows.
    Replace,
}

impl Mode {
    pub fn as_str(self) -> &'static str {
        match self {
            Mode::Add => "add",
            Mode::Remove => "remove",
            Mode::Replace => "replace",
        }
    }

    pub fn parse(text: &str) -> Option<Mode> {
        [Mode::Add, Mode::Remove, Mode::Replace].into_iter().find(|mode| mode.as_str() == text)
    }
}

/// An import, and where its file is.
pub(super) struct Task {
    pub(super) import: Import,
    written: Written,
}

#[derive(Serialize, Deserialize)]
struct Written {
    folder: String,
    row_bytes_max: usize,
    unpacked_bytes_max: u64,
    columns_max: usize,
    what: WrittenWhat,
    segment: Option<String>,
    mode: Mode,
    atomic: bool,
    dry_run: bool,
    create_segments: bool,
    ttl: Option<String>,
    expires_at: Option<i64>,
    reason: Option<String>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WrittenWhat {
    Users,
    Segments,
    Memberships,
}

impl Task {
    pub(super) fn new(import: &Import, folder: &str, limits: &Limits) -> Task {
        let (what, segment) = match &import.what {
            What::Users => (WrittenWhat::Users, None),
            What::Segments => (WrittenWhat::Segments, None),
            What::Memberships { segment } => (WrittenWhat::Memberships, segment.as_ref().map(Slug::to_string)),
        };
        let (ttl, expires_at) = match import.deadline {
            None => (None, None),
            Some(Deadline::After(ttl)) => (Some(ttl.to_string()), None),
            Some(Deadline::At(at)) => (None, Some(at.timestamp_micros())),
        };
        let written = Written {
            folder: folder.to_owned(),
            row_bytes_max: limits.row_bytes_max,
            unpacked_bytes_max: limits.unpacked_bytes_max,
            columns_max: limits.columns_max,
            what,
            segment,
            mode: import.mode,
            atomic: import.atomic,
            dry_run: import.dry_run,
            create_segments: import.create_segments,
            ttl,
            expires_at,
            reason: import.reason.as_ref().map(Reason::to_string),
        };
        Task { import: import.clone(), written }
    }

    pub(super) fn write(&self) -> String {
        jobs::write(&self.written)
    }

    pub(super) fn of(job: &Job) -> Result<Task, Error> {
        let written: Written = jobs::read(&job.task)?;
        let corrupt = || Error::Conflict(format!("the task of job {} cannot be read", job.id));
        let segment = written.segment.as_deref().map(Slug::parse).transpose().map_err(|_| corrupt())?;
        let deadline = match (&written.ttl, written.expires_at) {
            (Some(ttl), _) => Some(Deadline::After(Ttl::parse(ttl).map_err(|_| corrupt())?)),
            (None, Some(at)) => Some(Deadline::At(Instant::from_timestamp_micros(at).ok_or_else(corrupt)?)),
            (None, None) => None,
        };
        let import = Import {
            what: match written.what {
                WrittenWhat::Users => What::Users,
                WrittenWhat::Segments => What::Segments,
                WrittenWhat::Memberships => What::Memberships { segment },
            },
            mode: written.mode,
            atomic: written.atomic,
            dry_run: written.dry_run,
            create_segments: written.create_segments,
            deadline,
            reason: written.reason.as_deref().map(Reason::parse).transpose().map_err(|_| corrupt())?,
        };
        Ok(Task { import, written })
    }

    pub(super) fn folder(&self) -> &str {
        &self.written.folder
    }

    pub(super) fn limits(&self) -> Limits {
        Limits {
            row_bytes_max: self.written.row_bytes_max,
            unpacked_bytes_max: self.written.unpacked_bytes_max,
            columns_max: self.written.columns_max,
        }
    }
}

impl Import {
    /// Rows are added one by one, as each of them says.
    pub fn of_rows(what: What) -> Import {
        Import {
            what,
            mode: Mode::Add,
            atomic: false,
            dry_run: false,
            create_segments: false,
            deadline: None,
            reason: None,
        }
    }

    /// What a job that imports was asked to do.
    pub fn of(job: &Job) -> Result<Import, Error> {
        Task::of(job).map(|task| task.import)
    }
}
