//! Results as tables, which are Markdown and aligned for the eye, and as JSON.

use serde_json::{Value, json};

use crate::{
    Failure,
    figures::{Spread, grouped, short},
    rounds::{Bound, Figure, Goal, Outcome, Results, Unit},
    say,
};

/// The tables of a comparison.
fn text(results: &Results) -> String {
    let mut text = format!("### {}\n\n", results.title);
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
    match results.unit {
        Unit::Row => rows(results),
        Unit::Request => requests(results, "requests/s", "CPU µs/request"),
        Unit::User => requests(results, "users/s", "CPU µs/user"),
    }
}

fn rows(results: &Results) -> String {
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
        let told = |value: &dyn Fn(&Outcome) -> Option<f64>| told(results, name, value);
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

/// The processor time is that of the server and its database, without whoever sends the requests.
fn requests(results: &Results, rate: &str, work: &str) -> String {
    let head = ["target", rate, work, "p99 ms", "foreign CPU %"];
    let row = |name: &&str| {
        let told = |value: &dyn Fn(&Outcome) -> Option<f64>| told(results, name, value);
        [
            (*name).to_owned(),
            told(&|outcome| Some(outcome.rate())),
            told(&|outcome| Some(outcome.work_a_row())),
            told(&|outcome| outcome.p99_ms),
            told(&|outcome| Some(outcome.reading.foreign * 100.0)),
        ]
    };
    table(head, results.names.iter().map(row))
}

/// Nothing where it is not known.
fn told(results: &Results, name: &str, value: impl Fn(&Outcome) -> Option<f64>) -> String {
    results.spread(name, value).map_or_else(String::new, |spread| spread.to_string())
}

fn figures(results: &Results) -> String {
    let rows = results.figures.iter().filter_map(|(figure, goal)| {
        let spread = results.figure(*figure)?;
        let cpu = results.cpu_ratio(*figure).map_or_else(String::new, |spread| spread.to_string());
        let met = goal.is_met(spread.median).map_or("", |met| if met { "yes" } else { "no" });
        Some([name(results.unit, *figure), spread.to_string(), cpu, said(*goal), met.to_owned()])
    });
    table(["figure", "median [min..max]", "CPU ratio", "goal (dream)", "met"], rows)
}

fn name(unit: Unit, figure: Figure) -> String {
    let rows = match unit {
        Unit::Row => "rows",
        Unit::Request => "requests",
        Unit::User => "users",
    };
    match figure {
        Figure::Time { of, to } => format!("time: {of} / {to}"),
        Figure::Throughput { of, to } => format!("{rows}/s: {of} / {to}"),
        Figure::Cpu { of, to } => format!("CPU: {of} / {to}"),
        Figure::GrowthMib { of } => format!("growth of {of}, MiB"),
        Figure::FirstByteMs { of } => format!("first byte of {of}, ms"),
    }
}

fn said(goal: Goal) -> String {
    let bound = match goal.bound {
        Some(Bound::AtMost(bound)) => format!("≤ {}", short(bound)),
        Some(Bound::AtLeast(bound)) => format!("≥ {}", short(bound)),
        None => String::new(),
    };
    goal.dream.map_or(bound.clone(), |dream| format!("{bound} ({})", short(dream)))
}

pub(crate) fn table<const N: usize>(head: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
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

/// What a program may want to know of a figure.
fn value(name: &str, spread: Spread, goal: Goal, figure: Option<Figure>) -> Value {
    let (bound, at_least) = match goal.bound {
        Some(Bound::AtMost(bound)) => (Some(bound), false),
        Some(Bound::AtLeast(bound)) => (Some(bound), true),
        None => (None, matches!(figure, Some(Figure::Throughput { .. }))),
    };
    let Spread { median, min, max } = spread;
    json!({
        "name": name, "median": median, "min": min, "max": max,
        "goal": bound, "dream": goal.dream, "at_least": at_least,
    })
}

/// What a suite found, for people and for programs.
#[derive(Default)]
pub(crate) struct Report {
    pub(crate) text: String,
    pub(crate) ratios: Vec<Value>,
    /// Figures that are no ratios.
    pub(crate) others: Vec<Value>,
}

impl Report {
    /// Says it, and keeps it.
    pub(crate) fn tell(&mut self, text: String) -> Result<(), Failure> {
        say(&text)?;
        self.text.push_str(&text);
        self.text.push('\n');
        Ok(())
    }

    pub(crate) fn add(&mut self, results: &Results) -> Result<(), Failure> {
        for (figure, goal) in &results.figures {
            let Some(spread) = results.figure(*figure) else { continue };
            let name = format!("{}: {}", results.title, name(results.unit, *figure));
            let mut value = value(&name, spread, *goal, Some(*figure));
            value["rounds"] = results.rounds.len().into();
            match results.cpu_ratio(*figure) {
                Some(cpu) => {
                    value["cpu_ratio"] = cpu.median.into();
                    self.ratios.push(value);
                }
                None => self.others.push(value),
            }
        }
        self.tell(text(results))
    }

    /// A figure that was found once.
    pub(crate) fn add_figure(&mut self, name: &str, found: f64, goal: Goal) {
        let spread = Spread { median: found, min: found, max: found };
        let mut value = value(name, spread, goal, None);
        value["rounds"] = 1.into();
        self.others.push(value);
    }
}
