//! Writers that remember what was acknowledged, so that a test can tell what must be there and what must not.
//!
//! Each writer owns its users and its segments: nobody else changes them, so the expected state is known. Only the one
//! request whose answer never came, or was a 503, may or may not have happened.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use chrono::{SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::client::{Answer, Client};

/// Deadlines by slug; as the service writes them, so they compare as texts do.
type Memberships = BTreeMap<String, Option<String>>;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct State {
    segments: BTreeSet<String>,
    users: BTreeMap<String, Memberships>,
    percent: Option<i64>,
}

/// How the last request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    Acknowledged,
    /// 503: send it again.
    Refused,
    /// Nobody answered.
    Unknown,
    /// The deadline came before the answer, and nothing was done.
    TooLate,
}

#[derive(Debug)]
pub struct Writer {
    name: String,
    known: State,
    /// What it is instead if the request in doubt happened.
    doubted: Option<State>,
    /// Everybody who was ever named.
    named: BTreeSet<String>,
    /// Users with one membership each, which ends soon.
    passing: BTreeMap<String, String>,
    count: usize,
    pub acknowledged: usize,
    pub refused: usize,
    pub slowest: Duration,
}

pub fn in_ms(ms: i64) -> String {
    (Utc::now() + TimeDelta::milliseconds(ms)).to_rfc3339_opts(SecondsFormat::Micros, true)
}

fn one_of<'a>(all: impl IntoIterator<Item = &'a String>) -> Option<String> {
    let all: Vec<&String> = all.into_iter().collect();
    if all.is_empty() { None } else { Some(all[rand::random_range(0..all.len())].clone()) }
}

fn later(a: &Option<String>, b: &Option<String>) -> Option<String> {
    Some(a.clone()?.max(b.clone()?))
}

impl Writer {
    /// Makes its first segments, which must succeed.
    pub fn new(name: &str, client: &Client) -> Writer {
        let mut known = State::default();
        for end in ["a", "b", "c"] {
            let slug = format!("{name}-{end}");
            client.has_segment(&slug);
            known.segments.insert(slug);
        }
        client.has_segment(&format!("{name}_passing"));
        client.has_segment(&format!("{name}_share"));
        Writer {
            name: name.to_owned(),
            known,
            doubted: None,
            named: BTreeSet::new(),
            passing: BTreeMap::new(),
            count: 0,
            acknowledged: 0,
            refused: 0,
            slowest: Duration::ZERO,
        }
    }

    /// Does something or other, unless the last request is still in doubt.
    pub fn act(&mut self, client: &Client) -> Ended {
        assert!(self.doubted.is_none(), "settle first");
        self.count += 1;
        let user = format!("{}-u{}", self.name, rand::random_range(0..6));
        match rand::random_range(0..20) {
            0..12 => self.change_user(client, &user),
            12 => self.create_user(client),
            13 => self.delete_user(client),
            14 => self.create_segment(client),
            15 => self.delete_segment(client),
            16 => self.move_users(client),
            17 => self.distribute(client),
            _ => self.let_pass(client),
        }
    }

    fn change_user(&mut self, client: &Client, user: &str) -> Ended {
        let mut after = self.known.clone();
        let memberships = after.users.entry(user.to_owned()).or_default();
        let deadline = (rand::random_range(0..3) == 0).then(|| in_ms(3_600_000));
        let (mut add, mut remove) = (Vec::new(), Vec::new());
        for slug in &self.known.segments {
            match rand::random_range(0..4) {
                0 | 1 => {
                    add.push(slug.clone());
                    match memberships.get(slug) {
                        Some(_) if deadline.is_none() => {}
                        _ => drop(memberships.insert(slug.clone(), deadline.clone())),
                    }
                }
                2 => {
                    remove.push(slug.clone());
                    memberships.remove(slug);
                }
                _ => {}
            }
        }
        if add.is_empty() && remove.is_empty() {
            return Ended::Acknowledged;
        }
        if add.is_empty() && !self.known.users.contains_key(user) {
            // Only an add brings to life.
            after.users.remove(user);
        }
        self.named.insert(user.to_owned());
        let mut body = json!({"add": add, "remove": remove});
        if let Some(deadline) = deadline.filter(|_| !add.is_empty()) {
            body["expires_at"] = json!(deadline);
        }
        let path = format!("/users/{user}/segments");
        self.send(client, "POST", &path, body, 200, after)
    }

