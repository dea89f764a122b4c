//! `strata migrate` and `strata check`: the operator's questions about a store, and about the index of a running node.

use std::{
    collections::HashMap,
    process::ExitCode,
    time::{Duration, Instant as Stopwatch},
};

use domain::{Slug, UserId};
use serde::Deserialize;
use serde_json::json;
use usecases::{App, changes::Seen, checks, memberships, ports::Store};

use crate::{Failure, account::operator, remote::Remote, say, settings::Settings, world};

/// How many users are compared at once.
const PAGE: usize = 1_000;
/// How long a difference may last: others write meanwhile, and deadlines come.
const PATIENCE: Duration = Duration::from_secs(5);

pub(crate) fn migrate(settings: &Settings) -> Result<(), Failure> {
    let names = world::open_store(settings)?.migrate()?;
    names.iter().try_for_each(|name| say(format_args!("migrated: {name}")))?;
    say("the schema is up to date")
}

pub(crate) fn check(settings: &Settings) -> Result<ExitCode, Failure> {
    let app = opened(settings)?;
    let mut said = Ok(());
    let checked = app.look(&operator(), |look| {
        checks::check(look, &mut |difference| {
            if said.is_ok() {
                said = say(difference);
            }
        })
    })?;
    said?;
    say(format_args!(
        "{} users, {} memberships, {} history rows: {} differences",
        checked.users, checked.memberships, checked.history_rows, checked.differences
    ))?;
    Ok(if checked.differences == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Compares what a running node answers out of its index with the store, user by user.
pub(crate) fn check_index(settings: &Settings, node: &str) -> Result<ExitCode, Failure> {
    let app = opened(settings)?;
    let node = Remote::new(node)?;
    let (mut users, mut differences, mut after) = (0, 0, None);
    loop {
        let page = app.look(&operator(), |look| Ok(look.unit.users().ids(after.as_ref(), PAGE)?))?;
        if page.is_empty() {
            break;
        }
        for (user, stored, told) in differing(&node, &app, &page)? {
            say(format_args!("user `{user}` is in {}, and the index says {}", listed(&stored), listed(&told)))?;
            differences += 1;
        }
        users += page.len();
        after = page.last().cloned();
    }
    say(format_args!("{users} users: {differences} differences between the index and the store"))?;
    Ok(if differences == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The world, on a store that is as this program knows it.
pub(crate) fn opened(settings: &Settings) -> Result<std::sync::Arc<App>, Failure> {
    let store = world::open_store(settings)?;
    store.ready()?;
    world::app(settings, store)
}

fn listed(slugs: &[String]) -> String {
    if slugs.is_empty() { "no segment".to_owned() } else { slugs.join(", ") }
}

#[derive(Deserialize)]
struct Told {
    items: Vec<OfUser>,
}

#[derive(Deserialize)]
struct OfUser {
    user_id: String,
    segments: Vec<String>,
}

type Difference = (UserId, Vec<String>, Vec<String>);

/// Those of whom node and store differ for as long as anybody has patience.
fn differing(node: &Remote, app: &App, users: &[UserId]) -> Result<Vec<Difference>, Failure> {
    let begun = Stopwatch::now();
    let (seen, mut stored) = stored(app, users)?;
    let mut at_least = seen;
    let mut suspects: Vec<UserId> = users.to_vec();
    loop {
        let told = told(node, &suspects, &at_least)?;
        // Between the two looks at the store it was as the one or as the other says.
        let (seen, now) = self::stored(app, &suspects)?;
        let mut differences = Vec::new();
        for user in suspects {
            let [before, after, told] = [&stored, &now, &told].map(|one| one.get(&user).cloned().unwrap_or_default());
            if told != before && told != after {
                differences.push((user, after, told));
            }
        }
        if differences.is_empty() || begun.elapsed() > PATIENCE {
            return Ok(differences);
        }
        suspects = differences.into_iter().map(|(user, ..)| user).collect();
        (stored, at_least) = (now, seen);
    }
}

fn told(node: &Remote, users: &[UserId], at_least: &Seen) -> Result<HashMap<UserId, Vec<String>>, Failure> {
    let begun = Stopwatch::now();
    loop {
        let ids: Vec<&str> = users.iter().map(UserId::as_str).collect();
        let url = format!("{}/api/v1/users/segments/lookup", node.base);
        let request = node.authorized(node.client.post(url)).header("Strata-At-Least", at_least.to_string());
        let body = json!({ "user_ids": ids }).to_string();
        let response = request.header("Content-Type", "application/json").body(body).send();
        let response = response.map_err(|error| Failure(format!("the node does not answer: {error}")))?;
        let (status, from_index) = (response.status(), response.headers().contains_key("strata-position"));
        let text = response.text().map_err(|error| Failure(format!("the answer of the node ended: {error}")))?;
        if status.is_success() && from_index {
            let told: Told = serde_json::from_str(&text)
                .map_err(|error| Failure(format!("the node answers something else: {error}")))?;
            let by_user = told.items.into_iter().map(|one| Ok((parsed(&one.user_id)?, one.segments)));
            return by_user.collect();
        }
        if begun.elapsed() > PATIENCE {
            let why = if status.is_success() { "the store answers in place of its index".to_owned() } else { text };
            return Err(Failure(format!("the node cannot be compared ({status}): {why}")));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn parsed(user: &str) -> Result<UserId, Failure> {
    UserId::parse(user).map_err(|error| Failure(format!("the node answers something else: {error}")))
}

/// What the store says, and which transactions that has.
fn stored(app: &App, users: &[UserId]) -> Result<(Seen, HashMap<UserId, Vec<String>>), Failure> {
    let found = app.look(&operator(), |look| Ok((look.unit.changes().seen()?, memberships::active(look, users)?)))?;
    let (seen, active) = found;
    let texts = |slugs: Vec<Slug>| slugs.iter().map(ToString::to_string).collect();
    Ok((seen, active.into_iter().map(|(user, slugs)| (user, texts(slugs))).collect()))
}
