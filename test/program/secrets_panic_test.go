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
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"forge/internal/application"
	"forge/internal/bootstrap"
	"forge/internal/computed"
	"forge/internal/gqlexec"
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

// faulty panics with a secret at one stage of an operation. It stands in the places of the
// extension for documents and of the generated schema, because no request is known that makes the
// server itself panic.
type faulty struct {
	persisted.Off
	graphql.ExecutableSchema
}

// stageHeader names the stage that panics.
const stageHeader = "X-Panic"

func panicAt(headers http.Header, stage string) {
	if headers.Get(stageHeader) == stage {
		panic(secret("Panic") + stage)
	}
}

func (faulty) MutateOperationParameters(_ context.Context, request *graphql.RawParams) *gqlerror.Error {
	panicAt(request.Headers, "Checked")
	return nil
}

func (f faulty) Exec(ctx context.Context) graphql.ResponseHandler {
	panicAt(graphql.GetOperationContext(ctx).Headers, "Executed")
	return f.ExecutableSchema.Exec(ctx)
}

func (f faulty) Computed(op *graphql.OperationContext, name string) computed.Type {
	return f.ExecutableSchema.(computed.Code).Computed(op, name)
}

func (f faulty) Ask(ctx context.Context, op *graphql.OperationContext, field graphql.CollectedField) graphql.Marshaler {
	return f.ExecutableSchema.(computed.Roots).Ask(ctx, op, field)
}

func (f faulty) Mutate(ctx context.Context, op *graphql.OperationContext, field graphql.CollectedField) graphql.Marshaler {
	return f.ExecutableSchema.(computed.Roots).Mutate(ctx, op, field)
}

func faultyField(ctx context.Context, next graphql.Resolver) (any, error) {
	panicAt(graphql.GetOperationContext(ctx).Headers, "Field")
	return next(ctx)
}

// faultyApp returns the application with stages that panic.
func faultyApp() application.Application {
	faultyApp := app
	faultyApp.API = func(s application.Services) gqlexec.API {
		api := app.API(s)
		executable := api.Executable
		api.Executable = func(schema *ast.Schema) graphql.ExecutableSchema { return faulty{ExecutableSchema: executable(schema)} }
		api.Fields = append(api.Fields, faultyField)
		return api
	}
	return faultyApp
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
	parts := forgeserver.New(faultyApp(), loaded, nil, io.Discard, log).
		Parts(t.Context(), forgeserver.Pools{Requests: db, Monitor: db}, faulty{}, nil, &forgeserver.Identity{}, nil, nil)
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
	go func() { ended <- httpserver.Serve(ctx, l, httpserver.Routes(parts), nil, loaded.Connection, log, 0) }()
	client := gqltest.New(t, httpserver.URL(l))

	const (
		read  = `{ users(first: 1) { nodes { id } } viewer { id } }`
		write = `mutation { createTeam(input: {name: "` + mark + `Team"}) { team { id } } }`
		own   = `mutation { signOut(input: {refreshToken: "` + mark + `Token"}) { ok } }` // gqlgen executes it
	)
	for _, tt := range []struct{ stage, query string }{{"Transport", read}, {"Checked", read}, {"Field", read}, {"Executed", own}, {"Field", write}} {
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
