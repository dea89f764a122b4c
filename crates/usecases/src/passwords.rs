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
/// Made with these parameters; a test holds them against each other.
const NOBODYS: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

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

/// The same; without a hash it takes as long, and nothing is right.
pub fn is_right_or_nobodys(kept: Option<&PasswordHash>, typed: &str) -> bool {
    let nobodys = || PasswordHash::new(NOBODYS);
    let is_right = is_right(&kept.cloned().unwrap_or_else(nobodys), typed);
    is_right && kept.is_some()
}

fn argon2() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).expect("the parameters are within argon2's bounds");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Seven;

    impl Chance for Seven {
        fn draw(&self) -> u64 {
            7
        }
    }

    #[test]
    fn a_password_is_recognized_and_no_other() {
        let login = domain::Login::parse("anna").expect("a login");
        let password = Password::choose("correct horse battery", &login).expect("a password");
        let kept = hash(&Seven, &password);
        assert!(is_right(&kept, "correct horse battery") && !is_right(&kept, "correct horse batterie"));
        assert!(is_right_or_nobodys(Some(&kept), "correct horse battery"));
        assert!(!is_right_or_nobodys(None, "correct horse battery"));
    }

    #[test]
    fn nobodys_hash_takes_what_a_real_one_takes() {
        let login = domain::Login::parse("anna").expect("a login");
        let kept = hash(&Seven, &Password::choose("correct horse battery", &login).expect("a password"));
        let parameters = |text: &str| text.split('$').take(4).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(parameters(kept.as_str()), parameters(NOBODYS));
        assert_eq!(kept.as_str().len(), NOBODYS.len());
        assert!(Phc::new(NOBODYS).is_ok());
    }
}
