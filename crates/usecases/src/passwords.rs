//! Passwords: what is kept of them, and whether one is right.

use argon2::{
    Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version, password_hash::phc::PasswordHash as Phc,
};
use domain::{Password, PasswordHash};

use crate::ports::Chance;

/// 19 MiB, two passes, one lane: what OWASP's Password Storage Cheat Sheet asks of argon2id at least.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Takes some 20 ms of a processor and 19 MiB, on purpose. Not within a transaction.
pub fn hash(chance: &dyn Chance, password: &Password) -> PasswordHash {
    let salt = [chance.draw().to_be_bytes(), chance.draw().to_be_bytes()].concat();
    let hashed = argon2().hash_password_with_salt(password.as_str().as_bytes(), &salt);
    PasswordHash::new(hashed.expect("the parameters are right, and a salt of 16 bytes is").to_string())
}

/// Takes as long as [`hash`], whether it is right or not. What is kept says itself how it was made.
pub fn is_right(kept: &PasswordHash, typed: &str) -> bool {
    Phc::new(kept.as_str()).is_ok_and(|kept| argon2().verify_password(typed.as_bytes(), &kept).is_ok())
}

fn argon2() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).expect("the parameters are within argon2's bounds");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}
