//! Rates: how often one address, or one caller, may ask.

use std::{
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::StateInformationMiddleware,
    state::keyed::DashMapStateStore,
};

const LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("ratelimit-reset");
/// After so many requests those are forgotten who asked nothing for long enough.
const FORGET_EVERY: u32 = 10_000;
/// A network that one household or machine has.
const IPV6_PREFIX_BITS: u32 = 64;

/// Each has a bucket, which is full at first and fills again at a steady rate.
pub struct Rates<K: Hash + Eq + Clone> {
    limiter: RateLimiter<K, DashMapStateStore<K>, DefaultClock, StateInformationMiddleware>,
    clock: DefaultClock,
    quota: Quota,
    asked: AtomicU32,
}

/// What a request found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rated {
    limit: u32,
    remaining: u32,
    /// Until the bucket is full again.
    reset: Duration,
    /// Until there is something in it, for a request that came too early.
    pub(crate) wait: Option<Duration>,
}

impl<K: Hash + Eq + Clone> Rates<K> {
    /// So many requests a second, and as many at once after a pause of a second.
    pub fn per_second(rate: NonZeroU32) -> Rates<K> {
        let quota = Quota::per_second(rate);
        let limiter = RateLimiter::dashmap(quota).with_middleware();
        Rates { limiter, clock: DefaultClock::default(), quota, asked: AtomicU32::new(0) }
    }

    pub(crate) fn ask(&self, who: K) -> Rated {
        if self.asked.fetch_add(1, Ordering::Relaxed) % FORGET_EVERY == FORGET_EVERY - 1 {
            self.limiter.retain_recent();
        }
        let limit = self.quota.burst_size().get();
        let refill = self.quota.replenish_interval();
        match self.limiter.check_key(&who) {
            Ok(state) => {
                let remaining = state.remaining_burst_capacity();
                Rated { limit, remaining, reset: refill * (limit - remaining.min(limit)), wait: None }
            }
            Err(early) => {
                let wait = early.wait_time_from(self.clock.now());
                Rated { limit, remaining: 0, reset: refill * limit, wait: Some(wait) }
            }
        }
    }
}

impl Rated {
    /// In whole seconds, rounded up.
    pub(crate) fn add_to(&self, headers: &mut HeaderMap) {
        let seconds = |time: Duration| u32::try_from(time.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX);
        headers.insert(LIMIT, HeaderValue::from(self.limit));
        headers.insert(REMAINING, HeaderValue::from(self.remaining));
        headers.insert(RESET, HeaderValue::from(seconds(self.reset)));
        if let Some(wait) = self.wait {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds(wait).max(1)));
        }
    }
}

/// The bucket of an address. Whoever has an IPv6 address has many of them.
pub(crate) fn bucket(client: IpAddr) -> IpAddr {
    match client {
        IpAddr::V4(_) => client,
        IpAddr::V6(address) => {
            let mask = u128::MAX << (Ipv6Addr::BITS - IPV6_PREFIX_BITS);
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn each_address_has_a_bucket_of_its_own() {
        let rates = Rates::per_second(NonZeroU32::new(3).unwrap());
        let told: Vec<(u32, bool)> = (0..4)
            .map(|_| rates.ask(bucket(address("1.2.3.4"))))
            .map(|rated| (rated.remaining, rated.wait.is_some()))
            .collect();
        assert_eq!(told, [(2, false), (1, false), (0, false), (0, true)]);
        assert_eq!(rates.ask(bucket(address("1.2.3.5"))).remaining, 2);
    }

    #[test]
    fn neighbours_in_ipv6_share_one() {
        let rates = Rates::per_second(NonZeroU32::new(3).unwrap());
        rates.ask(bucket(address("2001:db8:0:1::1")));
        assert_eq!(rates.ask(bucket(address("2001:db8:0:1:ffff::2"))).remaining, 1);
        assert_eq!(rates.ask(bucket(address("2001:db8:0:2::1"))).remaining, 2);
    }

    #[test]
    fn headers_are_whole_seconds() {
        let mut headers = HeaderMap::new();
        let ms = Duration::from_millis;
        Rated { limit: 3, remaining: 0, reset: ms(1_001), wait: Some(ms(10)) }.add_to(&mut headers);
        let told = [LIMIT, REMAINING, RESET, RETRY_AFTER].map(|name| headers.get(name).unwrap().to_str().unwrap());
        assert_eq!(told, ["3", "0", "2", "1"]);
    }
}
