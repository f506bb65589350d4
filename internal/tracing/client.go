package tracing

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"forge/internal/retry"
)

// client sends spans by POST as OTLP over HTTP says:
// https://opentelemetry.io/docs/specs/otlp/#otlphttp. It implements otlptrace.Client.
// OpenTelemetry's own client would bring gRPC into the program.
type client struct {
	url     string
	headers map[string]string
	gzip    bool
	http    *http.Client
	log     *slog.Logger
}

// maxAnswer is the largest part of a collector's answer that is read.
const maxAnswer = 64 << 10

// pauses are those between attempts at a collector that says to come back. The time limit of a
// batch ends them.
var pauses = retry.Backoff{First: 500 * time.Millisecond, Max: 5 * time.Second, Jitter: 0.5}

func newClient(o Options, log *slog.Logger) *client {
	env := readEnvironment(log)
	maps.Copy(env.headers, o.Headers)
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = env.tls
	return &client{
		url: o.Endpoint, headers: env.headers, gzip: env.gzip, log: log,
		http: &http.Client{
			Transport: transport, Timeout: env.timeout,
			// The headers may have a key, which is for nobody else.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// Start implements otlptrace.Client.
func (c *client) Start(context.Context) error { return nil }

// Stop implements otlptrace.Client.
func (c *client) Stop(context.Context) error {
	c.http.CloseIdleConnections()
	return nil
}

// UploadTraces sends spans, and tries again while the collector says that it is busy. It returns an
// error if ctx ends before that, or if the collector does not take them.
func (c *client) UploadTraces(ctx context.Context, spans []*tracepb.ResourceSpans) error {
	// The request has the same form as TracesData.
	body, err := proto.Marshal(&tracepb.TracesData{ResourceSpans: spans})
	if err != nil {
		return err
	}
	if c.gzip {
		body = zipped(body)
	}
	for attempt := 1; ; attempt++ {
		wait, err := c.send(ctx, body)
		if _, busy := errors.AsType[*busyError](err); !busy {
			return err
		}
		select {
		case <-time.After(max(wait, pauses.Pause(attempt))):
		case <-ctx.Done():
			return err
		}
	}
}

// busyError means that the collector may take the same spans later.
type busyError struct{ status string }

// Error returns the status of the answer.
func (e *busyError) Error() string { return "the collector is busy: " + e.status }

// send makes one attempt. With a *busyError, it also returns how long the collector wants to be
// left alone.
func (c *client) send(ctx context.Context, body []byte) (time.Duration, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	for name, value := range c.headers {
		req.Header.Set(name, value)
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	if c.gzip {
		req.Header.Set("Content-Encoding", "gzip")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	busy := []int{http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout}
	switch {
	case slices.Contains(busy, resp.StatusCode):
		seconds, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
		return time.Duration(max(0, min(seconds, int(exportTime/time.Second)))) * time.Second, &busyError{resp.Status}
	case resp.StatusCode/100 != 2:
		return 0, fmt.Errorf("the collector answers %s", resp.Status)
	case err != nil:
		return 0, err
	}
	if n := rejected(answer); n > 0 && resp.Header.Get("Content-Type") == "application/x-protobuf" {
		c.log.WarnContext(ctx, "the collector did not take all traces", "spans", n)
	}
	return 0, nil
}

// rejected returns how many spans the collector says that it did not take: the field rejected_spans
// of the field partial_success of an ExportTraceServiceResponse.
func rejected(answer []byte) uint64 {
	partial, _ := protowire.ConsumeBytes(field(answer, 1, protowire.BytesType))
	n, _ := protowire.ConsumeVarint(field(partial, 1, protowire.VarintType))
	return n
}

// field returns the rest of a message from the value of a field on. It returns nil if the message
// has no such field, or is no message.
func field(message []byte, number protowire.Number, kind protowire.Type) []byte {
	for len(message) > 0 {
		n, t, size := protowire.ConsumeTag(message)
		if size < 0 {
			return nil
		}
		message = message[size:]
		if n == number && t == kind {
			return message
		}
		if size = protowire.ConsumeFieldValue(n, t, message); size < 0 {
			return nil
		}
		message = message[size:]
	}
	return nil
}

func zipped(body []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(body) // a buffer takes all
	_ = w.Close()
	return b.Bytes()
}
