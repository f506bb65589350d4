package deploy

import (
	"cmp"
	"database/sql"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"forge/test/gqltest"
	"forge/test/process"
)

// cluster is the cluster of deploy/ha on this machine. The three machines have addresses of their
// own on loopback, so that all ports are those of the files.
type cluster struct {
	t         *testing.T
	network   string // 127.x.y., which stands for 10.0.0.
	pgbouncer bool   // PgBouncer is between Forge and PostgreSQL
	account   *syscall.Credential
	machines  []*machine
}

// machine is one of the three machines.
type machine struct {
	*cluster
	name, address, dir string
	running            []*exec.Cmd
	forge              *process.Server
}

// password stands for all secrets of the files.
const password = "s3cret"

// newCluster returns a cluster of which nothing runs yet. It skips the test if a program is
// missing.
func newCluster(t *testing.T, pgbouncer bool) *cluster {
	t.Helper()
	for _, program := range []string{"patroni", "patronictl", "etcd", "haproxy", "pgbouncer", "psql", "/usr/lib/postgresql/15/bin/postgres"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip(err)
		}
	}
	c := &cluster{t: t, pgbouncer: pgbouncer, network: someNetwork()}
	c.addMachines(3)
	return c
}

// addMachines adds machines that have their files. Where root runs the test, their programs run as
// another user, as PostgreSQL and PgBouncer refuse root.
func (c *cluster) addMachines(n int) {
	c.t.Helper()
	if os.Getuid() == 0 {
		postgres, err := user.Lookup("postgres")
		c.must(err)
		uid, _ := strconv.Atoi(postgres.Uid)
		gid, _ := strconv.Atoi(postgres.Gid)
		c.account = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	dir, err := os.MkdirTemp("", "forge-ha-")
	c.must(err)
	c.must(os.Chmod(dir, 0o755))
	c.t.Cleanup(func() { _ = os.RemoveAll(dir) })
	for i := 1; i <= n; i++ {
		name := fmt.Sprint("node", i)
		m := &machine{cluster: c, name: name, address: fmt.Sprint(c.network, 10+i), dir: filepath.Join(dir, name)}
		c.machines = append(c.machines, m)
		m.install()
	}
	c.t.Cleanup(c.stop)
}

// someNetwork returns the beginning of addresses of loopback that nobody uses.
func someNetwork() string { return fmt.Sprintf("127.%d.%d.", 1+rand.IntN(250), rand.IntN(250)) }

func (c *cluster) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// install writes the files of deploy/ha into the folder of the machine. Only addresses, folders,
// accounts and secrets are changed in them.
func (m *machine) install() {
	m.t.Helper()
	m.must(os.MkdirAll(filepath.Join(m.dir, "run"), 0o755))
	files, err := filepath.Glob("ha/*.*")
	m.must(err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		m.must(err)
		m.write(filepath.Base(file), m.local(string(text)))
	}
	if m.account != nil {
		for _, path := range []string{m.dir, filepath.Join(m.dir, "run")} {
			m.must(os.Chown(path, int(m.account.Uid), int(m.account.Gid)))
		}
	}
}

func (m *machine) write(name, text string) {
	m.t.Helper()
	m.must(os.WriteFile(filepath.Join(m.dir, name), []byte(text), 0o644))
}

// asRoot matches the lines of haproxy.cfg that a HAProxy without root's rights cannot carry out.
var asRoot = regexp.MustCompile(`^    (log /dev/log local0|chroot .*|user .*|group .*|maxconn .*)\n$`)

// local returns the text of a file with the addresses, folders and secrets of the test.
func (m *machine) local(text string) string {
	var kept strings.Builder
	for line := range strings.Lines(text) {
		if !asRoot.MatchString(line) {
			kept.WriteString(line)
		}
	}
	return strings.NewReplacer(
		"10.0.0.0/24", "127.0.0.0/8", // all connections come from 127.0.0.1
		"10.0.0.", m.network,
		"127.0.0.1", m.address,
		"bind :80\n", "bind "+m.address+":8000\n",
		"THIS_NAME", m.name,
		"THIS_ADDRESS", m.address,
		"/var/lib/etcd/forge", m.dir+"/etcd",
		"/var/lib/postgresql/15/forge", m.data(),
		"/var/lib/postgresql/", m.dir+"/",
		"/var/run/postgresql", m.dir+"/run",
		"/etc/pgbouncer/", m.dir+"/",
		"PASSWORD=\n", "PASSWORD="+password+"\n",
		"forge:PASSWORD@", "forge:"+password+"@",
	).Replace(kept.String())
}

func (m *machine) data() string { return m.dir + "/data" }

// start starts all programs of the machine but Forge.
func (m *machine) start() {
	m.t.Helper()
	m.run(m.environment("etcd.env"), "etcd")
	m.run(nil, "haproxy", "-db", "-f", m.dir+"/haproxy.cfg")
	m.run(m.environment("patroni.env"), "patroni", m.dir+"/patroni.yml")
	if _, err := os.Stat(m.dir + "/userlist.txt"); err == nil {
		m.run(nil, "pgbouncer", m.dir+"/pgbouncer.ini")
	}
}

// environment returns the variables of a file as systemd reads it.
func (m *machine) environment(file string) (env []string) {
	text, err := os.ReadFile(filepath.Join(m.dir, file))
	m.must(err)
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			env = append(env, line)
		}
	}
	return env
}

