#!/bin/sh
# Writes the file of secrets that docker-compose.yml needs, with random passwords, readable by its owner only. Refuses to
# overwrite one: PostgreSQL keeps the superuser password of its first start.
#
# Usage: sh deploy/make-env.sh [FILE]      (default .env)
set -eu

file="${1:-.env}"
if [ -e "$file" ]; then
    echo "$file exists already; move it away first if you mean to start an installation from nothing" >&2
    exit 1
fi

# Letters and digits only, so that a password stands in a URL as it is.
password() {
    od -An -N24 -tx1 /dev/urandom | tr -d ' \n'
}

umask 077
cat >"$file" <<END
POSTGRES_PASSWORD=$(password)
POSTGRES_PASSWORD_TEMPORAL=$(password)
POSTGRES_PASSWORD_REDRESS=$(password)
END
echo "wrote $file"
