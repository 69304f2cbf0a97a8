#!/bin/sh
# One image, one role a container: each role is named here once.
# HOST and PORT say where a serving role listens. FORWARDED_ALLOW_IPS (addresses and networks,
# with commas) names the proxies whose X-Forwarded-For and -Proto are believed. The relay and
# workers answer probes there too, but only where PORT is set. With MULTIRECO_TLS_DIR they speak
# TLS, and ask whoever comes for a certificate of the same authority.
set -eu
cd "$(dirname "$0")/.."

HOST="${HOST:-127.0.0.1}"
probes="${PORT:+$HOST:$PORT}"
PORT="${PORT:-8000}"
role="${1:?usage: entrypoint.sh all|router|profile|catalog|reco|worker|relay|beat|migrate|train|retention}"
shift

# The image brings the engine compiled; numba wants its cache where it can write.
if [ -d compiled ] && [ -n "${NUMBA_CACHE_DIR:-}" ]; then cp -Rn compiled/. "$NUMBA_CACHE_DIR"; fi

if [ -n "${MULTIRECO_TLS_DIR:-}" ]; then
    own="$MULTIRECO_TLS_DIR/tls.crt" key="$MULTIRECO_TLS_DIR/tls.key" authority="$MULTIRECO_TLS_DIR/ca.crt"
    export UVICORN_SSL_CERTFILE="$own" UVICORN_SSL_KEYFILE="$key" UVICORN_SSL_CA_CERTS="$authority"
    export UVICORN_SSL_CERT_REQS=2
    export GUNICORN_CMD_ARGS="--certfile=$own --keyfile=$key --ca-certs=$authority --cert-reqs=2"
fi

# Nothing here speaks WebSocket, and uvicorn would log who asks for it, by address and in full.
serve() {
    exec uvicorn --host "$HOST" --port "$PORT" --lifespan on --http runtime.one_write:Protocol \
        --ws none --no-access-log --no-server-header --timeout-graceful-shutdown 10 "$@"
}

case "$role" in
    all | router) serve asgi_mount:app "$@" ;;
    catalog) serve catalog_app.main:app "$@" ;;
    reco) serve reco_app.asgi:application "$@" ;;
    # Connections outlive those of the callers' pools, so that none is closed under a request.
    profile) exec gunicorn --bind "$HOST:$PORT" --worker-class runtime.threads.Worker --threads 8 --no-control-socket \
        --keep-alive 15 --timeout 30 --graceful-timeout 10 "$@" profile_app.main:app ;;
    worker) exec celery --app reco_app.worker:app worker --without-gossip --without-mingle \
        --listen "$probes" "$@" ;;
    beat) exec celery --app reco_app.worker:app beat --pidfile= "$@" ;;
    relay) exec python manage.py relay --listen "$probes" "$@" ;;
    migrate) exec python -m profile_app.migrate python manage.py migrate --noinput "$@" ;;
    train) exec python manage.py train "$@" ;;
    retention) exec python manage.py retention "$@" ;;
    *) echo "entrypoint.sh: there is no role '$role'; see the list in $0" >&2 && exit 64 ;;
esac
