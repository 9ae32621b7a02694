-- Needs a lock that excludes readers: with the fault slow-30s on and a list being read, lock_timeout must end it.
ALTER TABLE demandes_citoyens ADD COLUMN slow_lock INTEGER;
