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

# Whatever a role writes is a line of the log, its last words too.
run() { exec python -m runtime.role "$role" "$@"; }

# Nothing here speaks WebSocket, and uvicorn would log who asks for it, by address and in full.
serve() {
    run uvicorn --host "$HOST" --port "$PORT" --lifespan on --http runtime.one_write:Protocol \
        --ws none --no-access-log --no-server-header --timeout-graceful-shutdown 10 "$@"
}

case "$role" in
    all | router) serve asgi_mount:app "$@" ;;
    catalog) serve catalog_app.main:app "$@" ;;
    reco) serve reco_app.asgi:application "$@" ;;
    # Connections outlive those of the callers' pools, so that none is closed under a request.
    profile) run gunicorn --bind "$HOST:$PORT" --worker-class runtime.threads.Worker --threads 8 --no-control-socket \
        --logger-class runtime.gunicorn.Logger --keep-alive 15 --timeout 30 --graceful-timeout 10 "$@" profile_app.main:app ;;
    worker) run celery --quiet --app reco_app.worker:app worker --without-gossip --without-mingle \
        --listen "$probes" "$@" ;;
    beat) run celery --quiet --app reco_app.worker:app beat --pidfile= "$@" ;;
    relay) run manage relay --listen "$probes" "$@" ;;
    migrate) run profile_app.migrate python -m runtime.role migrate manage migrate --noinput "$@" ;;
    train) run manage train "$@" ;;
    retention) run manage retention "$@" ;;
    *) echo "entrypoint.sh: there is no role '$role'; see the list in $0" >&2 && exit 64 ;;
esac
