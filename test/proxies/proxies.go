// Package proxies runs HAProxy and nginx between a client and servers, with the settings that the
// documentation names. Like package process, it imports no other package of Forge but that one.
package proxies

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"forge/test/process"
)

// Block returns the text of the first fenced block of a language in a page, such as
// docs/subscriptions.md. It stops the test if there is none.
func Block(t testing.TB, page, language string) string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	_, block, found := strings.Cut(string(text), "\n```"+language+"\n")
	block, _, ended := strings.Cut(block, "\n```\n")
	if !found || !ended {
		t.Fatalf("%s has no block of %s", page, language)
	}
	return block + "\n"
}

// servers are the lines that name a server of Forge, or where a proxy listens.
var (
	servers = regexp.MustCompile(`10\.0\.0\.\d+:8080`)
	listens = regexp.MustCompile(`(bind|listen) :?80\b`)
)

// filled returns settings in which the servers of the documentation are the ones given, and the
// proxy listens on an address that is free. There must be as many servers as the settings name.
func filled(t testing.TB, config string, addresses []string) (text, address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	address = l.Addr().String()
	n := 0
	config = servers.ReplaceAllStringFunc(config, func(string) string { n++; return addresses[(n-1)%len(addresses)] })
	return listens.ReplaceAllString(config, "${1} "+address), address
}

// HAProxy starts HAProxy with the settings of a page, in front of servers at some addresses, and
// returns its own address. It ends with the test. Without HAProxy the test is skipped, and fails in
// CI.
func HAProxy(t testing.TB, config string, addresses ...string) string {
	t.Helper()
	program := find(t, "haproxy")
	config, address := filled(t, config, addresses)
	path := filepath.Join(t.TempDir(), "haproxy.cfg")
	write(t, path, config)
	start(t, address, program, "-db", "-f", path)
	return address
}

// Nginx is like HAProxy. The settings are those inside of http.
func Nginx(t testing.TB, config string, addresses ...string) string {
	t.Helper()
	program := find(t, "nginx")
	config, address := filled(t, config, addresses)
	dir := t.TempDir()
	folders := ""
	for _, name := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		folders += fmt.Sprintf("%s_temp_path %s;\n", name, filepath.Join(dir, name))
	}
	path := filepath.Join(dir, "nginx.conf")
	write(t, path, fmt.Sprintf("daemon off;\nmaster_process off;\npid %s;\nerror_log stderr;\nevents {}\nhttp {\naccess_log off;\n%s%s}\n", filepath.Join(dir, "pid"), folders, config))
	start(t, address, program, "-p", dir, "-e", "stderr", "-c", path)
	return address
}

// find returns the path of a program. Debian installs some where only root looks.
func find(t testing.TB, name string) string {
	t.Helper()
	for _, path := range []string{name, "/usr/sbin/" + name} {
		if found, err := exec.LookPath(path); err == nil {
			return found
		}
	}
	if os.Getenv("CI") == "" {
		t.Skip("no " + name + " found: install it (Debian and Ubuntu: apt-get install " + name + ")")
	}
	t.Fatal("this test needs " + name)
	return ""
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// start starts a proxy, and returns when it accepts connections.
func start(t testing.TB, address, program string, args ...string) {
	t.Helper()
	said := new(process.Output)
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = said, said, process.KilledWithParent()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		if err := cmd.Process.Kill(); err == nil {
			<-ended
		}
	})
	for range 1000 {
		if conn, err := net.Dial("tcp", address); err == nil {
			conn.Close()
			return
		}
		select {
		case err := <-ended:
			ended <- nil
			t.Fatalf("%s: %v\n%s", program, err, said)
		case <-time.After(10 * time.Millisecond):
		}
	}
	t.Fatalf("%s does not listen on %s\n%s", program, address, said)
}
