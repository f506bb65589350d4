package pgtemp

import "strings"

// nodesScript runs the nodes of a Replicated. It starts the first one, prints "ready", and then
// carries out orders of the form VERB NODE PORT [PORT OF ANOTHER NODE], as watcherScript does. When
// its standard input ends, it ends all nodes and removes its directory.
const nodesScript = initFunction + `
bin=$1 dir=$2 settings=$3 first=$4

clean() {
	for data in "$dir"/node*/; do
		end "$(basename "$data")"
	done
	cd / && rm -rf "$dir"
}

fail() {
	cat "$dir/log" "$dir/node1.log"
	clean
	exit 1
}

start() {
	"$bin/pg_ctl" start -D "$dir/$1" -w -t 60 -l "$dir/$1.log" -o "-p $2"
}

# Sends a signal to all processes of a node. The server itself is stopped first,
# so that it starts no other process meanwhile.
signal() {
	server=$(head -n 1 "$dir/$2/postmaster.pid") || return
	kill -s STOP "$server" || return
	all=$(ps -A -o ppid= -o pid= | awk -v server="$server" '$1 == server || $2 == server { print $2 }')
	kill -s "$1" $all || : # one may have ended by itself
}

# Kills a node. It leaves no shared memory behind, and nothing that would keep
# the node from being started again.
end() {
	signal KILL "$1" || return
	for pid in $all; do
		while ps -o stat= -p "$pid" | grep -qv Z; do sleep 0.02; done
	done
	memory=$(sed -n 's/^ *[0-9]* *\([0-9][0-9]*\)$/\1/p' "$dir/$1/postmaster.pid" | tail -n 1)
	ipcrm -m "$memory"
	rm -f "$dir/$1/postmaster.pid"
}

# Makes the data of a node those of a standby. It follows the node at a port.
standby() {
	touch "$dir/$1/standby.signal"
	printf "primary_conninfo = 'host=127.0.0.1 port=%s user=postgres application_name=%s'\n" "$2" "$1" >>"$dir/$1/postgresql.auto.conf"
}

duplicate() {
	end "$1"
	rm -rf "$dir/$1"
	"$bin/pg_basebackup" -D "$dir/$1" -d "host=127.0.0.1 port=$3 user=postgres" -c fast --no-sync >>"$dir/$1.log" 2>&1 &&
		standby "$1" "$3" && start "$1" "$2"
}

trap '' PIPE # whoever waits for a word may be gone already
initialize "$dir/node1" || fail
printf '%s\n' "$settings" >>"$dir/node1/postgresql.conf"
printf '%s\n' 'host replication postgres 127.0.0.1/32 trust' >>"$dir/node1/pg_hba.conf"
start node1 "$first" >/dev/null 2>&1 </dev/null || fail
echo ready
while read -r order; do
	set -- $order
	case $1 in
	start) start "$2" "$3" ;;
	stop) "$bin/pg_ctl" stop -D "$dir/$2" -m fast -w -t 60 ;;
	kill) end "$2" ;;
	pause) signal STOP "$2" ;;
	continue) signal CONT "$2" ;;
	promote) "$bin/pg_ctl" promote -D "$dir/$2" -w -t 60 ;;
	demote) standby "$2" "$4" ;;
	follow) standby "$2" "$4" && "$bin/pg_ctl" reload -D "$dir/$2" ;;
	copy) duplicate "$2" "$3" "$4" ;;
	*) false ;;
	esac >/dev/null 2>&1 </dev/null
	echo "$order $?"
done
clean
`

// nodeSettings returns the lines to add to postgresql.conf of each node.
func nodeSettings() string {
	return strings.Join([]string{
		"listen_addresses = '127.0.0.1'",
		"unix_socket_directories = ''",
		"max_connections = 200",
		"shared_buffers = 32MB",
		"dynamic_shared_memory_type = mmap", // removed with the directory, also after a kill
		"fsync = off",
		"wal_level = replica",
		"wal_keep_size = 256MB", // standbys find what they missed
		"min_wal_size = 32MB",
		"max_wal_size = 256MB",
		"wal_retrieve_retry_interval = 100ms",
		"wal_receiver_status_interval = 1s",
		"wal_receiver_timeout = 10s",
		"wal_sender_timeout = 10s",
		"timezone = 'UTC'",
		"log_timezone = 'UTC'",
		"autovacuum = off",
	}, "\n")
}
