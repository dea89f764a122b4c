//! The product is what its rules say, whatever is done to it and in whatever order.

use testkit::{World, random_acts};

#[test]
fn random_acts_do_what_the_rules_say() {
    for seed in 0..300 {
        random_acts(&World::in_memory(), seed, 60);
    }
}

#[test]
fn long_lives_do_what_the_rules_say() {
    for seed in 1_000..1_010 {
        random_acts(&World::in_memory(), seed, 600);
    }
}
