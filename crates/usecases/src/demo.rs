//! Demo data: a made-up shop in an empty store, told day by day by a job. The same every time, but for the day that it ends on.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use chrono::{NaiveTime, TimeDelta};
use domain::{
    Action, AuditRow, Caller, ChainHash, Description, Instant, Job, JobId, JobKind, Name, Percent, Permission, Reason,
    Slug, Ttl, User, UserId,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    Act, Error, Expected, Look, audit, distributions,
    jobs::{self, Halt, Run},
    memberships::{self, Addition, ChangeMemberships, Deadline},
    moves::{self, MoveUsers},
    ports::{
        Accounts, Answers, Audit, AuditQuery, Chance, Changes, Clock, History, Hold, Jobs, Locks, Memberships, Secrets,
        SegmentQuery, Segments, Sessions, StoreError, Tokens, Unit, UserQuery, Users,
    },
    segments::{self, CopiedMembers, CopySegment, CreateSegment},
};

pub const USERS: u64 = 10_000;
pub const DAYS: u64 = 180;
const COUNTRIES: [&str; 6] = ["United Kingdom", "Germany", "France", "Spain", "Norway", "Japan"];
/// How many users register in one step.
const REGISTERED: u64 = 1_000;
/// In how many steps the whole is told: users register, the shop opens, and days pass.
pub const STEPS: u64 = USERS / REGISTERED + 1 + DAYS;

#[derive(Serialize, Deserialize)]
struct Task {
    /// The midnight that the last day ends at.
    ends_us: i64,
}

/// What was made so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    pub users: u64,
    pub days: u64,
}

impl Outcome {
    pub fn of(job: &Job) -> Outcome {
        job.outcome.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }
}

/// Queues the filling of an empty store.
pub fn request(act: &mut Act) -> Result<Job, Error> {
    act.caller.require(Permission::Operate)?;
    // So that of two at once one sees the other.
    act.unit.lock(&whole_store())?;
    let now = act.now();
    let mut look = act.looking(now);
    require_empty(&mut look)?;
    if jobs::is_open(&mut look, JobKind::Demo)? {
        return Err(Error::Conflict("demo data is being made already".to_owned()));
    }
    let ends = now.date_naive().and_time(NaiveTime::MIN).and_utc();
    let task = jobs::write(&Task { ends_us: ends.timestamp_micros() });
    let queued = Job::queued(JobKind::Demo, act.caller.actor().clone(), task, now);
    let mut job = Job { total: Some(DAYS), ..queued };
    job.id = act.unit.jobs().insert(&job)?;
    let detail = json!({"kind": job.kind.as_str()});
    audit::note(act, now, Action::DataImported, format!("job/{}", job.id), detail)?;
    Ok(job)
}

/// The same, claimed by this caller, who is to [`jobs::run`] it.
pub fn begin(act: &mut Act) -> Result<Job, Error> {
    let mut job = request(act)?;
    jobs::claim(act, &mut job);
    act.unit.jobs().update(&job)?;
    Ok(job)
}

fn require_empty(look: &mut Look) -> Result<(), Error> {
    let users = look.unit.users().count(&UserQuery::default())?;
    let segments = look.unit.segments().count(&SegmentQuery::default())?;
    if users == 0 && segments == 0 {
        return Ok(());
    }
    let detail =
        format!("the store has {users} users and {segments} segments already: demo data goes into an empty store only");
    Err(Error::Conflict(detail))
}

/// What a job that was stopped left, in words.
pub(crate) fn left_by(job: &Job) -> String {
    let Outcome { users, days } = Outcome::of(job);
    format!("{users} of {USERS} users and {days} of {DAYS} days were made, and stay")
}

fn whole_store() -> Locks {
    Locks::new().population(Hold::Alone).every_segment(Hold::Alone)
}

/// Half a year of a shop, day by day, through the same use cases that requests go through.
pub(crate) fn carry_out(run: &mut Run) -> Result<(), Halt> {
    let task: Task = jobs::read(&run.job.task)?;
    let corrupt = || Error::Conflict(format!("the task of job {} cannot be read", run.job.id));
    let ends = Instant::from_timestamp_micros(task.ends_us).ok_or_else(corrupt)?;
    let begins = ends - TimeDelta::days(DAYS as i64);
    loop {
        let number: u64 = run.job.place.as_deref().map_or(Ok(0), jobs::read)?;
        if number == STEPS {
            return Ok(());
        }
        run.step(|act, job| {
            let mut outcome = Outcome::of(job);
            tell(act, begins, number, &mut outcome)?;
            job.outcome = Some(jobs::write(&outcome));
            job.place = Some(jobs::write(&(number + 1)));
            job.done = outcome.days;
            Ok(())
        })?;
    }
}

