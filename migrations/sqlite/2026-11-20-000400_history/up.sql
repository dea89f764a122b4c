-- Rows are only ever added. No foreign keys: history outlives users and segments.
CREATE TABLE history (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    user_id TEXT NOT NULL,
    segment_id BIGINT NOT NULL,
    -- As the segment was called then.
    slug TEXT NOT NULL,
    operation TEXT NOT NULL,
    at BIGINT NOT NULL,
    expires_at BIGINT,
    source TEXT NOT NULL,
    actor TEXT NOT NULL,
    reason TEXT
);
CREATE INDEX history_by_user ON history (user_id, at, id);
CREATE INDEX history_by_membership ON history (segment_id, user_id, id);
CREATE INDEX history_by_instant ON history (at, id);
CREATE INDEX history_by_slug ON history (slug, at, id);
