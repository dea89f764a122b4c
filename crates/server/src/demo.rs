//! `strata demo`: a made-up shop in an empty store. The same every time, but for the day that it ends on.

use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicU64, Ordering},
};

use chrono::{NaiveTime, TimeDelta};
use domain::{Caller, Description, Instant, Name, Percent, Reason, Slug, Ttl, UserId};
use indicatif::ProgressBar;
use serde_json::json;
use usecases::{
    App, Error, Expected, Keys, distributions,
    imports::{self, Import, What},
    jobs,
    memberships::{self, Addition, ChangeMemberships, Deadline},
    moves::{self, MoveUsers},
    ports::{Chance, Clock, NoIndex, NoProviders, UserQuery},
    segments::{self, CopiedMembers, CopySegment, CreateSegment},
};

use crate::{Failure, account::operator, say, serve, settings::Settings, world};

const USERS: u64 = 10_000;
const DAYS: i64 = 180;
const COUNTRIES: [&str; 6] = ["United Kingdom", "Germany", "France", "Spain", "Norway", "Japan"];

pub(crate) fn fill(settings: &Settings) -> Result<(), Failure> {
    let store = serve::migrated(settings)?;
    let today = world::now().date_naive().and_time(NaiveTime::MIN).and_utc();
    let clock = StoryClock(Arc::new(AtomicI64::new((today - TimeDelta::days(DAYS)).timestamp_micros())));
    let app = App {
        store: Box::new(store),
        index: Arc::new(NoIndex),
        files: Box::new(world::open_files(settings)?),
        providers: Box::new(NoProviders),
        clock: Box::new(clock.clone()),
        chance: Box::new(SameChance(AtomicU64::new(20_261_120))),
        keys: Keys::default(),
    };
    let present = app.look(&operator(), |look| Ok(look.unit.users().count(&UserQuery::default())?))?;
    if present > 0 {
        say(format_args!(
            "the store has {present} users already: demo data goes into an empty store only, so nothing was changed"
        ))?;
    } else {
        Story { app, clock, progress: ProgressBar::new(DAYS as u64) }.tell()?;
        say(format_args!("a made-up shop of {USERS} users with {DAYS} days of history is in the store"))?;
    }
    let base = format!("http://{}/api/v1", settings.listen);
    say(
        "\nwhile `strata serve` runs, make a token by `strata token create mine --scope read --scope manage` and try:",
    )?;
    let curl = "curl -H 'Authorization: Bearer TOKEN'";
    say(format_args!("  {curl} {base}/users/demo-00042/segments"))?;
    say(format_args!("  {curl} '{base}/segments/stats?sort=-created_at'"))?;
    say(format_args!("  {curl} '{base}/history.csv?user_id=demo-00042'"))
}

struct Story {
    app: App,
    clock: StoryClock,
    progress: ProgressBar,
}

impl Story {
    /// Half a year of a shop, day by day, through the same use cases that requests go through.
    fn tell(&self) -> Result<(), Error> {
        self.register()?;
        self.open_the_shop()?;
        for day in 0..DAYS {
            self.a_day(day)?;
            self.progress.inc(1);
        }
        self.progress.finish_and_clear();
        Ok(())
    }

    fn register(&self) -> Result<(), Error> {
        let mut file = String::new();
        (0..USERS).for_each(|number| file.push_str(&format!("{}\n", profile(number))));
        let import = Import { atomic: true, ..Import::of_rows(What::Users) };
        let limits = tables::Limits::default();
        let (job, _) =
            imports::accept(&self.app, &Caller::service("demo"), &import, None, &limits, &mut file.as_bytes())?;
        jobs::run(&self.app, job, &|| false).map(drop)
    }

