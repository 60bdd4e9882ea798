#!/bin/sh
# Creates the Temporal namespace of Redress when it is missing and waits until the server serves it. Safe to run again: a
# namespace that exists is left as it is, its retention included.
#
# Uses the `temporal` command, which reads TEMPORAL_ADDRESS, TLS and API key from the environment like the workers do.
set -eu

: "${TEMPORAL_ADDRESS:?set it to host:port of the Temporal frontend}"
: "${TEMPORAL_NAMESPACE:?set it to the name of the namespace}"
retention="${TEMPORAL_RETENTION:-90d}"
patience="${TEMPORAL_WAIT_SECONDS:-120}"

# wait_for WHAT COMMAND...: repeats COMMAND until it succeeds; after $patience seconds gives up and shows what it said.
wait_for() {
    what="$1"
    shift
    deadline=$(($(date +%s) + patience))
    until said=$("$@" 2>&1); do
        if [ "$(date +%s)" -ge "$deadline" ]; then
            echo "gave up waiting $patience s for $what: $said" >&2
            exit 1
        fi
        sleep 1
    done
}

wait_for "Temporal at $TEMPORAL_ADDRESS" temporal operator cluster health --command-timeout 5s
if temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1; then
    echo "namespace $TEMPORAL_NAMESPACE exists"
else
    temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "$retention" \
        --description "Complaints handled by Redress"
fi
# The services of a server learn of a new namespace a few seconds apart.
wait_for "namespace $TEMPORAL_NAMESPACE" temporal workflow list --namespace "$TEMPORAL_NAMESPACE" --limit 1 --command-timeout 5s
echo "namespace $TEMPORAL_NAMESPACE is served at $TEMPORAL_ADDRESS"
