CREATE TABLE users (
    user_id TEXT PRIMARY KEY NOT NULL,
    name TEXT,
    email TEXT,
    -- A JSON object.
    attributes TEXT NOT NULL,
    -- Name and e-mail in small letters; absent when both are.
    search TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL
) WITHOUT ROWID;
