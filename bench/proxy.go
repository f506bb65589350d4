package main

import (
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// proxy stands between servers and PostgreSQL, and delays each direction. It is as wide as there is
// need: what follows something that is under way is under way as well.
type proxy struct {
	net.Listener
	target  string // PostgreSQL's socket
	delay   time.Duration
	chunks  sync.Pool // of *chunk
	running sync.WaitGroup
}

// chunk is a part of a stream that is under way.
type chunk struct {
	due   time.Time
	n     int
	bytes [32 << 10]byte
}

// underWay is how many chunks of a stream can be under way. It suffices for a gigabyte a second.
const underWay = 512

// socketName is what clients look for in the folder that they are given as the host.
const socketName = ".s.PGSQL.5432"

// startProxy accepts connections in the folder dir, and connects each to the PostgreSQL whose
// socket is in the folder target.
func startProxy(dir, target string, delay time.Duration) (*proxy, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	l, err := net.Listen("unix", filepath.Join(dir, socketName))
	if err != nil {
		return nil, err
	}
	p := &proxy{Listener: l, target: filepath.Join(target, socketName), delay: delay}
	p.chunks.New = func() any { return new(chunk) }
	p.running.Go(p.accept)
	return p, nil
}

// close returns when all connections have ended. Their clients must have closed them.
func (p *proxy) close() {
	_ = p.Close()
	p.running.Wait()
}

func (p *proxy) accept() {
	for {
		client, err := p.Accept()
		if err != nil {
			return // the listener is closed
		}
		p.running.Go(func() { p.connect(client.(*net.UnixConn)) })
	}
}

// connect carries both directions of a connection until they have ended.
func (p *proxy) connect(client *net.UnixConn) {
	defer client.Close()
	conn, err := net.Dial("unix", p.target)
	if err != nil {
		return // the client sees that the connection is closed
	}
	server := conn.(*net.UnixConn)
	defer server.Close()
	var back sync.WaitGroup
	back.Go(func() { p.carry(client, server) })
	p.carry(server, client)
	back.Wait()
}

// carry copies a stream from one end to the other, with a delay, and then closes the direction. If
// the receiver has gone, it closes both ends.
func (p *proxy) carry(to, from *net.UnixConn) {
	stream := make(chan *chunk, underWay)
	var arrived sync.WaitGroup
	arrived.Go(func() {
		if err := p.deliver(to, stream); err != nil {
			to.Close()
			from.Close()
		}
		for range stream { // so that the sender is not stuck
		}
	})
	for {
		c := p.chunks.Get().(*chunk)
		n, err := from.Read(c.bytes[:])
		if n > 0 {
			c.n, c.due = n, time.Now().Add(p.delay)
			stream <- c
		}
		if err != nil {
			break
		}
	}
	close(stream)
	arrived.Wait()
}

// deliver writes each chunk when it is due.
func (p *proxy) deliver(to *net.UnixConn, stream <-chan *chunk) error {
	alarm, err := newAlarm()
	if err != nil {
		return err
	}
	defer alarm.Close()
	for c := range stream {
		if err := alarm.await(c.due); err != nil {
			return err
		}
		if _, err := to.Write(c.bytes[:c.n]); err != nil {
			return err
		}
		p.chunks.Put(c)
	}
	return to.CloseWrite()
}

// alarm is a clock of the kernel's. Go's own timers wait for a millisecond at least if the program
// has nothing else to do.
type alarm struct {
	*os.File
	fd    int
	times [8]byte
}

func newAlarm() (*alarm, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	return &alarm{File: os.NewFile(uintptr(fd), "alarm"), fd: fd}, nil
}

// await returns when the time has come, and never before.
func (a *alarm) await(due time.Time) error {
	for wait := time.Until(due); wait > 0; wait = time.Until(due) {
		at := unix.ItimerSpec{Value: unix.NsecToTimespec(wait.Nanoseconds())}
		if err := unix.TimerfdSettime(a.fd, 0, &at, nil); err != nil {
			return err
		}
		if _, err := a.Read(a.times[:]); err != nil {
			return err
		}
	}
	return nil
}
