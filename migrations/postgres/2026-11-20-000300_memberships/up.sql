-- No foreign keys: the locks of the service keep memberships whole, and `strata check` verifies it. Checking a key locks
-- the parent row, and the row of a popular segment would be fought over by every change of every member.
CREATE TABLE memberships (
    user_id TEXT COLLATE "C" NOT NULL,
    segment_id BIGINT NOT NULL,
    since BIGINT NOT NULL,
    expires_at BIGINT,
    source TEXT COLLATE "C" NOT NULL,
    actor TEXT NOT NULL,
    reason TEXT,
    PRIMARY KEY (user_id, segment_id)
);
-- Carries the instants along, so that members are counted without a look at the rows.
CREATE INDEX memberships_by_segment ON memberships (segment_id, user_id) INCLUDE (since, expires_at);
CREATE INDEX memberships_by_deadline ON memberships (expires_at) WHERE expires_at IS NOT NULL;
