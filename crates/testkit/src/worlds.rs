use std::sync::Arc;

use domain::{
    Actor, Caller, Description, Instant, Job, JobId, JobState, Percent, Scope, Segment, Slug, TokenName, Ttl, UserId,
};
use tables::Limits;
use usecases::{
    Act, App, Error, Keys, Look, checks,
    imports::{self, Import, What},
    jobs,
    memberships::{self, Addition, ChangeMemberships, Changed, Deadline},
    ports::{Clock, NoIndex, NoProviders, Store},
    segments::{self, CreateSegment},
    tokens::{self, CreateToken},
};

use crate::{CountingChance, ManualClock, MemoryFiles, MemoryStore};

pub fn slug(text: &str) -> Slug {
    Slug::parse(text).unwrap()
}

pub fn user(text: &str) -> UserId {
    UserId::parse(text).unwrap()
}

pub fn actor() -> Actor {
    Actor::new("tester")
}

/// Who may do everything.
pub fn caller() -> Caller {
    Caller::service("tester")
}

/// An import that adds, row by row, and creates the segments that it needs.
pub fn importing(what: What) -> Import {
    Import { create_segments: true, ..Import::of_rows(what) }
}

/// The application on a store, with a clock that the test moves and chance that repeats itself.
pub struct World {
    pub app: App,
    pub clock: ManualClock,
    pub files: MemoryFiles,
}

impl World {
    pub fn in_memory() -> World {
        World::on(Box::new(MemoryStore::default()))
    }

    pub fn on(store: Box<dyn Store>) -> World {
        let clock = ManualClock::default();
        let files = MemoryFiles::default();
        let app = App {
            store,
            index: Arc::new(NoIndex),
            files: Box::new(files.clone()),
            providers: Box::new(NoProviders),
            clock: Box::new(clock.clone()),
            chance: Box::new(CountingChance::default()),
            keys: Keys::default(),
        };
        World { app, clock, files }
    }

    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    pub fn act<T>(&self, work: impl FnOnce(&mut Act) -> Result<T, Error>) -> Result<T, Error> {
        self.app.act(&caller(), work)
    }

    pub fn look<T>(&self, work: impl FnOnce(&mut Look) -> Result<T, Error>) -> T {
        self.app.look(&caller(), work).unwrap()
    }

    pub fn has_segment(&self, text: &str) -> Segment {
        self.has_segment_with(text, None, None)
    }

    pub fn has_segment_with(&self, text: &str, percent: Option<&str>, default_ttl: Option<&str>) -> Segment {
        let command = CreateSegment {
            slug: slug(text),
            name: None,
            description: Description::default(),
            percent: percent.map(|percent| Percent::parse(percent).unwrap()),
            default_ttl: default_ttl.map(|ttl| Ttl::parse(ttl).unwrap()),
        };
        self.act(|act| segments::create(act, command)).unwrap()
    }

    /// An API token that may read.
    pub fn has_token(&self) -> String {
        let name = TokenName::parse("token").unwrap();
        let command = CreateToken { name, scopes: vec![Scope::Read], prefix: None, deadline: None };
        let (_, secret) = self.act(|act| tokens::create(act, command)).unwrap();
        secret.reveal().to_owned()
    }

    /// Brings `count` users to life: `1`, `2` and so on.
    pub fn has_users(&self, count: usize) -> Vec<UserId> {
        let ids: Vec<UserId> = (1..=count).map(|number| user(&number.to_string())).collect();
        let lines: Vec<&str> = ids.iter().map(UserId::as_str).collect();
        self.import(&importing(What::Users), &format!("user_id\n{}", lines.join("\n"))).unwrap();
        ids
    }

    /// Imports a file and waits for its end.
    pub fn import(&self, import: &Import, file: &str) -> Result<Job, Error> {
        let (job, _) = imports::accept(&self.app, &caller(), import, None, &Limits::default(), &mut file.as_bytes())?;
        self.finish(job)
    }

    /// Takes an import back.
    pub fn undo(&self, id: JobId) -> Result<Job, Error> {
        let undo = self.act(|act| jobs::undo(act, id))?;
        self.finish(undo)
    }

    /// Carries a job out to its end.
    pub fn finish(&self, job: Job) -> Result<Job, Error> {
        let claimed = match job.state {
            JobState::Running => Some(job.clone()),
            _ => jobs::take_up(&self.app, job.id)?,
        };
        claimed.map_or(Ok(job), |job| jobs::run(&self.app, job, &|| false))
    }

    /// Adds and removes, without a word on deadlines or reasons.
    pub fn change(&self, id: &str, add: &[&str], remove: &[&str]) -> Result<Changed, Error> {
        self.change_until(id, add, remove, None)
    }

    pub fn change_until(
        &self,
        id: &str,
        add: &[&str],
        remove: &[&str],
        deadline: Option<Deadline>,
    ) -> Result<Changed, Error> {
        let add = add.iter().enumerate().map(|(number, text)| Addition {
            slug: slug(text),
            deadline,
            reason: None,
            pointer: format!("/add/{number}"),
        });
        let command = ChangeMemberships {
            user: user(id),
            add: add.collect(),
            remove: remove.iter().map(|text| slug(text)).collect(),
            deadline: None,
            reason: None,
        };
        self.act(|act| memberships::change(act, command))
    }

    /// The slugs of the segments that a user is in now.
    pub fn active(&self, id: &str) -> Vec<String> {
        let found = self.look(|look| memberships::active(look, &[user(id)]));
        found.into_iter().flat_map(|(_, slugs)| slugs).map(|slug| slug.to_string()).collect()
    }

    /// Lets the worker end all that is due, and tells how many that were.
    pub fn expire(&self) -> usize {
        self.act(|act| memberships::expire(act, 1_000)).unwrap()
    }

    /// What the consistency check says, one difference a line.
    pub fn differences(&self) -> Vec<String> {
        let mut told = Vec::new();
        let checked = self.look(|look| checks::check(look, &mut |difference| told.push(difference.to_string())));
        assert_eq!(checked.differences, told.len() as u64);
        told
    }
}
