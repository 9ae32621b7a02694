-- The second statement is wrong: nothing may remain, and the update must stop with the old version serving.
CREATE TABLE fails_halfway (id INTEGER PRIMARY KEY);
ALTER TABLE demandes_citoyens ADD COLUMN fails_halfway INTEGER NOT NULL REFERENCES table_that_is_missing (id);
CREATE INDEX idx_fails_halfway ON demandes_citoyens (fails_halfway);
