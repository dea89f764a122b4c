//! What an act costs: time, processor, memory. Read from /proc, so this is for Linux.

use std::{fs, time::Instant};

use crate::{Failure, failed};

/// Linux tells processor time to programs in hundredths of a second, whatever its own clock does.
const TICKS_A_SECOND: f64 = 100.0;

/// Whose work the programs do that are started for a target and waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Children {
    Strata,
    Database,
    Clients,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    pub(crate) seconds: f64,
    /// Processor seconds of Strata itself, or of the server that stands beside it.
    pub(crate) strata_s: f64,
    /// Of all of PostgreSQL's processes, or of the shell of SQLite.
    pub(crate) database_s: f64,
    /// Of psql and whoever else only carries rows to and fro, without this program.
    pub(crate) clients_s: f64,
    /// Which part of the machine's processors others used meanwhile, from 0 to 1.
    pub(crate) foreign: f64,
    /// By how much the server's memory rose at most over what it was before.
    pub(crate) growth_mib: Option<f64>,
}

impl Reading {
    /// Processor seconds of those who do the work.
    pub(crate) fn work_s(&self) -> f64 {
        self.strata_s + self.database_s
    }
}

#[derive(Default)]
pub(crate) struct Meter {
    /// The first process of PostgreSQL.
    pub(crate) postmaster: Option<u32>,
}

impl Meter {
    pub(crate) fn measure<T>(
        &self,
        server: Option<u32>,
        children: Children,
        work: impl FnOnce() -> Result<T, Failure>,
    ) -> Result<(Reading, T), Failure> {
        self.watch(Watched { server, clients: None }, children, work)
    }

    /// While PostgreSQL works for clients of its own, which were there before and go on afterwards.
    pub(crate) fn measure_clients<T>(
        &self,
        clients: u32,
        work: impl FnOnce() -> Result<T, Failure>,
    ) -> Result<(Reading, T), Failure> {
        self.watch(Watched { server: None, clients: Some(clients) }, Children::Clients, work)
    }

    /// Of two nodes. What the second one costs is told with the clients.
    pub(crate) fn measure_nodes<T>(
        &self,
        [first, second]: [u32; 2],
        work: impl FnOnce() -> Result<T, Failure>,
    ) -> Result<(Reading, T), Failure> {
        self.watch(Watched { server: Some(first), clients: Some(second) }, Children::Clients, work)
    }

    fn watch<T>(
        &self,
        watched: Watched,
        children: Children,
        work: impl FnOnce() -> Result<T, Failure>,
    ) -> Result<(Reading, T), Failure> {
        let server = watched.server;
        let rss_kib = server.map(begin_watching_memory).transpose()?;
        let before = self.ticks(watched)?;
        let begun = Instant::now();
        let result = work()?;
        let seconds = begun.elapsed().as_secs_f64();
        let spent = self.ticks(watched)?.since(&before);
        let peak_kib = server.map(|server| kib(server, "VmHWM:")).transpose()?;

        let in_seconds = |ticks: u64| ticks as f64 / TICKS_A_SECOND;
        let of_children = |whose| if children == whose { spent.children } else { 0 };
        let ours = spent.strata + spent.postgres + spent.clients + spent.children + spent.own;
        let reading = Reading {
            seconds,
            strata_s: in_seconds(spent.strata + of_children(Children::Strata)),
            database_s: in_seconds(spent.postgres + of_children(Children::Database)),
            clients_s: in_seconds(spent.clients + of_children(Children::Clients)),
            foreign: spent.busy.saturating_sub(ours) as f64 / spent.all.max(1) as f64,
            growth_mib: peak_kib.zip(rss_kib).map(|(peak, before)| (peak as f64 - before as f64) / 1024.0),
        };
        Ok((reading, result))
    }

    fn ticks(&self, Watched { server, clients }: Watched) -> Result<Ticks, Failure> {
        let of = |process: Option<u32>| {
            let usage = process.map(|id| Usage::of(&id.to_string())).transpose()?;
            Ok(usage.map_or(0, |usage| usage.own))
        };
        let own = Usage::of("self")?;
        let (busy, all) = processors()?;
        Ok(Ticks {
            strata: of(server)?,
            clients: of(clients)?,
            postgres: self.postmaster.map(cluster).transpose()?.unwrap_or(0),
            children: own.children,
            own: own.own,
            busy,
            all,
        })
    }
}

/// Processes that go on while they are looked at.
#[derive(Clone, Copy)]
struct Watched {
    server: Option<u32>,
    clients: Option<u32>,
}

/// Processor time, ever since.
struct Ticks {
    strata: u64,
    clients: u64,
    postgres: u64,
    /// Programs that this one started and waited for.
    children: u64,
    own: u64,
    /// Of all processors, with whatever they did.
    busy: u64,
    /// And with their idling.
    all: u64,
}

