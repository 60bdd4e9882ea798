#!/bin/sh
# Creates the roles and databases of a Redress installation on one PostgreSQL server: `redress` for the record, `temporal`
# and `temporal_visibility` for Temporal. `redress` owns the record and migrates it; workers, pages and the command line work
# as `redress_writer`; `redress_reader` (reports) and `redress_trades` (the trade log) may log in once you give them a
# password. Each role owns its own databases and may not enter the other's. Safe to run again:
# what exists stays, passwords are set to the ones given.
#
# Runs as a superuser found through libpq's own variables (PGHOST, PGPORT, PGUSER, PGPASSWORD ...); needs psql 14 or newer.
set -eu

# A password may stand in a file, as containers are given secrets: VARIABLE_FILE names it.
for name in PGPASSWORD POSTGRES_PASSWORD_TEMPORAL POSTGRES_PASSWORD_REDRESS POSTGRES_PASSWORD_WRITER; do
    eval "file=\${${name}_FILE:-}"
    if [ -n "$file" ]; then
        value="$(cat "$file")"
        export "$name=$value"
    fi
done

: "${POSTGRES_PASSWORD_TEMPORAL:?set it to the password Temporal shall use for PostgreSQL}"
: "${POSTGRES_PASSWORD_REDRESS:?set it to the password the migrations shall use for PostgreSQL}"
: "${POSTGRES_PASSWORD_WRITER:?set it to the password the workers shall use for PostgreSQL}"
export POSTGRES_PASSWORD_TEMPORAL POSTGRES_PASSWORD_REDRESS POSTGRES_PASSWORD_WRITER
export POSTGRES_USER_TEMPORAL="${POSTGRES_USER_TEMPORAL:-temporal}"
export POSTGRES_DATABASE_TEMPORAL="${POSTGRES_DATABASE_TEMPORAL:-temporal}"
export POSTGRES_DATABASE_VISIBILITY="${POSTGRES_DATABASE_VISIBILITY:-temporal_visibility}"
export POSTGRES_USER_REDRESS="${POSTGRES_USER_REDRESS:-redress}"
export POSTGRES_DATABASE_REDRESS="${POSTGRES_DATABASE_REDRESS:-redress}"

# \getenv keeps the passwords out of the process list.
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --dbname "${PGDATABASE:-postgres}" <<'SQL'
\getenv temporal_user POSTGRES_USER_TEMPORAL
\getenv temporal_password POSTGRES_PASSWORD_TEMPORAL
\getenv temporal_database POSTGRES_DATABASE_TEMPORAL
\getenv visibility_database POSTGRES_DATABASE_VISIBILITY
\getenv redress_user POSTGRES_USER_REDRESS
\getenv redress_password POSTGRES_PASSWORD_REDRESS
\getenv redress_database POSTGRES_DATABASE_REDRESS
\getenv writer_password POSTGRES_PASSWORD_WRITER

SELECT format('CREATE ROLE %I', name)
FROM (VALUES (:'temporal_user'), (:'redress_user'), ('redress_writer'), ('redress_reader'), ('redress_trades')) AS wanted (name)
WHERE name NOT IN (SELECT rolname FROM pg_roles) \gexec

SELECT format('ALTER ROLE %I LOGIN PASSWORD %L', name, password)
FROM (VALUES (:'temporal_user', :'temporal_password'), (:'redress_user', :'redress_password'), ('redress_writer', :'writer_password')) AS wanted (name, password) \gexec

SELECT format('CREATE DATABASE %I OWNER %I ENCODING ''UTF8'' TEMPLATE template0', name, owner)
FROM (VALUES (:'temporal_database', :'temporal_user'), (:'visibility_database', :'temporal_user'), (:'redress_database', :'redress_user')) AS wanted (name, owner)
WHERE name NOT IN (SELECT datname FROM pg_database) \gexec

SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', name)
FROM (VALUES (:'temporal_database'), (:'visibility_database'), (:'redress_database')) AS wanted (name) \gexec

SELECT format('GRANT %s ON DATABASE %I TO %I', rights, :'redress_database', name)
FROM (VALUES ('redress_writer', 'CONNECT, TEMPORARY'), ('redress_reader', 'CONNECT'), ('redress_trades', 'CONNECT')) AS wanted (name, rights) \gexec
SQL

echo "databases ready: $POSTGRES_DATABASE_REDRESS, $POSTGRES_DATABASE_TEMPORAL, $POSTGRES_DATABASE_VISIBILITY"
