package pgtemp

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	_ "github.com/lib/pq"
)

// Replicated is a primary with standbys that stream from it. A test directs what happens to each of
// them: nothing is promoted by itself. Like a Cluster, it ends with the process that started it.
//
// Each node listens on a port of 127.0.0.1 that it keeps for life, and asks for no password.
// Replication is asynchronous at first. Commits wait for the node's own log, as by default, but
// nothing is flushed to a disk: the data outlive the end of a node's processes alone.
type Replicated struct {
	*watcher
	// Nodes are node1, node2 and so on. At first, node1 is the primary.
	Nodes []*Node
}

// Node is one server of a Replicated. Name is also the name of its connection to the primary, which
// synchronous_standby_names uses.
type Node struct {
	Name string
	port int
	of   *Replicated
}

// StartReplicated starts a primary and a number of standbys. It returns when all standbys stream.
// If PostgreSQL, or its pg_basebackup, is not installed, the error is ErrNoPostgres.
func StartReplicated(ctx context.Context, standbys int) (*Replicated, error) {
	bin, err := findBinaries("pg_basebackup")
	if err != nil {
		return nil, err
	}
	ports, err := freePorts(1 + standbys)
	if err != nil {
		return nil, err
	}
	w, err := watch(ctx, bin, nodesScript, nodeSettings(), strconv.Itoa(ports[0]))
	if err != nil {
		return nil, err
	}
	r := &Replicated{watcher: w}
	for i, port := range ports {
		r.Nodes = append(r.Nodes, &Node{Name: "node" + strconv.Itoa(i+1), port: port, of: r})
	}
	for _, n := range r.Nodes[1:] {
		if err := n.Rejoin(r.Nodes[0]); err != nil {
			return nil, errors.Join(err, r.Stop())
		}
	}
	if err := r.Nodes[0].awaitStandbys(ctx, standbys); err != nil {
		return nil, errors.Join(err, r.Stop())
	}
	return r, nil
}

// URL returns the address of a database with all nodes as hosts. Connections go to the first one
// that takes writes.
func (r *Replicated) URL(dbname string) string {
	hosts := make([]string, len(r.Nodes))
	for i, n := range r.Nodes {
		hosts[i] = n.Address()
	}
	return "postgres://" + superuser + "@" + strings.Join(hosts, ",") + "/" + dbname + "?sslmode=disable&target_session_attrs=read-write"
}

// SetSynchronous sets synchronous_standby_names of all given nodes, or of all nodes if none is
// given. Those must run. It is set on standbys as well, so that it holds after a promotion.
func (r *Replicated) SetSynchronous(ctx context.Context, names string, nodes ...*Node) error {
	if len(nodes) == 0 {
		nodes = r.Nodes
	}
	for _, n := range nodes {
		if err := n.Set(ctx, "synchronous_standby_names", names); err != nil {
			return err
		}
	}
	return nil
}

// Failover promotes the one of the standbys that has received most, and makes the others follow it.
// It returns the new primary.
func (r *Replicated) Failover(ctx context.Context, standbys ...*Node) (*Node, error) {
	var next *Node
	var most string
	for _, n := range standbys {
		var received string
		err := n.query(ctx, "SELECT lpad(to_hex((COALESCE(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) - '0/0')::bigint), 16, '0')", &received)
		if err != nil {
			return nil, err
		}
		if next == nil || received > most {
			next, most = n, received
		}
	}
	if next == nil {
		return nil, errors.New("temporary PostgreSQL: no standby to promote")
	}
	if err := next.Promote(); err != nil {
		return nil, err
	}
	for _, n := range standbys {
		if n != next {
			if err := n.Follow(next); err != nil {
				return nil, err
			}
		}
	}
	return next, nil
}

// Switchover makes a standby the primary, and the primary a standby. The primary ends its sessions
// and sends what it has first, so nothing is lost. The others follow the new primary.
func (r *Replicated) Switchover(from, to *Node, others ...*Node) error {
	if err := from.order("stop"); err != nil {
		return err
	}
	if err := to.Promote(); err != nil {
		return err
	}
	for _, n := range others {
		if err := n.Follow(to); err != nil {
			return err
		}
	}
	if err := from.order("demote", to); err != nil {
		return err
	}
	return from.Start()
}

// Address returns the node's host and port.
func (n *Node) Address() string { return "127.0.0.1:" + strconv.Itoa(n.port) }

// URL returns the address of a database of this node, as DATABASE_URL and psql expect it.
func (n *Node) URL(dbname string) string {
	u := url.URL{Scheme: "postgres", User: url.User(superuser), Host: n.Address(), Path: "/" + dbname, RawQuery: "sslmode=disable"}
	return u.String()
}

// Kill ends all processes of the node at once, as the loss of its machine does, but its connections
// are closed. The data stay.
func (n *Node) Kill() error { return n.order("kill") }

// Start starts a node that was killed or stopped, with its data: as the primary if it was that.
func (n *Node) Start() error { return n.order("start") }

// Stop ends the node in an orderly way: its sessions end, and standbys receive all it has.
func (n *Node) Stop() error { return n.order("stop") }

// Pause stops all processes of the node without ending them. Its connections stay, and are silent.
func (n *Node) Pause() error { return n.order("pause") }

// Continue lets the processes go on after Pause.
func (n *Node) Continue() error { return n.order("continue") }

