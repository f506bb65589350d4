package main

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"path/filepath"
	"testing"
	"time"
)

// echoThrough returns a connection through a proxy to a server that sends back all it gets.
func echoThrough(t *testing.T, delay time.Duration) *net.UnixConn {
	near, far := t.TempDir(), t.TempDir()
	l, err := net.Listen("unix", filepath.Join(far, socketName))
	if err != nil {
		t.Fatal(err)
	}
	p, err := startProxy(near, far, delay)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = io.Copy(conn, conn)
			}()
		}
	}()
	conn, err := net.Dial("unix", filepath.Join(near, socketName))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		conn.Close()
		p.close()
		l.Close()
	})
	return conn.(*net.UnixConn)
}

func TestProxyCarriesAllBytes(t *testing.T) {
	conn := echoThrough(t, time.Millisecond)
	sent := make([]byte, 20<<20)
	random := rand.NewChaCha8([32]byte{})
	_, _ = random.Read(sent)
	go func() {
		sizes := rand.New(random)
		for rest := sent; len(rest) > 0; {
			n := min(1+sizes.IntN(100<<10), len(rest))
			if _, err := conn.Write(rest[:n]); err != nil {
				t.Error(err)
				return
			}
			rest = rest[n:]
		}
		if err := conn.CloseWrite(); err != nil {
			t.Error(err)
		}
	}()
	got, err := io.ReadAll(conn)
	if err != nil || !bytes.Equal(got, sent) {
		t.Errorf("sent %d bytes, got %d others: %v", len(sent), len(got), err)
	}
}

func TestProxyDelaysEachDirection(t *testing.T) {
	for _, delay := range []time.Duration{250 * time.Microsecond, 2500 * time.Microsecond} {
		conn := echoThrough(t, delay)
		for range 20 {
			start := time.Now()
			if _, err := conn.Write([]byte("?")); err != nil {
				t.Fatal(err)
			}
			if _, err := conn.Read(make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(start); took < 2*delay {
				t.Errorf("there and back in %s, of which each takes %s", took, delay)
			}
		}
	}
}

// TestProxyIsWide sends what would take 10 s if a chunk had to wait for the one before it.
func TestProxyIsWide(t *testing.T) {
	conn := echoThrough(t, 50*time.Millisecond)
	start := time.Now()
	for range 100 {
		if _, err := conn.Write([]byte("?")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond) // so that the proxy reads them one by one
	}
	if _, err := io.ReadFull(conn, make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
}

// TestProxyClosesBothEnds ends a connection while an answer is under way.
func TestProxyClosesBothEnds(t *testing.T) {
	conn := echoThrough(t, time.Millisecond)
	go func() { _, _ = conn.Write(make([]byte, 8<<20)) }()
	if _, err := conn.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	conn.Close() // the clean-up waits for the proxy
}
