//! A release has the console's files in it, so it is built anew when they change; other builds read them where they lie.

use std::env;

const CONSOLE: &str = "../../ui/dist";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if env::var("PROFILE").as_deref() == Ok("release") {
        println!("cargo::rerun-if-changed={CONSOLE}");
    }
}
