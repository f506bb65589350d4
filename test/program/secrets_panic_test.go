package program

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/urfave/cli/v3"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"forge/internal/bootstrap"
	"forge/internal/httpserver"
	"forge/internal/persisted"
	forgeserver "forge/internal/server"
	"forge/internal/settings"
	"forge/internal/telemetry"
	"forge/internal/tracing"
	"forge/internal/viewer"
	"forge/test/dbtest"
	"forge/test/gqltest"
	"forge/test/process"
)

// faulty panics with a secret at one stage of an operation. It is used in the place of the
// extension for documents, because no request is known that makes the server itself panic.
type faulty struct{ persisted.Off }

// stageHeader names the stage that panics.
const stageHeader = "X-Panic"

func (faulty) panics(ctx context.Context, stage string) {
	if graphql.GetOperationContext(ctx).Headers.Get(stageHeader) == stage {
		panic(secret("Panic") + stage)
	}
}

func (f faulty) MutateOperationContext(ctx context.Context, op *graphql.OperationContext) *gqlerror.Error {
	f.panics(graphql.WithOperationContext(ctx, op), "Checked")
	return nil
}

func (f faulty) InterceptRootField(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
	f.panics(ctx, "Root")
	return next(ctx)
}

func (f faulty) InterceptField(ctx context.Context, next graphql.Resolver) (any, error) {
	f.panics(ctx, "Field")
	return next(ctx)
}

// TestPanicSecrets makes every stage of an operation panic with a secret. The server has the same
// parts as that of the command serve. The answer, the log, the metrics and the trace must not
// contain the secret, and the log must say where the panic was.
func TestPanicSecrets(t *testing.T) {
	t.Parallel()
	c, written := newCollector(t), new(process.Output)
	environ := []string{"FORGE_ENV=production", "AUTH=off", "ADDR=127.0.0.1:0", "DATABASE_URL=" + dbtest.SQLite(t), "LOG_LEVEL=debug",
		"OTEL_EXPORTER_OTLP_ENDPOINT=" + c.URL, "OTEL_EXPORTER_OTLP_HEADERS=Key=of%20the%20collector"}
	loaded, err := settings.Load(&cli.Command{Flags: settings.Flags()}, environ)
	if err != nil {
		t.Fatal(err)
	}
	log := loaded.Logger(written)
	db, err := bootstrap.Open(t.Context(), loaded)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	sent, err := tracing.Start(t.Context(), loaded.Traces, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	parts := forgeserver.New(app, loaded, nil, io.Discard, log).
		Parts(t.Context(), forgeserver.Pools{Requests: db, Monitor: db}, faulty{}, nil, &forgeserver.Identity{})
	parts.Tracer = telemetry.NewTracer(sent, db.Dialect)
	api := parts.API
	parts.API = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get(stageHeader) == "Transport" {
			panic(secret("Panic") + "Transport")
		}
		api.ServeHTTP(w, r)
	})
	l, err := httpserver.Listen(loaded.Addr)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(viewer.NewContext(t.Context(), viewer.System))
	ended := make(chan error, 1)
	go func() { ended <- httpserver.Serve(ctx, l, httpserver.Routes(parts), loaded.Connection, log, 0) }()
	client := gqltest.New(t, httpserver.URL(l))

	const (
		read  = `{ users(first: 1) { nodes { id } } viewer { id } }`
		write = `mutation { createTeam(input: {name: "` + mark + `Team"}) { team { id } } }`
	)
	// One middleware is left out: gqlgen runs the middleware of root fields of queries where
	// nothing recovers from a panic. Forge's own does nothing there.
	for _, tt := range []struct{ stage, query string }{{"Transport", read}, {"Checked", read}, {"Field", read}, {"Root", write}, {"Field", write}} {
		got := client.With(stageHeader, tt.stage).Send(t.Context(), tt.query, nil)
		if tt.stage == "Transport" {
			if got.Status != 0 {
				t.Errorf("%s: %s, want the end of the connection", tt.stage, got)
			}
			continue
		}
		if got.Code() != "INTERNAL" || leaks(got.Body) != nil {
			t.Errorf("%s: %s, want INTERNAL and no more", tt.stage, got)
		}
	}
	if metrics := client.Get("/metrics").Body; leaks(metrics) != nil {
		t.Errorf("the metrics tell %v", leaks(metrics))
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	sent.Stop()
	checkLog(t, written.String(), `"msg":"panic"`, "of type string", "secrets_panic_test.go", `"msg":"request failed"`)
	if told := strings.Count(written.String(), "of type string"); told != 6 {
		t.Errorf("the log tells of %d panics, want 6 (both root fields of the query panic)", told)
	}
	checkTraces(t, c, "POST /graphql", "query")
}
