#!/bin/sh
# Tells Elasticsearch how lines are stored and for how long, and Kibana what to show; may be repeated.
# ELASTICSEARCH_URL and KIBANA_URL say where; the files lie beside this one. Where they ask who comes,
# ELASTICSEARCH_USER and ELASTICSEARCH_PASSWORD are for both.
set -eu
cd "$(dirname "$0")"

ask() {
    curl -fsS --retry-all-errors --retry-delay 2 -o /dev/null \
        ${ELASTICSEARCH_USER:+-u "$ELASTICSEARCH_USER:$ELASTICSEARCH_PASSWORD"} "$@"
}

put() {
    ask --retry 30 -X PUT -H 'Content-Type: application/json' --data-binary "@$2" "$ELASTICSEARCH_URL/$1"
}

put _ilm/policy/multireco lifecycle.json
put _index_template/multireco index-template.json
ask --retry 60 -X POST -H 'kbn-xsrf: true' -F file=@kibana.ndjson \
    "$KIBANA_URL/api/saved_objects/_import?overwrite=true"
