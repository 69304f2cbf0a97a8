-- deploy/postgres/users.sql.template with the passwords of this overlay.
CREATE ROLE reco LOGIN PASSWORD 'reco';
CREATE ROLE profile LOGIN PASSWORD 'profile';
CREATE DATABASE reco OWNER reco;
CREATE DATABASE profile OWNER profile;
REVOKE ALL ON DATABASE reco, profile, postgres, template1 FROM PUBLIC;
