#!/bin/sh
# Rolls IMAGE (name@digest) out with k8s/overlays/OVERLAY (production if not set), asks ADDRESS for a
# recommendation, and takes everything back if that fails, takes longer than half an hour, or is
# broken off. kubectl finds its cluster by KUBECONFIG.
set -eu
cd "$(dirname "$0")/.."
: "${IMAGE:?}" "${ADDRESS:?}"
roles="profile catalog reco router gateway worker relay beat"
made=$(mktemp -d)
wanted="$made/wanted"
before="$made/before"
until=$(($(date +%s) + 1800))

ours() { kubectl --namespace multireco "$@"; }

left() {
    seconds=$((until - $(date +%s)))
    [ "$seconds" -gt 0 ] && echo "$seconds"
}

# To the revision of before: who was not changed has it still, and stays as it is.
take_back() {
    trap '' INT TERM HUP
    echo "The new release does not do; taking it back." >&2
    while read -r role revision; do
        ours rollout undo "deployment/$role" "--to-revision=$revision" < /dev/null \
            || echo "$role is not taken back." >&2
    done < "$before"
    while read -r role _; do
        ours rollout status --timeout=300s "deployment/$role" < /dev/null || true
    done < "$before"
    answers && echo "The old release answers." >&2
    rm -r "$made"
    exit 1
}

migrated() {
    while left > /dev/null; do
        ended=$(ours get job/migrate --output 'jsonpath={.status.conditions[?(@.status=="True")].type}') || ended=
        case "$ended" in
            *Failed*) echo "The migrations failed: kubectl -n multireco logs job/migrate" >&2; return 1 ;;
            *Complete*) return 0 ;;
        esac
        sleep 2
    done
    echo "The migrations did not end in time." >&2
    return 1
}

answers() {
    curl --fail --silent --show-error --retry 10 --retry-all-errors --retry-delay 3 --max-time 10 \
        "$ADDRESS/v1/recommendations?count=1" > /dev/null
}

kubectl kustomize "k8s/overlays/${OVERLAY:-production}" \
    | sed "s#image: registry.example/multireco:.*#image: $IMAGE#" > "$wanted"

: > "$before"
for role in $roles; do
    revision=$(ours get "deployment/$role" --ignore-not-found \
        --output 'jsonpath={.metadata.annotations.deployment\.kubernetes\.io/revision}')
    [ -z "$revision" ] || echo "$role $revision" >> "$before"
done

trap take_back EXIT
trap 'exit 1' INT TERM HUP
# A finished job cannot be changed. Migrations only add (expand), so the old release still runs.
ours delete job migrate --ignore-not-found
kubectl apply --filename "$wanted"
migrated
for role in $roles; do
    ours rollout status "--timeout=$(left)s" "deployment/$role"
done
answers
trap - EXIT
rm -r "$made"
