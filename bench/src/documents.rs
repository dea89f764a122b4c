//! `docs/benchmarks.md` and `docs/benchmarks.json`: a section for each suite. A suite that was run again takes its own
//! section's place, and leaves the others as they are.

use std::{fs, io, path::Path};

use serde_json::{Value, json};

use crate::{
    Failure, failed,
    figures::short,
    reports::{Report, table},
    suites::Kind,
};

const INTRODUCTION: &str = "\
# Benchmarks

Strata beside what its machine gives without it. Every target is measured in the same run as Strata: each round runs each
target once, in random order, and a ratio is formed inside a round. What is shown is the median and, in brackets, the
smallest and the largest value of all rounds. CPU is the processor time of the server and its database, without whoever
sends the requests; foreign CPU is the share of the processors that other programs used meanwhile. Answers are checked as
well as timed: one wrong status ends the run.

`cargo xtask bench all` writes this page and [benchmarks.json](benchmarks.json), `cargo xtask bench SUITE --write` one
section of both.
";

/// What a reader has to be told although nobody likes to.
const MISSES: &str = "Goals that were missed";

/// Puts what a suite found in place of what it found before.
pub(crate) fn write(docs: &Path, kind: &Kind, report: &Report) -> Result<(), Failure> {
    let (json_path, text_path) = (docs.join("benchmarks.json"), docs.join("benchmarks.md"));
    let values: Value = match read(&json_path)? {
        Some(text) => serde_json::from_str(&text).map_err(failed(json_path.display()))?,
        None => json!({}),
    };
    let text = read(&text_path)?.unwrap_or_default();
    let values = json!({
        "ratios": replaced(&values["ratios"], kind.name, &report.ratios),
        "figures": replaced(&values["figures"], kind.name, &report.others),
    });
    let text = composed(&text, kind.heading, &report.text, &values);
    let values = serde_json::to_string_pretty(&values).expect("plain data can be written");
    fs::write(&json_path, values + "\n").map_err(failed(json_path.display()))?;
    fs::write(&text_path, text).map_err(failed(text_path.display()))
}

fn read(path: &Path) -> Result<Option<String>, Failure> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(path.display())(error)),
    }
}

/// The values of other suites, and the new ones of this suite, in the order of the suites.
fn replaced(before: &Value, suite: &str, found: &[Value]) -> Vec<Value> {
    let others = before.as_array().into_iter().flatten().filter(|value| value["suite"] != suite).cloned();
    let found = found.iter().cloned().map(|mut value| {
        value["suite"] = suite.into();
        value
    });
    let mut values: Vec<Value> = others.chain(found).collect();
    values.sort_by_key(|value| Kind::ALL.iter().position(|kind| value["suite"] == kind.name));
    values
}

/// The page with one section replaced, and with its list of misses made anew.
fn composed(page: &str, heading: &str, section: &str, values: &Value) -> String {
    let mut text = format!("{INTRODUCTION}\n## {MISSES}\n\n{}", misses(values));
    for kind in Kind::ALL {
        let body = if kind.heading == heading { Some(section) } else { section_of(page, kind.heading) };
        if let Some(body) = body {
            text.push_str(&format!("\n## {}\n\n{}\n", kind.heading, body.trim()));
        }
    }
    text
}

fn section_of<'a>(page: &'a str, heading: &str) -> Option<&'a str> {
    let mark = format!("\n## {heading}\n");
    let rest = &page[page.find(&mark)? + mark.len()..];
    Some(rest.find("\n## ").map_or(rest, |end| &rest[..end]))
}

fn misses(values: &Value) -> String {
    let all = ["ratios", "figures"].into_iter().flat_map(|list| values[list].as_array().into_iter().flatten());
    let missed: Vec<[String; 4]> = all.filter_map(miss).collect();
    if missed.is_empty() {
        return "None.\n".to_owned();
    }
    table(["suite", "figure", "median", "goal"], missed.into_iter())
}

fn miss(value: &Value) -> Option<[String; 4]> {
    let (median, goal) = (value["median"].as_f64()?, value["goal"].as_f64()?);
    let at_least = value["at_least"].as_bool()?;
    let met = if at_least { median >= goal } else { median <= goal };
    if met {
        return None;
    }
    let sign = if at_least { "≥" } else { "≤" };
    let told = |field: &str| value[field].as_str().unwrap_or_default().to_owned();
    Some([told("suite"), told("name"), short(median), format!("{sign} {}", short(goal))])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(suite: &str, median: f64) -> Value {
        json!({ "suite": suite, "name": "a / b", "median": median, "goal": 1.0, "at_least": true })
    }

    #[test]
    fn a_suite_replaces_its_own_values_and_no_others() {
        let before = json!([value("lookup", 1.0), value("bulk", 2.0)]);
        let found = [json!({ "median": 3.0 })];
        let values = replaced(&before, "lookup", &found);
        assert_eq!(values, [value("bulk", 2.0), json!({ "median": 3.0, "suite": "lookup" })]);
    }

    #[test]
    fn a_section_takes_the_place_of_the_one_before() {
        let nothing = json!({});
        let page = composed("", "Lookups", "old", &nothing);
        let page = composed(&page, "Bulk", "### First\n\nkept", &nothing);
        let page = composed(&page, "Lookups", "new", &nothing);
        let end = page.split_once("\n## Bulk\n").unwrap().1;
        assert_eq!(end, "\n### First\n\nkept\n\n## Lookups\n\nnew\n");
        assert!(page.starts_with(INTRODUCTION));
    }

    #[test]
    fn what_missed_its_goal_is_named() {
        let values = json!({ "ratios": [value("lookup", 0.5), value("lookup", 1.5)], "figures": [] });
        let text = misses(&values);
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(text.contains("| lookup | a / b  | 0.50   | ≥ 1.00 |"), "{text}");
        assert_eq!(misses(&json!({})), "None.\n");
    }
}
