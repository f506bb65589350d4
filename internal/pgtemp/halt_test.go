//go:build unix

package pgtemp

import "testing"

func TestHaltAndResume(t *testing.T) {
	t.Parallel()
	c, err := Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	db := mustOpen(t, c.URL("postgres"))
	for _, statement := range []string{"CREATE TABLE kept (id integer)", "CHECKPOINT"} {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Halt(); err != nil {
		t.Fatal(err)
	}
	if err := db.Ping(); err == nil {
		t.Error("the server still answers after Halt")
	}
	if err := c.Resume(); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("SELECT id FROM kept"); err != nil {
		t.Errorf("after Resume: %v", err)
	}
	if err := c.Resume(); err == nil {
		t.Error("a server that runs was started once more")
	}
	if err := c.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := c.Halt(); err == nil {
		t.Error("Halt after Stop did not fail")
	}
}
