// Package schema has rules of all kinds: of teams and their members, and of tenants.
package schema

import (
	"context"

	"entgo.io/ent"
	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"entgo.io/ent/schema/mixin"
	"github.com/google/uuid"

	"forge/internal/entity"
	"forge/internal/rule"
)

var blobOnSQLite = map[string]string{dialect.SQLite: "blob"}

// Identified adds a UUID as the key.
type Identified struct {
	mixin.Schema
	prefix string
	shown  []string // the fields and edges that everybody may see who may see the row
	logged bool     // changes of the rows are logged
}

func (Identified) Fields() []ent.Field {
	return []ent.Field{field.UUID("id", uuid.UUID{}).SchemaType(blobOnSQLite).Default(entity.NewID)}
}

func (m Identified) Annotations() []schema.Annotation {
	return []schema.Annotation{entity.Annotation{Prefix: m.prefix, ShownToAll: append(m.shown, "id"), Logged: m.logged}}
}

// Hiding hides rows that are marked.
type Hiding struct{ mixin.Schema }

func (Hiding) Fields() []ent.Field { return []ent.Field{field.Bool("hidden").Default(false)} }

func (Hiding) Interceptors() []ent.Interceptor {
	return []ent.Interceptor{ent.TraverseFunc(func(ctx context.Context, q ent.Query) error {
		if !entity.SeesDeleted(ctx) {
			q.(interface{ WhereP(...func(*sql.Selector)) }).WhereP(func(s *sql.Selector) { s.Where(sql.Not(sql.IsTrue(s.C("hidden")))) })
		}
		return nil
	})}
}

// Deletable hides rows that are marked as deleted. It stands before Identified, whose annotation
// says more.
type Deletable struct{ mixin.Schema }

func (Deletable) Fields() []ent.Field {
	return []ent.Field{field.Time("deleted_at").Optional().Nillable()}
}

func (Deletable) Annotations() []schema.Annotation {
	return []schema.Annotation{entity.Annotation{Deleted: "deleted_at"}}
}

func (Deletable) Interceptors() []ent.Interceptor {
	return []ent.Interceptor{ent.TraverseFunc(func(ctx context.Context, q ent.Query) error {
		if !entity.SeesDeleted(ctx) {
			q.(interface{ WhereP(...func(*sql.Selector)) }).WhereP(func(s *sql.Selector) { s.Where(sql.IsNull(s.C("deleted_at"))) })
		}
		return nil
	})}
}

// Person is a user.
type Person struct{ ent.Schema }

func (Person) Mixin() []ent.Mixin {
	return []ent.Mixin{Identified{prefix: "person", shown: []string{"name", "documents"}}}
}

func (Person) Fields() []ent.Field { return []ent.Field{field.String("name")} }

func (Person) Edges() []ent.Edge {
	return []ent.Edge{edge.To("documents", Document.Type), edge.From("watches", Project.Type).Ref("watchers")}
}

func (Person) Policy() ent.Policy { return rule.Policy{Read: rule.Everyone, Create: rule.Admins} }

// Team has members. Some are its editors.
type Team struct{ ent.Schema }

func (Team) Mixin() []ent.Mixin {
	return []ent.Mixin{Identified{prefix: "team", shown: []string{"name", "projects", "memberships"}}, Hiding{}}
}

func (Team) Fields() []ent.Field { return []ent.Field{field.String("name")} }

func (Team) Edges() []ent.Edge {
	return []ent.Edge{edge.To("memberships", Membership.Type), edge.To("projects", Project.Type)}
}

func (Team) Policy() ent.Policy {
	return rule.Policy{Read: rule.SignedIn, Create: rule.Admins, Update: rule.Admins}
}

// Membership says that a person is in a team.
type Membership struct{ ent.Schema }

func (Membership) Mixin() []ent.Mixin {
	return []ent.Mixin{Identified{prefix: "membership", shown: []string{"role"}}, Hiding{}}
}

func (Membership) Fields() []ent.Field {
	return []ent.Field{field.Enum("role").Values("READER", "EDITOR"), field.UUID("team_id", uuid.UUID{}).SchemaType(blobOnSQLite), field.UUID("person_id", uuid.UUID{}).SchemaType(blobOnSQLite)}
}

func (Membership) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("team", Team.Type).Ref("memberships").Field("team_id").Unique().Required(),
		edge.To("person", Person.Type).Field("person_id").Unique().Required(),
	}
}

// Policy lets nobody read memberships, which rules look at all the same.
func (Membership) Policy() ent.Policy { return rule.Policy{Create: rule.Admins, Update: rule.Admins} }

// Staff are persons with a duty of their own.
type Staff struct{ ent.Schema }

func (Staff) Mixin() []ent.Mixin { return []ent.Mixin{Identified{prefix: "staff"}} }

func (Staff) Fields() []ent.Field {
	return []ent.Field{field.String("duty"), field.UUID("person_id", uuid.UUID{}).SchemaType(blobOnSQLite)}
}

func (Staff) Edges() []ent.Edge {
	return []ent.Edge{edge.To("person", Person.Type).Field("person_id").Unique().Required()}
}

func (Staff) Policy() ent.Policy { return rule.Policy{Create: rule.Admins} }

// Project belongs to a team, if to any. Persons outside of the team may watch it.
type Project struct{ ent.Schema }

