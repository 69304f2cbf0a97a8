#!/bin/sh
# Run by PostgreSQL's image on an empty volume: the users of users.sql.template, with their passwords.
set -eu
sed -e "s/\${RECO_PASSWORD}/$RECO_PASSWORD/" -e "s/\${PROFILE_PASSWORD}/$PROFILE_PASSWORD/" \
    /users.sql.template | psql --set ON_ERROR_STOP=1 --username postgres
