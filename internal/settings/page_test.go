package settings

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

const page = "../../docs/settings.md"

const pageHead = `<!-- Generated: UPDATE_PAGES=1 go test ./internal/settings -run TestPage -->
# Settings

Each setting has an environment variable and a flag, and the flag counts more. An empty variable
counts as none. A value that is not allowed stops the start with one line, and so does a variable
that begins with ` + "`FORGE_`" + ` and is no setting. ` + "`forge settings all`" + ` prints the same list, and
` + "`forge settings TOPIC`" + ` a part of it. ` + "`forge doctor`" + ` says which settings do not fit together.

| Variable | Flag | Default | Meaning | Allowed |
| --- | --- | --- | --- | --- |
`

// TestPage compares docs/settings.md with All. With UPDATE_PAGES=1 it writes the page.
func TestPage(t *testing.T) {
	t.Parallel()
	cell := strings.NewReplacer("|", `\|`, "\n", " ")
	want := pageHead
	for _, s := range All {
		meaning := strings.ToUpper(s.Meaning[:1]) + s.Meaning[1:]
		want += fmt.Sprintf("| `%s` | `--%s` | %s | %s | %s |\n", s.Env, s.Flag, cell.Replace(s.Default), cell.Replace(meaning), cell.Replace(s.Allowed))
	}
	if os.Getenv("UPDATE_PAGES") != "" {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	is, err := os.ReadFile(page)
	if err != nil || string(is) != want {
		t.Errorf("docs/settings.md is not what All says (%v): UPDATE_PAGES=1 go test ./internal/settings -run TestPage writes it", err)
	}
}
