package schemas_test

import (
	"fmt"
	"slices"
	"strings"

	"forge/internal/search"
)

// common is what all of ent/schema shares.
const common = `package schema

import (
	"context"
	"time"

	"entgo.io/ent"
	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/mixin"
)

var (
	blob  = map[string]string{dialect.SQLite: "blob"}
	price = map[string]string{dialect.Postgres: "numeric(12, 2)", dialect.SQLite: "text"}
	day   = map[string]string{dialect.Postgres: "date", dialect.SQLite: "date"}
	clock = map[string]string{dialect.Postgres: "time", dialect.SQLite: "datetime"}
)

type Timed struct{ mixin.Schema }

func (Timed) Fields() []ent.Field {
	return []ent.Field{field.Time("created_at").Default(time.Now), field.Time("updated_at").Default(time.Now)}
}

type Versioned struct{ mixin.Schema }

func (Versioned) Fields() []ent.Field { return []ent.Field{field.Int("version").Default(1)} }

type Hiding struct{ mixin.Schema }

func (Hiding) Fields() []ent.Field { return []ent.Field{field.Bool("hidden").Optional().Nillable()} }

func (Hiding) Interceptors() []ent.Interceptor {
	return []ent.Interceptor{ent.TraverseFunc(func(_ context.Context, q ent.Query) error {
		q.(interface{ WhereP(...func(*sql.Selector)) }).WhereP(func(s *sql.Selector) {
			s.Where(sql.Or(sql.IsNull(s.C("hidden")), sql.Not(sql.IsTrue(s.C("hidden")))))
		})
		return nil
	})}
}
`

// entSchema returns ent/schema's file of a thing.
func (t *thing) entSchema() string {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p(`package schema

import (
	"encoding/json"
	"time"

	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"forge/internal/entity"
	"forge/internal/rule"
)

var (
	_ = uuid.UUID{}
	_ = edge.To
	_ = decimal.Decimal{}
	_ = json.RawMessage{}
	_ = time.Time{}
)

type %s struct{ ent.Schema }
`, t.name)
	shown := []string{"id"}
	for _, mixin := range t.mixins {
		shown = append(shown, mixed[mixin]...)
	}
	for _, c := range t.columns {
		if !slices.Contains(t.owners, c.api()) {
			shown = append(shown, c.api())
		}
	}
	for _, e := range t.edges {
		shown = append(shown, camel(e.name))
	}
	p("func (%s) Annotations() []schema.Annotation {\n\treturn []schema.Annotation{entity.Annotation{Prefix: %q, Owner: %q, ShownToAll: %#v, ShownToOwners: %#v, Search: %#v}}\n}",
		t.name, t.prefix, t.owner, shown, t.owners, t.searched())
	p("func (%s) Mixin() []ent.Mixin { return []ent.Mixin{%s} }", t.name, joined(t.mixins, func(m string) string { return m + "{}" }))
	p("func (%s) Fields() []ent.Field {\n\treturn []ent.Field{\n\t\t%s,", t.name, t.key.ent)
	for _, c := range t.columns {
		p("\t\t%s,", optional(fmt.Sprintf(c.ent, c.column), c.nullable))
	}
	for _, e := range t.edges {
		if e.of != "many" && !e.owned {
			p("\t\t%s,", optional(fmt.Sprintf(e.to.key.reference, e.name+"_id"), e.nullable))
		}
	}
	p("\t}\n}\nfunc (%s) Edges() []ent.Edge {\n\treturn []ent.Edge{", t.name)
	for _, e := range t.edges {
		if text := e.ent(t); text != "" {
			p("\t\t%s,", text)
		}
	}
	p("\t}\n}")
	owner := ""
	if t.owner != "" {
		owner = fmt.Sprintf("Column: %q", t.owner)
	}
	p("func (%s) Policy() ent.Policy {\n\treturn rule.Policy{Read: rule.%s, Create: rule.Admins, Update: rule.Admins, Delete: rule.Admins, Owner: rule.Owner{%s}}\n}", t.name, t.read, owner)
	return b.String()
}

// mixed are the API's fields of mixins. The field hidden is not shown.
var mixed = map[string][]string{"Timed": {"createdAt", "updatedAt"}, "Versioned": {"version"}}

func optional(builder string, nullable bool) string {
	switch {
	case !nullable:
		return builder
	case strings.HasPrefix(builder, "field.JSON"), strings.HasPrefix(builder, "field.Bytes"), strings.HasPrefix(builder, "field.Strings"), strings.HasPrefix(builder, "field.Ints"), strings.HasPrefix(builder, "field.Floats"):
		return builder + ".Optional()" // nil is NULL
	}
	return builder + ".Optional().Nillable()"
}

