#!/bin/sh
# The two roles that Forge needs, in a new database: forge_owner makes and changes the tables (`forge migrate up`), forge reads and
# writes rows (`forge serve`). PostgreSQL's image runs this when it sets up an empty volume; elsewhere it runs once, with a superuser's
# address in ADMIN_URL, of whatever database.
set -eu
: "${OWNER_PASSWORD:?}" "${SERVER_PASSWORD:?}"
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname "${ADMIN_URL:-$POSTGRES_DB}" \
  --set database="$POSTGRES_DB" --set owner_password="$OWNER_PASSWORD" --set server_password="$SERVER_PASSWORD" <<'SQL'
\connect :"database"
CREATE ROLE forge_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE forge LOGIN PASSWORD :'server_password';
REVOKE ALL ON SCHEMA public FROM PUBLIC;
ALTER SCHEMA public OWNER TO forge_owner;
GRANT USAGE ON SCHEMA public TO forge;
GRANT pg_read_all_stats TO forge; -- which timeline a standby follows, and for which of them commits wait
ALTER DEFAULT PRIVILEGES FOR ROLE forge_owner IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO forge;
ALTER DEFAULT PRIVILEGES FOR ROLE forge_owner IN SCHEMA public GRANT USAGE ON SEQUENCES TO forge;
SQL
