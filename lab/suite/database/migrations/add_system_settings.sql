-- Without a number: the adapter puts it first.
CREATE TABLE IF NOT EXISTS system_settings (
  id SERIAL PRIMARY KEY,
  config_key VARCHAR(100) UNIQUE NOT NULL,
  config_value TEXT
);
ALTER TABLE system_settings ADD COLUMN IF NOT EXISTS description TEXT;
ALTER TABLE system_settings ADD COLUMN IF NOT EXISTS updated_at TIMESTAMPTZ NOT NULL DEFAULT now();
ALTER TABLE system_settings ADD COLUMN IF NOT EXISTS updated_by UUID REFERENCES users (id);
