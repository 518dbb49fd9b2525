#!/bin/sh
# Runs a command with XGRAD_POSTGRESQL_URL set to a PostgreSQL server started for it; 77 where there is no PostgreSQL.
set -eu

for directory in "$(dirname "$(command -v initdb || echo /none)")" /usr/lib/postgresql/*/bin; do
  if [ -x "$directory/initdb" ]; then bin=$directory; fi
done
if [ -z "${bin:-}" ]; then
  echo "skipped: there is no initdb; install the package postgresql"
  exit 77
fi

data=$(mktemp -d)
as_user() { "$@"; }
if [ "$(id -u)" -eq 0 ]; then  # the server refuses to run as root
  chown nobody "$data"
  as_user() { setpriv --reuid nobody --regid nogroup --clear-groups "$@"; }
fi
stop() {
  as_user "$bin/pg_ctl" -D "$data/db" -m immediate stop >/dev/null 2>&1 || true
  rm -rf "$data"
}
trap stop EXIT
cd "$data"
as_user "$bin/initdb" -D "$data/db" -U xgrad -A trust --no-sync >"$data/log" || { cat "$data/log"; exit 1; }
as_user "$bin/pg_ctl" -D "$data/db" -w -o "-k $data -c listen_addresses='' -c fsync=off" -l "$data/db/log" start >/dev/null
cd "$OLDPWD"
status=0
XGRAD_POSTGRESQL_URL="postgresql:///postgres?host=$data&user=xgrad" "$@" || status=$?
exit $status
