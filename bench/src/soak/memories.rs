//! Whether the memory of a node grows without end.

use std::time::Duration;

use crate::figures::Spread;

/// Growth that is allowed: a part of what was there, and so much besides.
const GROWTH_MAX: f64 = 0.2;
const GROWTH_MIB_MAX: f64 = 16.0;
/// What a node takes in its first moments says nothing about its hours.
const JUDGED_FROM: Duration = Duration::from_secs(60);

/// Samples of one process. Another start begins anew.
#[derive(Debug, Default)]
pub(super) struct Memory {
    start: u64,
    samples: Vec<(Duration, f64)>,
}

/// The medians of the second and of the last quarter of the time that a process ran.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Growth {
    pub(super) before_mib: f64,
    pub(super) after_mib: f64,
    ran: Duration,
}

impl Memory {
    pub(super) fn sample(&mut self, start: u64, at: Duration, mib: f64) {
        if start != self.start {
            *self = Memory { start, samples: Vec::new() };
        }
        self.samples.push((at, mib));
    }

    pub(super) fn last_mib(&self) -> Option<f64> {
        self.samples.last().map(|(_, mib)| *mib)
    }

    /// None while there are too few samples.
    pub(super) fn growth(&self) -> Option<Growth> {
        let (begin, end) = (self.samples.first()?.0, self.samples.last()?.0);
        let ran = end - begin;
        let median = |from: u32, to: u32| {
            let quarter = begin + ran * from / 4..=begin + ran * to / 4;
            let inside = self.samples.iter().filter(|(at, _)| quarter.contains(at)).map(|(_, mib)| *mib);
            Spread::of(inside).map(|spread| spread.median)
        };
        Some(Growth { before_mib: median(1, 2)?, after_mib: median(3, 4)?, ran })
    }
}

impl Growth {
    pub(super) fn mib(&self) -> f64 {
        self.after_mib - self.before_mib
    }

    pub(super) fn percent(&self) -> f64 {
        self.mib() / self.before_mib * 100.0
    }

    /// None when the process did not run for long enough to tell.
    pub(super) fn is_flat(&self) -> Option<bool> {
        (self.ran >= JUDGED_FROM).then(|| self.mib() <= self.before_mib * GROWTH_MAX + GROWTH_MIB_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(seconds: u64, mib: impl Fn(u64) -> f64) -> Memory {
        let mut memory = Memory::default();
        (0..=seconds).for_each(|second| memory.sample(1, Duration::from_secs(second), mib(second)));
        memory
    }

    #[test]
    fn what_is_taken_in_the_first_quarter_is_no_growth() {
        let growth = memory(400, |second| if second < 90 { second as f64 } else { 100.0 }).growth().unwrap();
        assert_eq!((growth.mib(), growth.is_flat()), (0.0, Some(true)));
    }

    #[test]
    fn a_fifth_and_a_little_more_may_be_added() {
        let of = |after: f64| memory(400, |second| if second < 250 { 100.0 } else { after }).growth().unwrap();
        assert_eq!((of(136.0).is_flat(), of(137.0).is_flat()), (Some(true), Some(false)));
        assert_eq!((of(150.0).mib(), of(150.0).percent()), (50.0, 50.0));
    }

    #[test]
    fn another_start_begins_anew_and_is_judged_after_a_minute() {
        let mut memory = memory(400, |second| second as f64);
        (401..430).for_each(|second| memory.sample(2, Duration::from_secs(second), 50.0));
        let growth = memory.growth().unwrap();
        assert_eq!((growth.before_mib, growth.is_flat()), (50.0, None));
        assert_eq!(Memory::default().growth(), None);
    }
}