    fn open_the_shop(&self) -> Result<(), Error> {
        self.create("VIP", "Best customers", "More than 80 orders, by hand", None, None)?;
        self.create("NEWSLETTER", "Newsletter", "Those who asked for the weekly letter", None, None)?;
        self.create("TRIAL_PLUS", "Plus on trial", "Two weeks of Plus for nothing", None, Some("P14D"))?;
        self.create("MAIL_GPT", "Letters written by a model", "Grows from 5 to 30 per cent", Some("5"), None)?;
        self.create("NEW_CHECKOUT", "New checkout", "Half of all", Some("50"), None)?;
        self.create("SPRING_SALE", "Spring sale", "For those who joined, until autumn", None, Some("P200D"))?;
        self.create("STAFF", "Our own people", "Left out of statistics", None, None)?;
        self.create("WIN_BACK", "Win back", "Those of the spring sale, afterwards", None, None)
    }

    fn a_day(&self, day: i64) -> Result<(), Error> {
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
        self.app.act(&Caller::service("worker"), |act| memberships::expire(act, 10_000)).map(drop)
    }

    fn create(&self, at: &str, name: &str, about: &str, percent: Option<&str>, ttl: Option<&str>) -> Result<(), Error> {
        let command = CreateSegment {
            slug: slug(at),
            name: Some(Name::parse(name).expect("the story's names are short")),
            description: Description::parse(about).expect("the story's descriptions are short"),
            percent: percent.map(share),
            default_ttl: ttl.map(|text| Ttl::parse(text).expect("the story's durations are ISO 8601")),
        };
        self.app.act(&Caller::service("demo"), |act| segments::create(act, command)).map(drop)
    }

    fn put(&self, user: u64, at: &str, ttl: Option<&str>, why: &str) -> Result<(), Error> {
        let deadline = ttl.map(|text| Deadline::After(Ttl::parse(text).expect("the story's durations are ISO 8601")));
        let addition = Addition { slug: slug(at), deadline, reason: Some(reason(why)), pointer: String::new() };
        let command =
            ChangeMemberships { user: id(user), add: vec![addition], remove: Vec::new(), deadline: None, reason: None };
        self.app.act(&Caller::service("shop"), |act| memberships::change(act, command)).map(drop)
    }

    fn take(&self, user: u64, at: &str, why: &str) -> Result<(), Error> {
        let command = ChangeMemberships {
            user: id(user),
            add: Vec::new(),
            remove: vec![slug(at)],
            deadline: None,
            reason: Some(reason(why)),
        };
        self.app.act(&Caller::service("shop"), |act| memberships::change(act, command)).map(drop)
    }

    fn distribute(&self, at: &str, percent: &str) -> Result<(), Error> {
        self.app
            .act(&Caller::service("analyst"), |act| distributions::distribute(act, &slug(at), share(percent)))
            .map(drop)
    }

    fn copy(&self, from: &str, to: &str) -> Result<(), Error> {
        let command = CopySegment { slug: slug(to), members: CopiedMembers::All };
        self.app.act(&Caller::service("analyst"), |act| segments::copy(act, &slug(from), command)).map(drop)
    }

    fn move_users(&self, from: &str, to: &str) -> Result<(), Error> {
        let command = MoveUsers { from: slug(from), to: slug(to) };
        self.app.act(&Caller::service("analyst"), |act| moves::move_users(act, command)).map(drop)
    }

    fn delete(&self, at: &str) -> Result<(), Error> {
        self.app.act(&Caller::service("analyst"), |act| segments::delete(act, &slug(at), &Expected::Any)).map(drop)
    }
}

/// A row of a file to import.
fn profile(number: u64) -> serde_json::Value {
    json!({
        "user_id": id(number).as_str(),
        "name": format!("Demo User {number:05}"),
        "email": format!("demo-{number:05}@example.com"),
        "country": COUNTRIES[(mixed(number) % 6) as usize],
        "orders": orders(number),
        "synthetic": true,
    })
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
#[derive(Clone)]
struct StoryClock(Arc<AtomicI64>);

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