impl Ticks {
    fn since(&self, before: &Ticks) -> Ticks {
        Ticks {
            strata: self.strata - before.strata,
            clients: self.clients - before.clients,
            // A process that ends between two looks at its family is seen twice, or not at all.
            postgres: self.postgres.saturating_sub(before.postgres),
            children: self.children - before.children,
            own: self.own - before.own,
            busy: self.busy - before.busy,
            all: self.all - before.all,
        }
    }
}

/// What /proc/ID/stat tells of one process.
struct Usage {
    parent: u32,
    own: u64,
    /// Of those that ended and were waited for, with theirs.
    children: u64,
}

impl Usage {
    fn of(id: &str) -> Result<Usage, Failure> {
        let path = format!("/proc/{id}/stat");
        let text = fs::read_to_string(&path).map_err(failed(&path))?;
        Usage::read(&text).ok_or_else(|| Failure(format!("{path} is not as proc(5) says: {text}")))
    }

    fn read(text: &str) -> Option<Usage> {
        // The name of the program stands in parentheses, and may have some itself.
        let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
        // Field 3 of proc(5) is the first one here.
        let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
        Some(Usage { parent: number(4)? as u32, own: number(14)? + number(15)?, children: number(16)? + number(17)? })
    }
}

/// What all processes of a PostgreSQL used, also those that ended.
fn cluster(postmaster: u32) -> Result<u64, Failure> {
    let first = Usage::of(&postmaster.to_string())?;
    let mut sum = first.own + first.children;
    for entry in fs::read_dir("/proc").map_err(failed("/proc"))?.flatten() {
        let name = entry.file_name();
        let Some(id) = name.to_str().filter(|name| name.bytes().all(|byte| byte.is_ascii_digit())) else { continue };
        // Processes come and go meanwhile.
        let Ok(usage) = Usage::of(id) else { continue };
        if usage.parent == postmaster {
            sum += usage.own;
        }
    }
    Ok(sum)
}

/// What machine this is.
pub(crate) fn machine() -> Result<String, Failure> {
    let read = |path: &str| fs::read_to_string(path).map_err(failed(path));
    let (processors, memory) = (read("/proc/cpuinfo")?, read("/proc/meminfo")?);
    let models: Vec<&str> = processors.lines().filter_map(|line| line.strip_prefix("model name")).collect();
    let model = models.first().map_or("processors", |model| model.trim_start_matches([' ', '\t', ':']));
    let kib = memory.lines().find_map(|line| line.strip_prefix("MemTotal:")?.split_whitespace().next()?.parse().ok());
    let gib = kib.unwrap_or(0_u64) / (1 << 20);
    Ok(format!("{} × {model}, {gib} GiB of memory", models.len()))
}

/// How long all processors worked, and that with their rest.
fn processors() -> Result<(u64, u64), Failure> {
    let text = fs::read_to_string("/proc/stat").map_err(failed("/proc/stat"))?;
    let line = text.lines().next().unwrap_or_default();
    // user, nice, system, idle, iowait, irq, softirq, steal; guests are counted in user and nice.
    let ticks: Vec<u64> = line.split_whitespace().skip(1).take(8).filter_map(|field| field.parse().ok()).collect();
    let [user, nice, system, idle, iowait, irq, softirq, steal] = ticks[..] else {
        return Err(Failure(format!("/proc/stat is not as proc(5) says: {line}")));
    };
    let busy = user + nice + system + irq + softirq + steal;
    Ok((busy, busy + idle + iowait))
}

/// Forgets the largest size that the process had, and tells the present one.
fn begin_watching_memory(id: u32) -> Result<u64, Failure> {
    let path = format!("/proc/{id}/clear_refs");
    fs::write(&path, "5").map_err(failed(&path))?;
    kib(id, "VmRSS:")
}

/// How much memory a process has in use.
pub(crate) fn memory_mib(id: u32) -> Result<f64, Failure> {
    Ok(kib(id, "VmRSS:")? as f64 / 1024.0)
}

fn kib(id: u32, field: &str) -> Result<u64, Failure> {
    let path = format!("/proc/{id}/status");
    let text = fs::read_to_string(&path).map_err(failed(&path))?;
    let value = text.lines().find_map(|line| line.strip_prefix(field)?.split_whitespace().next()?.parse().ok());
    value.ok_or_else(|| Failure(format!("{path} has no {field}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_may_be_named_anything() {
        let fields = "S 7 1 1 0 -1 4194560 100 0 0 0 11 22 33 44 20 0 1 0 5";
        let usage = Usage::read(&format!("42 (a ) b) {fields}")).unwrap();
        assert_eq!((usage.parent, usage.own, usage.children), (7, 33, 77));
    }

    #[test]
    fn an_act_costs_its_own_and_its_childrens_time() {
        let (reading, ()) = Meter::default()
            .measure(None, Children::Clients, || {
                let ended = std::process::Command::new("sh")
                    .args(["-c", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done"])
                    .status();
                assert!(ended.unwrap().success());
                Ok(())
            })
            .unwrap();
        assert!(reading.seconds > 0.0 && reading.clients_s > 0.0 && reading.work_s() == 0.0, "{reading:?}");
    }
}
