//! Strata from outside: the real binary, over HTTP, on both engines.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may fail where it stands, and tell")]
#![allow(clippy::disallowed_methods, reason = "the real service is held against the real time")]

mod accounts;
mod algebra;
mod attacks;
mod bad_imports;
mod bad_input;
mod bounds;
mod bulk;
mod client;
mod contract;
mod crashes;
mod faults;
mod guards;
mod imports;
mod jobs;
mod journals;
mod nodes;
mod overviews;
mod permissions;
mod providers;
mod races;
mod relays;
#[allow(dead_code, reason = "the conformance of files needs more of it")]
#[path = "../../crates/files/tests/conformance/s3_server.rs"]
mod s3_server;
mod server;
mod stories;