func (Project) Mixin() []ent.Mixin {
	return []ent.Mixin{Identified{prefix: "project", shown: []string{"name", "team", "documents"}}}
}

func (Project) Fields() []ent.Field {
	return []ent.Field{field.String("name"), field.UUID("team_id", uuid.UUID{}).SchemaType(blobOnSQLite).Optional().Nillable()}
}

func (Project) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("team", Team.Type).Ref("projects").Field("team_id").Unique(),
		edge.To("watchers", Person.Type),
		edge.To("documents", Document.Type),
	}
}

func (Project) Policy() ent.Policy {
	return rule.Policy{Create: rule.Admins, Read: rule.Any(rule.Members{Path: "team.memberships", User: "person_id"}, rule.Members{Path: "watchers", User: "id"}, rule.Role("AUDITOR"))}
}

// Document belongs to a project, and to the person who wrote it.
type Document struct{ ent.Schema }

func (Document) Mixin() []ent.Mixin {
	return []ent.Mixin{Identified{prefix: "document", shown: []string{"title", "project", "author"}, logged: true}}
}

func (Document) Fields() []ent.Field {
	return []ent.Field{
		field.String("title"),
		field.Int32("budget").Default(0),
		field.String("notes").Optional().Nillable(),
		field.UUID("project_id", uuid.UUID{}).SchemaType(blobOnSQLite).Optional().Nillable(),
		field.UUID("author_id", uuid.UUID{}).SchemaType(blobOnSQLite).Optional().Nillable(),
	}
}

func (Document) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("project", Project.Type).Ref("documents").Field("project_id").Unique(),
		edge.From("author", Person.Type).Ref("documents").Field("author_id").Unique(),
	}
}

// Editors are those of the team that has the project.
var Editors = rule.Members{Path: "project.team.memberships", User: "person_id", With: map[string][]any{"role": {"EDITOR"}}}

func (Document) Policy() ent.Policy {
	return rule.Policy{
		Read:    rule.Any(rule.Owners, rule.Members{Path: "project.team.memberships", User: "person_id"}, rule.Role("AUDITOR")),
		Create:  rule.Any(rule.Owners, Editors),
		Update:  rule.Any(rule.Owners, Editors),
		Delete:  rule.All(rule.Owners, Editors),
		Owner:   rule.Owner{Column: "author_id"},
		ShownTo: map[string]rule.Who{"budget": rule.Any(rule.Role("FINANCE"), rule.Members{In: "Staff", User: "person_id", With: map[string][]any{"duty": {"money"}}}), "notes": Editors},
		SetBy:   map[string]rule.Who{"budget": rule.Role("FINANCE"), "notes": Editors},
	}
}

// Org is a tenant.
type Org struct{ ent.Schema }

func (Org) Mixin() []ent.Mixin {
	return []ent.Mixin{Identified{prefix: "org", shown: []string{"name"}}}
}

func (Org) Fields() []ent.Field { return []ent.Field{field.String("name")} }

func (Org) Policy() ent.Policy { return rule.Policy{Read: rule.Admins, Create: rule.Admins} }

// Tenanted adds the tenant of a row.
type Tenanted struct{ mixin.Schema }

func (Tenanted) Fields() []ent.Field {
	return []ent.Field{field.UUID("org_id", uuid.UUID{}).SchemaType(blobOnSQLite)}
}

func (Tenanted) Edges() []ent.Edge {
	return []ent.Edge{edge.To("org", Org.Type).Field("org_id").Unique().Required()}
}

// Customer is somebody to whom a tenant sends invoices.
type Customer struct{ ent.Schema }

func (Customer) Mixin() []ent.Mixin {
	return []ent.Mixin{Deletable{}, Identified{prefix: "customer", shown: []string{"name", "invoices"}, logged: true}, Tenanted{}}
}

func (Customer) Fields() []ent.Field { return []ent.Field{field.String("name")} }

func (Customer) Edges() []ent.Edge { return []ent.Edge{edge.To("invoices", Invoice.Type)} }

func (Customer) Indexes() []ent.Index { return []ent.Index{index.Fields("org_id", "name").Unique()} }

func (Customer) Policy() ent.Policy {
	return rule.Policy{Read: rule.SignedIn, Create: rule.SignedIn, Update: rule.SignedIn, Delete: rule.SignedIn, Tenant: "org_id"}
}

// Invoice has a number that is unique for its tenant.
type Invoice struct{ ent.Schema }

func (Invoice) Mixin() []ent.Mixin {
	return []ent.Mixin{Deletable{}, Identified{prefix: "invoice", shown: []string{"number", "customer"}}, Tenanted{}}
}

func (Invoice) Fields() []ent.Field {
	return []ent.Field{field.Int32("number"), field.UUID("customer_id", uuid.UUID{}).SchemaType(blobOnSQLite)}
}

func (Invoice) Edges() []ent.Edge {
	return []ent.Edge{edge.From("customer", Customer.Type).Ref("invoices").Field("customer_id").Unique().Required()}
}

func (Invoice) Indexes() []ent.Index { return []ent.Index{index.Fields("org_id", "number").Unique()} }

func (Invoice) Policy() ent.Policy {
	return rule.Policy{Read: rule.SignedIn, Create: rule.Role("BILLING"), Update: rule.Role("BILLING"), Delete: rule.Admins, Tenant: "org_id"}
}
