package api_test

import (
	"bytes"
	"context"
	"log/slog"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/99designs/gqlgen/graphql"

	"forge/internal/unit"
	"forge/test/dbtest"
)

// TestFailuresLogged runs a mutation whose attempts fail for different reasons. Only the failure of
// the last attempt is logged.
func TestFailuresLogged(t *testing.T) {
	t.Parallel()
	url := dbtest.Postgres(t)
	for name, tt := range map[string]struct {
		states []string // of the attempts; what follows succeeds
		want   string   // in the one line; none if it is ""
	}{
		"succeeds":             {nil, ""},
		"succeeds in the end":  {[]string{"40001", "40P01"}, ""},
		"fails":                {[]string{"XX001"}, "attempt 1"},
		"fails in another way": {[]string{"40001", "XX001"}, "attempt 2"},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			a := newAPI(t, url)
			a.log = slog.New(slog.NewTextHandler(&log, nil))
			var attempts atomic.Int32
			a.around(func(ctx context.Context, next graphql.Resolver) (any, error) {
				if graphql.GetFieldContext(ctx).Path().String() != "createTeam" {
					return next(ctx)
				}
				n := int(attempts.Add(1))
				if n > len(tt.states) {
					return next(ctx)
				}
				_, err := unit.FromContext(ctx).Exec(ctx, "DO $$BEGIN RAISE EXCEPTION 'attempt "+strconv.Itoa(n)+"' USING ERRCODE = '"+tt.states[n-1]+"'; END$$")
				return nil, err
			})
			got := a.Do(`mutation($name: String!) { createTeam(input: {name: $name}) { team { id } } }`, vars{"name": name})
			if failed := got.Code() != ""; failed != (tt.want != "") {
				t.Errorf("the answer is %s", got)
			}
			lines := strings.Count(log.String(), "\n")
			if tt.want == "" && lines != 0 || tt.want != "" && (lines != 1 || !strings.Contains(log.String(), tt.want)) {
				t.Errorf("logged, want %q:\n%s", tt.want, log.String())
			}
		})
	}
}
