package pgwire_test

import (
	"crypto/tls"
	"io"
	"net"
	"net/http/httptest"
	"net/url"
	"reflect"
	"testing"

	"forge/test/dbtest"
)

// TestTLS checks that rows are the same under TLS.
func TestTLS(t *testing.T) {
	address := dbtest.Postgres(t)
	encrypted := openSession(t, behindTLS(t, address))
	plain := openSession(t, address)
	const query = `SELECT i, i::bigint, repeat('x', i), '\x00ff'::bytea, i > 1, NULL::int,
		'2026-01-02 03:04:05.678901+02'::timestamptz FROM generate_series(1, 3) i`
	for range 3 {
		want, err := plain.rows(query)
		if err != nil {
			t.Error(err)
		}
		got, err := encrypted.rows(query)
		if err != nil {
			t.Error(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("TLS: got %q\nplain: %q", got, want)
		}
	}
	encrypted.sound()
}

// behindTLS starts a proxy that speaks TLS to clients, and returns its address.
func behindTLS(t *testing.T, address string) string {
	t.Helper()
	target, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	network, server := "tcp", target.Host
	if host := target.Query().Get("host"); host != "" {
		network, server = "unix", host+"/.s.PGSQL."+target.Query().Get("port")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	// The server is never used. It is the shortest way to a certificate.
	certificates := httptest.NewUnstartedServer(nil)
	certificates.StartTLS()
	defer certificates.Close()
	config := &tls.Config{Certificates: certificates.TLS.Certificates}
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go serveTLS(client, config, network, server)
		}
	}()
	target.Host, target.RawQuery = l.Addr().String(), "sslmode=require"
	return target.String()
}

// serveTLS accepts a client's request for TLS, and forwards its session to a server without TLS.
func serveTLS(client net.Conn, config *tls.Config, network, server string) {
	defer client.Close()
	request := make([]byte, 8)
	if _, err := io.ReadFull(client, request); err != nil {
		return
	}
	if _, err := client.Write([]byte("S")); err != nil {
		return
	}
	to, err := net.Dial(network, server)
	if err != nil {
		return
	}
	defer to.Close()
	encrypted := tls.Server(client, config)
	go func() {
		_, _ = io.Copy(to, encrypted)
		to.Close()
	}()
	_, _ = io.Copy(encrypted, to)
}
