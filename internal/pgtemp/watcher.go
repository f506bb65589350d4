package pgtemp

import "strings"

// initFunction defines the function that creates the data of a server. It needs $bin and $dir.
const initFunction = `
# The first kind of collation that this build and this system have. The best
# is one that orders text otherwise than by bytes, as most servers in use do:
# it shows code that leans on an order it did not ask for.
initialize() {
	init "$1" --locale=C --locale-provider=icu --icu-locale=en-US ||
		init "$1" --locale=en_US.UTF-8 ||
		init "$1" --locale=C.UTF-8 ||
		init "$1" --locale=C
}

init() {
	: >"$dir/log"
	"$bin/initdb" -U postgres -A trust -E UTF8 --no-sync -D "$@" >"$dir/log" 2>&1
}
`

// watcherScript runs initdb and the server. It then carries out the orders that it reads from its
// standard input. The input is a pipe that only the process that called Start holds open. When that
// process ends, even by a crash or a kill, the kernel closes the pipe. The script then stops the
// server and removes its directory.
//
// The script prints "ready" when the server accepts connections, or the reason why it does not. For
// each order, it prints a line with the order and an exit status.
const watcherScript = initFunction + `
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

initialize "$dir/data" || fail
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

// serverSettings returns the lines to add to postgresql.conf. They make the server faster and less
// safe: it does not flush data to the disk, because nobody needs the data after a crash.
func serverSettings() string {
	return strings.Join([]string{
		"listen_addresses = ''",
		"port = " + port,
		"max_connections = 300", // many tests run at once, and each has its own pool
		"shared_buffers = 32MB",
		"fsync = off",
		"full_page_writes = off",
		"synchronous_commit = off",
		"wal_level = minimal",
		"max_wal_senders = 0",
		"min_wal_size = 32MB", // a larger log would only take room
		"max_wal_size = 128MB",
		"timezone = 'UTC'",
		"log_timezone = 'UTC'",
		// Autovacuum would hold up CREATE DATABASE while it works on the template.
		"autovacuum = off",
	}, "\n")
}
