-- First schema of an empty database. Runs in one transaction: it is all there or nothing is.

CREATE EXTENSION IF NOT EXISTS pgcrypto;
-- From PostgreSQL's contrib: an image without it cannot carry this schema.
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS unaccent;

DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_available_extensions WHERE name = 'postgis') THEN
    CREATE EXTENSION IF NOT EXISTS postgis;
  ELSE
    RAISE NOTICE 'PostGIS is not installed: points stay latitude and longitude';
  END IF;
END
$$;

-- Accounts of the suite's first versions; logins go through geoclic_users (015).
CREATE TABLE users (
  id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
  email VARCHAR(255) UNIQUE NOT NULL,
  created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

CREATE TABLE projects (
  id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
  nom VARCHAR(200) NOT NULL,
  is_system BOOLEAN NOT NULL DEFAULT FALSE,
  created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX projects_one_system ON projects (is_system) WHERE is_system;

CREATE TABLE demandes_categories (
  id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
  project_id UUID NOT NULL REFERENCES projects (id),
  nom VARCHAR(200) NOT NULL,
  ordre_affichage INTEGER NOT NULL DEFAULT 0,
  actif BOOLEAN NOT NULL DEFAULT TRUE,
  UNIQUE (project_id, nom)
);

CREATE SEQUENCE demandes_numero_seq;

CREATE TABLE demandes_citoyens (
  id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
  numero VARCHAR(20) UNIQUE NOT NULL,
  categorie_id UUID REFERENCES demandes_categories (id),
  description TEXT NOT NULL,
  statut VARCHAR(20) NOT NULL DEFAULT 'nouveau',
  latitude DOUBLE PRECISION CHECK (latitude BETWEEN -90 AND 90),
  longitude DOUBLE PRECISION CHECK (longitude BETWEEN -180 AND 180),
  declarant_email VARCHAR(255),
  created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);
CREATE INDEX idx_demandes_citoyens_statut ON demandes_citoyens (statut);
CREATE INDEX idx_demandes_citoyens_created ON demandes_citoyens (created_at DESC);
CREATE INDEX idx_demandes_citoyens_texte ON demandes_citoyens USING gin (description gin_trgm_ops);

-- sha256 lets a restore be proved: every row has its file, every file its content.
CREATE TABLE demandes_photos (
  id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
  demande_id UUID NOT NULL REFERENCES demandes_citoyens (id) ON DELETE CASCADE,
  path VARCHAR(200) UNIQUE NOT NULL,
  sha256 CHAR(64) NOT NULL,
  bytes BIGINT NOT NULL,
  created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);
CREATE INDEX idx_demandes_photos_demande ON demandes_photos (demande_id);

CREATE TABLE system_settings (
  id SERIAL PRIMARY KEY,
  config_key VARCHAR(100) UNIQUE NOT NULL,
  config_value TEXT
);

CREATE TABLE short_codes (
  code VARCHAR(32) PRIMARY KEY,
  nom VARCHAR(200) NOT NULL,
  latitude DOUBLE PRECISION,
  longitude DOUBLE PRECISION
);

DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_extension WHERE extname = 'postgis') THEN
    ALTER TABLE short_codes ADD COLUMN point geometry(Point, 4326)
      GENERATED ALWAYS AS (ST_SetSRID(ST_MakePoint(longitude, latitude), 4326)) STORED;
    CREATE INDEX idx_short_codes_point ON short_codes USING gist (point);
  END IF;
END
$$;

-- Statuts : 'nouveau', 'en cours' ou l'autre'
INSERT INTO projects (nom, is_system) VALUES ('Signalements', TRUE);

INSERT INTO demandes_categories (project_id, nom, ordre_affichage)
SELECT p.id, c.nom, c.rang
  FROM projects p,
       (VALUES ('Voirie', 1), ('Éclairage public', 2), ('Propreté', 3), ('Espaces verts', 4), ('Mobilier urbain', 5)) AS c (nom, rang)
 WHERE p.is_system;
