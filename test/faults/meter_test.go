package faults

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"forge/test/process"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// meter measures a server under load.
type meter struct {
	*forge
	postmaster string  // the process ID of PostgreSQL, "" if that is not known
	memory     float64 // the largest memory of the server, in bytes
}

// measured is the outcome of a load, and the CPU time that it took.
type measured struct {
	outcome
	server, database, clients float64 // in processors; 0 if it is not known
}

func (m *measured) String() string {
	return fmt.Sprintf("%s; processors: %.2f Forge, %.2f PostgreSQL, %.2f the clients", &m.outcome, m.server, m.database, m.clients)
}

// measure sends a load from a separate process.
func (m *meter) measure(l load) *measured {
	m.t.Helper()
	l.Address = strings.TrimPrefix(m.URL, "http://")
	text, err := json.Marshal(l)
	if err != nil {
		m.t.Fatal(err)
	}
	clients := exec.Command(os.Args[0])
	// It makes little garbage, and ends soon.
	clients.Env = append(os.Environ(), loadVariable+"="+string(text), "GOGC=off")
	clients.SysProcAttr = process.KilledWithParent()
	var out, errs bytes.Buffer
	clients.Stdout, clients.Stderr = &out, &errs
	start, server, database := time.Now(), cpu(fmt.Sprint(m.Pid())), m.databaseCPU()
	watch := keep(1, func(context.Context, int) {
		m.memory = max(m.memory, m.metric("process_resident_memory_bytes"))
		time.Sleep(200 * time.Millisecond)
	})
	err = clients.Run()
	watch()
	if err != nil {
		m.t.Fatalf("the clients: %v: %s", err, &errs)
	}
	took := time.Since(start).Seconds()
	got := &measured{
		server:   (cpu(fmt.Sprint(m.Pid())) - server) / took,
		database: (m.databaseCPU() - database) / took,
		clients:  (clients.ProcessState.UserTime() + clients.ProcessState.SystemTime()).Seconds() / took,
	}
	if err := json.Unmarshal(out.Bytes(), &got.outcome); err != nil {
		m.t.Fatalf("the clients: %v: %s", err, &out)
	}
	return got
}

// postmaster returns the process ID of the database's PostgreSQL, or "" if it is not on this
// machine.
func postmaster(t *testing.T, address string) string {
	t.Helper()
	var session string
	if err := connect(t, address).QueryRow("SELECT pg_backend_pid()").Scan(&session); err != nil {
		t.Fatal(err)
	}
	name, _ := os.ReadFile("/proc/" + session + "/comm")
	if fields := stat(session); fields != nil && strings.HasPrefix(string(name), "postgres") {
		return fields[1]
	}
	return ""
}

func (m *meter) databaseCPU() float64 {
	if m.postmaster == "" {
		return 0
	}
	sum := cpu(m.postmaster)
	found, _ := filepath.Glob("/proc/[0-9]*")
	for _, path := range found {
		pid := filepath.Base(path)
		if fields := stat(pid); fields != nil && fields[1] == m.postmaster {
			sum += cpu(pid)
		}
	}
	return sum
}

// ticks is the number of the kernel's units of CPU time in a second, on every architecture that Go
// knows.
const ticks = 100

// cpu returns the seconds of CPU time that a process and its ended children have taken, or 0 where
// there is no /proc.
func cpu(pid string) (seconds float64) {
	if fields := stat(pid); fields != nil {
		for _, field := range fields[11:15] {
			n, _ := strconv.ParseFloat(field, 64)
			seconds += n / ticks
		}
	}
	return seconds
}

// stat returns the fields of /proc/PID/stat, beginning with the state. It returns nil if the
// process does not exist.
func stat(pid string) []string {
	b, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return nil
	}
	// The name before it may contain anything.
	return strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
}
