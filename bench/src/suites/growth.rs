//! Growth: what a lookup, the memory and the start come to when there are more memberships.

use std::{fs, time::Duration};

use super::{
    Bench,
    lookups::{self, Goals},
    targets::{INDEX_ON, check_user},
};
use crate::{
    Failure, failed,
    figures::{grouped, short},
    meters::memory_mib,
    plots::{self, Line, Plot},
    populations,
    reports::table,
    rounds::{Figure, Goal},
    stores::Engine,
};

/// Numbers of users, as so many tenths of those who were asked for.
pub(super) const USUAL: &[u64] = &[1, 10];
pub(super) const LARGE: &[u64] = &[1, 10, 50];
const PLOT: &str = "growth.svg";

/// What one size came to.
struct Step {
    memberships: u64,
    ratio: String,
    memory_mib: f64,
    from_store: Duration,
    from_snapshot: Duration,
}

pub(super) fn run(bench: &mut Bench, tenths: &[u64]) -> Result<(), Failure> {
    let all = bench.users;
    let mut steps = Vec::new();
    for tenth in tenths {
        steps.push(step(bench, all / 10 * tenth)?);
    }
    let path = bench.docs().join(PLOT);
    if bench.common.write {
        fs::write(&path, plots::svg(&plot(&steps))).map_err(failed(path.display()))?;
    }
    bench.report.tell(text(&steps))
}

/// In SQLite, whose file is used where it is kept: of the largest there is no room for two.
fn step(bench: &mut Bench, users: u64) -> Result<Step, Failure> {
    let (workshop, store) = populations::open(Engine::Sqlite, &bench.common, users)?;
    let memberships = workshop.rows(&store, "memberships")?;
    workshop.strata.clear_files()?;
    let first = workshop.strata.serve_with(&store.url, &[INDEX_ON])?;
    let from_store = first.ready_after;
    first.stop()?;
    let server = workshop.strata.serve_with(&store.url, &[INDEX_ON])?;
    let from_snapshot = server.ready_after;
    check_user(&server.client, users)?;
    let title = format!("Lookup among {} memberships, index on", grouped(memberships));
    let goals = Goals { throughput: Goal::at_least(0.8).dream(0.95), cpu: Goal::NONE };
    let results = lookups::beside_static(bench, &workshop, &server, title, users, goals)?;
    let ratio = results.figure(Figure::Throughput { of: "strata", to: "static" });
    let memory_mib = memory_mib(server.id())?;
    drop(server);
    workshop.close()?;
    let ratio = ratio.map_or_else(String::new, |spread| spread.to_string());
    Ok(Step { memberships, ratio, memory_mib, from_store, from_snapshot })
}

fn text(steps: &[Step]) -> String {
    let rows = steps.iter().map(|step| {
        [
            grouped(step.memberships),
            step.ratio.clone(),
            short(step.memory_mib),
            short(step.from_store.as_secs_f64()),
            short(step.from_snapshot.as_secs_f64()),
        ]
    });
    let head = ["memberships", "requests/s: strata / static", "memory MiB", "start from the store s", "second start s"];
    format!(
        "### Growth of memory and start\n\nFrom the start of the process until `/readyz` is 200, first with no files beside \
         SQLite's, then with what the first server left. Memory is resident, after the rounds above.\n\n{}\n![growth]({PLOT})\n",
        table(head, rows)
    )
}

fn plot(steps: &[Step]) -> Plot {
    let line = |name, value: fn(&Step) -> f64| Line {
        name,
        points: steps.iter().map(|step| (step.memberships as f64, value(step))).collect(),
    };
    Plot {
        title: "Growth",
        across: "memberships",
        lines: vec![
            line("memory, MiB", |step| step.memory_mib),
            line("start from the store, s", |step| step.from_store.as_secs_f64()),
            line("second start, s", |step| step.from_snapshot.as_secs_f64()),
        ],
    }
}