// Promote makes a standby a primary, on a new timeline. It returns when the node takes writes. The
// other standbys do not follow it by themselves, and the old primary is not stopped.
func (n *Node) Promote() error { return n.order("promote") }

// Follow makes a running standby stream from another node.
func (n *Node) Follow(primary *Node) error { return n.order("follow", primary) }

// Isolate cuts a running standby off from its primary: it receives nothing any more.
func (n *Node) Isolate() error { return n.order("follow", &Node{port: 1}) }

// AwaitNoStandby returns when no standby receives anything from the node.
func (n *Node) AwaitNoStandby(ctx context.Context) error {
	return n.await(ctx, "SELECT count(*) = 0 FROM pg_stat_replication")
}

// Rejoin makes the node a standby of primary. Its data are replaced by a new copy of the primary's,
// so it does not matter what it was, or whether it runs.
func (n *Node) Rejoin(primary *Node) error { return n.order("copy", primary) }

// PauseReplay stops a standby from applying what it receives, and returns when it has stopped.
// Commits that wait for it to be applied (synchronous_commit = remote_apply) wait from now on.
func (n *Node) PauseReplay(ctx context.Context) error {
	if err := n.exec(ctx, "SELECT pg_wal_replay_pause()"); err != nil {
		return err
	}
	return n.await(ctx, "SELECT pg_get_wal_replay_pause_state() = 'paused'")
}

// ResumeReplay lets a standby apply again.
func (n *Node) ResumeReplay(ctx context.Context) error {
	return n.exec(ctx, "SELECT pg_wal_replay_resume()")
}

// Set changes a setting of the server that needs no restart, and returns when new sessions have it.
func (n *Node) Set(ctx context.Context, name, value string) error {
	quoted := "'" + strings.ReplaceAll(value, "'", "''") + "'"
	for _, statement := range []string{"ALTER SYSTEM SET " + name + " = " + quoted, "SELECT pg_reload_conf()"} {
		if err := n.exec(ctx, statement); err != nil {
			return err
		}
	}
	return n.await(ctx, "SELECT setting = "+quoted+" FROM pg_file_settings JOIN pg_settings USING (name, setting) WHERE name = '"+name+"' UNION ALL SELECT false LIMIT 1")
}

// CaughtUp returns when the node has applied everything that primary has written by now.
func (n *Node) CaughtUp(ctx context.Context, primary *Node) error {
	var position string
	if err := primary.query(ctx, "SELECT pg_current_wal_flush_lsn()::text", &position); err != nil {
		return err
	}
	return n.await(ctx, "SELECT COALESCE(pg_last_wal_replay_lsn() >= '"+position+"', false)")
}

// awaitStandbys returns when a number of standbys stream from the node.
func (n *Node) awaitStandbys(ctx context.Context, standbys int) error {
	return n.await(ctx, fmt.Sprintf("SELECT count(*) >= %d FROM pg_stat_replication WHERE state = 'streaming'", standbys))
}

// order has the script carry out an order for this node. If it fails, the error has the end of the
// node's log.
func (n *Node) order(verb string, other ...*Node) error {
	what := fmt.Sprintf("%s %s %d", verb, n.Name, n.port)
	for _, o := range other {
		what += " " + strconv.Itoa(o.port)
	}
	err := n.of.watcher.order(what)
	if err != nil {
		text, _ := os.ReadFile(filepath.Join(n.of.dir, n.Name+".log"))
		err = fmt.Errorf("%w\n%s", err, text[max(0, len(text)-1000):])
	}
	return err
}

const (
	queryTimeout = 5 * time.Second  // of one statement
	awaitTimeout = 30 * time.Second // of a condition
)

// query runs a query on a connection of its own, and stores the one value that it returns.
func (n *Node) query(ctx context.Context, query string, value any) error {
	db, err := sql.Open("postgres", n.URL(superuser)+"&connect_timeout=5")
	if err != nil {
		return err
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	if err := db.QueryRowContext(ctx, query).Scan(value); err != nil && (value != nil || !errors.Is(err, sql.ErrNoRows)) {
		return fmt.Errorf("%s: %s: %w", n.Name, query, err)
	}
	return nil
}

func (n *Node) exec(ctx context.Context, statement string) error {
	db, err := sql.Open("postgres", n.URL(superuser)+"&connect_timeout=5")
	if err != nil {
		return err
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	if _, err := db.ExecContext(ctx, statement); err != nil {
		return fmt.Errorf("%s: %s: %w", n.Name, statement, err)
	}
	return nil
}

// await returns when a query returns true, or an error when it has not for some time.
func (n *Node) await(ctx context.Context, query string) error {
	for deadline := time.Now().Add(awaitTimeout); ; {
		var holds bool
		if err := n.query(ctx, query, &holds); err != nil || holds {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s: not within %s: %s", n.Name, awaitTimeout, query)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// freePorts returns ports of 127.0.0.1 that nobody listens on. They are below those that systems
// give to outgoing connections, so that a node that is away for a while gets its port back.
func freePorts(n int) (ports []int, err error) {
	const first, last = 20000, 32000
	for range 100 * n {
		port := first + rand.IntN(last-first)
		l, listenErr := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port))
		if listenErr != nil {
			err = listenErr
			continue
		}
		defer l.Close() // not before all are chosen, so that none is chosen twice
		if ports = append(ports, port); len(ports) == n {
			return ports, nil
		}
	}
	return nil, err
}
