DROP INDEX history_by_job;
ALTER TABLE history DROP COLUMN job_id;
ALTER TABLE history DROP COLUMN since;
DROP TABLE jobs;