/// One step of the story. Nobody else changes anything meanwhile.
fn tell(act: &mut Act, begins: Instant, number: u64, outcome: &mut Outcome) -> Result<(), Error> {
    act.unit.lock(&whole_store())?;
    if number == 0 {
        let now = act.now();
        require_empty(&mut act.looking(now))?;
    }
    let registering = USERS / REGISTERED;
    if number < registering {
        let first = number * REGISTERED;
        let users: Vec<User> = (first..first + REGISTERED).map(|number| profile(number, begins)).collect();
        outcome.users += act.unit.users().insert_missing(&users)?.len() as u64;
        return Ok(());
    }
    let day = number.checked_sub(registering + 1);
    let clock = StoryClock(AtomicI64::new((begins + TimeDelta::days(day.unwrap_or(0) as i64)).timestamp_micros()));
    let chance = SameChance(AtomicU64::new(20_261_120 + (number << 20)));
    let mut story = Story { unit: &mut Held { unit: &mut *act.unit }, clock: &clock, chance: &chance, job: act.job };
    match day {
        None => story.open_the_shop(),
        Some(day) => {
            outcome.days += 1;
            story.a_day(day as i64)
        }
    }
}

struct Story<'a> {
    unit: &'a mut dyn Unit,
    clock: &'a StoryClock,
    chance: &'a SameChance,
    job: Option<JobId>,
}

impl Story<'_> {
    fn act<T>(&mut self, who: &str, work: impl FnOnce(&mut Act) -> Result<T, Error>) -> Result<T, Error> {
        let caller = Caller::service(who);
        work(&mut Act { unit: &mut *self.unit, chance: self.chance, caller: &caller, job: self.job, clock: self.clock })
    }

    fn open_the_shop(&mut self) -> Result<(), Error> {
        self.create("VIP", "Best customers", "More than 80 orders, by hand", None, None)?;
        self.create("NEWSLETTER", "Newsletter", "Those who asked for the weekly letter", None, None)?;
        self.create("TRIAL_PLUS", "Plus on trial", "Two weeks of Plus for nothing", None, Some("P14D"))?;
        self.create("MAIL_GPT", "Letters written by a model", "Grows from 5 to 30 per cent", Some("5"), None)?;
        self.create("NEW_CHECKOUT", "New checkout", "Half of all", Some("50"), None)?;
        self.create("SPRING_SALE", "Spring sale", "For those who joined, until autumn", None, Some("P200D"))?;
        self.create("STAFF", "Our own people", "Left out of statistics", None, None)?;
        self.create("WIN_BACK", "Win back", "Those of the spring sale, afterwards", None, None)
    }

    fn a_day(&mut self, day: i64) -> Result<(), Error> {
        let number = day as u64;
        for step in 0..12 {
            self.clock.forward(TimeDelta::minutes(90));
            let user = mixed(number * 12 + step) % USERS;
            self.put(user, "NEWSLETTER", None, "signed up at the checkout")?;
            self.put(mixed(user) % USERS, "TRIAL_PLUS", None, "asked for a trial")?;
            if step % 3 == 0 {
                self.take(mixed(user + 7) % USERS, "NEWSLETTER", "clicked unsubscribe")?;
            }
        }
        if orders(number * 55 % USERS) > 80 {
            self.put(number * 55 % USERS, "VIP", None, "more than 80 orders")?;
        }
        match day {
            3 => (0..12).try_for_each(|user| self.put(user, "STAFF", None, "works here")),
            20 => self.distribute("MAIL_GPT", "10"),
            30 => (0..400).try_for_each(|n| self.put(n * 23 % USERS, "SPRING_SALE", None, "lives in the north")),
            60 => self.distribute("MAIL_GPT", "20"),
            75 => self.copy("VIP", "VIP_SPRING"),
            95 => self.move_users("SPRING_SALE", "WIN_BACK"),
            96 => self.delete("SPRING_SALE"),
            100 => self.distribute("MAIL_GPT", "30"),
            120 => self.distribute("NEW_CHECKOUT", "40"),
            150 => self.put(42, "VIP", Some("P60D"), "a present of the support"),
            _ => Ok(()),
        }?;
        self.clock.forward(TimeDelta::hours(6));
        self.act("worker", |act| memberships::expire(act, 10_000)).map(drop)
    }

    fn create(
        &mut self,
        at: &str,
        name: &str,
        about: &str,
        percent: Option<&str>,
        ttl: Option<&str>,
    ) -> Result<(), Error> {
        let command = CreateSegment {
            slug: slug(at),
            name: Some(Name::parse(name).expect("the story's names are short")),
            description: Description::parse(about).expect("the story's descriptions are short"),
            percent: percent.map(share),
            default_ttl: ttl.map(|text| Ttl::parse(text).expect("the story's durations are ISO 8601")),
        };
        self.act("demo", |act| segments::create(act, command)).map(drop)
    }

    fn put(&mut self, user: u64, at: &str, ttl: Option<&str>, why: &str) -> Result<(), Error> {
        let deadline = ttl.map(|text| Deadline::After(Ttl::parse(text).expect("the story's durations are ISO 8601")));
        let addition = Addition { slug: slug(at), deadline, reason: Some(reason(why)), pointer: String::new() };
        let command =
            ChangeMemberships { user: id(user), add: vec![addition], remove: Vec::new(), deadline: None, reason: None };
        self.act("shop", |act| memberships::change(act, command)).map(drop)
    }

    fn take(&mut self, user: u64, at: &str, why: &str) -> Result<(), Error> {
        let command = ChangeMemberships {
            user: id(user),
            add: Vec::new(),
            remove: vec![slug(at)],
            deadline: None,
            reason: Some(reason(why)),
        };
        self.act("shop", |act| memberships::change(act, command)).map(drop)
    }

    fn distribute(&mut self, at: &str, percent: &str) -> Result<(), Error> {
        self.act("analyst", |act| distributions::distribute(act, &slug(at), share(percent))).map(drop)
    }

    fn copy(&mut self, from: &str, to: &str) -> Result<(), Error> {
        let command = CopySegment { slug: slug(to), members: CopiedMembers::All };
        self.act("analyst", |act| segments::copy(act, &slug(from), command)).map(drop)
    }

    fn move_users(&mut self, from: &str, to: &str) -> Result<(), Error> {
        let command = MoveUsers { from: slug(from), to: slug(to) };
        self.act("analyst", |act| moves::move_users(act, command)).map(drop)
    }

    fn delete(&mut self, at: &str) -> Result<(), Error> {
        self.act("analyst", |act| segments::delete(act, &slug(at), &Expected::Any)).map(drop)
    }
}

