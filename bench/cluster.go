package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// settings are the settings of PostgreSQL. Processors are to be measured, and not disks: all data
// are in memory, and nothing waits for a disk. Background work is off, because it might run in one
// round and not in another.
const settings = `
listen_addresses = ''
port = 5432
max_connections = 200
shared_buffers = 1GB
effective_cache_size = 12GB
work_mem = 16MB
maintenance_work_mem = 256MB
fsync = off
synchronous_commit = on
max_wal_size = 8GB
checkpoint_timeout = 1h
random_page_cost = 1.1
jit = off
autovacuum = off
timezone = 'UTC'
`

// counting loads pg_stat_statements. It counts nothing until its setting track is changed.
const counting = `
shared_preload_libraries = 'pg_stat_statements'
pg_stat_statements.track = none
`

// cluster is a running PostgreSQL server. Clients connect through a unix socket in its folder.
type cluster struct {
	dir string
	*process
	counts bool // whether it has pg_stat_statements
}

// startCluster starts the server with the data below dir. If there are no data, it creates them
// first. If logs is true, it can log statements for programs.
func startCluster(ctx context.Context, dir string, logs bool) (*cluster, error) {
	bin, err := findPostgres()
	if err != nil {
		return nil, err
	}
	account, err := postgresAccount()
	if err != nil {
		return nil, err
	}
	c := &cluster{dir: dir}
	if _, err := os.Stat(filepath.Join(c.data(), "PG_VERSION")); err != nil {
		if err := c.init(ctx, bin, account); err != nil {
			return nil, err
		}
	}
	config := settings
	if found, _ := filepath.Glob(filepath.Join(bin, "../lib/pg_stat_statements.*")); len(found) > 0 {
		c.counts = true
		config += counting
	}
	if logs {
		config += logging
	}
	config += "unix_socket_directories = '" + dir + "'\n"
	if err := os.WriteFile(filepath.Join(c.data(), "postgresql.auto.conf"), []byte(config), 0o600); err != nil {
		return nil, err
	}
	if account != nil {
		if err := os.Chown(filepath.Join(c.data(), "postgresql.auto.conf"), int(account.Uid), int(account.Gid)); err != nil {
			return nil, err
		}
	}
	cmd := exec.Command(filepath.Join(bin, "postgres"), "-D", c.data())
	cmd.Dir = dir
	c.process, err = startProcess(cmd, account, syscall.SIGINT, filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	if err := c.await(ctx); err != nil {
		c.stop()
		return nil, err
	}
	return c, nil
}

func (c *cluster) data() string { return filepath.Join(c.dir, "data") }

func (c *cluster) init(ctx context.Context, bin string, account *syscall.Credential) error {
	if account != nil {
		if err := os.Chown(c.dir, int(account.Uid), int(account.Gid)); err != nil {
			return err
		}
	}
	cmd := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "-D", c.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
	cmd.Dir = c.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: account}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	return nil
}

// await returns when the server accepts connections. It returns an error if the server or ctx ends
// before that.
func (c *cluster) await(ctx context.Context) error {
	for {
		conn, err := pgx.Connect(ctx, c.url("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-c.ended:
			return fmt.Errorf("PostgreSQL did not start; %s/log says why", c.dir)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// url returns the address of a database.
func (c *cluster) url(name string) string { return address(c.dir, name) }

// address returns the address of a database whose server has its socket in the folder dir.
func address(dir, name string) string {
	q := url.Values{"host": {dir}, "port": {"5432"}, "sslmode": {"disable"}}
	return "postgres://postgres@/" + name + "?" + q.Encode()
}

// exec runs statements in a database, one after the other.
func (c *cluster) exec(ctx context.Context, name string, statements ...string) error {
	conn, err := pgx.Connect(ctx, c.url(name))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	for _, s := range statements {
		if _, err := conn.Exec(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	return nil
}

// findPostgres returns the folder of the newest PostgreSQL server that is installed.
func findPostgres() (string, error) {
	dirs := filepath.SplitList(os.Getenv("PATH"))
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql/bin"} {
		found, _ := filepath.Glob(pattern)
		slices.Reverse(found)
		dirs = append(dirs, found...)
	}
	for _, dir := range dirs {
		// The program on PATH may be a link. The libraries are beside the target of the link.
		if initdb, err := filepath.EvalSymlinks(filepath.Join(dir, "initdb")); err == nil {
			return filepath.Dir(initdb), nil
		}
	}
	return "", errors.New("no PostgreSQL found: install it (Debian and Ubuntu: apt-get install postgresql)")
}

// postgresAccount returns the account postgres if this process is root, because PostgreSQL refuses
// to run as root. Otherwise it returns nil.
func postgresAccount() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, err
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}
