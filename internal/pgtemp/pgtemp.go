// Package pgtemp starts a throw-away PostgreSQL server from the programs that are installed on this
// machine. Tests use it, and so do "migrate diff" and the other commands that work on migrations:
// they need a real server for a few seconds, without any setup.
//
// A cluster lives in one temporary directory. Clients reach it through a unix socket in that
// directory, so it needs no port. It ends with the process that started it, however that ends.
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
	lifeline io.WriteCloser // sends orders to the watcher, which stops the server when it is closed
	replies  chan string    // the answers to orders
	ended    chan struct{}  // closed when the watcher has ended
}

// Start creates a cluster and returns when it accepts connections. It returns ErrNoPostgres if no
// server is installed, and the error of ctx if that ends first. The end of ctx does not stop a
// cluster that Start has returned.
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

// URL returns the address of a database of the cluster, in the form of DATABASE_URL, lib/pq and
// psql.
func (c *Cluster) URL(dbname string) string {
	// Without host and port, PGHOST and PGPORT would be used.
	query := url.Values{"host": {c.dir}, "port": {port}, "sslmode": {"disable"}}
	u := url.URL{Scheme: "postgres", User: url.User(superuser), Path: "/" + dbname, RawQuery: query.Encode()}
	return u.String()
}

// Stop ends the server and its connections, and returns when its directory is removed. It may be
// called twice.
func (c *Cluster) Stop() error {
	c.lifeline.Close() // it may be closed already
	<-c.ended
	if _, err := os.Stat(c.dir); !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("temporary PostgreSQL: %s was not removed", c.dir)
	}
	return nil
}

// Halt ends the server like a crash, and keeps its data. Commits may be lost, because a cluster
// runs with synchronous_commit = off unless the session sets it.
func (c *Cluster) Halt() error { return c.order("halt") }

// Resume starts the server again after Halt.
func (c *Cluster) Resume() error { return c.order("resume") }

// order sends an order to the watcher and waits until it is done. Only one goroutine may call it at
// a time.
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
	port      = "5432" // only part of the name of the socket
)

// watch starts the watcher for dir and waits until it reports that the server accepts connections.
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

// socketPathLimit is the longest path of a unix socket that all systems with PostgreSQL support.
const socketPathLimit = 103

func socketFits(dir string) bool {
	return len(filepath.Join(dir, ".s.PGSQL."+port)) <= socketPathLimit
}
