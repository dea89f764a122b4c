-- A writing transaction stands alone in SQLite, so there is nothing to lock. The folder exists on both sides.
SELECT 1;
