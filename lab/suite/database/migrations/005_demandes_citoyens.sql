-- Not idempotent: init already made the first index, so this file meets 42P07, which the adapter tolerates.
-- What follows must still be applied; the semicolons in comments, strings; and bodies are not ends of statements.
CREATE INDEX idx_demandes_citoyens_statut ON demandes_citoyens (statut);

-- Comments end as the original's do, in quotes that never close: 'normale' ou 'urgente', l'
ALTER TABLE demandes_citoyens ADD COLUMN priorite SMALLINT NOT NULL DEFAULT 0;

/* a comment; with a semicolon */
COMMENT ON COLUMN demandes_citoyens.priorite IS '0 : normale; 1 : urgente';

CREATE FUNCTION demandes_note_statut() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  IF NEW.statut IS DISTINCT FROM OLD.statut THEN
    INSERT INTO demandes_historique (demande_id, statut) VALUES (NEW.id, NEW.statut::demande_statut);
  END IF;
  RETURN NEW;
END;
$body$;

-- l'état d'avant, "nouveau" ou "traité
CREATE TRIGGER demandes_citoyens_statut AFTER UPDATE OF statut ON demandes_citoyens
  FOR EACH ROW EXECUTE FUNCTION demandes_note_statut();

CREATE INDEX idx_demandes_citoyens_priorite ON demandes_citoyens (priorite) WHERE priorite > 0;
