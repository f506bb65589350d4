package read

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/budget"
	"forge/internal/database"
	"forge/internal/entity"
	"forge/internal/ids"
	"forge/internal/read/binding"
	"forge/internal/unit"
	"forge/internal/viewer"
	"forge/test/dbtest"
)

// gallery is a schema with interfaces and unions of entities: as what root fields refer to, as what
// several edges lead to, and in connections.
const gallery = `
scalar Cursor
scalar Time
interface Node { id: ID! }
interface Work { title: String! rating: Int added: Time! author: Author }
union Subject = Photo | Video | Author
type Query {
  works(first: Int, after: Cursor, last: Int, before: Cursor, where: WorkWhereInput, orderBy: [WorkOrder!]): WorkConnection!
  authors: AuthorConnection!
  comments(first: Int): CommentConnection!
  subject: Subject
  subjects: [Subject]!
}
type PageInfo { hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: Cursor endCursor: Cursor }
type WorkConnection { edges: [WorkEdge!]! nodes: [Work!]! pageInfo: PageInfo! totalCount: Int! }
type WorkEdge { cursor: Cursor! node: Work! }
input WorkWhereInput { not: WorkWhereInput and: [WorkWhereInput!] or: [WorkWhereInput!] titleHasPrefix: String ratingGTE: Int ratingIsNil: Boolean hasAuthorWith: [AuthorWhereInput!] }
input AuthorWhereInput { name: String }
input WorkOrder { field: WorkOrderField! direction: OrderDirection! = ASC }
enum WorkOrderField { TITLE RATING ADDED }
enum OrderDirection { ASC DESC }
type Photo implements Node & Work { id: ID! title: String! rating: Int added: Time! width: Int! secret: String author: Author comments: [Comment!]! }
type Video implements Node & Work { id: ID! title: String! rating: Int added: Time! codec: String! author: Author comments: [Comment!]! }
type Author implements Node {
  id: ID! name: String!
  works(first: Int, after: Cursor, last: Int, before: Cursor, where: WorkWhereInput, orderBy: [WorkOrder!]): WorkConnection!
  all: [Work!]!
}
type AuthorConnection { nodes: [Author!]! }
type Comment implements Node { id: ID! text: String! subject: Subject }
type CommentConnection { nodes: [Comment!]! }
`

func galleryEntities() []*entity.Entity {
	field := func(name string, kind entity.Kind, of entity.Field) entity.Field {
		of.Name, of.Column, of.Kind = name, strings.ToLower(strings.Replace(name, "Id", "_id", 1)), kind
		return of
	}
	make := func(name string, edges []entity.Edge, fields ...entity.Field) *entity.Entity {
		e := &entity.Entity{Name: name, Prefix: strings.ToLower(name), Table: strings.ToLower(name) + "s", Ruled: true, Edges: edges, Visible: map[string]entity.Visibility{}}
		e.Fields = append([]entity.Field{{Name: "id", Column: "id", Kind: entity.ID, Refers: name}}, fields...)
		for _, f := range e.Fields {
			e.Visible[f.Name] = entity.ToAll
		}
		for _, edge := range edges {
			e.Visible[edge.Name] = entity.ToAll
		}
		return e
	}
	one := func(name, to string) entity.Edge {
		return entity.Edge{Name: name, To: to, Column: name + "_id", OwnKey: true, Unique: true, Nullable: true}
	}
	many := func(name, to, column string) entity.Edge { return entity.Edge{Name: name, To: to, Column: column} }
	work := func(own entity.Field) []entity.Field {
		return []entity.Field{field("title", entity.String, entity.Field{}), field("rating", entity.Int, entity.Field{Nullable: true}),
			field("added", entity.Time, entity.Field{}), own, field("authorId", entity.ID, entity.Field{Refers: "Author", Nullable: true})}
	}
	photo := make("Photo", []entity.Edge{one("author", "Author"), many("comments", "Comment", "photo_id")},
		append(work(field("width", entity.Int, entity.Field{})), field("secret", entity.String, entity.Field{Nullable: true}))...)
	photo.Visible["secret"] = entity.ToNobody
	author := make("Author", []entity.Edge{many("photos", "Photo", "author_id"), many("videos", "Video", "author_id")}, field("name", entity.String, entity.Field{}))
	author.Unites = map[string][]string{"works": {"photos", "videos"}, "all": {"photos", "videos"}}
	author.Visible["works"], author.Visible["all"] = entity.ToAll, entity.ToAll
	comment := make("Comment", []entity.Edge{one("photo", "Photo"), one("video", "Video"), one("author", "Author")}, field("text", entity.String, entity.Field{}))
	comment.Unites = map[string][]string{"subject": {"photo", "video", "author"}}
	comment.Visible["subject"] = entity.ToAll
	return []*entity.Entity{photo, make("Video", []entity.Edge{one("author", "Author"), many("comments", "Comment", "video_id")},
		work(field("codec", entity.String, entity.Field{}))...), author, comment}
}

