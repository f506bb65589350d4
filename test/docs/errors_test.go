package docs

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"forge/ent"
	"forge/internal/changes"
	"forge/internal/database"
	"forge/test/gqltest"
	"forge/test/process"
)

// TestErrors brings about the error of each code of errors.md, and compares it with the page. With
// UPDATE_PAGES=1 it writes the errors into the page.
func TestErrors(t *testing.T) {
	page, err := os.ReadFile("errors.md")
	if err != nil {
		t.Fatal(err)
	}
	_, codes, _ := strings.Cut(string(page), "## Codes\n")
	text := string(page)
	s := newSituations(t)
	var request block
	compared := 0
	for _, b := range blocks(codes) {
		if b.label != "" {
			request = b
			continue
		}
		compared++
		got := shownError(t, s.bring(t, request))
		if !strings.Contains(got, `"`+request.label+`"`) {
			t.Errorf("%s is answered by\n%s", request.label, got)
		}
		before := request.text + "```\n\n```json\n"
		if os.Getenv("UPDATE_PAGES") != "" {
			text = strings.Replace(text, "### "+request.label+"\n", "### \x00"+request.label+"\n", 1)
			head, tail, _ := strings.Cut(text, "\x00")
			text = head + strings.Replace(tail, before+b.text, before+got, 1)
		} else if got != b.text {
			t.Errorf("%s is answered by\n%s\nand errors.md shows\n%s", request.label, got, b.text)
		}
	}
	if n := strings.Count(codes, "\n### "); compared != n {
		t.Errorf("%d of %d codes have an example", compared, n)
	}
	if text != string(page) {
		if err := os.WriteFile("errors.md", []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// shownError returns the first error of an answer as the page shows it.
func shownError(t *testing.T, answer gqltest.Answer) string {
	t.Helper()
	var body struct{ Errors []json.RawMessage }
	if err := json.Unmarshal([]byte(answer.Body), &body); err != nil || len(body.Errors) == 0 {
		t.Fatalf("there is no error (%v): %s", err, answer.Body)
	}
	var shown struct {
		Message    string         `json:"message"`
		Path       []any          `json:"path,omitempty"`
		Extensions map[string]any `json:"extensions"`
	}
	if err := json.Unmarshal(body.Errors[0], &shown); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"requestId", "productId", "oldest", "retryAfter", "available"} {
		if shown.Extensions[name] != nil {
			shown.Extensions[name] = "…"
		}
	}
	var text strings.Builder
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(shown); err != nil {
		t.Fatal(err)
	}
	return joined(strings.Split(strings.TrimSpace(text.String()), "\n"))
}

// situations are servers on which errors come about.
type situations struct {
	file    string          // the database of open
	open    *gqltest.Client // everybody may do everything
	signed  *gqltest.Client // people sign in, and limits are low
	trusted *gqltest.Client // runs documents of a manifest only
	hurried *gqltest.Client // operations may take no time
	vars    gqltest.Vars    // rows of open, and a cursor of changes
}

func newSituations(t *testing.T) *situations {
	t.Helper()
	program, dir := process.Build(t), t.TempDir()
	manifest := filepath.Join(dir, "documents.json")
	if err := os.WriteFile(manifest, []byte(`{"count": "{ heroes { nodes { name } } }"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	start := func(env ...string) *gqltest.Client {
		return gqltest.New(t, serve(t, program, dir, append(os.Environ(), env...)))
	}
	s := &situations{file: filepath.Join(dir, "shop.db")}
	s.open = gqltest.New(t, serveOn(t, program, dir, "sqlite:"+s.file))
	s.signed = start("AUTH=on", "AUTH_SECRET=a secret of this page, and of no server", "MAX_DEPTH=6", "MAX_ALIASES=3", "APQ=off")
	s.trusted = start("TRUSTED_DOCUMENTS="+manifest, "DEMO=off")
	s.hurried = start("REQUEST_TIMEOUT=1ms")
	rows := s.open.Must(`{ users(first: 1) { nodes { id } } products(first: 1) { nodes { id } } teams(first: 1) { nodes { id } } changeCursor }`, nil)
	s.vars = gqltest.Vars{"user": rows.Text("users.nodes.0.id"), "product": rows.Text("products.nodes.0.id"), "team": rows.Text("teams.nodes.0.id"), "after": rows.Text("changeCursor")}
	return s
}

// bring sends a request of the page where it is answered with an error of its code.
func (s *situations) bring(t *testing.T, request block) gqltest.Answer {
	t.Helper()
	ask := func(c *gqltest.Client) gqltest.Answer {
		return c.Send(t.Context(), request.text, s.needed(request.text))
	}
	switch request.label {
	case "UNAUTHENTICATED", "QUERY_TOO_DEEP", "TOO_MANY_ALIASES":
		return ask(s.signed)
	case "FORBIDDEN":
		token := s.signed.Must(`mutation { signUp(input: {username: "eve", password: "correct horse battery"}) { accessToken } }`, nil).Text("signUp.accessToken")
		return ask(s.signed.As(token))
	case "RATE_LIMITED":
		for range 50 {
			if a := ask(s.signed); a.Code() == request.label {
				return a
			}
		}
		return ask(s.signed)
	case "TIMEOUT":
		return ask(s.hurried)
	case "OPERATION_NOT_ALLOWED":
		return ask(s.trusted)
	case "PERSISTED_QUERY_NOT_FOUND":
		return s.open.SendBody(t.Context(), []byte(request.text))
	case "PERSISTED_QUERY_NOT_SUPPORTED":
		return s.signed.SendBody(t.Context(), []byte(request.text))
	case "IDEMPOTENCY_CONFLICT":
		c := s.open.With("Idempotency-Key", "the key of this page")
		c.Must(`mutation { createTeam(input: { name: "The Noon" }) { team { id } } }`, nil)
		return ask(c)
	case "CURSOR_EXPIRED":
		s.change(t, func(db *database.DB) error {
			_, err := changes.New(db.DB, db.Dialect, ent.Entities).Sweep(t.Context(), 0, 1)
			return err
		})
	case "CURSOR_LOST":
		s.vars["after"] = s.open.Must(`{ changeCursor }`, nil).Text("changeCursor")
		s.execute(t, "UPDATE "+changes.Objects(ent.Entities)("sqlite3")[0].Name+" SET mark = 1 - mark")
	case "INTERNAL":
		s.execute(t, "ALTER TABLE teams RENAME TO taken_away")
		defer s.execute(t, "ALTER TABLE taken_away RENAME TO teams")
	case "UNAVAILABLE":
		move(t, s.file, s.file+"-away")
		defer move(t, s.file+"-away", s.file)
	}
	return ask(s.open)
}

// needed returns the variables that a document declares.
func (s *situations) needed(document string) gqltest.Vars {
	vars := gqltest.Vars{}
	for name, value := range s.vars {
		if strings.Contains(document, "$"+name+":") {
			vars[name] = value
		}
	}
	return vars
}

// change changes the database beside the server.
func (s *situations) change(t *testing.T, f func(*database.DB) error) {
	t.Helper()
	db, err := database.Open("sqlite:"+s.file, database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := f(db); err != nil {
		t.Fatal(err)
	}
}

func (s *situations) execute(t *testing.T, statement string) {
	t.Helper()
	s.change(t, func(db *database.DB) error {
		_, err := db.ExecContext(t.Context(), statement)
		return err
	})
}

func move(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}
