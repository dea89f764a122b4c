//! The tables whose rows are handled one by one. Every instant is in microseconds since 1970.

diesel::table! {
    segments (id) {
        id -> BigInt,
        slug -> Text,
        name -> Text,
        description -> Text,
        kind -> Text,
        percent -> Nullable<Integer>,
        seed -> BigInt,
        default_ttl -> Nullable<Text>,
        search -> Text,
        created_at -> BigInt,
        updated_at -> BigInt,
        version -> BigInt,
    }
}

diesel::table! {
    segment_names (id) {
        id -> BigInt,
        segment_id -> BigInt,
        slug -> Text,
        since -> BigInt,
        until -> Nullable<BigInt>,
    }
}

diesel::table! {
    users (user_id) {
        user_id -> Text,
        name -> Nullable<Text>,
        email -> Nullable<Text>,
        attributes -> Text,
        search -> Nullable<Text>,
        created_at -> BigInt,
        updated_at -> BigInt,
        version -> BigInt,
    }
}

diesel::table! {
    answers (key) {
        key -> Text,
        fingerprint -> Text,
        answer -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    jobs (id) {
        id -> BigInt,
        kind -> Text,
        state -> Text,
        actor -> Text,
        task -> Text,
        place -> Nullable<Text>,
        outcome -> Nullable<Text>,
        done -> BigInt,
        total -> Nullable<BigInt>,
        refused -> BigInt,
        problem -> Nullable<Text>,
        undoes -> Nullable<BigInt>,
        created_at -> BigInt,
        started_at -> Nullable<BigInt>,
        finished_at -> Nullable<BigInt>,
        cancelled_by -> Nullable<Text>,
        claim_holder -> Nullable<BigInt>,
        claim_until -> Nullable<BigInt>,
        tries -> Integer,
    }
}
