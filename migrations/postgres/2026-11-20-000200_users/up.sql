CREATE TABLE users (
    user_id TEXT COLLATE "C" PRIMARY KEY,
    name TEXT,
    email TEXT,
    -- A JSON object, kept as text: JSONB would round or refuse numbers and characters that the service accepted.
    attributes TEXT NOT NULL,
    -- Name and e-mail in small letters; absent when both are.
    search TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL
);
