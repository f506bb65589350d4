package account

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"entgo.io/ent"
	"github.com/google/uuid"

	"forge/internal/database"
	"forge/internal/entity"
	"forge/internal/rule"
	"forge/internal/unit"
	"forge/test/dbtest"
)

// clinic is a schema unlike the demo's: people are called patients, and have other columns.
func clinic() []*entity.Entity {
	key := entity.Field{Name: "id", Column: "id", Kind: entity.ID, Refers: "Patient"}
	owner := func(nullable bool) entity.Field {
		return entity.Field{Name: "patientId", Column: "patient_id", Kind: entity.ID, Refers: "Patient", Nullable: nullable}
	}
	return []*entity.Entity{
		{Name: "Patient", Table: "patients", Owner: "id", Personal: map[string]entity.Erase{"blood_group": entity.Keep}, Fields: []entity.Field{key,
			{Name: "fullName", Column: "full_name", Kind: entity.String, MatchBy: "name_key"}, {Name: "nameKey", Column: "name_key", Kind: entity.String},
			{Name: "phone", Column: "phone", Kind: entity.String, Nullable: true}, {Name: "bornOn", Column: "born_on", Kind: entity.Date, Nullable: true},
			{Name: "bloodGroup", Column: "blood_group", Kind: entity.String, Nullable: true}, {Name: "visits", Column: "visits", Kind: entity.Int},
			{Name: "tokensValidAfter", Column: "tokens_valid_after", Kind: entity.Time, Nullable: true}, {Name: "eraseAt", Column: "erase_at", Kind: entity.Time, Nullable: true}}},
		{Name: "Note", Table: "notes", Owner: "patient_id", OwnerErased: entity.Remove, Fields: []entity.Field{{Name: "id", Column: "id", Kind: entity.ID}, owner(false)}},
		{Name: "Bill", Table: "bills", Owner: "patient_id", OwnerErased: entity.Keep, Personal: map[string]entity.Erase{"address": entity.Replace},
			Fields: []entity.Field{{Name: "id", Column: "id", Kind: entity.ID}, owner(false), {Name: "address", Column: "address", Kind: entity.String}}},
		{Name: "Bed", Table: "beds", Owner: "patient_id", OwnerErased: entity.Release, Fields: []entity.Field{{Name: "id", Column: "id", Kind: entity.ID}, owner(true)},
			Personal: map[string]entity.Erase{"scans": entity.Clear, "plans": entity.Keep},
			Edges:    []entity.Edge{{Name: "scans", To: "Scan", Column: "bed_scans", Files: &entity.FileLimits{}}, {Name: "plans", To: "Scan", Column: "bed_plans", Files: &entity.FileLimits{}}}},
		{Name: "Scan", Table: "scans", Files: true, Fields: []entity.Field{{Name: "id", Column: "id", Kind: entity.ID}}},
		{Name: "Line", Table: "lines", Policy: patientOf("bill"), Personal: map[string]entity.Erase{"text": entity.Replace},
			Fields: []entity.Field{{Name: "id", Column: "id", Kind: entity.Int}, {Name: "text", Column: "text", Kind: entity.String}},
			Edges:  []entity.Edge{{Name: "bill", To: "Bill", Column: "bill_id", OwnKey: true}}},
		{Name: "Remark", Table: "remarks", Policy: patientOf("line.bill"), OwnerErased: entity.Remove, Fields: []entity.Field{{Name: "id", Column: "id", Kind: entity.ID}},
			Edges: []entity.Edge{{Name: "line", To: "Line", Column: "line_id", OwnKey: true}}},
		{Name: "Room", Table: "rooms", Policy: patientOf("beds"), Personal: map[string]entity.Erase{"address": entity.Clear},
			Fields: []entity.Field{{Name: "id", Column: "id", Kind: entity.ID}, {Name: "address", Column: "address", Kind: entity.String, Nullable: true}},
			Edges:  []entity.Edge{{Name: "beds", To: "Bed", Column: "room_id"}}},
		{Name: "Tag", Table: "tags", Policy: patientOf("notes"), Personal: map[string]entity.Erase{"address": entity.Clear},
			Fields: []entity.Field{{Name: "id", Column: "id", Kind: entity.ID}, {Name: "address", Column: "address", Kind: entity.String, Nullable: true}},
			Edges:  []entity.Edge{{Name: "notes", To: "Note", Column: "tag_id", Through: "tag_notes", Far: "note_id"}}},
		{Name: "Song", Table: "songs", Owner: "patient_id", Fields: []entity.Field{{Name: "id", Column: "id", Kind: entity.ID}, owner(true)}},
	}
}

