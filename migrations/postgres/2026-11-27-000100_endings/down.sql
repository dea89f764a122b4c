CREATE INDEX memberships_by_deadline ON memberships (expires_at) WHERE expires_at IS NOT NULL;
DROP INDEX memberships_by_ending;
