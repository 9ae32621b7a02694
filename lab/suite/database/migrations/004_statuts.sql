-- Plain CREATE: a second run must fail, which the ledger prevents.
CREATE TYPE demande_statut AS ENUM ('nouveau', 'en_cours', 'traite', 'rejete');

CREATE TABLE demandes_historique (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  demande_id UUID NOT NULL REFERENCES demandes_citoyens (id) ON DELETE CASCADE,
  statut demande_statut NOT NULL,
  commentaire TEXT,
  created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

ALTER TABLE demandes_citoyens
  ADD CONSTRAINT demandes_citoyens_statut_connu CHECK (statut IN ('nouveau', 'en_cours', 'traite', 'rejete'));
