-- Removes what demo_data.sql put in, with the rows that hang on it, and nothing else.
DELETE FROM demandes_citoyens WHERE id::text LIKE 'de300000-%';
DELETE FROM geoclic_users WHERE id::text LIKE 'de300000-%';
DELETE FROM demandes_services WHERE id::text LIKE 'de300000-%';
DELETE FROM short_codes WHERE code LIKE 'DEMO-%';