// patientOf returns a policy by which the owner of a row is the patient of another one.
func patientOf(path string) func() ent.Policy {
	return func() ent.Policy { return rule.Policy{Owner: rule.Owner{Path: path, Column: "patient_id"}} }
}

// TestEraseOfClinic erases an account of a schema unlike the demo's. Another account stays as it
// is.
func TestEraseOfClinic(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, address string) {
		db, err := database.Open(address, database.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		key, at := "uuid", "timestamptz"
		if db.Dialect == "sqlite3" {
			key, at = "blob", "datetime"
		}
		u := unit.New(db, unit.Write)
		defer u.Rollback()
		ctx := unit.NewContext(t.Context(), u)
		do := func(statement string, args ...any) {
			t.Helper()
			if _, err := u.Exec(ctx, statement, args...); err != nil {
				t.Fatal(err)
			}
		}
		do(fmt.Sprintf("CREATE TABLE patients (id %[1]s PRIMARY KEY, full_name text NOT NULL UNIQUE, name_key text NOT NULL, phone text, born_on date, blood_group text, visits int NOT NULL, tokens_valid_after %[2]s, erase_at %[2]s)", key, at))
		for _, table := range []string{"notes", "bills", "beds", "songs"} {
			do(fmt.Sprintf("CREATE TABLE %s (id int, patient_id %s REFERENCES patients (id), address text)", table, key))
		}
		do("ALTER TABLE beds ADD room_id int")
		do("CREATE TABLE scans (id int, bed_scans int, bed_plans int)")
		do("CREATE TABLE lines (id int PRIMARY KEY, bill_id int, text text UNIQUE)")
		do("CREATE TABLE remarks (id int, line_id int)")
		do("CREATE TABLE rooms (id int, address text)")
		do("CREATE TABLE tags (id int, address text)")
		do("CREATE TABLE tag_notes (tag_id int, note_id int)")
		eve, ada := uuid.New(), uuid.New()
		n := 1
		for name, id := range map[string]uuid.UUID{"ada": ada, "eve": eve} {
			do("INSERT INTO patients (id, full_name, name_key, phone, born_on, blood_group, visits) VALUES ($1, $2, $2, $2, '1815-12-10', 'A', 3)", id, name)
			for _, table := range []string{"notes", "bills", "beds", "songs"} {
				do("INSERT INTO "+table+" (id, patient_id, address) VALUES ($3, $1, $2)", id, name, len(name)+n)
			}
			do("UPDATE beds SET room_id = $1 WHERE patient_id = $2", n, id)
			do("INSERT INTO scans VALUES ($1, $1, NULL), ($1, NULL, $1)", len(name)+n)
			for line := range 2 {
				do("INSERT INTO lines VALUES ($1, $2, $3)", 10*n+line, len(name)+n, fmt.Sprint(name, line))
				do("INSERT INTO remarks VALUES ($1, $1)", 10*n+line)
			}
			do("INSERT INTO rooms VALUES ($1, $2)", n, name)
			do("INSERT INTO tags VALUES ($1, $2)", n, name)
			do("INSERT INTO tag_notes VALUES ($1, $2)", n, len(name)+n)
			n++
		}
		now := time.Now().UTC().Truncate(time.Microsecond)
		if err := Erase(ctx, clinic(), ada, now, now); err != nil {
			t.Fatal(err)
		}
		for query, want := range map[string]int{
			"SELECT count(*) FROM patients WHERE full_name LIKE 'erased_%' AND name_key = full_name AND phone IS NULL AND born_on IS NULL AND blood_group = 'A' AND visits = 3 AND tokens_valid_after IS NOT NULL": 1,
			"SELECT count(*) FROM patients WHERE full_name = 'eve' AND phone = 'eve' AND tokens_valid_after IS NULL":                                                                                               1,
			"SELECT count(*) FROM notes": 1, "SELECT count(*) FROM notes WHERE address = 'eve'": 1,
			"SELECT count(*) FROM bills WHERE patient_id IS NOT NULL": 2, "SELECT count(*) FROM bills WHERE address = 'ada'": 0,
			"SELECT count(*) FROM lines WHERE text LIKE 'erased_%'": 2, "SELECT count(*) FROM lines WHERE text LIKE 'eve%'": 2, "SELECT count(*) FROM remarks": 2,
			"SELECT count(*) FROM rooms WHERE address IS NULL": 1, "SELECT count(*) FROM rooms WHERE address = 'eve'": 1,
			"SELECT count(*) FROM tags WHERE address IS NULL": 1, "SELECT count(*) FROM tags WHERE address = 'eve'": 1,
			"SELECT count(*) FROM beds WHERE patient_id IS NULL": 1, "SELECT count(*) FROM songs WHERE patient_id IS NOT NULL": 2,
			"SELECT count(*) FROM scans WHERE bed_scans IS NOT NULL": 1, "SELECT count(*) FROM scans f JOIN beds b ON b.id = f.bed_scans WHERE address = 'eve'": 1,
			"SELECT count(*) FROM scans WHERE bed_plans IS NOT NULL": 2,
		} {
			if n := numberOf(ctx, t, query); n != want {
				t.Errorf("%s: %d, want %d", query, n, want)
			}
		}
	})
}

