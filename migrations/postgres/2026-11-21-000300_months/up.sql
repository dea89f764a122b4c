-- History in parts: one for each month, so that the oldest can be dropped whole, and one for the rest: rows of months
-- that have no part yet, and what stays of those that were dropped.
ALTER TABLE history RENAME TO history_whole;
ALTER TABLE history_whole DROP CONSTRAINT history_pkey;
DROP INDEX history_by_user, history_by_membership, history_by_instant, history_by_slug, history_by_job;

CREATE SEQUENCE history_ids;
CREATE TABLE history (
    id BIGINT NOT NULL DEFAULT nextval('history_ids'),
    user_id TEXT COLLATE "C" NOT NULL,
    segment_id BIGINT NOT NULL,
    -- As the segment was called then.
    slug TEXT COLLATE "C" NOT NULL,
    operation TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    since BIGINT,
    expires_at BIGINT,
    source TEXT COLLATE "C" NOT NULL,
    actor TEXT NOT NULL,
    reason TEXT,
    job_id BIGINT
) PARTITION BY RANGE (at);
ALTER SEQUENCE history_ids OWNED BY history.id;
CREATE TABLE history_rest PARTITION OF history DEFAULT;

CREATE FUNCTION strata_micros(moment TIMESTAMP) RETURNS BIGINT LANGUAGE sql IMMUTABLE AS $$
    SELECT (extract(epoch FROM moment) * 1000000)::BIGINT
$$;

CREATE FUNCTION strata_moment(micros BIGINT) RETURNS TIMESTAMP LANGUAGE sql IMMUTABLE AS $$
    SELECT TIMESTAMP '1970-01-01' + micros * INTERVAL '1 microsecond'
$$;

-- Makes the part of a month, with the rows of it that are among the rest. False when it is there already.
CREATE FUNCTION strata_make_month(month TIMESTAMP) RETURNS BOOLEAN LANGUAGE plpgsql AS $$
DECLARE
    part TEXT := 'history_' || to_char(month, 'YYYY_MM');
    since BIGINT := strata_micros(month);
    until BIGINT := strata_micros(month + INTERVAL '1 month');
BEGIN
    IF to_regclass(part) IS NOT NULL THEN
        RETURN FALSE;
    END IF;
    -- Nobody writes to the rest meanwhile, and whoever makes the same month comes second.
    LOCK TABLE history_rest IN SHARE ROW EXCLUSIVE MODE;
    IF to_regclass(part) IS NOT NULL THEN
        RETURN FALSE;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE history INCLUDING DEFAULTS)', part);
    EXECUTE format(
        'WITH moved AS (DELETE FROM history_rest WHERE at >= %s AND at < %s RETURNING *) INSERT INTO %I SELECT * FROM moved',
        since, until, part);
    EXECUTE format('ALTER TABLE history ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', part, since, until);
    RETURN TRUE;
END
$$;

-- Makes the parts of this month and the next two, and of every month since history begins that has rows among the rest.
-- Tells how many it made. Whoever reads of all months locks each part and its indexes, for which a server has only so
-- much room: so what is older than five years stays together.
CREATE FUNCTION strata_make_months(now BIGINT) RETURNS BIGINT LANGUAGE plpgsql AS $$
DECLARE
    this_month TIMESTAMP := date_trunc('month', strata_moment(now));
    first_month TIMESTAMP := this_month - INTERVAL '5 years';
    last_month TIMESTAMP := this_month + INTERVAL '2 months';
    begins BIGINT := (SELECT max(at) FROM horizons);
    month TIMESTAMP;
    made BIGINT := 0;
BEGIN
    -- Whatever is older than the beginning stays among the rest.
    first_month := greatest(first_month, date_trunc('month', strata_moment(begins)));
    FOR month IN
        SELECT generate_series(this_month, last_month, INTERVAL '1 month')
        UNION
        SELECT date_trunc('month', strata_moment(at)) FROM history_rest
        WHERE at >= strata_micros(first_month) AND at < strata_micros(last_month)
        ORDER BY 1
    LOOP
        IF strata_make_month(month) THEN
            made := made + 1;
        END IF;
    END LOOP;
    RETURN made;
END
$$;