    fn create_user(&mut self, client: &Client) -> Ended {
        let user = format!("{}-n{}", self.name, self.count);
        let mut after = self.known.clone();
        after.users.insert(user.clone(), Memberships::new());
        self.named.insert(user.clone());
        self.send(client, "POST", "/users", json!({"user_id": user, "name": "born"}), 201, after)
    }

    fn delete_user(&mut self, client: &Client) -> Ended {
        let Some(user) = one_of(self.known.users.keys()) else { return Ended::Acknowledged };
        let mut after = self.known.clone();
        after.users.remove(&user);
        self.send(client, "DELETE", &format!("/users/{user}"), Value::Null, 204, after)
    }

    fn create_segment(&mut self, client: &Client) -> Ended {
        if self.known.segments.len() > 6 {
            return Ended::Acknowledged;
        }
        let slug = format!("{}-s{}", self.name, self.count);
        let mut after = self.known.clone();
        after.segments.insert(slug.clone());
        self.send(client, "POST", "/segments", json!({"slug": slug}), 201, after)
    }

    fn delete_segment(&mut self, client: &Client) -> Ended {
        if self.known.segments.len() < 4 {
            return Ended::Acknowledged;
        }
        let slug = one_of(&self.known.segments).unwrap();
        let mut after = self.known.clone();
        after.segments.remove(&slug);
        after.users.values_mut().for_each(|memberships| drop(memberships.remove(&slug)));
        self.send(client, "DELETE", &format!("/segments/{slug}"), Value::Null, 204, after)
    }

    fn move_users(&mut self, client: &Client) -> Ended {
        let (from, to) = (one_of(&self.known.segments).unwrap(), one_of(&self.known.segments).unwrap());
        if from == to {
            return Ended::Acknowledged;
        }
        let mut after = self.known.clone();
        for memberships in after.users.values_mut() {
            let Some(leaving) = memberships.remove(&from) else { continue };
            let there = memberships.get(&to).map_or(leaving.clone(), |there| later(there, &leaving));
            memberships.insert(to.clone(), there);
        }
        let body = json!({"from_segment": from, "to_segment": to});
        self.send(client, "POST", "/segments/move_users", body, 200, after)
    }

    fn distribute(&mut self, client: &Client) -> Ended {
        let percent = rand::random_range(0..=100);
        let after = State { percent: Some(percent), ..self.known.clone() };
        let path = format!("/segments/{}_share/distribute", self.name);
        self.send(client, "POST", &path, json!({"percent": percent}), 200, after)
    }

    fn let_pass(&mut self, client: &Client) -> Ended {
        let (user, deadline) = (format!("{}-p{}", self.name, self.count), in_ms(rand::random_range(200..900)));
        let path = format!("/users/{user}/segments/{}_passing", self.name);
        let ended = self.send(client, "POST", &path, json!({"expires_at": deadline}), 200, self.known.clone());
        self.doubted = None;
        match ended {
            Ended::TooLate => return Ended::Acknowledged,
            Ended::Acknowledged => drop(self.passing.insert(user, deadline)),
            Ended::Refused | Ended::Unknown => {}
        }
        ended
    }

    fn send(&mut self, client: &Client, method: &str, path: &str, body: Value, expected: u16, after: State) -> Ended {
        let begun = Instant::now();
        let answer = match method {
            "DELETE" => client.try_send(method, path, &[], b""),
            _ => client.try_send(method, path, &[("content-type", "application/json")], body.to_string().as_bytes()),
        };
        self.slowest = self.slowest.max(begun.elapsed());
        match answer {
            Ok(answer) if answer.status == expected => {
                self.known = after;
                self.acknowledged += 1;
                Ended::Acknowledged
            }
            Ok(answer) if answer.status == 400 && answer.text.contains("in_the_past") => Ended::TooLate,
            Ok(answer) => {
                is_try_again(&answer, &format!("{method} {path} {body}"));
                self.refused += 1;
                self.doubted = Some(after);
                Ended::Refused
            }
            Err(_) => {
                self.doubted = Some(after);
                Ended::Unknown
            }
        }
    }

    /// Asserts that all that was acknowledged is there, and nothing else; learns what became of the request in doubt.
    pub fn settle(&mut self, client: &Client) {
        let found = self.read(client);
        if self.doubted.as_ref() == Some(&found) {
            self.known = found;
        } else if self.known != found {
            panic!("{}:\nacknowledged {:#?}\nin doubt {:#?}\nfound {found:#?}", self.name, self.known, self.doubted);
        }
        self.doubted = None;
    }

