package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// server is a server that is measured. It runs as a process of its own.
type server struct {
	name string
	*process
	host  string // 127.0.0.1:PORT
	token string // the token of every request; "" for none
	form  func(*workload) form
	keys  *keys // the keys in the form of this server; only stock has another form than Forge
}

// startServer starts a program with only the given environment. It returns when the program has
// printed a line "API http://HOST:PORT…".
func startServer(name, program, logs string, environ ...string) (*server, error) {
	cmd := exec.Command(program)
	cmd.Dir = logs
	cmd.Env = append([]string{"ADDR=127.0.0.1:0"}, environ...)
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	cmd.Stdout = w
	p, err := startProcess(cmd, nil, syscall.SIGTERM, filepath.Join(logs, name+".log"))
	w.Close()
	if err != nil {
		return nil, err
	}
	s := &server{name: name, process: p}
	lines := bufio.NewScanner(r) // r stays open, because a closed pipe would end the server
	for lines.Scan() {
		if f := strings.Fields(lines.Text()); len(f) == 2 && f[0] == "API" {
			s.host, _, _ = strings.Cut(strings.TrimPrefix(f[1], "http://"), "/")
			return s, nil
		}
	}
	s.stop()
	log, _ := os.ReadFile(filepath.Join(logs, name+".log"))
	return nil, fmt.Errorf("%s did not start: %s", name, log)
}
