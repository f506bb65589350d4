package cli

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"forge/internal/usage"
)

func healthcheckCommand(do runner) *cli.Command {
	return &cli.Command{
		Name: "healthcheck", Action: do(healthcheck),
		Usage: "ask the server that listens on ADDR whether it lives, for containers that have no other program to ask with",
		Description: "It sends GET /healthz, or with --ready GET /readyz, and prints one line. The exit status is 0 if the answer is 200 within 3s, " +
			"and 1 otherwise. A host that stands for all addresses of the machine is asked as 127.0.0.1.",
		Flags: []cli.Flag{&cli.BoolFlag{Name: "ready", Local: true, HideDefault: true,
			Usage: "whether it is ready for requests; not for what restarts a server, which would do so while the database is away"}},
	}
}

// probeTimeout is how long the server may take to answer.
const probeTimeout = 3 * time.Second

func healthcheck(ctx context.Context, p program) error {
	host, port, err := net.SplitHostPort(p.Addr)
	if err != nil || port == "0" {
		return usage.Errorf("%s=%q names no port to ask", p.NameOf("ADDR"), p.Addr)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	path := "/healthz"
	if p.cmd.Bool("ready") {
		path = "/readyz"
	}
	url := "http://" + net.JoinHostPort(host, port) + path
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	// The server is on this machine, so a proxy that the environment names is not used.
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 4096))
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s: %s", url, response.Status, strings.TrimSpace(string(body)))
	}
	_, err = fmt.Fprintf(p.out, "%s answers %s\n", url, response.Status)
	return err
}
