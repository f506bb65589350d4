package settings

import (
	"slices"
	"strings"
	"testing"
)

const primary = "DATABASE_URL=postgres://db/forge"

func TestReplicas(t *testing.T) {
	t.Parallel()
	s, err := load(t, primary, "DATABASE_REPLICAS=postgres://a/forge  postgres://b:5433/forge", "READS=replica-if-fresh", "MAX_REPLICA_LAG=1m")
	if err != nil || !slices.Equal(s.Replicas, []string{"postgres://a/forge", "postgres://b:5433/forge"}) || s.Reads != ReadsFresh {
		t.Errorf("%+v, %v", s, err)
	}
	for _, tt := range []struct {
		words []string
		want  string
	}{
		{[]string{"DATABASE_REPLICAS=postgres://a/forge"}, "SQLite has no replicas"},
		{[]string{primary, "DATABASE_REPLICAS=a:5432"}, "begins with postgres://"},
		{[]string{primary, "DATABASE_REPLICAS=postgres:///forge"}, "names its host"},
		{[]string{primary, "DATABASE_REPLICAS=postgres://a/forge?pgbouncer=on"}, "not of PgBouncer"},
		{[]string{primary, "DATABASE_REPLICAS=postgres://a/forge postgres://a:5432/forge"}, "named twice: a:5432"},
		{[]string{primary, "READS=replica"}, "DATABASE_REPLICAS names no replica"},
		{[]string{primary, "DATABASE_REPLICAS=postgres://a/forge", "READS=all"}, "primary, replica or replica-if-fresh"},
		{[]string{primary, "MAX_REPLICA_LAG=1ms"}, "a time from 100ms"},
	} {
		if _, err := load(t, tt.words...); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: %v, want %q", tt.words, err, tt.want)
		}
	}
	for _, words := range [][]string{
		{primary, "DATABASE_REPLICAS=postgres://u:s3cret@a/forge postgres://u:s3cret@a,b/forge"},
		{primary, "DATABASE_REPLICAS=postgres://u:s3cret@a/forge,postgres://u:s3cret@b/forge"},
		{primary, "DATABASE_REPLICAS=postgres://u:s3cret@a/forge?sslmode=disable,postgresql://u:s3cret@b/forge"},
		{"DATABASE_URL=postgres://u:s3cret@a/forge?sslmode=disable,postgres://u:s3cret@b/forge"},
	} {
		if _, err = load(t, words...); err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("two hosts or addresses in one address, with a password: %v", err)
		}
	}
}
