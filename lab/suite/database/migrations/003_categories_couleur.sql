-- This file has CRLF line ends.
ALTER TABLE demandes_categories
  ADD COLUMN IF NOT EXISTS couleur VARCHAR(7) NOT NULL DEFAULT '#1d4ed8';

COMMENT ON COLUMN demandes_categories.couleur IS 'Couleur d''affichage; #rrggbb';
