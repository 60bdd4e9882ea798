#!/bin/sh
# Makes the keys of an installation, unless they are there: by which the command line and the pages sign for people, by
# which workers know them, and by which workers sign checkpoints of the record. Each in a folder of its own, so that a
# container is given only what it needs. Safe to run again.
#
# Runs in the image of Redress; SIGNING, CUSTOMERS, ISSUERS and CHECKPOINTS are the folders. The key in CUSTOMERS is that by
# which workers bring to cases what customers said on the pages; it vouches for that role alone.
set -eu

: "${SIGNING:?set it to the folder of the key that signs for people}"
: "${CUSTOMERS:?set it to the folder of the key that signs for customers}"
: "${ISSUERS:?set it to the folder of the public keys}"
: "${CHECKPOINTS:?set it to the folder of the key that signs checkpoints}"

[ -e "$SIGNING/signing-key.json" ] || redress actor new-key "${ISSUER:-this-installation}" "$SIGNING"
[ -e "$CUSTOMERS/signing-key.json" ] || redress actor new-key "${ISSUER:-this-installation}-customers" "$CUSTOMERS"
[ -e "$CHECKPOINTS/signing-key.json" ] || redress actor new-key "${ISSUER:-this-installation}-checkpoints" "$CHECKPOINTS"
if [ ! -e "$ISSUERS/issuers.json" ]; then
    python - "$SIGNING/issuers.json" "$CUSTOMERS/issuers.json" >"$ISSUERS/issuers.new" <<'END'
import json, sys

people, customers = (json.load(open(path))["issuers"] for path in sys.argv[1:])
print(json.dumps({"issuers": [*people, *({**one, "roles": ["customer"]} for one in customers)]}))
END
    mv "$ISSUERS/issuers.new" "$ISSUERS/issuers.json"
fi
echo "keys ready"
