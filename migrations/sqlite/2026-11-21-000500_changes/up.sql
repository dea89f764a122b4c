-- What each transaction changed of users, segments and memberships, for the processes that keep them in memory. Kept for an
-- hour. There is one writer at a time, so the numbers are the order in which transactions were committed.
CREATE TABLE changes (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    -- The number of the first portion that the transaction told.
    transaction_id BIGINT NOT NULL,
    -- Packed; only the service reads it.
    told BLOB NOT NULL
);
-- Which transactions could be seen at an instant, as the service saw them.
CREATE TABLE changes_notes (
    at BIGINT NOT NULL,
    seen TEXT NOT NULL,
    -- Nothing is kept of what could be seen then.
    forgotten BOOLEAN NOT NULL
);
