-- Whether the account sees names, e-mail addresses and attributes of users where its role alone does not: 0 or 1.
ALTER TABLE accounts ADD COLUMN sees_persons BIGINT NOT NULL DEFAULT 0;

-- Who somebody is to a provider of identities.
CREATE TABLE identities (
    provider TEXT NOT NULL,
    subject TEXT NOT NULL,
    account BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (provider, subject)
);
CREATE INDEX identities_by_account ON identities (account);

-- That somebody signed in.
CREATE TABLE sessions (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    account BIGINT NOT NULL,
    kind TEXT NOT NULL,
    means TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE INDEX sessions_by_account ON sessions (account, id);
CREATE INDEX sessions_by_deadline ON sessions (expires_at);
CREATE INDEX sessions_by_end ON sessions (ended_at);

-- What sessions are carried on with. Only hashes are kept.
CREATE TABLE session_secrets (
    hash TEXT NOT NULL PRIMARY KEY,
    session BIGINT NOT NULL,
    spent_at BIGINT
);
CREATE INDEX session_secrets_by_session ON session_secrets (session);

-- Links that sign in, once.
CREATE TABLE sign_in_links (
    hash TEXT NOT NULL PRIMARY KEY,
    account BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sign_in_links_by_account ON sign_in_links (account);
CREATE INDEX sign_in_links_by_deadline ON sign_in_links (expires_at);

-- Those who went to a provider and are to come back.
CREATE TABLE sign_ins (
    state TEXT NOT NULL PRIMARY KEY,
    provider TEXT NOT NULL,
    nonce TEXT NOT NULL,
    verifier TEXT NOT NULL,
    -- Who wants to be known by that identity, and by which session that was said.
    account BIGINT,
    session BIGINT,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sign_ins_by_deadline ON sign_ins (expires_at);

CREATE TABLE tokens (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    name TEXT NOT NULL UNIQUE,
    hash TEXT NOT NULL UNIQUE,
    -- With a blank between any two.
    scopes TEXT NOT NULL,
    prefix TEXT,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT,
    used_at BIGINT
);

-- A caller's own jobs are listed.
CREATE INDEX jobs_by_actor ON jobs (actor, id);
