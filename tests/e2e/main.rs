//! Strata from outside: the real binary, over HTTP, on both engines.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may fail where it stands, and tell")]

mod client;
mod server;
mod stories;
