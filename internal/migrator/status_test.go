package migrator_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"forge/internal/migrator"
)

func TestStatus(t *testing.T) {
	t.Parallel()
	eachEmpty(t, func(t *testing.T, db database) {
		files := withThird(heroes())
		show := func() (table string, all map[string]any) {
			t.Helper()
			report, err := db.Source(files).Status(t.Context(), db.DB)
			if err != nil {
				t.Fatal(err)
			}
			var text, script strings.Builder
			if err := report.Write(&text); err != nil {
				t.Fatal(err)
			}
			if err := report.WriteJSON(&script); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal([]byte(script.String()), &all); err != nil {
				t.Fatalf("%v:\n%s", err, &script)
			}
			return text.String(), all
		}
		wants := func(what, state string, first, table string) {
			t.Helper()
			text, all := show()
			if !regexp.MustCompile(table).MatchString(text) {
				t.Errorf("%s: the table is\n%s\nwant a match of %s", what, text, table)
			}
			if all["state"] != state || (all["reason"] == "") != (state == "ok") {
				t.Errorf("%s: the state is %v, because of %q, want %s", what, all["state"], all["reason"], state)
			}
			got, err := json.Marshal(all["versions"].([]any)[0])
			if err != nil {
				t.Fatal(err)
			}
			// Members are in alphabetical order here.
			if !regexp.MustCompile(first).Match(got) {
				t.Errorf("%s: the first version is %s, want a match of %s", what, got, first)
			}
		}
		const date = `\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`
		const pending = `^{"appliedAt":null,"begun":false,"checksum":null,"name":"step","state":"pending","version":20260101000001}$`
		const applied = `^{"appliedAt":"20[^"]*Z","begun":false,"checksum":"ok","name":"step","state":"applied","version":20260101000001}$`

		wants("empty", "pending", pending, `^20260101000001_step  pending\n20260101000002_step  pending\n20260101000003_step  pending\ndrift: none\n$`)
		if err := db.Source(files).UpTo(t.Context(), db.DB, 20260101000002, migrator.LockTimeout, discard); err != nil {
			t.Fatal(err)
		}
		wants("two of three", "pending", applied, `^20260101000001_step  applied `+date+`  checksum ok\n20260101000002_step  applied `+date+`  checksum ok\n`+
			`20260101000003_step  pending\ndrift: none\n$`)
		mustUp(t, db, files)
		wants("all", "ok", applied, `(?m)^20260101000003_step  applied `+date+`  checksum ok\ndrift: none\n$`)

		db.MustExec(t, "DROP INDEX hero_name")
		wants("drift", "refused", applied, `(?m)^drift: missing: .*hero_name.*\nup and down are refused: .*hero_name`)
		if _, all := show(); len(all["drift"].(map[string]any)["lines"].([]any)) != 1 || all["drift"].(map[string]any)["compared"] != true {
			t.Errorf("drift: %v, want one line", all["drift"])
		}
		db.MustExec(t, "CREATE INDEX hero_name ON heroes (name)")

		files["20260101000001_step.sql"] = &fstest.MapFile{Data: append([]byte("-- other\n"), files["20260101000001_step.sql"].Data...)}
		wants("changed", "refused", `"checksum":"changed"`, `(?m)^20260101000001_step  applied `+date+`  checksum changed\n`)

		db.MustExec(t, "UPDATE goose_db_version SET checksum = NULL, schema = NULL")
		wants("not known", "ok", `"checksum":"not known"`, `(?s)checksum not known\n.*drift: not compared: what 20260101000003 left is not known`)
		if _, all := show(); all["drift"].(map[string]any)["compared"] != false || all["drift"].(map[string]any)["reason"] == "" {
			t.Errorf("drift: %v, want that it was not compared", all["drift"])
		}

		db.MustExec(t, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (29990101000000, true)")
		wants("newer", "refused", `.`, `(?m)^29990101000000  +applied `+date+`  checksum not known, unknown to this build\n`)
	})
}
