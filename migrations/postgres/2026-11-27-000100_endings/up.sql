-- The memberships that end are listed by deadline, user and segment: many may have one deadline.
CREATE INDEX memberships_by_ending ON memberships (expires_at, user_id, segment_id) WHERE expires_at IS NOT NULL;
DROP INDEX memberships_by_deadline;
