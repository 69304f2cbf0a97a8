-- deploy/postgres/users.sql.template with the passwords of this overlay.
CREATE ROLE reco LOGIN PASSWORD 'reco';
CREATE ROLE profile LOGIN PASSWORD 'profile';
ALTER ROLE profile SET statement_timeout = '2s';
ALTER ROLE profile SET lock_timeout = '1s';
ALTER ROLE profile SET idle_in_transaction_session_timeout = '5s';
CREATE DATABASE reco OWNER reco;
CREATE DATABASE profile OWNER profile;
REVOKE ALL ON DATABASE reco, profile, postgres, template1 FROM PUBLIC;
