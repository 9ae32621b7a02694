-- Takes some seconds: 200 000 rows, then four indexes.
CREATE TABLE mesures (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  jour DATE NOT NULL,
  valeur DOUBLE PRECISION NOT NULL,
  empreinte TEXT NOT NULL
);
INSERT INTO mesures (jour, valeur, empreinte)
SELECT DATE '2020-01-01' + (n % 2000), sin(n), encode(digest(n::text, 'sha512'), 'hex')
  FROM generate_series(1, 200000) AS n;
CREATE INDEX idx_mesures_jour ON mesures (jour);
CREATE INDEX idx_mesures_valeur ON mesures (valeur);
CREATE INDEX idx_mesures_empreinte ON mesures (empreinte);
CREATE INDEX idx_mesures_empreinte_jour ON mesures (reverse(empreinte), jour);