// TestCheckEraseFar has rules for rows whose owner another row has.
func TestCheckEraseFar(t *testing.T) {
	t.Parallel()
	for erase, words := range map[entity.Erase]string{entity.Keep: "", entity.Remove: "", "": "", entity.Release: "another row has their owner", entity.Clear: "no column"} {
		e := &entity.Entity{Name: "Line", OwnerErased: erase, Fields: []entity.Field{{Name: "id", Column: "id", Kind: entity.ID}}}
		err := e.CheckErase("", true)
		if (err == nil) != (words == "") || err != nil && !strings.Contains(err.Error(), words) {
			t.Errorf("%q: %v, want %q", erase, err, words)
		}
	}
}

func numberOf(ctx context.Context, t *testing.T, query string) (n int) {
	t.Helper()
	err := unit.FromContext(ctx).Rows(ctx, func(rows *sql.Rows) error {
		rows.Next()
		return rows.Scan(&n)
	}, query)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestCheckErase has rules that cannot be kept. Each is refused with a reason.
func TestCheckErase(t *testing.T) {
	t.Parallel()
	for _, e := range clinic() {
		if err := e.CheckErase(e.Owner, e.Policy != nil); err != nil {
			t.Errorf("%s: %v", e.Name, err)
		}
	}
	for _, tt := range []struct {
		entity int
		column string
		rule   entity.Erase
		words  string
	}{
		{0, "full_name", entity.Clear, "must not be null"}, {0, "visits", entity.Replace, "not a text"}, {0, "none", entity.Clear, "not a column"},
		{3, "scans", entity.Replace, "cleared or kept"}, {3, "plans", entity.Remove, "cleared or kept"}, {3, "bed_scans", entity.Clear, "not a column"},
		{0, "phone", entity.Remove, "for rows"}, {0, "phone", "shred", "for nothing"}, {0, "id", entity.Clear, "null"},
		{1, "", entity.Release, "must not be null"}, {1, "", entity.Clear, "for columns"}, {0, "", entity.Remove, "no column"},
	} {
		e := clinic()[tt.entity]
		if tt.column == "" {
			e.OwnerErased = tt.rule
		} else {
			e.Personal = map[string]entity.Erase{tt.column: tt.rule}
		}
		if err := e.CheckErase(e.Owner, false); err == nil || !strings.Contains(err.Error(), tt.words) {
			t.Errorf("%s of %s.%s: %v", tt.rule, e.Name, tt.column, err)
		}
	}
}
