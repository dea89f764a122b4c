use std::sync::{Arc, Mutex, PoisonError};

use chrono::TimeDelta;
use domain::Instant;
use usecases::ports::Clock;

/// A clock that stands still until a test moves it; its clones are the same clock.
#[derive(Clone)]
pub struct ManualClock(Arc<Mutex<Instant>>);

impl Default for ManualClock {
    fn default() -> ManualClock {
        ManualClock(Arc::new(Mutex::new(Instant::from_timestamp_micros(1_700_000_000_123_457).unwrap())))
    }
}

impl ManualClock {
    pub fn advance(&self, by: TimeDelta) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += by;
    }

    pub fn set(&self, at: Instant) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = at;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Instant {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
