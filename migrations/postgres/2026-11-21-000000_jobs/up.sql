-- Long acts. What is to be done, where to go on and what came of it is JSON that only the service reads.
CREATE TABLE jobs (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    actor TEXT NOT NULL,
    task TEXT NOT NULL,
    place TEXT,
    outcome TEXT,
    done BIGINT NOT NULL,
    total BIGINT,
    refused BIGINT NOT NULL,
    problem TEXT,
    undoes BIGINT,
    created_at BIGINT NOT NULL,
    started_at BIGINT,
    finished_at BIGINT,
    cancelled_by TEXT,
    -- Who works on it, and until when nobody else may.
    claim_holder BIGINT,
    claim_until BIGINT,
    tries INTEGER NOT NULL
);
CREATE INDEX jobs_unfinished ON jobs (id) WHERE finished_at IS NULL;
CREATE INDEX jobs_finished ON jobs (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX jobs_undoing ON jobs (undoes) WHERE undoes IS NOT NULL;

-- Which job wrote a row, so that it can be taken back; and when a membership began that is brought back.
ALTER TABLE history ADD COLUMN since BIGINT;
ALTER TABLE history ADD COLUMN job_id BIGINT;
CREATE INDEX history_by_job ON history (job_id, id) WHERE job_id IS NOT NULL;
