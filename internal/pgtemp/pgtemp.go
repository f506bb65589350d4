// Package pgtemp starts a temporary PostgreSQL server from the programs that are installed on this
// machine. Tests and the commands that work on migrations, such as "migrate diff", need a real
// server for a few seconds, and this package gives them one without any setup.
//
// A cluster lives in one temporary directory. Clients connect through a unix socket in that
// directory, so the cluster needs no port. It ends with the process that started it, even if that
// process is killed.
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

// A Cluster is a running PostgreSQL server. It has a superuser named postgres, and the three
// databases that initdb creates.
type Cluster struct {
	dir string
	// lifeline takes orders for the watcher. When it is closed, the watcher stops the server.
	lifeline io.WriteCloser
	replies  chan string   // the watcher's answers to the orders
	ended    chan struct{} // closed when the watcher has ended
}

// Start creates a cluster, and returns when it accepts connections. It returns ErrNoPostgres if
// PostgreSQL is not installed. If ctx ends first, it returns the error of ctx. After Start has
// returned, ctx has no effect on the cluster.
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

// URL returns the address of a database of the cluster, as DATABASE_URL and psql expect it.
func (c *Cluster) URL(dbname string) string {
	// Without host and port, lib/pq would use PGHOST and PGPORT.
	query := url.Values{"host": {c.dir}, "port": {port}, "sslmode": {"disable"}}
	u := url.URL{Scheme: "postgres", User: url.User(superuser), Path: "/" + dbname, RawQuery: query.Encode()}
	return u.String()
}

// Stop ends the server and its connections, and returns when its directory has been removed. It may
// be called more than once.
func (c *Cluster) Stop() error {
	c.lifeline.Close() // it may be closed already
	<-c.ended
	if _, err := os.Stat(c.dir); !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("temporary PostgreSQL: %s was not removed", c.dir)
	}
	return nil
}

// Halt ends the server as a crash would, and keeps its data. The last commits may be lost, unless
// their sessions have set synchronous_commit to on.
func (c *Cluster) Halt() error { return c.order("halt") }

// Resume starts the server again after Halt.
func (c *Cluster) Resume() error { return c.order("resume") }

// order sends an order to the watcher, and waits until it has been carried out. Only one goroutine
// at a time may call it.
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
	port      = "5432" // part of the name of the unix socket
)

// watch starts the watcher for dir. It returns when the watcher reports that the server accepts
// connections.
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

	said := make(chan string, 2) // room for both lines, so that sending never waits
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
		cmd.Wait() // the exit status adds nothing to what the watcher printed
		said <- first + string(rest)
	}()

	select {
	case line := <-said:
		if line != "ready\n" {
			return nil, errors.New(strings.TrimSpace(line))
		}
		return c, nil
	case <-ctx.Done():
		lifeline.Close() // the watcher cleans up as soon as initdb has ended
		return nil, ctx.Err()
	}
}

// socketPathLimit is the longest path of a unix socket on all systems that PostgreSQL supports.
const socketPathLimit = 103

func socketFits(dir string) bool {
	return len(filepath.Join(dir, ".s.PGSQL."+port)) <= socketPathLimit
}