// galleryTest is a gallery in a database.
type galleryTest struct {
	*testing.T
	db      *database.DB
	engine  *Engine
	authors []uuid.UUID
	works   []work
	ran     int // the statements of the last query
	viewer  viewer.Viewer
}

// work is a photo or a video.
type work struct {
	ID     ids.ID
	Title  string
	Rating *int
	Added  time.Time
	author uuid.UUID
	hidden bool // the policy hides it
}

// newGallery fills a database with works of 4 authors, which have many values in common. Some
// photos and videos even have the same key. Every tenth work is hidden by a policy. Each work has a
// comment, and so has an author.
func newGallery(t *testing.T, url string) *galleryTest {
	t.Helper()
	db, err := database.Open(url, database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	g := &galleryTest{T: t, db: db, viewer: viewer.Viewer{Role: viewer.User}}
	db.Watch = func(context.Context, string, time.Duration, error) { g.ran++ }
	g.engine, err = New(binding.Contract{Schema: gqlparser.MustLoadSchema(&ast.Source{Input: gallery}), Entities: galleryEntities(),
		Refers: func(field string) bool { return !strings.HasPrefix(field, "subject") }}, Options{Query: hideSome})
	if err != nil {
		t.Fatal(err)
	}
	key, text, when := "uuid", `text COLLATE "C"`, "timestamptz"
	if db.Dialect == dialect.SQLite {
		key, text, when = "blob", "text", "datetime"
	}
	common := fmt.Sprintf("id %s PRIMARY KEY, title %s, rating int, added %s, author_id %s, hidden bool", key, text, when, key)
	g.exec("CREATE TABLE photos (" + common + ", width int, secret text)")
	g.exec("CREATE TABLE videos (" + common + ", codec text)")
	g.exec(fmt.Sprintf("CREATE TABLE authors (id %s PRIMARY KEY, name text, hidden bool)", key))
	g.exec(fmt.Sprintf("CREATE TABLE comments (id %[1]s PRIMARY KEY, text text, photo_id %[1]s, video_id %[1]s, author_id %[1]s, hidden bool)", key))
	for i := range 4 {
		g.authors = append(g.authors, entity.NewID())
		g.exec("INSERT INTO authors VALUES ($1, $2, false)", g.authors[i], fmt.Sprint("author ", i))
	}
	g.exec("INSERT INTO comments VALUES ($1, 'of an author', NULL, NULL, $2, false)", entity.NewID(), g.authors[0])
	g.exec("INSERT INTO comments VALUES ($1, 'of nothing', NULL, NULL, NULL, false)", entity.NewID())
	r := rand.New(rand.NewPCG(3, 4))
	for i := range 60 {
		key := entity.NewID()
		if i%3 == 2 {
			key = g.works[i-1].ID.UUID // of a photo or a video
		}
		w := work{ID: ids.ID{Prefix: "photo", UUID: key}, Title: []string{"a", "B", "ä", "b\u0000"[:1], "z"}[r.IntN(5)], author: g.authors[r.IntN(3)],
			Added: time.Date(2026, 1, 1, 0, 0, r.IntN(3), r.IntN(3)*50_000_000, time.UTC), hidden: i%10 == 9}
		if r.IntN(3) > 0 {
			w.Rating = new(r.IntN(12))
		}
		if i%6 == 2 {
			w.Title, w.Rating, w.Added = g.works[i-1].Title, g.works[i-1].Rating, g.works[i-1].Added
		}
		table, own, column := "photos", any(i), "photo_id"
		if i%3 == 2 && g.works[i-1].ID.Prefix == "photo" || i%3 != 2 && r.IntN(2) == 0 {
			w.ID.Prefix, table, own, column = "video", "videos", "av1", "video_id"
		}
		g.exec("INSERT INTO "+table+" VALUES ($1, $2, $3, $4, $5, $6, $7"+strings.Repeat(", 'secret'", strings.Count(table, "photos"))+")",
			w.ID.UUID, w.Title, w.Rating, w.Added, w.author, w.hidden, own)
		g.exec("INSERT INTO comments (id, text, "+column+", hidden) VALUES ($1, $2, $3, false)", entity.NewID(), "of "+w.ID.String(), w.ID.UUID)
		g.works = append(g.works, w)
	}
	return g
}

func (g *galleryTest) exec(query string, args ...any) {
	g.Helper()
	if _, err := g.db.ExecContext(g.Context(), query, args...); err != nil {
		g.Fatalf("%s: %v", query, err)
	}
}

// hideSome writes queries as ent does, with a policy that hides some rows.
func hideSome(ctx context.Context, u *unit.Unit, e *entity.Entity, shape func(*entsql.Selector)) error {
	s := entsql.Dialect(u.Dialect()).Select().From(entsql.Table(e.Table))
	s.Where(entsql.P(func(b *entsql.Builder) { b.WriteString("NOT ").Ident(s.C("hidden")) }))
	shape(s)
	text, args := s.Query()
	return unit.Client(u, func(d dialect.Driver) dialect.Driver { return d }).Query(ctx, text, args, &entsql.Rows{})
}

// ask runs a query. A root field that has a resolver gets its value from resolved.
func (g *galleryTest) ask(query string, vars map[string]any, resolved any) (data string, errors string) {
	g.Helper()
	op := parsed(g, g.engine, query)(vars)
	op.RecoverFunc = graphql.DefaultRecover
	ctx := graphql.WithResponseContext(graphql.WithOperationContext(g.Context(), op), graphql.DefaultErrorPresenter, graphql.DefaultRecover)
	mode := unit.Snapshot
	if g.engine.Prepare(op).Statements(g.db.Dialect) <= 1 {
		mode = unit.Single
	}
	u := unit.New(g.db, mode)
	defer u.Rollback()
	ctx = budget.NewContext(unit.NewContext(viewer.NewContext(ctx, g.viewer), u), budget.New(0))
	g.ran = 0
	if resolved == nil {
		answer, ok := g.engine.Prepare(op).Answer(ctx)
		if !ok {
			g.Fatalf("%s: the engine does not answer", query)
		}
		return string(answer), graphql.GetErrors(ctx).Error()
	}
	f := graphql.CollectFields(op, op.Operation.SelectionSet, []string{"Query"})[0]
	ctx = graphql.WithFieldContext(ctx, &graphql.FieldContext{Object: "Query", Field: f})
	var failed error
	response := g.engine.Execute(ctx, func(ctx context.Context) *graphql.Response {
		var value any
		value, failed = g.engine.Read(ctx, func(context.Context) (any, error) { return resolved, nil })
		var b bytes.Buffer
		if m, ok := value.(graphql.Marshaler); ok {
			m.MarshalGQL(&b)
		}
		return &graphql.Response{Data: b.Bytes()}
	})
	if failed != nil {
		return "", failed.Error()
	}
	return string(response.Data), graphql.GetErrors(ctx).Error()
}

// must runs a query without errors, which is one statement on PostgreSQL.
func (g *galleryTest) must(query string, vars map[string]any, resolved any) string {
	g.Helper()
	data, errors := g.ask(query, vars, resolved)
	if errors != "" {
		g.Fatalf("%s %v: %s", query, vars, errors)
	}
	if g.db.Dialect == dialect.Postgres && g.ran > 1 {
		g.Errorf("%s takes %d statements", query, g.ran)
	}
	return data
}

type node struct{ ID string }

type worksPage struct {
	TotalCount int
	Edges      []struct {
		Cursor string
		Node   node
	}
	Nodes    []node
	PageInfo struct {
		HasNextPage, HasPreviousPage bool
		StartCursor, EndCursor       string
	}
}

func (p *worksPage) ids() (list []string) {
	for _, e := range p.Edges {
		list = append(list, e.Node.ID)
	}
	return list
}

const worksFields = `totalCount edges { cursor node { __typename title rating added ... on Photo { id } ... on Video { id codec } } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }`

// ordered returns the IDs of the works that are kept, in the order of the terms.
func (g *galleryTest) ordered(keep func(work) bool, terms ...string) (list []string) {
	works := slices.DeleteFunc(slices.Clone(g.works), func(w work) bool { return w.hidden || !keep(w) })
	desc := false
	slices.SortFunc(works, func(a, b work) int {
		for _, term := range terms {
			field, direction, _ := strings.Cut(term, " ")
			n := 0
			switch field {
			case "TITLE":
				n = cmp.Compare(a.Title, b.Title)
			case "ADDED":
				n = a.Added.Compare(b.Added)
			case "RATING":
				switch {
				case a.Rating == nil && b.Rating == nil:
				case a.Rating == nil:
					return 1
				case b.Rating == nil:
					return -1
				default:
					n = cmp.Compare(*a.Rating, *b.Rating)
				}
			}
			if desc = direction == "DESC"; desc {
				n = -n
			}
			if n != 0 {
				return n
			}
		}
		n := slices.Compare(a.ID.UUID[:], b.ID.UUID[:])
		if desc {
			n = -n
		}
		return cmp.Or(n, cmp.Compare(a.ID.Prefix, b.ID.Prefix))
	})
	for _, w := range works {
		list = append(list, w.ID.String())
	}
	return list
}

// TestAbstractPages walks through a connection of an interface in both directions, in each order,
// and compares with the works sorted in Go.
func TestAbstractPages(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		g := newGallery(t, url)
		const query = `query($first: Int, $after: Cursor, $last: Int, $before: Cursor, $where: WorkWhereInput, $orderBy: [WorkOrder!]) {
			works(first: $first, after: $after, last: $last, before: $before, where: $where, orderBy: $orderBy) { ` + worksFields + ` } }`
		page := func(vars map[string]any) (p worksPage) {
			t.Helper()
			var data struct{ Works worksPage }
			if err := json.Unmarshal([]byte(g.must(query, vars, nil)), &data); err != nil {
				t.Fatal(err)
			}
			return data.Works
		}
		all := func(work) bool { return true }
		for _, terms := range [][]string{nil, {"TITLE ASC"}, {"TITLE DESC"}, {"RATING ASC"}, {"RATING DESC"}, {"ADDED ASC"}, {"RATING DESC", "TITLE ASC"}, {"ADDED DESC", "RATING ASC"}} {
			var orderBy []any
			for _, term := range terms {
				field, direction, _ := strings.Cut(term, " ")
				orderBy = append(orderBy, map[string]any{"field": field, "direction": direction})
			}
			want := g.ordered(all, terms...)
			for _, size := range []int{1, 7, 100} {
				var forward, backward []string
				vars := map[string]any{"first": size, "orderBy": orderBy}
				for {
					p := page(vars)
					forward = append(forward, p.ids()...)
					if p.TotalCount != len(want) || p.PageInfo.HasNextPage != (len(forward) < len(want)) || p.PageInfo.HasPreviousPage != (vars["after"] != nil) {
						t.Errorf("%v by %d after %d: %d in all, %+v", terms, size, len(forward), p.TotalCount, p.PageInfo)
					}
					if vars["after"] = p.PageInfo.EndCursor; !p.PageInfo.HasNextPage || len(forward) > len(want) {
						break
					}
				}
				vars = map[string]any{"last": size, "orderBy": orderBy}
				for {
					p := page(vars)
					backward = append(p.ids(), backward...)
					if vars["before"] = p.PageInfo.StartCursor; !p.PageInfo.HasPreviousPage || len(backward) > len(want) {
						break
					}
				}
				if !slices.Equal(forward, want) || !slices.Equal(backward, want) {
					t.Errorf("%v by %d:\nforward  %v\nbackward %v\nwant     %v", terms, size, forward, backward, want)
				}
			}
		}
		for name, tt := range map[string]struct {
			where map[string]any
			keep  func(work) bool
		}{
			"title":  {map[string]any{"titleHasPrefix": "b"}, func(w work) bool { return w.Title == "b" }},
			"rating": {map[string]any{"or": []any{map[string]any{"ratingGTE": 9}, map[string]any{"ratingIsNil": true}}}, func(w work) bool { return w.Rating == nil || *w.Rating >= 9 }},
			"author": {map[string]any{"hasAuthorWith": []any{map[string]any{"name": "author 1"}}}, func(w work) bool { return w.author == g.authors[1] }},
		} {
			if got, want := page(map[string]any{"first": 100, "where": tt.where}), g.ordered(tt.keep); !slices.Equal(got.ids(), want) || got.TotalCount != len(want) {
				t.Errorf("%s: %v, want %v", name, got.ids(), want)
			}
		}
		// A cursor of another order, or of another list, is refused.
		cursor := page(map[string]any{"first": 1}).PageInfo.EndCursor
		if _, errors := g.ask(`query($c: Cursor) { authors { nodes { works(after: $c, orderBy: [{field: TITLE}]) { totalCount } } } }`, map[string]any{"c": cursor}, nil); !strings.Contains(errors, "not a cursor of this list") {
			t.Errorf("a cursor of another order: %s", errors)
		}
	})
}

