-- Every instant, here and in the other tables, is a number of microseconds since 1970, UTC: exact, compact, and sorted
-- the same way by both engines. Every text that is a key or is sorted by compares byte by byte.
CREATE TABLE segments (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    slug TEXT COLLATE "C" NOT NULL UNIQUE,
    name TEXT COLLATE "C" NOT NULL,
    description TEXT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    -- In ten-thousandths of a percent.
    percent INTEGER,
    -- The 64 bits of the seed, read as a signed number.
    seed BIGINT NOT NULL,
    -- ISO 8601.
    default_ttl TEXT,
    -- Slug and name in small letters, as the service writes them: databases differ in what a small letter is.
    search TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL
);

-- Which segment had which slug, and when. Rows outlive their segment.
CREATE TABLE segment_names (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    segment_id BIGINT NOT NULL,
    slug TEXT COLLATE "C" NOT NULL,
    since BIGINT NOT NULL,
    until BIGINT
);
CREATE INDEX segment_names_by_slug ON segment_names (slug, since);
CREATE INDEX segment_names_by_segment ON segment_names (segment_id, since);
