-- Same number as the file before it.
ALTER TABLE demandes_photos ADD COLUMN IF NOT EXISTS intervention BOOLEAN NOT NULL DEFAULT FALSE;