-- Drops the oldest part that ended before an instant, and tells how many rows that leaves less; -1 when there is none.
-- Of each membership that the rows of the part and older ones leave, the last add stays, among the rest, with the
-- deadline that the membership had in the end.
CREATE FUNCTION strata_drop_month(before BIGINT) RETURNS BIGINT LANGUAGE plpgsql AS $$
DECLARE
    part TEXT;
    until BIGINT;
    gone BIGINT;
    row_count BIGINT;
BEGIN
    SELECT c.relname, strata_micros(to_date(right(c.relname, 7), 'YYYY_MM') + INTERVAL '1 month') INTO part, until
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'history'::regclass AND c.relname <> 'history_rest'
    ORDER BY c.relname LIMIT 1;
    IF part IS NULL OR until > before THEN
        RETURN -1;
    END IF;
    EXECUTE format('LOCK TABLE history_rest, %I IN SHARE ROW EXCLUSIVE MODE', part);
    EXECUTE format('CREATE TEMPORARY TABLE strata_pairs ON COMMIT DROP AS SELECT DISTINCT segment_id, user_id FROM %I', part);
    ANALYZE strata_pairs;
    EXECUTE format(
        'CREATE TEMPORARY TABLE strata_kept ON COMMIT DROP AS
         SELECT id, user_id, segment_id, slug, operation, at, since, last_deadline AS expires_at, source, actor, reason, job_id
         FROM (SELECT told.*, row_number() OVER (pair_and_operation ORDER BY id DESC) AS place,
                      first_value(operation) OVER (pair ORDER BY id DESC) AS last_operation,
                      first_value(expires_at) OVER (pair ORDER BY id DESC) AS last_deadline
               FROM (SELECT * FROM %I
                     UNION ALL
                     SELECT r.* FROM history_rest r JOIN strata_pairs p USING (segment_id, user_id) WHERE r.at < %s) AS told
               WINDOW pair AS (PARTITION BY segment_id, user_id),
                      pair_and_operation AS (PARTITION BY segment_id, user_id, operation)) AS ranked
         WHERE operation = ''add'' AND place = 1 AND last_operation <> ''remove''',
        part, until);
    EXECUTE format('SELECT count(*) FROM %I', part) INTO gone;
    DELETE FROM history_rest r USING strata_pairs p
    WHERE r.segment_id = p.segment_id AND r.user_id = p.user_id AND r.at < until;
    GET DIAGNOSTICS row_count = ROW_COUNT;
    gone := gone + row_count;
    EXECUTE format('DROP TABLE %I', part);
    INSERT INTO history (id, user_id, segment_id, slug, operation, at, since, expires_at, source, actor, reason, job_id)
    SELECT id, user_id, segment_id, slug, operation, at, since, expires_at, source, actor, reason, job_id
    FROM strata_kept ORDER BY at, id;
    GET DIAGNOSTICS row_count = ROW_COUNT;
    DROP TABLE strata_pairs, strata_kept;
    RETURN gone - row_count;
END
$$;

-- What is there already, month by month; the service's own clock makes the months to come.
DO $$
DECLARE
    latest BIGINT := (SELECT max(at) FROM history_whole);
    month TIMESTAMP;
BEGIN
    FOR month IN
        SELECT DISTINCT date_trunc('month', strata_moment(at)) FROM history_whole
        WHERE at >= strata_micros(date_trunc('month', strata_moment(latest)) - INTERVAL '5 years')
          AND at >= coalesce((SELECT max(at) FROM horizons), at)
    LOOP
        PERFORM strata_make_month(month);
    END LOOP;
END
$$;
INSERT INTO history (id, user_id, segment_id, slug, operation, at, since, expires_at, source, actor, reason, job_id)
SELECT id, user_id, segment_id, slug, operation, at, since, expires_at, source, actor, reason, job_id FROM history_whole
ORDER BY at, id;
SELECT setval('history_ids', coalesce(max(id) + 1, 1), FALSE) FROM history_whole;
DROP TABLE history_whole;

ALTER TABLE history ADD PRIMARY KEY (at, id);
CREATE INDEX history_by_user ON history (user_id, at, id);
CREATE INDEX history_by_segment ON history (segment_id, at, id);
CREATE INDEX history_by_membership ON history (segment_id, user_id);
CREATE INDEX history_by_job ON history (job_id, id) WHERE job_id IS NOT NULL;
