#!/bin/sh
# As the official image does: a new cluster runs what is in /docker-entrypoint-initdb.d, once.
set -eu
cd /
PATH=$(echo /usr/lib/postgresql/*/bin):$PATH
export PGDATA=/var/lib/postgresql/data PGHOST=/tmp
if [ ! -e "$PGDATA/PG_VERSION" ]; then
    initdb --username=postgres --auth-local=trust --auth-host=scram-sha-256 > /dev/null
    echo 'host all all all scram-sha-256' >> "$PGDATA/pg_hba.conf"
    pg_ctl -w -o "-c listen_addresses= -c unix_socket_directories=/tmp" start
    for script in /docker-entrypoint-initdb.d/*; do sh "$script"; done
    pg_ctl -w -m fast stop
fi
exec postgres -c listen_addresses='*' -c unix_socket_directories=/tmp
