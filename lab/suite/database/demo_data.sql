-- Demonstration data: 4 services, 3 accounts, 12 reports, 3 short codes. Runs any number of times; demo_reset.sql removes it.
-- Every row's id starts with de300000. The accounts have a random password that nobody knows: they show what an account
-- looks like and open nothing.

INSERT INTO demandes_services (id, project_id, nom)
SELECT s.id::uuid, p.id, s.nom
  FROM projects p,
       (VALUES ('de300000-0000-4000-8000-000000000001', 'Voirie et réseaux'),
               ('de300000-0000-4000-8000-000000000002', 'Propreté urbaine'),
               ('de300000-0000-4000-8000-000000000003', 'Espaces verts'),
               ('de300000-0000-4000-8000-000000000004', 'Bâtiments')) AS s (id, nom)
 WHERE p.is_system
ON CONFLICT DO NOTHING;

INSERT INTO geoclic_users (id, email, password_hash, nom, prenom, role_data, role_demandes, role_sig, role_terrain, service_id)
SELECT a.id::uuid, a.email, crypt(encode(gen_random_bytes(24), 'hex'), gen_salt('bf', 10)), a.nom, a.prenom,
       a.role_data, a.role_demandes, a.role_sig, a.role_terrain, a.service_id::uuid
  FROM (VALUES ('de300000-0000-4000-8000-000000000011', 'gestion@demo.invalid', 'Martin', 'Camille', 'admin', 'admin', 'edition', 'aucun', NULL),
               ('de300000-0000-4000-8000-000000000012', 'voirie@demo.invalid', 'Petit', 'Sacha', 'aucun', 'agent', 'lecture', 'agent', 'de300000-0000-4000-8000-000000000001'),
               ('de300000-0000-4000-8000-000000000013', 'proprete@demo.invalid', 'Roux', 'Lou', 'aucun', 'agent', 'aucun', 'agent', 'de300000-0000-4000-8000-000000000002'))
       AS a (id, email, nom, prenom, role_data, role_demandes, role_sig, role_terrain, service_id)
ON CONFLICT DO NOTHING;

INSERT INTO demandes_citoyens (id, numero, categorie_id, description, latitude, longitude, statut)
SELECT d.id::uuid, d.numero, c.id, d.description, d.latitude, d.longitude, d.statut
  FROM (VALUES
    ('de300000-0000-4000-8000-000000000101', 'DEMO-00001', 'Voirie', 'Nid-de-poule devant l’école', 45.6885, 5.9153, 'nouveau'),
    ('de300000-0000-4000-8000-000000000102', 'DEMO-00002', 'Éclairage public', 'Lampadaire éteint depuis lundi', 45.6891, 5.909, 'en_cours'),
    ('de300000-0000-4000-8000-000000000103', 'DEMO-00003', 'Propreté', 'Dépôt sauvage au bout du chemin', 45.6932, 5.9101, 'nouveau'),
    ('de300000-0000-4000-8000-000000000104', 'DEMO-00004', 'Espaces verts', 'Branche menaçante au-dessus du trottoir', 45.687, 5.9124, 'traite'),
    ('de300000-0000-4000-8000-000000000105', 'DEMO-00005', 'Mobilier urbain', 'Banc cassé place du marché', 45.6889, 5.9137, 'nouveau'),
    ('de300000-0000-4000-8000-000000000106', 'DEMO-00006', 'Voirie', 'Bouche d’égout qui déborde', 45.6902, 5.9161, 'en_cours'),
    ('de300000-0000-4000-8000-000000000107', 'DEMO-00007', 'Voirie', 'Passage piéton effacé', 45.6917, 5.9142, 'nouveau'),
    ('de300000-0000-4000-8000-000000000108', 'DEMO-00008', 'Propreté', 'Corbeille pleine près du lac', 45.7003, 5.8899, 'traite'),
    ('de300000-0000-4000-8000-000000000109', 'DEMO-00009', 'Éclairage public', 'Éclairage du stade allumé jour et nuit', 45.6955, 5.9012, 'nouveau'),
    ('de300000-0000-4000-8000-000000000110', 'DEMO-00010', 'Espaces verts', 'Haie qui cache le panneau stop', 45.6841, 5.9178, 'nouveau'),
    ('de300000-0000-4000-8000-000000000111', 'DEMO-00011', 'Mobilier urbain', 'Abribus tagué', 45.6876, 5.9109, 'rejete'),
    ('de300000-0000-4000-8000-000000000112', 'DEMO-00012', 'Voirie', 'Trottoir affaissé rue de l’Église', 45.6899, 5.912, 'nouveau')
  ) AS d (id, numero, categorie, description, latitude, longitude, statut)
  LEFT JOIN demandes_categories c ON c.nom = d.categorie
ON CONFLICT DO NOTHING;

INSERT INTO short_codes (code, nom, latitude, longitude) VALUES
  ('DEMO-A1', 'Abribus de la gare', 45.6882, 5.9094),
  ('DEMO-B2', 'Fontaine du parc', 45.6894, 5.9148),
  ('DEMO-C3', 'Aire de jeux du lac', 45.7001, 5.8904)
ON CONFLICT DO NOTHING;
