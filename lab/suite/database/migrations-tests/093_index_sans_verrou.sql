-- geoclic: autocommit
-- Cannot run in a transaction, as the line above says.
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_demandes_citoyens_numero ON demandes_citoyens (numero text_pattern_ops);
COMMENT ON INDEX idx_demandes_citoyens_numero IS 'Recherche par début de numéro';
