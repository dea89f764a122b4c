DROP INDEX history_by_user;
DROP INDEX history_by_membership;
DROP INDEX history_by_segment;
DROP INDEX history_by_job;
CREATE INDEX history_by_user ON history (user_id, at, id);
CREATE INDEX history_by_membership ON history (segment_id, user_id, id);
CREATE INDEX history_by_slug ON history (slug, at, id);
CREATE INDEX history_by_job ON history (job_id, id) WHERE job_id IS NOT NULL;
