-- A column whose name is not ASCII.
ALTER TABLE demandes_citoyens ADD COLUMN IF NOT EXISTS "référence_cadastrale" VARCHAR(20);
CREATE INDEX IF NOT EXISTS "idx_demandes_référence" ON demandes_citoyens ("référence_cadastrale");