// ent returns the builder of an edge. It returns "" if the other end says all.
func (e edge) ent(t *thing) string {
	required := ".Required()"
	if e.nullable {
		required = ""
	}
	self := e.to == t
	switch {
	case self && e.owned, e.implied:
		return ""
	case self && e.of == "many" && e.back == "":
		return fmt.Sprintf("edge.To(%q, %s.Type)", e.name, t.name) // both ends have it
	case self && e.of == "many" && e.back != "":
		return fmt.Sprintf("edge.To(%q, %s.Type).From(%q)", e.back, t.name, e.name)
	case self && e.of == "one" && e.back != "":
		return fmt.Sprintf("edge.To(%q, %s.Type).From(%q).Field(%q).Unique()", e.back, t.name, e.name, e.name+"_id")
	case self && e.of == "only" && e.back != "":
		return fmt.Sprintf("edge.To(%q, %s.Type).Unique().From(%q).Field(%q).Unique()", e.back, t.name, e.name, e.name+"_id")
	case self:
		return fmt.Sprintf("edge.To(%q, %s.Type).Field(%q).Unique()", e.name, t.name, e.name+"_id")
	case e.owned && e.of == "only":
		return fmt.Sprintf("edge.To(%q, %s.Type).Unique()", e.name, e.to.name)
	case e.owned:
		return fmt.Sprintf("edge.To(%q, %s.Type)", e.name, e.to.name) + e.throughIt()
	case e.of == "many":
		return fmt.Sprintf("edge.From(%q, %s.Type).Ref(%q)", e.name, e.to.name, e.back) + e.throughIt()
	case e.back != "":
		return fmt.Sprintf("edge.From(%q, %s.Type).Ref(%q).Field(%q).Unique()", e.name, e.to.name, e.back, e.name+"_id") + required
	}
	return fmt.Sprintf("edge.To(%q, %s.Type).Field(%q).Unique()", e.name, e.to.name, e.name+"_id") + required
}

// throughIt returns what follows the builder of an edge whose join table is an entity.
func (e edge) throughIt() string {
	if e.through == nil {
		return ""
	}
	return fmt.Sprintf(".Through(%q, %s.Type)", e.via, e.through.name)
}

func joined[T any](list []T, text func(T) string) string {
	var all []string
	for _, entry := range list {
		all = append(all, text(entry))
	}
	return strings.Join(all, ", ")
}

// toMany reports whether the edge leads to many rows.
func (e edge) toMany() bool { return e.of == "many" || e.of == "one" && e.owned }

// sdl returns the schema of the things' API.
func sdl(all []*thing) string {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	for _, scalar := range scalars {
		p("scalar %s", scalar)
	}
	p("type Query {\n\tnode(id: ID!): Node\n\tnodes(ids: [ID!]!): [Node]!")
	for _, t := range exposed(all) {
		p("\tone%[1]s(id: ID!): %[1]s\n\tall%[1]s%[2]s: %[1]sConnection!", t.name, t.arguments())
	}
	p("}\ninterface Node { id: ID! }\nscalar Time\nscalar Cursor\ninput JSONPathInput { path: [String!]! value: JSON }\nenum OrderDirection { ASC DESC }")
	p("type PageInfo { hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: Cursor endCursor: Cursor }")
	for _, t := range all {
		t.types(p)
	}
	return b.String()
}

// exposed returns the things that the SDL has types for.
func exposed(all []*thing) []*thing {
	return slices.DeleteFunc(slices.Clone(all), func(t *thing) bool { return !t.exposed })
}

// arguments returns the arguments of the connection.
func (t *thing) arguments() string {
	text := "(first: Int, after: Cursor, last: Int, before: Cursor, offset: Int, where: " + t.name + "WhereInput"
	if len(t.searched()) > 0 {
		text += ", search: String"
	}
	if len(t.orders()) > 0 {
		text += ", orderBy: [" + t.name + "Order!]"
	}
	return text + ")"
}

// searched returns the fields that are searched: texts that everybody may see, the last first.
func (t *thing) searched() (names []string) {
	for _, c := range slices.Backward(t.columns) {
		if t.exposed && slices.Contains([]string{"text", "title", "essay"}, c.name) && !slices.Contains(t.owners, c.api()) && len(names) < search.MaxColumns {
			names = append(names, c.api())
		}
	}
	return names
}