// TestAbstractNested reads connections, lists and single rows of several edges below others.
func TestAbstractNested(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		g := newGallery(t, url)
		var data struct {
			Authors struct {
				Nodes []struct {
					Name                string
					Works, Last, Counts worksPage
					All                 []node
				}
			}
		}
		answer := g.must(`{ authors { nodes { name
			works(first: 5, orderBy: [{field: RATING, direction: DESC}]) { `+worksFields+` nodes { author { name } ... on Node { id } } }
			last: works(last: 3) { edges { node { ... on Node { id } ... on Photo { comments { subject { __typename } } } } } pageInfo { hasPreviousPage } }
			counts: works(where: {titleHasPrefix: "a"}) { totalCount }
			all { ...both } } } }
			fragment both on Work { __typename title ... on Photo { id width } ... on Video { id codec } }`, nil, nil)
		if err := json.Unmarshal([]byte(answer), &data); err != nil {
			t.Fatal(err)
		}
		for i, a := range data.Authors.Nodes {
			of := func(w work) bool { return w.author == g.authors[i] }
			all := g.ordered(of)
			if best := g.ordered(of, "RATING DESC"); !slices.Equal(a.Works.ids(), best[:min(5, len(best))]) || a.Works.TotalCount != len(best) || a.Works.PageInfo.HasNextPage != (len(best) > 5) {
				t.Errorf("the best of %s: %+v, want the first of %v", a.Name, a.Works, best)
			}
			for j, n := range a.Works.Nodes {
				if n.ID != a.Works.Edges[j].Node.ID {
					t.Errorf("node %d is %s, and edge %s", j, n.ID, a.Works.Edges[j].Node.ID)
				}
			}
			if !slices.Equal(a.Last.ids(), all[max(0, len(all)-3):]) || a.Last.PageInfo.HasPreviousPage != (len(all) > 3) {
				t.Errorf("the last of %s: %+v, want the last of %v", a.Name, a.Last, all)
			}
			if want := len(g.ordered(func(w work) bool { return of(w) && w.Title == "a" })); a.Counts.TotalCount != want {
				t.Errorf("%s has %d works with a, want %d", a.Name, a.Counts.TotalCount, want)
			}
			var list []string
			for _, w := range a.All {
				list = append(list, w.ID)
			}
			if !slices.Equal(list, all) {
				t.Errorf("all of %s: %v, want %v", a.Name, list, all)
			}
		}
		answer = g.must(`{ comments(first: 100) { nodes { text subject { __typename ... on Work { title author { name } } ... on Author { name } ... on Video { codec } } } } }`, nil, nil)
		for _, want := range []string{`{"text":"of an author","subject":{"__typename":"Author","name":"author 0"}}`, `{"text":"of nothing","subject":null}`,
			`"text":"of ` + g.works[0].ID.String() + `","subject":{"__typename":"` + strings.ToUpper(g.works[0].ID.Prefix[:1]) + g.works[0].ID.Prefix[1:] + `"`,
			`"text":"of ` + g.works[9].ID.String() + `","subject":null`} {
			if !strings.Contains(answer, want) {
				t.Errorf("no %s in %s", want, answer)
			}
		}
		if _, errors := g.ask(`{ works(first: 60) { nodes { ... on Photo { secret } } } }`, nil, nil); !strings.Contains(errors, "you may not see this") {
			t.Errorf("a field of one member that nobody may see: %s", errors)
		}
		if _, errors := g.ask(`{ authors { nodes { works(first: 101) { totalCount } } } }`, nil, nil); !strings.Contains(errors, "first is 101; from 0 to 100 is allowed") {
			t.Errorf("a page that is too large: %s", errors)
		}
	})
}

