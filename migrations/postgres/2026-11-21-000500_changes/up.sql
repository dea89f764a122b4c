-- What each transaction changed of users, segments and memberships, for the nodes that keep them in memory. A node reads
-- what its last snapshot had not, so a transaction that takes long is read when it is committed and not passed over. Kept
-- for an hour.
CREATE TABLE changes (
    number BIGINT GENERATED ALWAYS AS IDENTITY,
    -- The whole 64 bits, never used again.
    transaction_id BIGINT NOT NULL DEFAULT CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT),
    -- Packed; only the service reads it.
    told BYTEA NOT NULL
);
CREATE INDEX changes_by_transaction ON changes (transaction_id);
-- Which transactions could be seen at an instant, as the service saw them.
CREATE TABLE changes_notes (
    at BIGINT NOT NULL,
    seen TEXT NOT NULL,
    -- Nothing is kept of what could be seen then.
    forgotten BOOLEAN NOT NULL
);