func (m *machine) run(env []string, program string, args ...string) {
	m.t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Env = m.dir, append([]string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + m.dir + "/run"}, env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: m.account, Pdeathsig: syscall.SIGTERM}
	log, err := os.OpenFile(filepath.Join(m.dir, filepath.Base(program)+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	m.must(err)
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	m.must(cmd.Start())
	m.running = append(m.running, cmd)
}

// serve starts Forge, and returns when it listens.
func (m *machine) serve() {
	m.t.Helper()
	cmd := exec.Command(mustBuild(m.t).program, "serve")
	cmd.Dir = m.dir
	cmd.Env = append(m.environment("forge.env"), "AUTH_SECRET=", "AUTH=off", "LOG_LEVEL=warn") // 127.x is loopback
	if m.pgbouncer {
		cmd.Env = append(cmd.Env, "DATABASE_URL=postgres://forge:"+password+"@"+m.address+":6432/forge?sslmode=disable", "PGBOUNCER=on")
	}
	m.forge = process.Start(m.t, cmd)
}

// kill ends all processes of the machine at once, as the loss of its power does.
func (m *machine) kill() {
	m.t.Helper()
	postgres := m.postgres()
	for _, pid := range postgres {
		_ = syscall.Kill(pid, syscall.SIGSTOP) // it starts nothing, and tells nobody, while the others are killed
	}
	for _, cmd := range m.running {
		_ = cmd.Process.Kill()
	}
	m.forge.Kill()
	for _, pid := range postgres {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	for _, cmd := range m.running {
		_ = cmd.Wait()
	}
	m.running = nil
	_ = os.Remove(m.data() + "/postmaster.pid") // its process may be a zombie here
}

// postgres returns the IDs of PostgreSQL's processes, that of the server first.
func (m *machine) postgres() (pids []int) {
	m.t.Helper()
	text, err := os.ReadFile(m.data() + "/postmaster.pid")
	m.must(err)
	server, _, _ := strings.Cut(string(text), "\n")
	children, err := exec.Command("pgrep", "-P", server).Output()
	m.must(err)
	for _, word := range append([]string{server}, strings.Fields(string(children))...) {
		pid, err := strconv.Atoi(word)
		m.must(err)
		pids = append(pids, pid)
	}
	return pids
}

// stop ends everything. Patroni stops its PostgreSQL.
func (c *cluster) stop() {
	if c.t.Failed() {
		for _, m := range c.machines {
			for _, program := range []string{"etcd", "patroni", "haproxy", "pgbouncer"} {
				text, _ := os.ReadFile(filepath.Join(m.dir, program+".log"))
				c.t.Logf("%s, %s:\n%s", m.name, program, text[max(0, len(text)-3000):])
			}
			if m.forge != nil {
				c.t.Logf("%s, forge:\n%.3000s", m.name, m.forge.Log)
			}
		}
	}
	for _, last := range []bool{false, true} { // Patroni needs etcd
		for _, m := range c.machines {
			for _, cmd := range m.running {
				if (filepath.Base(cmd.Path) == "etcd") != last {
					continue
				}
				_ = cmd.Process.Signal(syscall.SIGTERM)
				late := time.AfterFunc(30*time.Second, func() { _ = cmd.Process.Kill() })
				_ = cmd.Wait()
				late.Stop()
			}
		}
	}
}

// setUp starts the cluster as docs/scale.md describes it.
func (c *cluster) setUp() {
	c.t.Helper()
	for _, m := range c.machines {
		m.start()
	}
	c.awaitStandbys(2)
	primary := c.primary()
	c.exec(primary, "CREATE DATABASE forge")
	roles := exec.Command("postgres/roles.sh")
	roles.Env = append(os.Environ(), "POSTGRES_DB=forge", "OWNER_PASSWORD="+password, "SERVER_PASSWORD="+password, "ADMIN_URL="+c.url(primary, "postgres"))
	if out, err := roles.CombinedOutput(); err != nil {
		c.t.Fatalf("%v: %s", err, out)
	}
	migrate := exec.Command(mustBuild(c.t).program, "migrate", "up")
	for _, line := range primary.environment("forge.env") {
		if address, ok := strings.CutPrefix(line, "DATABASE_URL="); ok {
			migrate.Env = append(migrate.Env, "DATABASE_URL="+strings.Replace(address, "//forge:", "//forge_owner:", 1))
		}
	}
	process.Run(c.t, migrate)
	if c.pgbouncer {
		secret := c.query(primary, `SELECT format('"%s" "%s"', rolname, rolpassword) FROM pg_authid WHERE rolname = 'forge'`)
		for _, m := range c.machines {
			m.write("userlist.txt", secret)
			m.run(nil, "pgbouncer", m.dir+"/pgbouncer.ini")
		}
	}
	for _, m := range c.machines {
		m.serve()
	}
}

// url returns the address of a database of a machine, for the superuser.
func (c *cluster) url(m *machine, database string) string {
	return "postgres://postgres:" + password + "@" + m.address + ":5432/" + database + "?sslmode=disable&connect_timeout=5"
}

func (c *cluster) query(m *machine, query string, args ...any) (value string) {
	c.t.Helper()
	db, err := sql.Open("postgres", c.url(m, "forge"))
	c.must(err)
	defer db.Close()
	c.must(db.QueryRow(query, args...).Scan(&value))
	return value
}

func (c *cluster) exec(m *machine, statement string) {
	c.t.Helper()
	db, err := sql.Open("postgres", c.url(m, "postgres"))
	c.must(err)
	defer db.Close()
	_, err = db.Exec(statement)
	c.must(err)
}

// asPatroni is what Patroni says about a machine.
type asPatroni struct {
	Role        string
	State       string
	Replication []struct{ State string }
}

// ask asks the Patroni of a machine. Without an answer, the result is empty.
func (m *machine) ask() (is asPatroni) {
	client := http.Client{Timeout: 2 * time.Second}
	response, err := client.Get("http://" + m.address + ":8008/patroni")
	if err != nil {
		return asPatroni{}
	}
	defer response.Body.Close()
	_ = json.NewDecoder(response.Body).Decode(&is)
	return is
}

// primary returns the machine that is the primary.
func (c *cluster) primary() (primary *machine) {
	c.t.Helper()
	gqltest.Eventually(c.t, "a primary", func() error {
		for _, m := range c.machines {
			if is := m.ask(); is.Role == "master" && is.State == "running" {
				primary = m
				return nil
			}
		}
		return fmt.Errorf("none of the machines is the primary")
	})
	return primary
}

// awaitStandbys waits until a number of standbys follow the primary.
func (c *cluster) awaitStandbys(n int) {
	c.t.Helper()
	for try := 1; ; try++ { // the first standbys take a while on a busy machine
		streaming := 0
		for _, m := range c.machines {
			for _, standby := range m.ask().Replication {
				if standby.State == "streaming" {
					streaming++
				}
			}
		}
		if streaming == n {
			return
		}
		if try == 180 {
			c.t.Fatalf("%d standbys follow the primary, want %d", streaming, n)
		}
		time.Sleep(time.Second)
	}
}

// switchover makes another machine the primary, by the command that operators use.
func (c *cluster) switchover(from *machine) {
	c.t.Helper()
	to := c.machines[(from.index()+1)%len(c.machines)]
	cmd := exec.Command("patronictl", "-c", from.dir+"/patroni.yml", "switchover", "--leader", from.name, "--candidate", to.name, "--force", "forge")
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C.UTF-8"}, from.environment("patroni.env")...)
	if out, err := cmd.CombinedOutput(); err != nil {
		c.t.Fatalf("%v: %s", err, out)
	}
}

func (m *machine) index() int { return int(m.name[len(m.name)-1] - '1') }

// way returns how Forge reaches the database in this cluster, for the log.
func (c *cluster) way() string {
	return cmp.Or(map[bool]string{true: "through PgBouncer and HAProxy"}[c.pgbouncer], "several hosts in DATABASE_URL")
}
