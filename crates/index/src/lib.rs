//! Who is in what, in memory: every user's memberships, packed.

mod members;
mod numbers;
mod rows;

pub use members::{Members, evaluate};
pub use rows::{Held, Row, Rows, RowsBuilder};
