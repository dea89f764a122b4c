-- Where history begins, once its beginning was forgotten: what is asked of an earlier instant cannot be told.
CREATE TABLE horizons (
    at BIGINT NOT NULL
);
