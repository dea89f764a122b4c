//! The language of Strata: what users, segments and memberships are, and what may never be false about them.
//!
//! Nothing here reads, writes, asks the time or draws at random.

pub mod accounts;
pub mod algebra;
pub mod audit;
pub mod distributions;
pub mod history;
pub mod jobs;
pub mod memberships;
pub mod periods;
pub mod permissions;
pub mod segments;
pub mod sessions;
pub mod tokens;
pub mod ttls;
pub mod users;

pub use accounts::{
    Account, AccountId, Identity, IdentityError, Login, LoginError, Password, PasswordError, PasswordHash, Role,
};
pub use audit::{Action, AuditEntry, AuditRow, ChainHash};
pub use distributions::{Percent, PercentError, Position, Seed};
pub use history::{Entry, HistoryRow, Operation, replay};
pub use jobs::{Claim, Job, JobId, JobKind, JobState};
pub use memberships::{Actor, Membership, Reason, ReasonError, Source};
pub use periods::{Month, MonthError, Period};
pub use permissions::{Caller, Forbidden, Permission, PrefixError, Scope, SegmentPrefix, Who};
pub use segments::{Description, Kind, Name, Segment, SegmentId, SegmentRef, Slug, TextError};
pub use sessions::{Session, SessionId, SessionKind};
pub use tokens::{ApiToken, Secret, SecretHash, SecretKind, TokenId, TokenName, TokenNameError};
pub use ttls::{Ttl, TtlError};
pub use users::{Attributes, User, UserId, UserIdError};

use chrono::{DateTime, SubsecRound, Utc};

/// An instant, UTC, exact to the microsecond.
pub type Instant = DateTime<Utc>;

/// Cuts an instant to the microseconds that every store keeps.
pub fn to_micros(at: Instant) -> Instant {
    DateTime::from_timestamp_micros(at.timestamp_micros()).unwrap_or_else(|| at.trunc_subsecs(6))
}
