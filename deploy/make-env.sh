#!/bin/sh
# Writes what docker-compose.yml needs to be secret, at random: a folder `secrets` with a file each, beside the file of
# variables with the one password that Temporal reads from its environment. Refuses to overwrite either: PostgreSQL keeps
# the superuser password of its first start, and without the keyring nothing that was sealed opens again.
#
# Usage: sh deploy/make-env.sh [FILE]      (default .env)
set -eu

file="${1:-.env}"
folder="$(dirname "$file")/secrets"
for there in "$file" "$folder"; do
    if [ -e "$there" ]; then
        echo "$there exists already; move it away first if you mean to start an installation from nothing" >&2
        exit 1
    fi
done

# Letters and digits only, so that a password stands in a URL as it is.
password() {
    od -An -N24 -tx1 /dev/urandom | tr -d ' \n'
}

# Nobody else enters the folder. The files themselves are readable: containers see them under the user of their own image.
umask 077
mkdir "$folder"
secret() {
    cat >"$folder/$1"
    chmod 444 "$folder/$1"
}

owner="$(password)"
writer="$(password)"
password | secret postgres
password | secret web
printf %s "$owner" | secret owner
printf %s "$writer" | secret writer
printf 'postgresql://redress:%s@postgres:5432/redress' "$owner" | secret owner-url
printf 'postgresql://redress_writer:%s@postgres:5432/redress' "$writer" | secret writer-url
printf '{"current": "first", "keys": {"first": "%s"}}\n' "$(head -c 32 /dev/urandom | base64)" | secret keyring.json
echo "POSTGRES_PASSWORD_TEMPORAL=$(password)" >"$file"
echo "wrote $file and $folder: keep a copy of $folder/keyring.json where the backups of the database are not"
