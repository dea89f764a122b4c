//! Strata from outside: the real binary, over HTTP, on both engines.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may fail where it stands, and tell")]
#![allow(clippy::disallowed_methods, reason = "the real service is held against the real time")]

mod bad_input;
mod bounds;
mod client;
mod contract;
mod crashes;
mod imports;
mod journals;
mod races;
mod server;
mod stories;
