-- Rows are only ever added. No foreign keys: history outlives users and segments.
CREATE TABLE history (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id TEXT COLLATE "C" NOT NULL,
    segment_id BIGINT NOT NULL,
    -- As the segment was called then.
    slug TEXT COLLATE "C" NOT NULL,
    operation TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    expires_at BIGINT,
    source TEXT COLLATE "C" NOT NULL,
    actor TEXT NOT NULL,
    reason TEXT
);
CREATE INDEX history_by_user ON history (user_id, at, id);
CREATE INDEX history_by_membership ON history (segment_id, user_id, id);
CREATE INDEX history_by_instant ON history (at, id);
CREATE INDEX history_by_slug ON history (slug, at, id);
