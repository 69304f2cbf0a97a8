#!/bin/sh
# Rolls IMAGE (name@digest) out with k8s/overlays/production, asks ADDRESS for a recommendation, and
# takes everything back if that fails. kubectl finds its cluster by KUBECONFIG.
set -eu
cd "$(dirname "$0")/.."
: "${IMAGE:?}" "${ADDRESS:?}"
roles="profile catalog reco router gateway worker relay beat"
wanted=$(mktemp)
before=$(mktemp)

kubectl kustomize k8s/overlays/production \
    | sed "s#image: registry.example/multireco:.*#image: $IMAGE#" > "$wanted"

for role in $roles; do
    revision=$(kubectl --namespace multireco get "deployment/$role" --ignore-not-found \
        --output 'jsonpath={.metadata.annotations.deployment\.kubernetes\.io/revision}')
    [ -z "$revision" ] || echo "$role $revision" >> "$before"
done

# To the revision of before: who was not changed has it still, and stays as it is.
take_back() {
    echo "The new release does not do; taking it back." >&2
    while read -r role revision; do
        kubectl --namespace multireco rollout undo "deployment/$role" "--to-revision=$revision" < /dev/null
    done < "$before"
    exit 1
}

answers() {
    curl --fail --silent --show-error --retry 10 --retry-all-errors --retry-delay 3 --max-time 10 \
        "$ADDRESS/v1/recommendations?count=1" > /dev/null
}

# A finished job cannot be changed. Migrations only add (expand), so the old release still runs.
kubectl --namespace multireco delete job migrate --ignore-not-found
kubectl apply --filename "$wanted" || take_back
kubectl --namespace multireco wait --for=condition=complete --timeout=1800s job/migrate || take_back
for role in $roles; do
    kubectl --namespace multireco rollout status --timeout=600s "deployment/$role" || take_back
done
answers || take_back