// orders returns what pages can be ordered by: columns, some columns of the rows that edges to one
// lead to, and the numbers of rows that other edges lead to.
func (t *thing) orders() (names []string) {
	for _, c := range t.columns {
		if c.orders {
			names = append(names, strings.ToUpper(c.column))
		}
	}
	if slices.Contains(t.mixins, "Timed") {
		names = append(names, "CREATED_AT")
	}
	for _, e := range t.edges {
		if e.toMany() {
			names = append(names, strings.ToUpper(e.name)+"_COUNT")
			continue
		}
		for _, c := range e.to.columns[:min(2, len(e.to.columns))] {
			if c.orders {
				names = append(names, strings.ToUpper(e.name+"_"+c.column))
			}
		}
	}
	return names
}

// types writes all types of the SDL that are about the thing.
func (t *thing) types(p func(string, ...any)) {
	t.whereInput(p)
	if slices.ContainsFunc(t.columns, func(c column) bool { return c.scalar == "" }) {
		p("enum %sState { NEW old Gone }", t.name)
	}
	if !t.exposed {
		return
	}
	p("type %s implements Node {\n\tid: ID!", t.name)
	for _, field := range t.shown() {
		p("\t%s", field)
	}
	if slices.Contains(t.mixins, "Timed") {
		p("\tcreatedAt: Time!\n\tupdatedAt: Time!")
	}
	if slices.Contains(t.mixins, "Versioned") {
		p("\tversion: Int!")
	}
	for _, e := range t.edges {
		switch {
		case !e.to.exposed:
		case e.toMany() && e.pages:
			p("\t%s%s: %sConnection!", camel(e.name), e.to.arguments(), e.connection(t))
		case e.toMany():
			p("\t%s: [%s!]!", camel(e.name), e.to.name)
		default:
			p("\t%s: %s", camel(e.name), required(e.to.name, !e.nullable && !e.to.hides))
		}
	}
	p("}")
	p(pages, t.name, t.name, "")
	for _, e := range t.edges {
		if e.linked && e.to.exposed {
			p(pages, e.connection(t), e.to.name, strings.Join(e.through.shown(), " "))
		}
	}
	if orders := t.orders(); len(orders) > 0 {
		p("input %[1]sOrder { field: %[1]sOrderField! direction: OrderDirection! = ASC collation: String }\nenum %[1]sOrderField { %[2]s }", t.name, strings.Join(orders, " "))
	}
}

// pages is the types of a connection, of its name, the entity, and more fields of its edges.
const pages = "type %[1]sConnection { edges: [%[1]sEdge!]! nodes: [%[2]s!]! pageInfo: PageInfo! totalCount: Int! }\ntype %[1]sEdge { cursor: Cursor! node: %[2]s! %[3]s }"

// connection returns the name of the connection's type, without Connection.
func (e edge) connection(t *thing) string {
	if e.linked {
		return t.name + title(camel(e.name))
	}
	return e.to.name
}

// shown returns the fields that show columns of the thing's own.
func (t *thing) shown() (fields []string) {
	for _, c := range t.columns {
		if c.shown {
			fields = append(fields, c.api()+": "+required(c.sdl(t), !c.nullable))
		}
	}
	return fields
}

func required(name string, is bool) string {
	if is {
		return name + "!"
	}
	return name
}

func (t *thing) whereInput(p func(string, ...any)) {
	p("input %[1]sWhereInput {\n\tnot: %[1]sWhereInput\n\tand: [%[1]sWhereInput!]\n\tor: [%[1]sWhereInput!]\n\tid: ID\n\tidIn: [ID!]", t.name)
	for _, c := range t.columns {
		for _, op := range c.operators {
			of := c.sdl(t)
			switch op {
			case "IsNil", "NotNil", "IsEmpty":
				of = "Boolean"
			case "Has":
				of = strings.Trim(of, "[!]")
			case "HasKey":
				of = "String"
			case "PathEquals":
				of = "JSONPathInput"
			case "In", "NotIn":
				of = "[" + of + "!]"
			}
			p("\t%s%s: %s", c.api(), op, of)
		}
	}
	for _, e := range t.edges {
		p("\thas%s: Boolean\n\thas%[1]sWith: [%sWhereInput!]", title(camel(e.name)), e.to.name)
		if e.of != "many" && !e.owned {
			p("\t%sId: ID\n\t%[1]sIdIn: [ID!]\n\t%[1]sIdNEQ: ID\n\t%[1]sIdNotIn: [ID!]", camel(e.name))
		}
		if e.of == "many" || e.of == "one" && e.owned {
			p("\t%sCount: Int\n\t%[1]sCountNEQ: Int\n\t%[1]sCountGTE: Int\n\t%[1]sCountLT: Int", camel(e.name))
		}
	}
	p("}")
}

