-- No foreign keys: the locks of the service keep memberships whole, and `strata check` verifies it. Checking a key locks
-- the parent row in PostgreSQL, and the two schemas are to say the same.
CREATE TABLE memberships (
    user_id TEXT NOT NULL,
    segment_id BIGINT NOT NULL,
    since BIGINT NOT NULL,
    expires_at BIGINT,
    source TEXT NOT NULL,
    actor TEXT NOT NULL,
    reason TEXT,
    PRIMARY KEY (user_id, segment_id)
) WITHOUT ROWID;
-- Carries the instants along, so that members are counted without a look at the rows.
CREATE INDEX memberships_by_segment ON memberships (segment_id, user_id, since, expires_at);
CREATE INDEX memberships_by_deadline ON memberships (expires_at) WHERE expires_at IS NOT NULL;
