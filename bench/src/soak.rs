//! A soak: mixed load on nodes that come and go, for as long as anybody wants, with every answer checked.

mod callers;
mod changes;
mod memories;
mod nodes;
mod outcomes;
mod reads;
mod segments;
mod stays;
mod tallies;
mod transfers;

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use clap::Args;

use self::{
    memories::Memory,
    nodes::{Fate, Node},
    outcomes::Outcome,
    tallies::Tally,
};
use crate::{
    Failure,
    draws::Draws,
    figures::{grouped, short},
    interrupts,
    loads::rates::Latencies,
    meters::memory_mib,
    populations::{self, now_us},
    say,
    servers::Strata,
    stores::{Engine, Store, Workshop},
};

/// Runs mixed load until the time is up, and checks every answer.
///
/// On PostgreSQL two nodes serve one store. In the first half of the time the second node is stopped by SIGTERM and killed
/// by SIGKILL in turn, every three minutes or more often in a short run, and started again. On SQLite one node serves. Beside
/// them `strata import` writes.
///
/// It is wrong when a status is 500 or above, but for a 503 with Retry-After of the second node, and `behind` of the first;
/// when a read does not show what the same node was told before, or the other one with Strata-At-Least; when `strata check`
/// finds a difference at the end, of the store or of a node's index; and when memory grows: the median of the last quarter
/// of the time may be 20 % and 16 MiB above that of the second quarter. For the second node the time since its last start
/// counts. A process that ran for less than a minute is not judged by its memory.
///
/// Ctrl-C ends it early, with the same checks. The status is 1 when anything was wrong.
#[derive(Args)]
pub(crate) struct Options {
    /// The release binary of Strata
    #[arg(long, value_name = "FILE", hide = true)]
    strata: PathBuf,
    /// Where filled stores are kept between runs, and other stores during one
    #[arg(long, hide = true)]
    folder: PathBuf,
    /// How long it takes
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    minutes: u64,
    #[arg(long, default_value = "postgres")]
    engine: Engine,
    /// How many users there are, with ten memberships each and more
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(40_000..=1_000_000))]
    users: u64,
    /// What is asked, and of whom; another one every time without it
    #[arg(long)]
    seed: Option<u64>,
}

/// Before the name of each segment that comes and goes.
const OWN: &str = "soak-";
/// Memory is looked at so often.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const TELL_EVERY: Duration = Duration::from_secs(30);
const RESTART_EVERY: Duration = Duration::from_secs(180);
/// How long a node is away at least.
const AWAY: Duration = Duration::from_secs(2);

type Actor = fn(&Soak, Draws);

/// Each goes on by itself until the time is up.
const ACTORS: [Actor; 13] = [
    reads::look_up,
    reads::look_up,
    reads::look_up_many,
    reads::check_pairs,
    reads::combine,
    changes::change,
    changes::change,
    changes::change,
    segments::distribute,
    segments::rename,
    transfers::import,
    transfers::import_by_command,
    transfers::export,
];

/// What all who act have in common.
struct Soak<'a> {
    nodes: Vec<Node<'a>>,
    strata: &'a Strata,
    database_url: &'a str,
    folder: &'a Path,
    users: u64,
    /// The next user whom nobody has alone yet.
    next_user: AtomicU64,
    tally: Tally,
    is_over: AtomicBool,
}

pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let interrupted = interrupts::begin()?;
    let (workshop, store) = opened(options)?;
    let duration = Duration::from_secs(options.minutes * 60);
    let seed = options.seed.map_or_else(now_us, Ok)?;
    let node = |name, fate| {
        let file = workshop.folder.join(format!("{name}-index"));
        Node::start(name, fate, &workshop.strata, &store.url, file)
    };
    let mut nodes = vec![node("first", Fate::Untouched)?];
    if options.engine == Engine::Postgres {
        nodes.push(node("second", Fate::Restarted)?);
    }
    say(format_args!(
        "{} users in {}, {} nodes, {} minutes, seed {seed}. The log is {}.",
        grouped(options.users),
        options.engine,
        nodes.len(),
        options.minutes,
        workshop.strata.log().display(),
    ))?;
    let soak = Soak {
        nodes,
        strata: &workshop.strata,
        database_url: &store.url,
        folder: &workshop.folder,
        users: options.users,
        next_user: AtomicU64::new(options.users / 2 + 1),
        tally: Tally::default(),
        is_over: AtomicBool::new(false),
    };
    let watched = thread::scope(|scope| {
        let mut draws = Draws(seed);
        for actor in ACTORS {
            let draws = Draws(draws.draw());
            let soak = &soak;
            scope.spawn(move || actor(soak, draws));
        }
        scope.spawn(|| restart(&soak, duration));
        let watched = watch(&soak, &workshop, &store, duration, &interrupted);
        soak.is_over.store(true, Ordering::Relaxed);
        watched
    })?;
    let outcome = Outcome::of(&soak, &watched)?;
    outcome.tell()?;
    drop(soak);
    if outcome.is_good() { workshop.close() } else { Err(Failure("something was wrong".to_owned())) }
}

