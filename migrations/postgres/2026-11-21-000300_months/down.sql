ALTER TABLE history RENAME TO history_parts;
CREATE TABLE history (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    user_id TEXT COLLATE "C" NOT NULL,
    segment_id BIGINT NOT NULL,
    slug TEXT COLLATE "C" NOT NULL,
    operation TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    expires_at BIGINT,
    source TEXT COLLATE "C" NOT NULL,
    actor TEXT NOT NULL,
    reason TEXT,
    since BIGINT,
    job_id BIGINT
);
INSERT INTO history (id, user_id, segment_id, slug, operation, at, expires_at, source, actor, reason, since, job_id)
OVERRIDING SYSTEM VALUE
SELECT id, user_id, segment_id, slug, operation, at, expires_at, source, actor, reason, since, job_id FROM history_parts
ORDER BY id;
SELECT setval(pg_get_serial_sequence('history', 'id'), nextval('history_ids'), FALSE);
DROP TABLE history_parts;
DROP FUNCTION strata_drop_month, strata_make_months, strata_make_month, strata_moment, strata_micros;
ALTER TABLE history ADD CONSTRAINT history_pkey PRIMARY KEY (id);
CREATE INDEX history_by_user ON history (user_id, at, id);
CREATE INDEX history_by_membership ON history (segment_id, user_id, id);
CREATE INDEX history_by_instant ON history (at, id);
CREATE INDEX history_by_slug ON history (slug, at, id);
CREATE INDEX history_by_job ON history (job_id, id) WHERE job_id IS NOT NULL;
