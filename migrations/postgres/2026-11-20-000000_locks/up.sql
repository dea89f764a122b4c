-- Takes advisory locks one by one, in the order of the array, until the transaction ends. A SELECT over the keys would
-- take them in whatever order the planner likes, and two transactions could then wait for each other.
CREATE FUNCTION strata_lock(keys BIGINT[], alone BOOLEAN[]) RETURNS VOID LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 1 .. cardinality(keys) LOOP
        IF alone[i] THEN
            PERFORM pg_advisory_xact_lock(keys[i]);
        ELSE
            PERFORM pg_advisory_xact_lock_shared(keys[i]);
        END IF;
    END LOOP;
END
$$;
