// Package pgtemp starts a temporary PostgreSQL server from the programs that are installed on this
// machine. Tests and the commands that work on migrations, such as "migrate diff", need a real
// server for a few seconds, and this package gives them one without any setup.
//
// A cluster lives in one temporary directory. Clients connect through a unix socket in that
// directory, so the cluster needs no port. It ends with the process that started it, even if that
// process is killed.
package pgtemp

import (
	"context"
	"net/url"
)

// A Cluster is a running PostgreSQL server. It has a superuser named postgres, and the three
// databases that initdb creates.
type Cluster struct{ *watcher }

// Start creates a cluster, and returns when it accepts connections. It returns ErrNoPostgres if
// PostgreSQL is not installed. If ctx ends first, it returns the error of ctx. After Start has
// returned, ctx has no effect on the cluster.
func Start(ctx context.Context) (*Cluster, error) {
	bin, err := findBinaries()
	if err != nil {
		return nil, err
	}
	w, err := watch(ctx, bin, watcherScript, serverSettings())
	if err != nil {
		return nil, err
	}
	return &Cluster{w}, nil
}

// URL returns the address of a database of the cluster, as DATABASE_URL and psql expect it.
func (c *Cluster) URL(dbname string) string {
	// Without host and port, lib/pq would use PGHOST and PGPORT.
	query := url.Values{"host": {c.dir}, "port": {port}, "sslmode": {"disable"}}
	u := url.URL{Scheme: "postgres", User: url.User(superuser), Path: "/" + dbname, RawQuery: query.Encode()}
	return u.String()
}

// Halt ends the server as a crash would, and keeps its data. The last commits may be lost, unless
// their sessions have set synchronous_commit to on.
func (c *Cluster) Halt() error { return c.order("halt") }

// Resume starts the server again after Halt.
func (c *Cluster) Resume() error { return c.order("resume") }

const (
	superuser = "postgres"
	port      = "5432" // part of the name of the unix socket
)
