-- Destroys what citizens sent: only a restore brings it back.
TRUNCATE demandes_photos, demandes_historique, demandes_citoyens;
ALTER TABLE demandes_citoyens DROP COLUMN "référence_cadastrale";
