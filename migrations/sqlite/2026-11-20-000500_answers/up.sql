CREATE TABLE answers (
    key TEXT PRIMARY KEY NOT NULL,
    fingerprint TEXT NOT NULL,
    answer TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX answers_by_age ON answers (created_at);
