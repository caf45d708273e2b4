#!/bin/sh
# Makes a MariaDB server's files, starts it, has several clients change a table at once, and asks it whether that is consistent.
# SPDX-License-Identifier: GPL-2.0-only
# Usage: mariadb.sh DIRECTORY     as a user other than root; prints the same every time

set -e
dir=$1
ask() { mariadb --no-defaults --user=root --socket="$dir/socket" --skip-column-names "$@"; }

mariadb-install-db --no-defaults --datadir="$dir/data" --auth-root-authentication-method=normal >"$dir/install.log" 2>&1
mariadbd --no-defaults --datadir="$dir/data" --socket="$dir/socket" --skip-networking --pid-file="$dir/pid" \
	--innodb-buffer-pool-size=8M --innodb-flush-log-at-trx-commit=0 2>"$dir/log" &
server=$!
trap 'kill $server 2>/dev/null || :' EXIT
until ask -e 'SELECT "here"' 2>/dev/null; do kill -0 $server; sleep 0.2; done
ask -e 'CREATE DATABASE bank; USE bank; CREATE TABLE bank.t (a INT PRIMARY KEY, b INT) ENGINE=InnoDB;
	INSERT INTO bank.t SELECT seq, seq * seq % 97 FROM seq_1_to_5000; SELECT SUM(b) FROM bank.t'
clients=
for n in 1 2 3; do
	ask -e "UPDATE bank.t SET b = b + $n WHERE a % 3 = $n - 1; BEGIN; UPDATE bank.t SET b = 0 WHERE a = $n; ROLLBACK" &
	clients="$clients $!"
done
for client in $clients; do wait "$client"; done
ask -e 'SELECT SUM(b), COUNT(*) FROM bank.t; CHECK TABLE bank.t EXTENDED'
mariadb-admin --no-defaults --socket="$dir/socket" --user=root shutdown
wait
