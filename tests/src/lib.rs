//! The home of the black-box tests; see `e2e` and `architecture`.
