#!/bin/sh
# Makes a database cluster; puts it under a load of several connections and asks it whether it is consistent.
# SPDX-License-Identifier: GPL-2.0-only
# Usage: database.sh make|use DIRECTORY     as a user other than root; prints the same every time

set -e
PATH=$(echo /usr/lib/postgresql/*/bin):$PATH
dir=$2
export PGHOST=$dir PGDATABASE=postgres PGUSER=tester
if [ "$1" = make ]; then
	initdb --no-sync --no-locale --auth=trust --username=tester --pgdata="$dir/data" >"$dir/initdb.log"
	cd "$dir/data"
	find base global -type f -name '[0-9]*' -printf '%p %s\n' | sort | md5sum
	exit
fi
cat >>"$dir/data/postgresql.conf" <<-CONF
	listen_addresses = ''
	unix_socket_directories = '$dir'
	fsync = off
	shared_buffers = 8MB
	min_parallel_table_scan_size = 0
	parallel_setup_cost = 0
	parallel_tuple_cost = 0
CONF
pg_ctl --pgdata="$dir/data" --log="$dir/log" -t 300 --silent start
trap 'pg_ctl --pgdata="$dir/data" --mode=immediate --silent stop' EXIT
pgbench --initialize --init-steps=dtGp --quiet 2>"$dir/init.log"
pgbench --client=4 --jobs=2 --transactions=5 --no-vacuum 2>&1 | grep -E 'number of (transactions|failed|clients|threads)'
psql --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 <<-SQL
	SELECT count(*), sum(aid) FROM pgbench_accounts;
	SELECT (SELECT sum(delta) FROM pgbench_history) = (SELECT sum(abalance) FROM pgbench_accounts),
	       (SELECT sum(delta) FROM pgbench_history) = (SELECT sum(tbalance) FROM pgbench_tellers),
	       (SELECT sum(delta) FROM pgbench_history) = (SELECT sum(bbalance) FROM pgbench_branches),
	       (SELECT count(*) FROM pgbench_history);
	CREATE TABLE words AS SELECT n, md5(n::text) AS word FROM generate_series(1, 1000) AS n;
	CREATE INDEX ON words (word);
	SELECT md5(string_agg(word, ',' ORDER BY word)) FROM words WHERE word > '8';
SQL
trap - EXIT
pg_ctl --pgdata="$dir/data" --mode=fast --silent -t 300 stop
