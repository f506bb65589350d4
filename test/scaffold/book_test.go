package scaffold

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	entschema "entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"forge/internal/entity"
	"forge/internal/rule"
	"forge/internal/scaffold"
	"forge/internal/viewer"
)

// Author writes books.
type Author struct{ ent.Schema }

func (Author) Annotations() []entschema.Annotation {
	return []entschema.Annotation{entity.Annotation{Prefix: "author", ShownToAll: []string{"id", "name", "books"}}, entschema.Comment("Whoever writes books.")}
}

func (Author) Fields() []ent.Field {
	return []ent.Field{field.UUID("id", uuid.UUID{}).Default(entity.NewID), field.String("name")}
}

func (Author) Edges() []ent.Edge { return []ent.Edge{edge.To("books", Book.Type)} }

func (Author) Policy() ent.Policy {
	return rule.Policy{Read: rule.Everyone, Create: rule.Everyone}
}

// Book has columns of several kinds.
type Book struct{ ent.Schema }

func (Book) Annotations() []entschema.Annotation {
	return []entschema.Annotation{
		entity.Annotation{Prefix: "book", Logged: true, Search: []string{"title"}, Deleted: "deleted_at",
			ShownToAll: []string{"id", "title", "isbn", "pages", "genre", "author", "version", "createdAt"}, ShownToOwners: []string{"notes"}, Owner: "keeper_id"},
		entsql.Checks(map[string]string{"books_title_length": "length(title) BETWEEN 1 AND 2000", "books_pages_range": "pages BETWEEN 1 AND 5000"}),
	}
}

func (Book) Fields() []ent.Field {
	return []ent.Field{
		field.Int("id"), field.Int("version").Default(1), field.Time("created_at").Default(time.Now), field.Time("deleted_at").Optional().Nillable(),
		field.String("title").Comment("As on the cover"),
		field.String("isbn").Unique(),
		field.Int32("pages").Optional().Nillable().Comment("Without the cover."),
		field.Enum("genre").Values("NOVEL", "POEMS").Default("NOVEL"),
		field.Text("notes").Optional().Nillable(),
		field.String("secret").Optional().Sensitive(),
		field.UUID("author_id", uuid.UUID{}), field.UUID("keeper_id", uuid.UUID{}).Optional().Nillable(),
	}
}

func (Book) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("author", Author.Type).Ref("books").Field("author_id").Unique().Required(),
		edge.To("keeper", Author.Type).Field("keeper_id").Unique(),
	}
}

func (Book) Indexes() []ent.Index {
	return []ent.Index{index.Fields("title", "id"), index.Fields("pages", "id"), index.Fields("author_id", "id")}
}

func (Book) Policy() ent.Policy {
	return rule.Policy{Read: rule.Everyone, Create: rule.SignedIn, Update: rule.Role("EDITOR"), Delete: rule.Any(rule.Owners, rule.Role("EDITOR")), Owner: rule.Owner{Column: "keeper_id"}}
}

// library describes books and authors.
func library(t *testing.T, schemas ...ent.Interface) scaffold.Source {
	t.Helper()
	s, err := scaffold.Describe("forge/library/ent/schema", append(schemas, Author{}, Book{}))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestGolden compares the schema of two entities with that of a file, which UPDATE_GOLDEN=1 writes
// anew.
func TestGolden(t *testing.T) {
	const path = "testdata/library.graphqls"
	r := write(t, library(t))
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(path, []byte(r.SDL), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), r.SDL); diff != "" {
		t.Errorf("%s (- file, + now):\n%s", path, diff)
	}
	access := []scaffold.Access{
		{Field: "Query.author", Role: viewer.Anonymous}, {Field: "Query.authors", Role: viewer.Anonymous}, {Field: "Query.book", Role: viewer.Anonymous}, {Field: "Query.books", Role: viewer.Anonymous},
		{Field: "Query.changeCursor", Role: viewer.Anonymous}, {Field: "Query.changes", Role: viewer.Anonymous},
		{Field: "Mutation.createAuthor", Role: viewer.User}, {Field: "Mutation.createAuthors", Role: viewer.User}, // nobody writes without signing in
		{Field: "Mutation.createBook", Role: viewer.User}, {Field: "Mutation.createBooks", Role: viewer.User},
		{Field: "Mutation.updateBook", Role: viewer.User, Roles: []string{"EDITOR"}}, {Field: "Mutation.updateBooks", Role: viewer.User, Roles: []string{"EDITOR"}},
		{Field: "Mutation.deleteBook", Role: viewer.User}, {Field: "Mutation.restoreBook", Role: viewer.User}, {Field: "Mutation.deleteBooks", Role: viewer.User},
		{Field: "Subscription.bookChanges", Role: viewer.Anonymous}, {Field: "Subscription.changes", Role: viewer.Anonymous}, {Field: "Subscription.live", Role: viewer.Anonymous},
	}
	if diff := cmp.Diff(access, r.Access); diff != "" {
		t.Errorf("access:\n%s", diff)
	}
}

