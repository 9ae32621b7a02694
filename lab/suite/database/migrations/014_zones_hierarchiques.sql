-- Brings its own transaction.
BEGIN;

-- Niveaux : 'commune', 'quartier' ou 'l'îlot'; $tag$ et $$ ne sont rien ici, l'apostrophe non plus'
CREATE TABLE zones (
  id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
  parent_id UUID REFERENCES zones (id) ON DELETE CASCADE,
  nom VARCHAR(200) NOT NULL,
  niveau SMALLINT NOT NULL DEFAULT 0 CHECK (niveau BETWEEN 0 AND 3)
);
ALTER TABLE demandes_citoyens ADD COLUMN zone_id UUID REFERENCES zones (id) ON DELETE SET NULL;

-- fin d'
COMMIT;
