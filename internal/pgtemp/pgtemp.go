// Package pgtemp runs a throw-away PostgreSQL server from the binaries that are
// installed on this machine. Tests use it, and so does the planning of
// migrations: both need a real server for a few seconds and nothing to set up.
//
// A cluster lives in one temporary directory. It is reached through a unix
// socket in that directory, so it takes no port and nobody else can connect.
// It goes away with the process that started it, however that process ends.
package pgtemp

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A Cluster is a running PostgreSQL server with a superuser named postgres and
// the three databases that initdb makes.
type Cluster struct {
	dir      string
	lifeline io.WriteCloser // takes orders; the watcher stops the server when this is closed
	replies  chan string    // to the orders
	ended    chan struct{}
}

// Start makes a new cluster and returns when it takes connections. The error
// is an ErrNoPostgres when no server is installed. Ending ctx gives up the
// start; it does not stop a cluster that Start has returned.
func Start(ctx context.Context) (*Cluster, error) {
	bin, err := findBinaries()
	if err != nil {
		return nil, err
	}
	owner, err := serverOwner()
	if err != nil {
		return nil, err
	}
	dir, err := owner.tempDir()
	if err != nil {
		return nil, fmt.Errorf("directory for a temporary PostgreSQL: %w", err)
	}
	c, err := watch(ctx, owner, bin, dir)
	if err != nil {
		return nil, fmt.Errorf("start a temporary PostgreSQL with the binaries in %s: %w", bin, err)
	}
	return c, nil
}

// URL returns the address of a database of the cluster, in the form that
// lib/pq, psql and DATABASE_URL take.
func (c *Cluster) URL(dbname string) string {
	// Host and port are spelled out because PGHOST and PGPORT fill in what is left out.
	query := url.Values{"host": {c.dir}, "port": {port}, "sslmode": {"disable"}}
	u := url.URL{Scheme: "postgres", User: url.User(superuser), Path: "/" + dbname, RawQuery: query.Encode()}
	return u.String()
}

// Stop ends the server, disconnecting whoever is connected, and returns when
// its directory is gone. Stopping twice is fine.
func (c *Cluster) Stop() error {
	c.lifeline.Close() // it may be closed already
	<-c.ended
	if _, err := os.Stat(c.dir); !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("temporary PostgreSQL: %s was not removed", c.dir)
	}
	return nil
}

// Halt ends the server at once, as a crash would, and keeps what it has stored: all that was committed only with
// synchronous_commit = on, which a cluster does not have by itself.
func (c *Cluster) Halt() error { return c.order("halt") }

// Resume starts the server again after Halt.
func (c *Cluster) Resume() error { return c.order("resume") }

// order has the watcher do something and waits until it is done. One goroutine at a time may give orders.
func (c *Cluster) order(what string) error {
	if _, err := fmt.Fprintln(c.lifeline, what); err != nil {
		return fmt.Errorf("temporary PostgreSQL: %s: %w", what, err)
	}
	select {
	case reply := <-c.replies:
		if reply != what+" 0\n" {
			return fmt.Errorf("temporary PostgreSQL: %s: %s", what, strings.TrimSpace(reply))
		}
		return nil
	case <-c.ended:
		return fmt.Errorf("temporary PostgreSQL: %s: it has been stopped", what)
	}
}

const (
	superuser = "postgres"
	port      = "5432" // only a part of the socket's name
)

// watch starts the watcher for dir and waits until it says that the server
// takes connections.
func watch(ctx context.Context, owner owner, bin, dir string) (*Cluster, error) {
	cmd := exec.Command("/bin/sh", "-c", watcherScript, "pgtemp", bin, dir, serverSettings())
	cmd.Dir = dir
	owner.detach(cmd)

	lifeline, err := cmd.StdinPipe()
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	c := &Cluster{dir: dir, lifeline: lifeline, replies: make(chan string, 1), ended: make(chan struct{})}

	said := make(chan string, 2) // room for both lines, read or not
	go func() {
		defer close(c.ended)
		out := bufio.NewReader(output)
		first, _ := out.ReadString('\n')
		if first == "ready\n" {
			said <- first
			for reply, err := out.ReadString('\n'); err == nil; reply, err = out.ReadString('\n') {
				c.replies <- reply
			}
		}
		rest, _ := io.ReadAll(out)
		cmd.Wait() // its exit status says no more than what it printed
		said <- first + string(rest)
	}()

	select {
	case line := <-said:
		if line != "ready\n" {
			return nil, errors.New(strings.TrimSpace(line))
		}
		return c, nil
	case <-ctx.Done():
		lifeline.Close() // the watcher cleans up as soon as it is past initdb
		return nil, ctx.Err()
	}
}

// socketPathLimit is the shortest limit on the path of a unix socket among the
// systems PostgreSQL runs on.
const socketPathLimit = 103

func socketFits(dir string) bool {
	return len(filepath.Join(dir, ".s.PGSQL."+port)) <= socketPathLimit
}
