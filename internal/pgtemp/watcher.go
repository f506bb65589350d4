package pgtemp

import "strings"

// watcherScript runs initdb and the server, and waits for the end of its
// standard input, doing until then what its lines say. That input is a pipe which only the process that called
// Start holds open: the kernel closes it when the process ends, also when it
// is killed or crashes, and no code of ours has to run for that. Then the
// watcher stops the server and removes everything.
//
// It prints "ready" when the server takes connections; anything else is the
// reason why there is none. It answers each order with a line as well.
const watcherScript = `
bin=$1 dir=$2 settings=$3

clean() {
	"$bin/pg_ctl" stop -D "$dir/data" -m immediate -w -t 60 >/dev/null 2>&1
	cd / && rm -rf "$dir"
}

fail() {
	cat "$dir/log"
	clean
	exit 1
}

# The first kind of collation that this build and this system have. The best
# is one that orders text otherwise than by bytes, as most servers in use do:
# it shows code that leans on an order it did not ask for.
init() {
	: >"$dir/log"
	"$bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --no-sync "$@" >"$dir/log" 2>&1
}
init --locale=C --locale-provider=icu --icu-locale=en-US ||
	init --locale=en_US.UTF-8 ||
	init --locale=C.UTF-8 ||
	init --locale=C || fail

printf '%s\n' "$settings" "unix_socket_directories = '$dir'" >>"$dir/data/postgresql.conf"
"$bin/pg_ctl" start -D "$dir/data" -w -t 60 -l "$dir/log" >/dev/null 2>&1 </dev/null || fail

trap '' PIPE # whoever waits for this word may be gone already
echo ready
while read -r order; do
	case $order in
	halt) "$bin/pg_ctl" stop -D "$dir/data" -m immediate -w -t 60 ;;
	resume) "$bin/pg_ctl" start -D "$dir/data" -w -t 60 -l "$dir/log" ;;
	*) false ;;
	esac >/dev/null 2>&1 </dev/null
	echo "$order $?"
done
clean
`

// serverSettings are the lines that are added to postgresql.conf. Speed counts
// here and a crash loses nothing of value, so nothing is written through to
// the disk.
func serverSettings() string {
	return strings.Join([]string{
		"listen_addresses = ''",
		"port = " + port,
		"max_connections = 300", // many tests at once, each with a pool of its own
		"shared_buffers = 32MB",
		"fsync = off",
		"full_page_writes = off",
		"synchronous_commit = off",
		"wal_level = minimal",
		"max_wal_senders = 0",
		"min_wal_size = 32MB", // the log only takes room here
		"max_wal_size = 128MB",
		"timezone = 'UTC'",
		"log_timezone = 'UTC'",
		// A worker that looks at a template just then would make CREATE DATABASE wait for it.
		"autovacuum = off",
	}, "\n")
}
