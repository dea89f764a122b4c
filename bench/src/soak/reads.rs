//! Questions about users and segments that nobody changes, so that every answer is known.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    Soak,
    callers::{Caller, Question},
    nodes::Node,
};
use crate::{
    draws::Draws,
    populations::{BIG, slugs_of, user_id},
};

const BATCH: usize = 100;

pub(super) fn look_up(soak: &Soak, mut draws: Draws) {
    let caller = Caller::new(soak, "lookup");
    while soak.goes_on() {
        let node = soak.any_node(&mut draws);
        let number = stable(soak, &mut draws);
        if let Some(answer) = caller.ask(node, Question::get(&format!("/users/{}/segments", user_id(number)))) {
            soak.tally.looked_up(answer.asked.elapsed().as_micros() as u64);
            must_know(&caller, node, number, &answer.body);
        }
        soak.rest(Duration::from_millis(1));
    }
}

pub(super) fn look_up_many(soak: &Soak, mut draws: Draws) {
    let caller = Caller::new(soak, "lookup of 100");
    while soak.goes_on() {
        let node = soak.any_node(&mut draws);
        let numbers: Vec<u64> = (0..BATCH).map(|_| stable(soak, &mut draws)).collect();
        let ids: Vec<String> = numbers.iter().copied().map(user_id).collect();
        let question = json!({ "user_ids": ids });
        if let Some(answer) = caller.ask(node, Question::post("/users/segments/lookup", &question)) {
            let items = answer.body["items"].as_array().map_or(&[][..], Vec::as_slice);
            caller.must_be(node, "the length of a batch", items.len(), BATCH);
            numbers.iter().zip(items).for_each(|(number, item)| must_know(&caller, node, *number, item));
        }
        soak.rest(Duration::from_millis(50));
    }
}

pub(super) fn check_pairs(soak: &Soak, mut draws: Draws) {
    let caller = Caller::new(soak, "pair");
    while soak.goes_on() {
        let node = soak.any_node(&mut draws);
        let number = stable(soak, &mut draws);
        let (slug, _) = BIG[draws.below(BIG.len() as u64) as usize];
        let path = format!("/users/{}/segments/{slug}", user_id(number));
        if let Some(answer) = caller.ask(node, Question::get(&path)) {
            let is_member = slugs_of(number).iter().any(|held| held == slug);
            caller.must_be(node, &path, answer.body["is_member"].as_bool(), Some(is_member));
        }
        soak.rest(Duration::from_millis(5));
    }
}

/// Combinations of the large segments, and their overlap.
pub(super) fn combine(soak: &Soak, mut draws: Draws) {
    let caller = Caller::new(soak, "algebra and overlap");
    let [(a, _), (b, _), (c, _)] = BIG;
    let count = |wanted: &dyn Fn([bool; 3]) -> bool| (1..=soak.users).filter(|number| wanted(held(*number))).count();
    let combined = count(&|[a, b, c]| a && b && !c);
    let sizes = [0, 1, 2].map(|place| count(&|held| held[place]));
    while soak.goes_on() {
        let node = soak.any_node(&mut draws);
        let question = json!({ "expr": format!("({a} & {b}) - {c}"), "return": "count" });
        if let Some(answer) = caller.ask(node, Question::post("/segments/algebra", &question)) {
            caller.must_be(node, "(a & b) - c", &answer.body["user_count"], &json!(combined));
        }
        let question = json!({ "slugs": [a, b, c] });
        if let Some(answer) = caller.ask(node, Question::post("/segments/overlap", &question)) {
            let found = [0, 1, 2].map(|place| &answer.body["segments"][place]["user_count"]);
            caller.must_be(node, "the sizes of an overlap", found, sizes.map(|size| json!(size)).each_ref());
        }
        soak.rest(Duration::from_millis(200));
    }
}

/// Which of the large segments a user is in.
fn held(number: u64) -> [bool; 3] {
    let slugs = slugs_of(number);
    BIG.map(|(slug, _)| slugs.iter().any(|held| held == slug))
}

/// Somebody of the first half, whom nobody changes but by distributing and importing segments of our own.
fn stable(soak: &Soak, draws: &mut Draws) -> u64 {
    1 + draws.below(soak.users / 2)
}

fn must_know(caller: &Caller, node: &Node, number: u64, told: &Value) {
    let found: Vec<&str> = told["segments"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let found: Vec<&str> = found.into_iter().filter(|slug| !slug.starts_with(super::OWN)).collect();
    caller.must_be(
        node,
        &format!("the segments of {}", user_id(number)),
        found,
        slugs_of(number).iter().map(String::as_str).collect(),
    );
}
