#!/bin/sh
# As the official image does: templates are filled in from the environment.
set -eu
names=$(env | sed -n 's/^\([A-Z_]*\)=.*/${\1} /p' | tr -d '\n')
for template in /etc/nginx/templates/*.template; do
    envsubst "$names" < "$template" > "/etc/nginx/conf.d/$(basename "$template" .template)"
done
exec nginx -g 'daemon off;'