    fn read(&self, client: &Client) -> State {
        let mut state = State::default();
        let listed = read(client, &format!("/segments?limit=1000&query={}", self.name));
        for segment in listed["items"].as_array().unwrap() {
            let slug = segment["slug"].as_str().unwrap().to_owned();
            if slug == format!("{}_share", self.name) {
                state.percent = segment["percent"].as_i64();
            } else if slug.starts_with(&format!("{}-", self.name)) {
                state.segments.insert(slug);
            }
        }
        let listed = read(client, &format!("/users?limit=1000&query={}-", self.name));
        let exist: BTreeSet<&str> =
            listed["items"].as_array().unwrap().iter().map(|user| user["user_id"].as_str().unwrap()).collect();
        for user in &self.named {
            let found = read(client, &format!("/users/{user}/memberships"));
            let memberships: Memberships = found["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|one| (one["slug"].as_str().unwrap().to_owned(), one["expires_at"].as_str().map(str::to_owned)))
                .filter(|(slug, _)| slug.starts_with(&format!("{}-", self.name)))
                .collect();
            if exist.contains(user.as_str()) {
                state.users.insert(user.clone(), memberships);
            } else {
                assert!(memberships.is_empty(), "{user} is unknown, and in {memberships:?}");
            }
        }
        state
    }

    /// Asserts that everybody whose time is up is out, and left once, at the deadline; waits for the worker to write it.
    pub fn everybody_passed(&self, client: &Client) {
        let slug = format!("{}_passing", self.name);
        let patience = Instant::now() + Duration::from_secs(10);
        for (user, deadline) in &self.passing {
            let rows = loop {
                let found = history_of(client, user, &slug);
                if found.len() >= 2 || Instant::now() > patience {
                    break found;
                }
                std::thread::sleep(Duration::from_millis(20));
            };
            assert_eq!(operations(&rows), ["add", "remove"], "{user} until {deadline}: {rows:?}");
            assert_eq!((&rows[1]["timestamp"], &rows[1]["source"]), (&json!(deadline), &json!("expiry")), "{rows:?}");
        }
    }

    pub fn passing(&self) -> usize {
        self.passing.len()
    }
}

/// Asserts that the service asks for another try, and how.
pub fn is_try_again(answer: &Answer, what: &str) {
    assert_eq!(answer.status, 503, "{what}: {}", answer.text);
    assert!(["busy", "unavailable", "timed_out"].contains(&answer.problem().as_str()), "{what}: {}", answer.text);
    assert!(answer.header("retry-after").is_some_and(|seconds| seconds.parse::<u64>().is_ok()), "{what}");
}

/// Reads, as often as the service asks for another try.
fn read(client: &Client, path: &str) -> Value {
    let patience = Instant::now() + Duration::from_secs(30);
    loop {
        let answer = client.get(path);
        if answer.status == 200 {
            return answer.json();
        }
        is_try_again(&answer, path);
        assert!(Instant::now() < patience, "{path} is still refused: {}", answer.text);
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// In the order they were written.
pub fn history_of(client: &Client, user: &str, slug: &str) -> Vec<Value> {
    let page = read(client, &format!("/history?user_id={user}&segment={slug}&limit=1000"));
    let mut rows = page["items"].as_array().unwrap().clone();
    rows.sort_by_key(|row| row["id"].as_i64());
    rows
}

pub fn operations(rows: &[Value]) -> Vec<&str> {
    rows.iter().map(|row| row["operation"].as_str().unwrap()).collect()
}

/// Asserts that in the whole history nobody enters twice or leaves twice, and nothing was written before what it follows.
pub fn history_is_orderly(client: &Client) -> usize {
    let (mut rows, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = read(client, &format!("/history?limit=1000{cursor}"));
        rows.extend(page["items"].as_array().unwrap().clone());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    rows.sort_by_key(|row| row["id"].as_i64());
    let mut last: BTreeMap<(String, String), &Value> = BTreeMap::new();
    for row in &rows {
        let pair = (row["user_id"].to_string(), row["segment"].to_string());
        let before = last.insert(pair, row);
        let was_in = before.is_some_and(|before| before["operation"] != "remove");
        assert_eq!(was_in, row["operation"] != "add", "{before:?}\nthen {row}");
        let begun = before.map_or("", |before| before["timestamp"].as_str().unwrap());
        assert!(begun <= row["timestamp"].as_str().unwrap(), "{before:?}\nthen {row}");
    }
    rows.len()
}
