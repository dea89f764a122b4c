//! What is known of one membership by whoever alone changes it: between asking and hearing lies time.

use std::time::{Duration, Instant};

/// Two clocks of one machine agree within this.
const LEEWAY: Duration = Duration::from_millis(50);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stay {
    Out,
    In,
    /// Until a deadline that lies between the two.
    Until(Instant, Instant),
    /// Nobody said what came of a change.
    Unclear,
}

impl Stay {
    /// With a deadline so long after the change, which was made between the two instants.
    pub(super) fn until(ttl: Duration, asked: Instant, answered: Instant) -> Stay {
        Stay::Until(asked + ttl, answered + ttl + LEEWAY)
    }

    /// Whether somebody who asks and hears at these instants must hear of a member; None if both may be said.
    pub(super) fn is_member(self, asked: Instant, answered: Instant) -> Option<bool> {
        match self {
            Stay::Out => Some(false),
            Stay::In => Some(true),
            Stay::Until(earliest, _) if answered < earliest => Some(true),
            Stay::Until(_, latest) if asked > latest => Some(false),
            Stay::Until(..) | Stay::Unclear => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_certain_while_a_deadline_comes() {
        let now = Instant::now();
        let at = |seconds| now + Duration::from_secs(seconds);
        let stay = Stay::until(Duration::from_secs(10), at(0), at(1));
        assert_eq!(stay.is_member(at(2), at(9)), Some(true));
        assert_eq!(stay.is_member(at(9), at(10)), None);
        assert_eq!(stay.is_member(at(11), at(12)), None);
        assert_eq!(stay.is_member(at(12), at(13)), Some(false));
        assert_eq!(
            [Stay::Out, Stay::In, Stay::Unclear].map(|stay| stay.is_member(now, now)),
            [Some(false), Some(true), None]
        );
    }
}
