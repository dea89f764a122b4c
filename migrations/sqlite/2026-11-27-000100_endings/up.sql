-- Its index by deadline ends with user and segment by itself, because they are the key of the table.
SELECT 1;
