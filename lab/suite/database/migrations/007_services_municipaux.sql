CREATE TABLE IF NOT EXISTS demandes_services (
  id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
  project_id UUID NOT NULL REFERENCES projects (id),
  nom VARCHAR(200) NOT NULL,
  UNIQUE (project_id, nom)
);
ALTER TABLE demandes_citoyens ADD COLUMN IF NOT EXISTS service_id UUID REFERENCES demandes_services (id) ON DELETE SET NULL;
