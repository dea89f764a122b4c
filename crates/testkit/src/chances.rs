use std::sync::atomic::{AtomicU64, Ordering};

use usecases::ports::Chance;

/// splitmix64 (Steele, Lea, Flood 2014): each state of a counter, well mixed.
fn mixed(state: u64) -> u64 {
    let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// Draws the same numbers in every run.
#[derive(Default)]
pub struct CountingChance(AtomicU64);

impl Chance for CountingChance {
    fn draw(&self) -> u64 {
        mixed(self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP))
    }
}

/// What a random test draws from its seed.
pub(crate) struct Draws(u64);

impl Draws {
    pub(crate) fn new(seed: u64) -> Draws {
        Draws(mixed(seed.wrapping_add(STEP)))
    }

    /// A number from 0 up to, and not including, `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(STEP);
        (mixed(self.0) % bound as u64) as usize
    }

    pub(crate) fn one_of<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }
}
