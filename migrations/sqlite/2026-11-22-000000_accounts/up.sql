-- Those who sign in.
CREATE TABLE accounts (
    -- Given by nobody twice, so that the audit log means one account.
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    login TEXT NOT NULL,
    -- The login in small letters.
    login_key TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL,
    -- A PHC string.
    password TEXT,
    disabled_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL
);