// TestLoggedLater adds Logged to entities that have a type: what tells of their changes is added for
// those that are named.
func TestLoggedLater(t *testing.T) {
	s := library(t)
	author, book := s.Entities[0], s.Entities[1]
	book.Logged = false
	s.SDL = write(t, s).SDL
	if strings.Contains(s.SDL, "ChangeCursor") || strings.Contains(s.SDL, "Subscription") {
		t.Fatalf("without Logged, the schema tells of changes:\n%s", s.SDL)
	}
	for _, tt := range []struct {
		of     *entity.Entity
		want   string
		access []scaffold.Access
	}{
		{book, "enum ChangeType {\n  BOOK\n}", []scaffold.Access{{Field: "Query.changeCursor"}, {Field: "Query.changes"}, {Field: "Subscription.bookChanges"}, {Field: "Subscription.changes"}, {Field: "Subscription.live"}}},
		{author, "enum ChangeType {\n  BOOK\n  AUTHOR\n}", []scaffold.Access{{Field: "Subscription.authorChanges"}}},
	} {
		tt.of.Logged = true
		if again := write(t, s); again.SDL != s.SDL {
			t.Errorf("a run without names changes something:\n%s", cmp.Diff(s.SDL, again.SDL))
		}
		r := write(t, s, tt.of.Name)
		if s.SDL = r.SDL; !strings.Contains(r.SDL, tt.want) {
			t.Errorf("of %s, there is no %s in:\n%s", tt.of.Name, tt.want, r.SDL)
		}
		if diff := cmp.Diff(tt.access, r.Access); diff != "" {
			t.Errorf("access of %s:\n%s", tt.of.Name, diff)
		}
		if again := write(t, s, tt.of.Name); again.SDL != s.SDL {
			t.Errorf("a second run for %s changes something:\n%s", tt.of.Name, cmp.Diff(s.SDL, again.SDL))
		}
	}
}

// TestAgain writes twice, entity by entity, and after the owner of the schema has changed it.
func TestAgain(t *testing.T) {
	s := library(t)
	first := write(t, s)
	s.SDL = first.SDL
	if again := write(t, s); again.SDL != s.SDL || len(again.Access) > 0 || len(again.Shown) > 0 {
		t.Errorf("a second run changes something: %v, %v", again.Shown, again.Access)
	}
	if again := write(t, s, "Book", "Author"); again.SDL != s.SDL {
		t.Errorf("a run with names changes something:\n%s", cmp.Diff(s.SDL, again.SDL))
	}

	s.SDL = strings.ReplaceAll(first.SDL, "  \"As on the cover. 1 to 2,000 characters.\"\n", "  # the owner says nothing\n")
	s.SDL = strings.Replace(s.SDL, "  updateBooks(", "  renameBooks(", 1)
	if again := write(t, s); again.SDL != s.SDL {
		t.Errorf("what the owner changed was changed:\n%s", cmp.Diff(s.SDL, again.SDL))
	}

	s.SDL = ""
	s.SDL = write(t, s, "Author").SDL
	if strings.Contains(s.SDL, "Book") {
		t.Error("the type Author leads to books, which were not asked for")
	}
	both := write(t, s)
	for _, added := range []string{"\n  books(first: Int, after: Cursor,", "\n  hasBooksWith: [BookWhereInput!]\n"} {
		if !strings.Contains(both.SDL, added) {
			t.Errorf("an author gets no %q", added)
		}
	}
	if input := definition(both.SDL, "CreateAuthorInput"); strings.Contains(input, "books") {
		t.Errorf("an input that stands was changed: %s", input)
	}
	if _, err := scaffold.Load(both.SDL); err != nil {
		t.Error(err)
	}
}

// definition returns the text of a type.
func definition(sdl, name string) string {
	_, text, _ := strings.Cut(sdl, " "+name+" ")
	text, _, _ = strings.Cut(text, "\n}")
	return text
}

// TestOneField adds a field to a type that stands, and to all that belongs to it.
func TestOneField(t *testing.T) {
	s := library(t)
	whole := write(t, s).SDL
	var kept []string
	for line := range strings.Lines(whole) {
		if !strings.Contains(strings.ToLower(line), "pages") && !strings.Contains(line, "Without the cover") && !strings.Contains(line, `"Sums. `) && !strings.Contains(line, `"Averages. `) {
			kept = append(kept, line)
		}
	}
	without := strings.Join(kept, "")
	for _, empty := range []string{"\ntype BookSum {\n}\n", "\ntype BookAverage {\n}\n"} {
		without = strings.Replace(without, empty, "", 1)
	}
	for _, line := range []string{"  sum: BookSum!\n", "  avg: BookAverage!\n"} {
		without = strings.Replace(without, line, "", 1)
	}
	s.SDL = without
	got := write(t, s, "Book.pages").SDL
	if a, b := sortedLines(whole), sortedLines(got); !slices.Equal(a, b) {
		t.Errorf("the lines are not those of the whole:\n%s", cmp.Diff(a, b))
	}
}

// sortedLines returns the lines of a text, without blank ones, in order.
func sortedLines(text string) []string {
	lines := slices.DeleteFunc(strings.Split(text, "\n"), func(line string) bool { return strings.TrimSpace(line) == "" })
	slices.Sort(lines)
	return lines
}
