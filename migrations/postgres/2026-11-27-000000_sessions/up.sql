-- Whether the account sees names, e-mail addresses and attributes of users where its role alone does not: 0 or 1.
ALTER TABLE accounts ADD COLUMN sees_persons BIGINT NOT NULL DEFAULT 0;

-- Who somebody is to a provider of identities.
CREATE TABLE identities (
    provider TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    account BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (provider, subject)
);
CREATE INDEX identities_by_account ON identities (account);

-- That somebody signed in.
CREATE TABLE sessions (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    means TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE INDEX sessions_by_account ON sessions (account, id);
CREATE INDEX sessions_by_deadline ON sessions (expires_at);
CREATE INDEX sessions_by_end ON sessions (ended_at);

-- What sessions are carried on with. Only hashes are kept.
CREATE TABLE session_secrets (
    hash TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    session BIGINT NOT NULL,
    spent_at BIGINT
);
CREATE INDEX session_secrets_by_session ON session_secrets (session);

-- Links that sign in, once.
CREATE TABLE sign_in_links (
    hash TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    account BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sign_in_links_by_account ON sign_in_links (account);
CREATE INDEX sign_in_links_by_deadline ON sign_in_links (expires_at);

-- Those who went to a provider and are to come back.
CREATE TABLE sign_ins (
    state TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    provider TEXT COLLATE "C" NOT NULL,
    nonce TEXT COLLATE "C" NOT NULL,
    verifier TEXT COLLATE "C" NOT NULL,
    -- Who wants to be known by that identity, and by which session that was said.
    account BIGINT,
    session BIGINT,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sign_ins_by_deadline ON sign_ins (expires_at);

CREATE TABLE tokens (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL UNIQUE,
    hash TEXT COLLATE "C" NOT NULL UNIQUE,
    -- With a blank between any two.
    scopes TEXT COLLATE "C" NOT NULL,
    prefix TEXT COLLATE "C",
    created_by TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT,
    used_at BIGINT
);

-- A caller's own jobs are listed.
CREATE INDEX jobs_by_actor ON jobs (actor, id);
