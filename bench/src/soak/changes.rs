//! Changes of single users, with and without deadlines, and reads after them: on the node that wrote, and on the other one with
//! the position of the write.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{
    Soak,
    callers::{Caller, Question},
    nodes::Node,
    stays::Stay,
};
use crate::{draws::Draws, populations::user_id};

/// How many users each who changes has alone.
pub(super) const USERS: u64 = 1_000;
/// `change-0001` and so on.
const SEGMENTS: u64 = 50;
const TTL_S_MAX: u64 = 4;
/// So many changes are looked at on the other node as well.
const ELSEWHERE_ONE_OF: u64 = 4;

/// A user is changed by one node only, so that a position of this node's covers all that happened to the user.
#[derive(Default)]
struct User {
    stays: HashMap<u64, Stay>,
    position: Option<String>,
}

pub(super) fn change(soak: &Soak, mut draws: Draws) {
    let caller = Caller::new(soak, "change");
    let reader = Caller::new(soak, "read after a change");
    let first = soak.take_users(USERS);
    let mut users: HashMap<u64, User> = HashMap::new();
    while soak.goes_on() {
        let number = first + draws.below(USERS);
        let user = users.entry(number).or_default();
        let writer = soak.node(number);
        change_one(&caller, writer, number, user, &mut draws);
        // Without a position it would ask what the store may know and the node not yet.
        if user.position.is_some() {
            read(&reader, writer, number, user, None);
            // Who has to hear of it first keeps the others waiting.
            if draws.below(ELSEWHERE_ONE_OF) == 0 {
                read(&reader, soak.other(number), number, user, user.position.as_deref());
            }
        }
        soak.rest(Duration::from_millis(5));
    }
}

fn change_one(caller: &Caller, writer: &Node, number: u64, user: &mut User, draws: &mut Draws) {
    let place = 1 + draws.below(SEGMENTS);
    let slug = slug(place);
    let now = Instant::now();
    let known = user.stays.get(&place).copied().unwrap_or(Stay::Out).is_member(now, now);
    let ttl = Duration::from_secs(1 + draws.below(TTL_S_MAX));
    let lasting = draws.below(2) == 0;
    // An addition without a deadline leaves an old deadline as it is.
    let (body, becomes): (_, fn(Duration, Instant, Instant) -> Stay) = match (known, lasting) {
        (Some(false), true) => (json!({ "add": [slug] }), |_, _, _| Stay::In),
        (Some(false), false) | (Some(true), false) => {
            (json!({ "add": [{ "slug": slug, "ttl": ttl.as_secs() }] }), Stay::until)
        }
        (Some(true), true) | (None, _) => (json!({ "remove": [slug] }), |_, _, _| Stay::Out),
    };
    let path = format!("/users/{}/segments", user_id(number));
    let stay = match caller.write(writer, Question::post(&path, &body)) {
        Some((answer, position)) => {
            user.position = Some(position);
            becomes(ttl, answer.asked, Instant::now())
        }
        None => Stay::Unclear,
    };
    user.stays.insert(place, stay);
}

/// All that is known of the user has to be in the answer.
fn read(caller: &Caller, node: &Node, number: u64, user: &User, at_least: Option<&str>) {
    let path = format!("/users/{}/segments", user_id(number));
    let Some(answer) = caller.ask(node, Question::get(&path).at_least(at_least)) else { return };
    let answered = Instant::now();
    let told: Vec<&str> = answer.body["segments"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for (place, stay) in &user.stays {
        let is_told = told.contains(&slug(*place).as_str());
        if stay.is_member(answer.asked, answered).is_some_and(|is_member| is_member != is_told) {
            let what = if is_told { "is told to be" } else { "is not told to be" };
            let which = at_least.map_or(String::new(), |position| format!(" at least at {position}"));
            caller.fault(node, format_args!("{} {what} in {}{which}: {stay:?}", user_id(number), slug(*place)));
        }
    }
}

fn slug(place: u64) -> String {
    format!("change-{place:04}")
}
