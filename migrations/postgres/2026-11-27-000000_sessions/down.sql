DROP INDEX jobs_by_actor;
DROP TABLE tokens;
DROP TABLE sign_ins;
DROP TABLE sign_in_links;
DROP TABLE session_secrets;
DROP TABLE sessions;
DROP TABLE identities;
ALTER TABLE accounts DROP COLUMN sees_persons;
