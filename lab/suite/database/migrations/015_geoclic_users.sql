-- Accounts of the whole suite. None is shipped: the first one is made by the fleet's tool.
CREATE TABLE geoclic_users (
  id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
  email VARCHAR(255) UNIQUE NOT NULL,
  password_hash VARCHAR(255) NOT NULL,
  nom VARCHAR(100) NOT NULL,
  prenom VARCHAR(100) NOT NULL,
  actif BOOLEAN DEFAULT TRUE,
  is_super_admin BOOLEAN DEFAULT FALSE,
  role_data VARCHAR(20) DEFAULT 'aucun' CHECK (role_data IN ('aucun', 'admin')),
  role_demandes VARCHAR(20) DEFAULT 'aucun' CHECK (role_demandes IN ('aucun', 'agent', 'admin')),
  role_sig VARCHAR(20) DEFAULT 'aucun' CHECK (role_sig IN ('aucun', 'lecture', 'edition')),
  role_terrain VARCHAR(20) DEFAULT 'aucun' CHECK (role_terrain IN ('aucun', 'agent')),
  service_id UUID REFERENCES demandes_services (id) ON DELETE SET NULL,
  created_at TIMESTAMPTZ DEFAULT now(),
  updated_at TIMESTAMPTZ DEFAULT now(),
  last_login TIMESTAMPTZ
);
CREATE INDEX idx_geoclic_users_email_lower ON geoclic_users (lower(email));
