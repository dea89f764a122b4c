//! Attempts: whoever failed to sign in again and again has to wait, and longer each time.
//!
//! Logins are counted whether there are such accounts or not, so that waiting tells nothing of them. An account is slowed and
//! never locked: nobody can shut its owner out for longer than a minute at a time.

use std::{
    collections::HashMap,
    hash::Hash,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::Semaphore;

/// So many failures cost nothing.
const FREE_OF_LOGIN: u32 = 5;
const FREE_OF_ADDRESS: u32 = 20;
const WAIT_MAX: Duration = Duration::from_secs(60);
/// After so long without one, failures are forgotten.
const FORGET_AFTER: Duration = Duration::from_secs(15 * 60);
const KNOWN_MAX: usize = 100_000;
/// How many passwords are tried at once: each takes a processor and 19 MiB for a while.
const AT_ONCE: usize = 2;
/// How many wait for providers at once: each takes a thread, which may wait for ten seconds.
const JOURNEYS_MAX: usize = 8;

pub struct Attempts {
    logins: Mutex<HashMap<String, Failures>>,
    addresses: Mutex<HashMap<IpAddr, Failures>>,
    pub(crate) turns: Arc<Semaphore>,
    /// Of those who wait for a provider: others hear that the service is busy.
    pub(crate) journeys: Arc<Semaphore>,
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last: Instant,
}

impl Default for Attempts {
    fn default() -> Attempts {
        let [turns, journeys] = [AT_ONCE, JOURNEYS_MAX].map(|count| Arc::new(Semaphore::new(count)));
        Attempts { logins: Mutex::default(), addresses: Mutex::default(), turns, journeys }
    }
}

impl Attempts {
    /// How long this one has to wait; not at all without it.
    pub(crate) fn wait(&self, login: &str, address: IpAddr, now: Instant) -> Option<Duration> {
        let of_login = left(&lock(&self.logins), &key(login), FREE_OF_LOGIN, now);
        let of_address = left(&lock(&self.addresses), &address, FREE_OF_ADDRESS, now);
        of_login.max(of_address)
    }

    /// The same where no login is named.
    pub(crate) fn wait_of(&self, address: IpAddr, now: Instant) -> Option<Duration> {
        left(&lock(&self.addresses), &address, FREE_OF_ADDRESS, now)
    }

    /// Counts somebody who goes to a provider, or comes back with nothing.
    pub(crate) fn fail(&self, address: IpAddr, now: Instant) {
        count(&mut lock(&self.addresses), address, now);
    }

    /// Counts an attempt as a failure, before it is known what comes of it: of many at once none is free.
    pub(crate) fn begin(&self, login: &str, address: IpAddr, now: Instant) {
        count(&mut lock(&self.logins), key(login), now);
        count(&mut lock(&self.addresses), address, now);
    }

    /// It was none.
    pub(crate) fn succeed(&self, login: &str, address: IpAddr) {
        lock(&self.logins).remove(&key(login));
        self.forgive(address);
    }

    /// Whoever went to a provider came back and was let in.
    pub(crate) fn forgive(&self, address: IpAddr) {
        // Others behind the same address go on being counted.
        if let Some(failures) = lock(&self.addresses).get_mut(&address) {
            failures.count = failures.count.saturating_sub(1);
        }
    }
}

fn key(login: &str) -> String {
    login.chars().take(254).collect::<String>().to_lowercase()
}

fn lock<K>(failures: &Mutex<HashMap<K, Failures>>) -> MutexGuard<'_, HashMap<K, Failures>> {
    failures.lock().unwrap_or_else(PoisonError::into_inner)
}

fn left<K: Eq + Hash>(known: &HashMap<K, Failures>, key: &K, free: u32, now: Instant) -> Option<Duration> {
    let Failures { count, last } = *known.get(key)?;
    let over = count.checked_sub(free)?;
    let wait = Duration::from_secs(1 << over.min(6)).min(WAIT_MAX);
    (last + wait).checked_duration_since(now).filter(|left| !left.is_zero())
}

fn count<K: Eq + Hash>(known: &mut HashMap<K, Failures>, key: K, now: Instant) {
    if known.len() >= KNOWN_MAX {
        known.retain(|_, failures| now.duration_since(failures.last) < FORGET_AFTER);
        if known.len() >= KNOWN_MAX {
            known.clear();
        }
    }
    let failures = known.entry(key).or_insert(Failures { count: 0, last: now });
    if now.duration_since(failures.last) >= FORGET_AFTER {
        failures.count = 0;
    }
    *failures = Failures { count: failures.count.saturating_add(1), last: now };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([127, 0, 0, last])
    }

    #[test]
    fn a_login_waits_longer_after_each_failure_and_a_minute_at_most() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        let waits: Vec<u64> = (0..14)
            .map(|_| {
                let wait = attempts.wait("Anna", address(1), now).map_or(0, |wait| wait.as_secs());
                attempts.begin("anna", address(1), now);
                wait
            })
            .collect();
        assert_eq!(waits, [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
        let later = now + Duration::from_secs(61);
        assert_eq!(attempts.wait("anna", address(1), later), None);
        assert!(attempts.wait("ANNA", address(2), now).is_some() && attempts.wait("ivan", address(2), now).is_none());
    }

    #[test]
    fn an_address_waits_whatever_logins_it_tries() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        for number in 0..FREE_OF_ADDRESS {
            assert_eq!(attempts.wait(&number.to_string(), address(1), now), None);
            attempts.begin(&number.to_string(), address(1), now);
        }
        assert!(attempts.wait("another", address(1), now).is_some());
        assert!(attempts.wait("another", address(2), now).is_none());
    }

    #[test]
    fn failures_are_forgotten_by_a_success_and_in_time() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        for _ in 0..9 {
            attempts.begin("anna", address(1), now);
            attempts.begin("ivan", address(2), now);
        }
        attempts.succeed("anna", address(1));
        assert!(attempts.wait("anna", address(3), now).is_none() && attempts.wait("ivan", address(3), now).is_some());
        attempts.begin("ivan", address(2), now + FORGET_AFTER);
        assert_eq!(attempts.wait("ivan", address(3), now + FORGET_AFTER), None);
    }
}
