//! Acts on whole segments: distributed up and down, renamed, deleted and made anew.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    Soak,
    callers::{Caller, Question},
    nodes::Node,
};
use crate::{draws::Draws, populations::user_id};

const SHARE: &str = "soak-share";
const NAMES: [&str; 2] = ["soak-name-a", "soak-name-b"];
const BRIEF: &str = "soak-brief";
const PERCENT_MAX: u64 = 20;

pub(super) fn distribute(soak: &Soak, mut draws: Draws) {
    let caller = Caller::new(soak, "distribution");
    create(&caller, soak.node(0), SHARE);
    for turn in 0.. {
        soak.rest(Duration::from_secs(10));
        if !soak.goes_on() {
            return;
        }
        let (writer, other) = (soak.node(turn), soak.other(turn));
        let percent = draws.below(PERCENT_MAX + 1);
        let body = json!({ "percent": percent });
        let Some((answer, position)) =
            caller.write(writer, Question::post(&format!("/segments/{SHARE}/distribute"), &body))
        else {
            continue;
        };
        // Rounded half up; nobody is in by another way.
        let expected = json!((soak.users * percent + 50) / 100);
        caller.must_be(writer, "the members of a share", &answer.body["user_count"], &expected);
        let question = json!({ "expr": SHARE, "return": "count" });
        for (node, at_least) in [(writer, None), (other, Some(position.as_str()))] {
            let question = Question::post("/segments/algebra", &question).at_least(at_least);
            if let Some(answer) = caller.ask(node, question) {
                caller.must_be(node, "the members of a share, read", &answer.body["user_count"], &expected);
            }
        }
    }
}

/// One user is in one segment that is renamed, and enters another one that is deleted and made again.
pub(super) fn rename(soak: &Soak, _: Draws) {
    let caller = Caller::new(soak, "name, deletion, creation");
    let user = user_id(soak.take_users(1));
    let path = format!("/users/{user}/segments");
    create(&caller, soak.node(0), NAMES[0]);
    caller.ask(soak.node(0), Question::post(&path, &json!({ "add": [NAMES[0]] })));
    for turn in 0.. {
        soak.rest(Duration::from_secs(5));
        if !soak.goes_on() {
            return;
        }
        rename_once(&caller, &user, turn);
        make_anew(&caller, &user, turn);
    }
}

/// After a change of which nothing was heard either name may be the one that is there.
fn rename_once(caller: &Caller, user: &str, turn: u64) {
    let writer = caller.soak.node(turn);
    let Some(there) = caller.try_ask(writer, Question::get(&format!("/segments/{}", NAMES[0]))) else { return };
    let [old, new] = if there.status == 200 { NAMES } else { [NAMES[1], NAMES[0]] };
    let question = json!({ "slug": new });
    let Some((_, position)) = caller.write(writer, Question::post(&format!("/segments/{old}/rename"), &question))
    else {
        return;
    };
    for (node, at_least) in [(writer, None), (caller.soak.other(turn), Some(position.as_str()))] {
        must_be_in(caller, node, user, &[(new, true), (old, false)], at_least);
    }
}

fn make_anew(caller: &Caller, user: &str, turn: u64) {
    let writer = caller.soak.node(turn);
    let path = format!("/segments/{BRIEF}");
    let Some(gone) = caller.try_ask(writer, Question { method: "DELETE", ..Question::get(&path) }) else { return };
    caller.must_be(writer, &format!("{path} is deleted: {}", gone.body), [204, 404].contains(&gone.status), true);
    must_be_in(caller, writer, user, &[(BRIEF, false)], None);
    if caller.ask(writer, Question::post("/segments", &json!({ "slug": BRIEF }))).is_none() {
        return;
    }
    must_be_in(caller, writer, user, &[(BRIEF, false)], None);
    let added = caller.write(writer, Question::post(&format!("/users/{user}/segments"), &json!({ "add": [BRIEF] })));
    let Some((_, position)) = added else { return };
    for (node, at_least) in [(writer, None), (caller.soak.other(turn), Some(position.as_str()))] {
        must_be_in(caller, node, user, &[(BRIEF, true)], at_least);
    }
}

fn must_be_in(caller: &Caller, node: &Node, user: &str, stays: &[(&str, bool)], at_least: Option<&str>) {
    let path = format!("/users/{user}/segments");
    let Some(answer) = caller.ask(node, Question::get(&path).at_least(at_least)) else { return };
    let told: Vec<&str> = answer.body["segments"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for (slug, is_member) in stays {
        caller.must_be(node, &format!("whether {user} is in {slug}"), told.contains(slug), *is_member);
    }
}

/// Before anybody is restarted.
fn create(caller: &Caller, node: &Node, slug: &str) {
    caller.ask(node, Question::post("/segments", &json!({ "slug": slug })));
}
