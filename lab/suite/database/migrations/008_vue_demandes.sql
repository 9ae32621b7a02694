CREATE OR REPLACE VIEW v_demandes AS
SELECT d.id, d.numero, d.statut, d.priorite, d.created_at, c.nom AS categorie, s.nom AS service
  FROM demandes_citoyens d
  LEFT JOIN demandes_categories c ON c.id = d.categorie_id
  LEFT JOIN demandes_services s ON s.id = d.service_id;
