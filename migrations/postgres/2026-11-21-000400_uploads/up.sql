-- Files that are on their way in: where they lie, and since when. A job takes the row's place; what a killed process left is
-- found here.
CREATE TABLE uploads (
    folder TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    begun_at BIGINT NOT NULL
);
