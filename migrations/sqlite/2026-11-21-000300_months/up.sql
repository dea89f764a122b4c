-- An index row ends with the id by itself; it is named where a page begins in the middle of many rows of one instant.
-- A segment's number takes less room than its slug.
DROP INDEX history_by_user;
DROP INDEX history_by_membership;
DROP INDEX history_by_slug;
DROP INDEX history_by_job;
CREATE INDEX history_by_user ON history (user_id, at);
CREATE INDEX history_by_segment ON history (segment_id, at, id);
CREATE INDEX history_by_membership ON history (segment_id, user_id);
CREATE INDEX history_by_job ON history (job_id) WHERE job_id IS NOT NULL;
