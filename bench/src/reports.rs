//! Results as tables, which are Markdown and aligned for the eye, and as JSON.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::{
    Failure, failed,
    figures::{Spread, grouped, short},
    rounds::{Figure, Goal, Outcome, Results},
};

/// The tables of a comparison.
pub(crate) fn text(results: &Results) -> String {
    let mut text = format!("## {}\n\n", results.title);
    for remark in &results.remarks {
        text.push_str(&format!("{remark}\n"));
    }
    if !results.remarks.is_empty() {
        text.push('\n');
    }
    text.push_str(&targets(results));
    if !results.figures.is_empty() {
        text.push_str(&format!("\n{}", figures(results)));
    }
    text
}

fn targets(results: &Results) -> String {
    let head = [
        "target",
        "seconds",
        "rows/s",
        "CPU s Strata",
        "CPU s database",
        "CPU s clients",
        "growth MiB",
        "foreign CPU %",
    ];
    let row = |name: &&str| {
        let told = |value: &dyn Fn(&Outcome) -> Option<f64>| {
            results.spread(name, value).map_or_else(String::new, |spread| spread.to_string())
        };
        let median = |value: &dyn Fn(&Outcome) -> f64| {
            results.spread(name, |outcome| Some(value(outcome))).map_or(0.0, |spread| spread.median)
        };
        [
            (*name).to_owned(),
            told(&|outcome| Some(outcome.reading.seconds)),
            grouped(median(&Outcome::rate) as u64),
            short(median(&|outcome| outcome.reading.strata_s)),
            short(median(&|outcome| outcome.reading.database_s)),
            short(median(&|outcome| outcome.reading.clients_s)),
            told(&|outcome| outcome.reading.growth_mib),
            told(&|outcome| Some(outcome.reading.foreign * 100.0)),
        ]
    };
    table(head, results.names.iter().map(row))
}

fn figures(results: &Results) -> String {
    let rows = results.figures.iter().filter_map(|(figure, goal)| {
        let spread = results.figure(*figure)?;
        let cpu = results.cpu_ratio(*figure).map_or_else(String::new, |spread| spread.to_string());
        let met = match goal {
            Goal::None => "",
            goal if goal.is_met(spread.median) => "yes",
            _ => "no",
        };
        Some([name(*figure), spread.to_string(), cpu, said(*goal), met.to_owned()])
    });
    table(["figure", "median [min..max]", "CPU ratio", "goal", "met"], rows)
}

fn name(figure: Figure) -> String {
    match figure {
        Figure::Time { of, to } => format!("time: {of} / {to}"),
        Figure::Throughput { of, to } => format!("rows/s: {of} / {to}"),
        Figure::GrowthMib { of } => format!("growth of {of}, MiB"),
        Figure::FirstByteMs { of } => format!("first byte of {of}, ms"),
    }
}

fn said(goal: Goal) -> String {
    match goal {
        Goal::AtMost(bound) => format!("≤ {}", short(bound)),
        Goal::AtLeast(bound) => format!("≥ {}", short(bound)),
        Goal::None => String::new(),
    }
}

fn table<const N: usize>(head: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let rows: Vec<[String; N]> = std::iter::once(head.map(str::to_owned)).chain(rows).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width);
    let mut text = String::new();
    for (number, row) in rows.iter().enumerate() {
        for (cell, width) in row.iter().zip(widths) {
            text.push_str(&format!("| {cell:width$} "));
        }
        text.push_str("|\n");
        if number == 0 {
            widths.iter().for_each(|width| text.push_str(&format!("|{}", "-".repeat(width + 2))));
            text.push_str("|\n");
        }
    }
    text
}

/// Every ratio, with whether its goal is a lower bound (`at_least`).
pub(crate) fn write_json(path: &Path, all: &[Results]) -> Result<(), Failure> {
    let ratios: Vec<Value> = all.iter().flat_map(ratios).collect();
    let text = serde_json::to_string_pretty(&json!({ "ratios": ratios })).expect("plain data can be written");
    fs::write(path, text + "\n").map_err(failed(path.display()))
}

fn ratios(results: &Results) -> Vec<Value> {
    let told = results.figures.iter().filter_map(|(figure, goal)| {
        let cpu = results.cpu_ratio(*figure)?;
        let Spread { median, min, max } = results.figure(*figure)?;
        let (goal, at_least) = match goal {
            Goal::AtMost(bound) => (Some(*bound), false),
            Goal::AtLeast(bound) => (Some(*bound), true),
            Goal::None => (None, matches!(figure, Figure::Throughput { .. })),
        };
        Some(json!({
            "name": format!("{}: {}", results.title, name(*figure)),
            "median": median,
            "min": min,
            "max": max,
            "goal": goal,
            "at_least": at_least,
            "rounds": results.rounds.len(),
            "cpu_ratio": cpu.median,
        }))
    });
    told.collect()
}