// resolvers returns the source of all resolvers, in the form that gqlgen gives it.
func resolvers(all []*thing, module string) string {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p("package graph\n\nimport (\n\t\"context\"\n\n\t\"forge/internal/gqlexec\"\n\t\"forge/internal/ids\"\n\t%q\n)\n", module+"/graph/model")
	p("func (r *queryResolver) Node(ctx context.Context, id ids.ID) (model.Node, error) {\n\treturn gqlexec.Reference{ID: id}, nil\n}\n")
	p("func (r *queryResolver) Nodes(ctx context.Context, list []*ids.ID) ([]model.Node, error) {\n\tnodes := make([]model.Node, len(list))\n" +
		"\tfor i, id := range list {\n\t\tnodes[i] = gqlexec.Reference{ID: *id}\n\t}\n\treturn nodes, nil\n}\n")
	for _, t := range exposed(all) {
		p("func (r *queryResolver) One%[1]s(ctx context.Context, id ids.ID) (*model.%[1]s, error) {\n\treturn &model.%[1]s{ID: id}, nil\n}\n", t.name)
		order := ""
		if len(t.searched()) > 0 {
			order = ", search *string"
		}
		if len(t.orders()) > 0 {
			order += ", orderBy []*model." + t.name + "Order"
		}
		p("func (r *queryResolver) All%[1]s(ctx context.Context, first *int32, after *string, last *int32, before *string, offset *int32, where *model.%[1]sWhereInput%[2]s) (*model.%[1]sConnection, error) {\n"+
			"\treturn &model.%[1]sConnection{}, nil\n}\n", t.name, order)
	}
	return b.String()
}

// program returns the files of the program around the generated code, by their paths.
func program(all []*thing, module string) map[string]string {
	files := map[string]string{
		"ent/schema/common.go":      common,
		"schema.graphqls":           sdl(all),
		"graph/schema.resolvers.go": resolvers(all, module),
		"graph/resolver.go":         strings.ReplaceAll(resolver, "MODULE", module),
		"main.go":                   strings.ReplaceAll(mainFile, "MODULE", module),
		"gqlgen.yml":                gqlgen(),
	}
	for _, t := range all {
		files["ent/schema/"+strings.ToLower(t.name)+".go"] = t.entSchema()
	}
	return files
}

// scalars are those of package scalar.
var scalars = []string{"BigInt", "Bytes", "Date", "Decimal", "Duration", "JSON", "LocalTime", "UUID"}

// gqlgen returns the configuration of gqlgen.
func gqlgen() string {
	text := gqlgenFile
	for _, scalar := range scalars {
		text += fmt.Sprintf("  %[1]s: {model: forge/internal/scalar.%[1]s}\n", scalar)
	}
	return text
}

const gqlgenFile = `schema: [schema.graphqls]
exec: {layout: single-file, filename: graph/generated/generated.go, package: generated}
model: {filename: graph/model/model.go, package: model}
nullable_input_omittable: true
omit_complexity: true
skip_mod_tidy: true
skip_validation: true
models:
  ID: {model: forge/internal/ids.ID}
  Cursor: {model: github.com/99designs/gqlgen/graphql.String}
  Time: {model: github.com/99designs/gqlgen/graphql.Time}
  Int: {model: github.com/99designs/gqlgen/graphql.Int32}
`

const resolver = `package graph

import (
	"embed"
	"reflect"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/gqlexec"
	"forge/internal/viewer"
	"MODULE/ent"
	"MODULE/ent/migrate"
	_ "MODULE/ent/runtime"
	"MODULE/graph/generated"
)

type Resolver struct{}

func (r *Resolver) Query() generated.QueryResolver { return &queryResolver{r} }

type queryResolver struct{ *Resolver }

//go:embed *.resolvers.go
var sources embed.FS

func API() gqlexec.API {
	api := gqlexec.API{
		Executable: func(schema *ast.Schema) graphql.ExecutableSchema {
			return generated.NewExecutableSchema(generated.Config{Schema: schema, Resolvers: &Resolver{}})
		},
		Access:       map[string]gqlexec.Access{},
		Entities:     ent.Entities,
		Query:        ent.QueryEntity,
		Tables:       migrate.Tables,
		Resolvers:    reflect.TypeFor[generated.ResolverRoot](),
		Sources:      sources,
		SamplePrefix: ent.Entities[0].Prefix,
	}
	for _, f := range api.Executable(nil).Schema().Query.Fields {
		api.Access["Query."+f.Name] = gqlexec.Access{Role: viewer.Anonymous}
	}
	return api
}
`

const mainFile = `package main

import (
	"os"

	"forge/internal/unit"
	"forge/test/differ"
	"MODULE/ent"
	"MODULE/graph"
)

func main() {
	os.Exit(differ.Main(differ.App{API: graph.API(), Client: func(u *unit.Unit) any { return ent.UnitClient(u) }}, os.Args[1:]))
}
`
