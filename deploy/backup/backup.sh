#!/usr/bin/env bash
# backup.sh save FOLDER      what cannot be made again, in a new folder there that is named by the time
# backup.sh restore BACKUP   the same, into empty databases and the model store
# Wants MULTIRECO_DATABASE_URL, MULTIRECO_PROFILE_DATABASE_URL and MULTIRECO_MODEL_DIR, and
# PostgreSQL's programs, no older than the server, on the PATH. With KEEP_DAYS, older backups in
# FOLDER are deleted once the new one is whole and not much smaller than they are. See docs/runbooks/restore.md.
set -euo pipefail
export LC_ALL=C
umask 077
sums=SHA256SUMS

main() {
    local action=${1:-} folder=${2:-}
    if [ -z "$folder" ] || [[ ! $action =~ ^(save|restore)$ ]]; then
        refuse "usage: backup.sh save FOLDER | restore BACKUP"
    fi
    : "${MULTIRECO_DATABASE_URL:?}" "${MULTIRECO_PROFILE_DATABASE_URL:?}" "${MULTIRECO_MODEL_DIR:?}"
    "$action" "$folder"
}

save() {
    [[ ${KEEP_DAYS:-1} =~ ^[1-9][0-9]{0,3}$ ]] || refuse "KEEP_DAYS is a number of days, 1 to 9999, not $KEEP_DAYS."
    mkdir -p "$1"
    find "$1" -maxdepth 1 -name '.staged-*' -mtime +0 -exec rm -r {} +  # of a backup that was killed
    staged=$(mktemp -d "$1/.staged-XXXXXX")
    trap 'rm -rf "$staged"' EXIT
    mkdir "$staged/models"
    copy_release  # first: its snapshot must not be ahead of the record
    # The hour's hashes of senders end with their key: neither is to live on here.
    on "$MULTIRECO_DATABASE_URL" pg_dump --format=custom --file="$staged/reco.dump" \
        --exclude-table-data=events_senderkey --exclude-table-data=events_heardevent \
        --exclude-table-data=events_keytally
    on "$MULTIRECO_PROFILE_DATABASE_URL" pg_dump --format=custom --file="$staged/profile.dump"
    if [ -d "$MULTIRECO_MODEL_DIR/events" ]; then
        cp -R "$MULTIRECO_MODEL_DIR/events" "$staged/models/"  # last: a day leaves PostgreSQL for here
    fi
    (cd "$staged" && files -exec sha256sum {} + | sort -k 2 > "$sums")
    sync -f "$staged"
    name=$(date -u +%Y-%m-%dT%H:%M:%SZ)
    mv -T "$staged" "$1/$name"
    sync -f "$1"
    echo "$1/$name"
    if [ -n "${KEEP_DAYS:-}" ]; then delete_old "$1"; fi
}

# By their names: the times of a folder that was copied are those of the copy. A store that was
# emptied makes whole backups, too: then the good ones stay until somebody has looked.
delete_old() {
    local first backup part new other
    for part in reco.dump profile.dump models; do
        new=$(bytes_of "$1/$name/$part")
        for backup in "$1"/20??-??-??T??:??:??Z; do
            other=$(bytes_of "$backup/$part")
            if ((new * 2 < other)); then
                refuse "$1/$name/$part is less than half as large as $backup/$part, so no backup is deleted.
Has the shop lost data? If not, delete the larger ones yourself; see docs/runbooks/restore.md."
            fi
        done
    done
    first=$(date -u -d "@$(($(date +%s) - KEEP_DAYS * 86400))" +%Y-%m-%dT%H:%M:%SZ)
    for backup in "$1"/20??-??-??T??:??:??Z; do
        if [[ ${backup##*/} < $first ]]; then rm -rf "$backup"; fi
    done
}

bytes_of() { if [ -e "$1" ]; then du -sb "$1" | cut -f 1; else echo 0; fi; }

copy_release() {
    local version
    [ -s "$MULTIRECO_MODEL_DIR/live" ] || return 0
    read -r version < "$MULTIRECO_MODEL_DIR/live"
    mkdir "$staged/models/releases"
    cp -R "$MULTIRECO_MODEL_DIR/releases/$version" "$staged/models/releases/"
    echo "$version" > "$staged/models/live"
}

restore() {
    require_whole "$1"
    require_empty "$MULTIRECO_DATABASE_URL" reco
    require_empty "$MULTIRECO_PROFILE_DATABASE_URL" profile
    load "$MULTIRECO_DATABASE_URL" "$1/reco.dump"
    load "$MULTIRECO_PROFILE_DATABASE_URL" "$1/profile.dump"
    put_models "$1/models"
    echo "Restored. Now: migrate, start all roles anew, rebuild_catalog, doctor."
}

require_whole() {
    local listed there wrong
    [ -f "$1/$sums" ] || refuse "$1 is no backup that came to its end: it has no $sums."
    listed=$(cut -c 67- "$1/$sums" | sort)
    there=$(cd "$1" && files | sort)
    [ "$listed" = "$there" ] || refuse "$1 is broken: its files are not those that $sums names."
    wrong=$(cd "$1" && sha256sum -c "$sums" 2>&1 | grep -v ': OK$' || true)
    [ -z "$wrong" ] || refuse "$1 is broken: $wrong"
}

require_empty() {
    local things
    things=$(on "$1" psql -XAtc "
        SELECT count(*) FROM pg_namespace LEFT JOIN pg_class ON relnamespace = pg_namespace.oid
        WHERE nspname !~ '^(pg_|information_schema)' AND (nspname <> 'public' OR relkind IS NOT NULL)")
    [ "$things" = 0 ] || refuse "The database of $2 is not empty. To give up what it holds, say as its user:
DROP OWNED BY CURRENT_USER;"
}

load() { on "$1" pg_restore --single-transaction --no-owner --no-privileges "$2"; }

# What is in the store of what the backup has goes: numbers of events are given again from here on.
put_models() {
    local staged version
    mkdir -p "$MULTIRECO_MODEL_DIR/releases"
    staged=$(mktemp -d "$MULTIRECO_MODEL_DIR/.staged-XXXXXX")
    cp -R "$1/." "$staged/"
    chmod -R a+rX "$staged"
    sync -f "$staged"
    rm -rf "$MULTIRECO_MODEL_DIR/events"
    if [ -d "$staged/events" ]; then mv -T "$staged/events" "$MULTIRECO_MODEL_DIR/events"; fi
    if [ -f "$staged/live" ]; then
        read -r version < "$staged/live"
        rm -rf "${MULTIRECO_MODEL_DIR:?}/releases/$version"
        mv -T "$staged/releases/$version" "$MULTIRECO_MODEL_DIR/releases/$version"
        mv -T "$staged/live" "$MULTIRECO_MODEL_DIR/live"
    fi
    rm -rf "$staged"
    sync -f "$MULTIRECO_MODEL_DIR"
}

# ADDRESS COMMAND…: the command on that database. The list of processes shows no password.
on() {
    local address=$1 secret
    shift
    if [[ $address =~ ^[^:]+://([^:/@]*):([^@]*)@(.*)$ ]]; then
        secret=${BASH_REMATCH[2]//\\/\\\\}
        secret=$(printf '%b' "${secret//%/\\x}")
        PGPASSWORD=$secret "$@" --dbname="postgresql://${BASH_REMATCH[1]}@${BASH_REMATCH[3]}"
    else
        "$@" --dbname="$address"
    fi
}

files() { find . -type f ! -name "$sums" "$@"; }

refuse() {
    echo "backup.sh: $1" >&2
    exit 65
}

main "$@"
