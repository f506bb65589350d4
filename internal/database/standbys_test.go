package database

import "testing"

func TestAwaited(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		names         string
		standbys      []string
		wanted, named int
	}{
		{"", []string{"db2"}, 0, 0},
		{"ANY 1 (db1, db2, db3)", []string{"db2", "db3"}, 1, 2},
		{"any 2 (db1,db2,db3)", []string{"db2"}, 2, 1},
		{"ANY 1 (db1, db2, db3)", []string{"walreceiver"}, 1, 0},
		{"FIRST 1 (\"db-2\")", []string{"DB-2"}, 1, 1},
		{"2 (*)", []string{"a", "b"}, 2, 2},
		{"db1, db2", []string{"db2"}, 1, 1},
		{"*", nil, 1, 0},
	} {
		wanted, named := State{StandbyNames: tt.names, Standbys: tt.standbys}.Awaited()
		if wanted != tt.wanted || named != tt.named {
			t.Errorf("%q, %q: %d and %d, want %d and %d", tt.names, tt.standbys, wanted, named, tt.wanted, tt.named)
		}
	}
}