/// One of the shop's users.
fn profile(number: u64, now: Instant) -> User {
    let attributes = json!({
        "country": COUNTRIES[(mixed(number) % 6) as usize],
        "orders": orders(number),
        "synthetic": true,
    });
    User {
        name: Some(format!("Demo User {number:05}")),
        email: Some(format!("demo-{number:05}@example.com")),
        attributes: attributes.as_object().cloned().unwrap_or_default(),
        ..User::born(id(number), now)
    }
}

fn orders(number: u64) -> u64 {
    mixed(number ^ 0xabcd) % 100
}

fn id(number: u64) -> UserId {
    UserId::parse(&format!("demo-{number:05}")).expect("demo ids are plain")
}

fn slug(text: &str) -> Slug {
    Slug::parse(text).expect("the story's slugs are slugs")
}

fn share(text: &str) -> Percent {
    Percent::parse(text).expect("the story's shares are percents")
}

fn reason(text: &str) -> Reason {
    Reason::parse(text).expect("the story's reasons are short")
}

/// SplitMix64's finalizer (Steele, Lea, Flood 2014): spreads small numbers evenly, and always the same way.
fn mixed(number: u64) -> u64 {
    let z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A clock that goes forward when the story does.
struct StoryClock(AtomicI64);

impl StoryClock {
    fn forward(&self, by: TimeDelta) {
        self.0.fetch_add(by.num_microseconds().expect("days fit"), Ordering::Relaxed);
    }
}

impl Clock for StoryClock {
    fn now(&self) -> Instant {
        Instant::from_timestamp_micros(self.0.load(Ordering::Relaxed)).expect("the story plays in our time")
    }
}

struct SameChance(AtomicU64);

impl Chance for SameChance {
    fn draw(&self) -> u64 {
        mixed(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

/// A unit whose locks are had already, and whose acts are made up: the audit log does not hear of them one by one.
struct Held<'a> {
    unit: &'a mut dyn Unit,
}

impl Unit for Held<'_> {
    fn lock(&mut self, _: &Locks) -> Result<(), StoreError> {
        Ok(())
    }

    fn segments(&mut self) -> &mut dyn Segments {
        self.unit.segments()
    }

    fn users(&mut self) -> &mut dyn Users {
        self.unit.users()
    }

    fn memberships(&mut self) -> &mut dyn Memberships {
        self.unit.memberships()
    }

    fn history(&mut self) -> &mut dyn History {
        self.unit.history()
    }

    fn answers(&mut self) -> &mut dyn Answers {
        self.unit.answers()
    }

    fn jobs(&mut self) -> &mut dyn Jobs {
        self.unit.jobs()
    }

    fn secrets(&mut self) -> &mut dyn Secrets {
        self.unit.secrets()
    }

    fn accounts(&mut self) -> &mut dyn Accounts {
        self.unit.accounts()
    }

    fn sessions(&mut self) -> &mut dyn Sessions {
        self.unit.sessions()
    }

    fn tokens(&mut self) -> &mut dyn Tokens {
        self.unit.tokens()
    }

    fn audit(&mut self) -> &mut dyn Audit {
        self
    }

    fn changes(&mut self) -> &mut dyn Changes {
        self.unit.changes()
    }
}

impl Audit for Held<'_> {
    fn last(&mut self) -> Result<Option<(i64, ChainHash)>, StoreError> {
        Ok(None)
    }

    fn append(&mut self, _: &AuditRow) -> Result<(), StoreError> {
        Ok(())
    }

    fn list(&mut self, _: &AuditQuery, _: usize) -> Result<Vec<AuditRow>, StoreError> {
        Ok(Vec::new())
    }

    fn count(&mut self, _: &AuditQuery) -> Result<u64, StoreError> {
        Ok(0)
    }
}
