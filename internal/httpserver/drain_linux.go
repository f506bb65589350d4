package httpserver

import (
	"net"

	"golang.org/x/sys/unix"
)

// refuseConnections has the kernel drop the packets that ask for a new connection (SYN). It returns
// false if the kernel does not do this. Connections that the listener already has are not affected.
// A client whose packet was dropped sends it again after a second, and then reaches the program
// that listens on the address at that time.
//
// The filter gets each packet from the TCP header on. Byte 13 of the header holds the flags (RFC
// 9293, section 3.1). A SYN without an ACK is the first packet of a connection.
func refuseConnections(l *net.TCPListener) bool {
	const flags, syn, synOrAck = 13, 0x02, 0x12
	program := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: flags},
		{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: synOrAck},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: syn, Jt: 0, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0},
		{Code: unix.BPF_RET | unix.BPF_K, K: 1 << 18}, // accept all: no packet is longer
	}
	filter := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	failed := control(l, func(fd int) error {
		return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &filter)
	})
	return failed == nil
}

// hasWaiting reports whether an established connection waits to be accepted.
func hasWaiting(l *net.TCPListener) bool {
	ready := 0
	err := control(l, func(fd int) (err error) {
		ready, err = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
		return err
	})
	return err == nil && ready > 0
}

// control calls f with the listener's file descriptor.
func control(l *net.TCPListener, f func(fd int) error) error {
	raw, err := l.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if err := raw.Control(func(fd uintptr) { failed = f(int(fd)) }); err != nil {
		return err
	}
	return failed
}
