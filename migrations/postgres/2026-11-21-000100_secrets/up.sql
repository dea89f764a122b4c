-- What the service proves its own words with, the same for every node.
CREATE TABLE secrets (
    name TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
);