/// A population that is ours alone.
fn opened(options: &Options) -> Result<(Workshop, Store), Failure> {
    let (workshop, kept) = populations::open_in(options.engine, &options.strata, &options.folder, options.users)?;
    let store = match options.engine {
        Engine::Postgres => kept,
        Engine::Sqlite => {
            workshop.settle(&kept)?;
            workshop.copy(&kept)?
        }
    };
    Ok((workshop, store))
}

impl Soak<'_> {
    fn goes_on(&self) -> bool {
        !self.is_over.load(Ordering::Relaxed)
    }

    /// Ends early when the time is up.
    fn rest(&self, duration: Duration) {
        let end = Instant::now() + duration;
        while self.goes_on() && Instant::now() < end {
            thread::sleep(LOOK_EVERY.min(end.saturating_duration_since(Instant::now())));
        }
    }

    /// The node whose turn it is, or to whom this number belongs.
    fn node(&self, number: u64) -> &Node<'_> {
        &self.nodes[number as usize % self.nodes.len()]
    }

    /// The one that is not `node(number)`, if there are two.
    fn other(&self, number: u64) -> &Node<'_> {
        self.node(number + 1)
    }

    fn any_node(&self, draws: &mut Draws) -> &Node<'_> {
        self.node(draws.below(self.nodes.len() as u64))
    }

    /// So many users of the second half for the caller alone; the number of the first.
    fn take_users(&self, count: u64) -> u64 {
        self.next_user.fetch_add(count, Ordering::Relaxed)
    }
}

/// Stops and kills those that may be, in the first half of the time, so that their memory can be looked at in the second.
fn restart(soak: &Soak, duration: Duration) {
    let Some(node) = soak.nodes.iter().find(|node| node.fate == Fate::Restarted) else { return };
    let begun = Instant::now();
    let period = RESTART_EVERY.min(duration / 6);
    for turn in 0.. {
        soak.rest(period);
        if !soak.goes_on() || begun.elapsed() + period / 2 > duration / 2 {
            return;
        }
        let left = if turn % 2 == 0 {
            node.stop()
        } else {
            node.kill();
            Ok(())
        };
        soak.rest(AWAY);
        if let Err(Failure(reason)) = left.and(node.come_back()) {
            soak.tally.fault(format_args!("the {} node does not come back: {reason}", node.name));
            return;
        }
    }
}

/// What was seen of the nodes, and the latencies of all lookups.
struct Watched {
    duration: Duration,
    memories: Vec<Memory>,
    lookups: Vec<u64>,
}

/// Looks and tells until the time is up or somebody interrupts.
fn watch(
    soak: &Soak,
    workshop: &Workshop,
    store: &Store,
    duration: Duration,
    interrupted: &Arc<AtomicBool>,
) -> Result<Watched, Failure> {
    let begun = Instant::now();
    let tell_every = TELL_EVERY.min(duration / 8);
    let mut told = Duration::ZERO;
    let memories = soak.nodes.iter().map(|_| Memory::default()).collect();
    let mut watched = Watched { duration, memories, lookups: Vec::new() };
    while begun.elapsed() < duration && !interrupted.load(Ordering::Relaxed) {
        thread::sleep(LOOK_EVERY);
        let now = begun.elapsed();
        for (node, memory) in soak.nodes.iter().zip(&mut watched.memories) {
            // One that is away has no memory, and one that just ended has none any more.
            if let Some(Ok(mib)) = node.process().map(memory_mib) {
                memory.sample(node.starts(), now, mib);
            }
        }
        if now < told + tell_every {
            continue;
        }
        told = now;
        let changes = workshop.rows(store, "changes");
        // Ctrl-C also ended the shell that was to count them.
        if interrupted.load(Ordering::Relaxed) {
            break;
        }
        let lookups = soak.tally.take_lookups();
        watched.lookups.extend(&lookups);
        say(line(soak, now, &watched, Latencies::new(lookups, 0), changes?))?;
    }
    watched.duration = begun.elapsed();
    watched.lookups.extend(soak.tally.take_lookups());
    Ok(watched)
}

fn line(soak: &Soak, now: Duration, watched: &Watched, lookups: Latencies, changes: u64) -> String {
    let memories = soak.nodes.iter().zip(&watched.memories).map(|(node, memory)| {
        let mib = memory.last_mib().map_or_else(|| "away".to_owned(), |mib| format!("{} MiB", short(mib)));
        format!("{} node {mib} (start {})", node.name, node.starts())
    });
    let memories: Vec<String> = memories.collect();
    format!(
        "{:>3}:{:02}  {} requests, {} wrong; {}; {} rows in changes; p99 of lookups {} ms",
        now.as_secs() / 60,
        now.as_secs() % 60,
        grouped(soak.tally.requests()),
        soak.tally.faults().count,
        memories.join(", "),
        grouped(changes),
        p99_ms(&lookups),
    )
}

fn p99_ms(lookups: &Latencies) -> String {
    lookups.quantile(990).map_or_else(|| "-".to_owned(), |latency| short(latency.as_secs_f64() * 1e3))
}
