//! What a soak came to: the checks at its end, and the tables that tell of all.

use std::{fs, os::unix::process::CommandExt};

use super::{
    Soak, Watched,
    memories::Growth,
    p99_ms,
    tallies::{Ends, Faults},
};
use crate::{
    Failure, failed,
    figures::{grouped, short},
    loads::rates::Latencies,
    reports::table,
    say,
};

pub(super) struct Outcome {
    minutes: f64,
    acts: Vec<(&'static str, Ends)>,
    nodes: Vec<(&'static str, u64, Option<Growth>)>,
    lookups: Latencies,
    /// What `strata check` said, each time it was run.
    checks: Vec<String>,
    faults: Faults,
}

impl Outcome {
    /// Load is over, and the nodes run still.
    pub(super) fn of(soak: &Soak, watched: &Watched) -> Result<Outcome, Failure> {
        let mut checks = vec![check(soak, "the store", &[])];
        for node in &soak.nodes {
            checks.push(check(soak, &format!("the index of the {} node", node.name), &["--index", &node.base()]));
        }
        let nodes = soak.nodes.iter().zip(&watched.memories);
        let nodes: Vec<_> = nodes.map(|(node, memory)| (node.name, node.starts(), memory.growth())).collect();
        for (name, _, growth) in &nodes {
            if growth.is_some_and(|growth| growth.is_flat() == Some(false)) {
                soak.tally.fault(format_args!("the memory of the {name} node grows"));
            }
        }
        let log = soak.strata.log();
        let text = fs::read_to_string(&log).map_err(failed(log.display()))?;
        for line in text.lines().filter(|line| line.contains("panicked at")) {
            soak.tally.fault(line);
        }
        Ok(Outcome {
            minutes: watched.duration.as_secs_f64() / 60.0,
            acts: soak.tally.acts().into_iter().collect(),
            nodes,
            lookups: Latencies::new(watched.lookups.clone(), 0),
            checks,
            faults: soak.tally.faults(),
        })
    }

    pub(super) fn is_good(&self) -> bool {
        self.faults.count == 0
    }

    pub(super) fn tell(&self) -> Result<(), Failure> {
        let acts = self.acts.iter().map(|(act, ends)| {
            [(*act).to_owned(), grouped(ends.requests), grouped(ends.refused), grouped(ends.broken_off)]
        });
        say(format_args!("\n{}", table(["act", "requests", "refused (503)", "broken off"], acts)))?;
        let nodes = self.nodes.iter().map(|(name, starts, growth)| {
            let told = |value: &dyn Fn(&Growth) -> f64| {
                growth.as_ref().map_or_else(String::new, |growth| short(value(growth)))
            };
            let is_flat = match growth.and_then(|growth| growth.is_flat()) {
                Some(true) => "yes",
                Some(false) => "no",
                None => "too short to tell",
            };
            [
                (*name).to_owned(),
                starts.to_string(),
                told(&|growth| growth.before_mib),
                told(&|growth| growth.after_mib),
                told(&Growth::mib),
                told(&Growth::percent),
                is_flat.to_owned(),
            ]
        });
        let head = ["node", "starts", "MiB, second quarter", "MiB, last quarter", "growth MiB", "growth %", "flat"];
        say(table(head, nodes))?;
        self.checks.iter().try_for_each(say)?;
        say(format_args!(
            "p99 of {} lookups: {} ms. {} minutes, {} wrong.",
            grouped(self.lookups.answered()),
            p99_ms(&self.lookups),
            short(self.minutes),
            grouped(self.faults.count)
        ))?;
        self.faults.first.iter().try_for_each(|fault| say(format_args!("  {fault}")))
    }
}

/// The last line of what the check says; a bad end is a fault.
fn check(soak: &Soak, what: &str, arguments: &[&str]) -> String {
    let arguments: Vec<&str> = std::iter::once("check").chain(arguments.iter().copied()).collect();
    let checked = soak.strata.command(soak.database_url, &arguments).and_then(|mut command| {
        command.process_group(0);
        soak.strata.run(command)
    });
    match checked {
        Ok(said) => format!("strata check, {what}: {}", said.lines().last().unwrap_or_default()),
        Err(Failure(reason)) => {
            soak.tally.fault(&reason);
            format!("strata check, {what}: {reason}")
        }
    }
}