// refersTo is what a resolver returns to refer to an entity.
type refersTo struct{ ID ids.ID }

func (r *refersTo) GetID() ids.ID { return r.ID }

// TestAbstractReferences reads what resolvers refer to, where the type is a union.
func TestAbstractReferences(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		g := newGallery(t, url)
		const selection = ` { __typename ... on Work { title author { name } } ... on Author { name works(first: 1) { totalCount } } } }`
		author := &refersTo{ids.ID{Prefix: "author", UUID: g.authors[3]}}
		if got, want := g.must(`{ subject`+selection, nil, author), `{"__typename":"Author","name":"author 3","works":{"totalCount":0}}`; got != want {
			t.Errorf("%s, want %s", got, want)
		}
		var list []*refersTo
		var want []string
		for _, w := range g.works[5:15] {
			list = append(list, &refersTo{w.ID})
			object := fmt.Sprintf(`{"__typename":"%s","title":"%s","author":{"name":"author %d"}}`, map[string]string{"photo": "Photo", "video": "Video"}[w.ID.Prefix],
				w.Title, slices.Index(g.authors, w.author))
			if w.hidden {
				object = "null"
			}
			want = append(want, object)
		}
		list, want = append(list, author, nil), append(want, `{"__typename":"Author","name":"author 3","works":{"totalCount":0}}`, "null")
		if got := g.must(`{ subjects`+selection, nil, list); got != "["+strings.Join(want, ",")+"]" {
			t.Errorf("%s, want %s", got, want)
		}
		if _, errors := g.ask(`{ subject`+selection, nil, &refersTo{ids.ID{Prefix: "comment", UUID: g.authors[0]}}); errors == "" {
			t.Error("an entity that is no member is read")
		}
	})
}
