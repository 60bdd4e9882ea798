#!/bin/sh
# Sets up or updates Temporal's schema with Temporal's own tool, in the two databases that databases.sh made. Safe to run
# again: `setup-schema` leaves a database that already has a version, `update-schema` applies only what is missing.
#
# Runs in the image temporalio/admin-tools of the SAME version as the server, or wherever temporal-sql-tool is on PATH. The
# tool reads the password from SQL_PASSWORD, and TLS from SQL_TLS, SQL_TLS_CA_FILE, SQL_TLS_SERVER_NAME ...
set -eu

: "${SQL_HOST:?set it to the host name of PostgreSQL}"
: "${SQL_USER:?set it to the PostgreSQL role that owns the databases of Temporal}"
: "${SQL_PASSWORD:?set it to the password of SQL_USER}"
export SQL_PASSWORD
schemas="${TEMPORAL_SCHEMA_DIR:-/etc/temporal/schema/postgresql/v12}"

tool() {
    temporal-sql-tool --plugin postgres12 --ep "$SQL_HOST" -p "${SQL_PORT:-5432}" -u "$SQL_USER" --db "$@"
}

set_up() {
    echo "schema of database $1 ..."
    tool "$1" setup-schema -v 0.0
    tool "$1" update-schema -d "$2"
}

set_up "${POSTGRES_DATABASE_TEMPORAL:-temporal}" "$schemas/temporal/versioned"
set_up "${POSTGRES_DATABASE_VISIBILITY:-temporal_visibility}" "$schemas/visibility/versioned"
echo "Temporal's schema is up to date"
