//! Who is in what, in memory: every user's memberships, packed, and whatever changed since.
//!
//! It begins with all that the store has, or with a file that it left, and hears from then on what each transaction tells.
//! What this process commits it hears at once, so that it answers with it.

#[cfg(test)]
mod agreement;
mod files;
mod following;
mod index;
mod loading;
mod members;
mod names;
mod numbers;
mod overlay;
mod packed;
mod rows;
mod sets;
mod state;
mod stores;

pub use following::{Following, follow};
pub use index::Index;
pub use stores::Indexed;
