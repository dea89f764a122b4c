//! Refusals: what somebody who is known wanted and may not, told to the audit log without end to nobody's cost.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use domain::Who;

/// The same refusal of the same caller is noted so often, with how many there were since.
const NOTED_EVERY: Duration = Duration::from_secs(60);
const KNOWN_MAX: usize = 10_000;

#[derive(Default)]
pub struct Refusals(Mutex<HashMap<(Who, String), Counted>>);

struct Counted {
    noted: Instant,
    since: u64,
}

impl Refusals {
    /// How many there were, with this one, since it was noted last; nothing when that was just now.
    pub(crate) fn count(&self, who: Who, what: &str, now: Instant) -> Option<u64> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KNOWN_MAX {
            known.retain(|_, counted| now.duration_since(counted.noted) < NOTED_EVERY);
            if known.len() >= KNOWN_MAX {
                known.clear();
            }
        }
        match known.get_mut(&(who, what.to_owned())) {
            Some(counted) if now.duration_since(counted.noted) < NOTED_EVERY => {
                counted.since += 1;
                None
            }
            Some(counted) => {
                let times = counted.since + 1;
                *counted = Counted { noted: now, since: 0 };
                Some(times)
            }
            None => {
                known.insert((who, what.to_owned()), Counted { noted: now, since: 0 });
                Some(1)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_refusal_is_noted_once_a_minute_with_its_number() {
        let (refusals, now) = (Refusals::default(), Instant::now());
        let at = |seconds| now + Duration::from_secs(seconds);
        let told: Vec<Option<u64>> =
            [0, 1, 59, 60, 61, 300].map(|seconds| refusals.count(Who::Anybody, "GET /a", at(seconds))).to_vec();
        assert_eq!(told, [Some(1), None, None, Some(3), None, Some(2)]);
        assert_eq!(refusals.count(Who::Anybody, "GET /b", at(1)), Some(1));
        assert_eq!(refusals.count(Who::Service, "GET /a", at(1)), Some(1));
    }
}
