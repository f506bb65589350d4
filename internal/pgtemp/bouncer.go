package pgtemp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// A Bouncer is a running PgBouncer in transaction mode. It listens on a loopback port, and asks for
// no password.
type Bouncer struct {
	dir, address string
	lifeline     io.Closer // when it is closed, the shell stops PgBouncer
	ended        chan struct{}
}

// bouncerScript runs PgBouncer until the script's standard input ends. Like watcherScript, it thus
// ends with the process that started it.
const bouncerScript = `
"$1" -q "$2/ini" &
pid=$!
read -r end_of_input
kill "$pid"
wait "$pid"
cd / && rm -rf "$2"
`

// StartBouncer starts a PgBouncer for all databases of the PostgreSQL server at address. It returns
// when PgBouncer accepts connections, or ErrNoBouncer if PgBouncer is not installed. PgBouncer ends
// with this process.
func StartBouncer(ctx context.Context, address string) (*Bouncer, error) {
	bin, err := findBouncer()
	if err != nil {
		return nil, err
	}
	server, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("PgBouncer: the server's address cannot be read")
	}
	owner, err := serverOwner()
	if err != nil {
		return nil, err
	}
	dir, err := owner.tempDir()
	if err != nil {
		return nil, fmt.Errorf("directory for a PgBouncer: %w", err)
	}
	b, err := startBouncer(owner, bin, dir, server)
	if err == nil {
		err = b.await(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return b, nil
}

func startBouncer(owner owner, bin, dir string, server *url.URL) (*Bouncer, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "ini"), []byte(bouncerSettings(server, address)), 0o644); err != nil {
		return nil, err
	}
	cmd := exec.Command("/bin/sh", "-c", bouncerScript, "pgtemp", bin, dir)
	cmd.Dir = dir
	owner.detach(cmd)
	lifeline, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	b := &Bouncer{dir, address, lifeline, make(chan struct{})}
	go func() {
		defer close(b.ended)
		_ = cmd.Wait()
	}()
	return b, nil
}

// bouncerSettings returns the configuration file of PgBouncer.
func bouncerSettings(server *url.URL, address string) string {
	host, port, _ := net.SplitHostPort(address)
	q := server.Query()
	database := "* = host=" + cmp.Or(q.Get("host"), server.Hostname()) +
		" port=" + cmp.Or(q.Get("port"), server.Port(), "5432") + " user=" + cmp.Or(server.User.Username(), superuser)
	if password, ok := server.User.Password(); ok {
		database += " password='" + strings.ReplaceAll(password, "'", "''") + "'"
	}
	return strings.Join([]string{
		"[databases]",
		database,
		"[pgbouncer]",
		"listen_addr = " + host,
		"listen_port = " + port,
		"unix_socket_dir =",
		"auth_type = any",
		"pool_mode = transaction",
		"max_client_conn = 2000",
		"default_pool_size = 8", // fewer than Forge opens, so that clients have to share them
	}, "\n") + "\n"
}

// freeAddress returns a loopback address that nobody listens on at the moment.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// ErrNoBouncer means that PgBouncer is not installed.
var ErrNoBouncer = errors.New("no PgBouncer found: install it (Debian and Ubuntu: apt-get install pgbouncer, macOS: brew install pgbouncer)")

// findBouncer returns the path of PgBouncer. Debian installs it in a directory that is only on
// root's PATH.
func findBouncer() (string, error) {
	for _, name := range []string{"pgbouncer", "/usr/sbin/pgbouncer"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", ErrNoBouncer
}

// await returns when PgBouncer accepts connections. It returns an error if PgBouncer ends, or is
// not ready after ten seconds.
func (b *Bouncer) await(ctx context.Context) error {
	for range 1000 {
		if conn, err := net.Dial("tcp", b.address); err == nil {
			return conn.Close()
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), b.Stop())
		case <-b.ended:
			return errors.New("PgBouncer ended")
		case <-time.After(10 * time.Millisecond):
		}
	}
	return errors.Join(errors.New("PgBouncer does not listen on "+b.address), b.Stop())
}

// URL returns the address of a database through PgBouncer, with the parameter pgbouncer=on.
func (b *Bouncer) URL(dbname string) string {
	u := url.URL{Scheme: "postgres", User: url.User(superuser), Host: b.address, Path: "/" + dbname, RawQuery: "sslmode=disable&pgbouncer=on"}
	return u.String()
}

// Stop ends PgBouncer, and returns when its directory has been removed. It may be called more than
// once.
func (b *Bouncer) Stop() error {
	b.lifeline.Close() // it may be closed already
	<-b.ended
	return nil
}
