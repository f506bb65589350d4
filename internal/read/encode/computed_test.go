package encode

import (
	"context"
	"strconv"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"forge/internal/apperr"
	"forge/internal/budget"
	"forge/internal/entity"
	"forge/internal/read/plan"
)

// TestComputedErrorsWithoutRoom writes a computed field that has an error after the answer has as
// many errors as are shown: no more are made.
func TestComputedErrorsWithoutRoom(t *testing.T) {
	t.Parallel()
	made := 0
	ctx := graphql.WithResponseContext(t.Context(), func(_ context.Context, err error) *gqlerror.Error {
		made++
		return gqlerror.Wrap(err)
	}, graphql.DefaultRecover)
	w := Writer{Budget: budget.New(1 << 20)}
	w.Start(ctx, nil, nil)
	w.Computed = [][]*Computed{{{Errors: []Error{{Error: &gqlerror.Error{Err: apperr.BadInput("size", "0"), Message: "0"}}}}}}
	out := &plan.Output{Step: ast.PathName("url"), Kind: plan.OfResolver, Visible: entity.ToAll}
	for range budget.MaxErrors + 10 {
		if made < budget.MaxErrors {
			w.Budget.AddError(apperr.CodeBadUserInput) // as package gqlexec does for each error that is made
		}
		w.related(out, 0)
	}
	if made > budget.MaxErrors {
		t.Errorf("%d errors were made, %d are shown", made, budget.MaxErrors)
	}
}

// TestSplice writes JSON with marks. The reference of a mark with an even number has a value. That
// of an odd one has none, and neither have as many values around as its tens say.
func TestSplice(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, text, want string }{
		{"no mark", `{"a":["\"",1]}`, `{"a":["\"",1]}`},
		{"values", `[<2>,<4>]`, `[2,4]`},
		{"braces in texts", `{"}\"]":<2>}`, `{"}\"]":2}`},
		{"null in its place", `{"a":<1>,"b":2}`, `{"a":null,"b":2}`},
		{"null around", `{"a":{"b":<11>,"c":[{"d":"}]"}]},"e":<2>}`, `{"a":null,"e":2}`},
		{"null around a list", `{"a":[{"b":<2>},{"b":<21>},{"b":<2>}],"e":1}`, `{"a":null,"e":1}`},
		{"a mark in what is left out", `[{"a":<11>,"b":<2>},<4>]`, `[null,4]`},
		{"null in a list", `[{"a":<11>},{"a":<2>}]`, `[null,{"a":2}]`},
		{"everything", `{"a":{"b":<31>}}`, ""},
		{"alone", `<1>`, ""},
	} {
		var w Writer
		text := strings.NewReplacer("<", "\x00", ">", "\x00").Replace(tt.text)
		ok := w.Splice([]byte(text), func(n int) Reference { return numbered(n) })
		if got := string(w.Bytes); ok != (tt.want != "") || ok && got != tt.want {
			t.Errorf("%s: %q, %t; want %q", tt.name, got, ok, tt.want)
		}
	}
}

type numbered int

func (n numbered) Write(w *Writer) bool {
	w.Bytes = strconv.AppendInt(w.Bytes, int64(n), 10)
	return n%2 == 0
}

func (n numbered) Up() int { return int(n) / 10 }
