//! The migrations are compiled in, and Cargo does not see them otherwise.

fn main() {
    println!("cargo::rerun-if-changed=../../migrations");
}
