package database

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/lib/pq"
)

func TestRedactError(t *testing.T) {
	t.Parallel()
	const secret = "5ecret"
	_, number := strconv.Atoi(secret + `"; `)
	tests := []struct {
		err  error
		want string // "" where nothing is left out
	}{
		{&pq.Error{Code: "22P02", Message: `invalid input syntax for type integer: "5ecret " 5ecret"`}, "pq: invalid input syntax for type integer: … (22P02)"},
		{&pq.Error{Code: "22003", Message: `value "5ecret" is out of range for type integer`}, "pq: value … is out of range for type integer (22003)"},
		{&pq.Error{Code: "P0001", Message: "5ecret is not allowed"}, "pq: … (P0001)"},
		{&pq.Error{Code: "23505", Message: `duplicate key value violates unique constraint "user_username"`, Detail: "Key (username)=(5ecret) already exists."}, ""},
		{&pq.Error{Code: "42703", Message: `column "x" does not exist`}, ""},
		{fmt.Errorf("read: %w", number), `read: strconv.Atoi: parsing "…": invalid syntax`},
		{errors.New("dial tcp 127.0.0.1:5432: connection refused"), ""},
	}
	for _, tt := range tests {
		want := tt.want
		if want == "" {
			want = tt.err.Error()
		}
		if got := RedactError(tt.err); got != want || strings.Contains(got, secret) {
			t.Errorf("%s: redacted to\n%s, want\n%s", tt.err, got, want)
		}
		if got := RedactError(fmt.Errorf("deep: %w", tt.err)); got != "deep: "+want {
			t.Errorf("%s: redacted to\n%s, want\n%s", tt.err, got, "deep: "+want)
		}
	}
}
