package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"forge/internal/entity"
)

// Employee reports to another employee, except for the one at the top.
type Employee struct{ ent.Schema }

// Mixin returns the mixins.
func (Employee) Mixin() []ent.Mixin {
	return []ent.Mixin{Open{Prefix: "employee", Shown: []string{
		"lastName", "firstName", "title", "email", "bornOn", "hiredOn", "reportsTo", "reports", "customers", "contacts", "charges", "superiors"},
		Unites:   map[string][]string{"contacts": {"reports", "customers"}, "charges": {"customers", "reports"}},
		Computed: map[string]entity.Computed{"superiors": {Price: 4}}}}
}

// Fields returns the fields that no mixin adds.
func (Employee) Fields() []ent.Field {
	return []ent.Field{
		field.String("last_name").MaxRuneLen(20),
		field.String("first_name").MaxRuneLen(20),
		field.String("title").MaxRuneLen(30).Optional().Nillable(),
		field.String("email").MaxRuneLen(60).Unique(),
		field.Time("born_on").SchemaType(date).Optional().Nillable(),
		field.Time("hired_on").SchemaType(date),
		maybeKey("reports_to_id"),
	}
}

// Edges returns the relations to other entities.
func (Employee) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("reports", Employee.Type).From("reports_to").Field("reports_to_id").Unique(),
		edge.To("customers", Customer.Type),
	}
}

// Indexes returns the indexes of the table.
func (Employee) Indexes() []ent.Index {
	return []ent.Index{index.Fields("last_name"), index.Fields("hired_on"), index.Fields("reports_to_id", "id")}
}

// Customer buys tracks.
type Customer struct{ ent.Schema }

// Mixin returns the mixins.
func (Customer) Mixin() []ent.Mixin {
	return []ent.Mixin{Open{Prefix: "customer", Shown: []string{
		"firstName", "lastName", "company", "country", "email", "supportRep", "invoices", "spent"},
		Computed: map[string]entity.Computed{"spent": {Price: 10}}}}
}

// Fields returns the fields that no mixin adds.
func (Customer) Fields() []ent.Field {
	return []ent.Field{
		field.String("first_name").MaxRuneLen(40),
		field.String("last_name").MaxRuneLen(20),
		field.String("company").MaxRuneLen(80).Optional().Nillable(),
		field.String("country").MaxRuneLen(40),
		field.String("email").MaxRuneLen(60),
		maybeKey("support_rep_id"),
	}
}

// Edges returns the relations to other entities.
func (Customer) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("support_rep", Employee.Type).Ref("customers").Field("support_rep_id").Unique(),
		edge.To("invoices", Invoice.Type),
	}
}

// Indexes returns the indexes of the table.
func (Customer) Indexes() []ent.Index {
	return []ent.Index{index.Fields("last_name"), index.Fields("email"), index.Fields("country"), index.Fields("support_rep_id", "id")}
}

// Invoice is one purchase.
type Invoice struct{ ent.Schema }

// Mixin returns the mixins.
func (Invoice) Mixin() []ent.Mixin {
	return []ent.Mixin{Open{Prefix: "invoice", Shown: []string{
		"invoicedAt", "total", "billingCountry", "billingPostalCode", "customer", "lines"}}}
}

// Fields returns the fields that no mixin adds.
func (Invoice) Fields() []ent.Field {
	return []ent.Field{
		field.Time("invoiced_at"),
		price("total"),
		field.String("billing_country").MaxRuneLen(40),
		field.String("billing_postal_code").MaxRuneLen(10).Optional().Nillable(),
		key("customer_id"),
	}
}

// Edges returns the relations to other entities.
func (Invoice) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("customer", Customer.Type).Ref("invoices").Field("customer_id").Unique().Required(),
		edge.To("lines", InvoiceLine.Type),
	}
}

// Indexes returns the indexes of the table.
func (Invoice) Indexes() []ent.Index {
	return []ent.Index{index.Fields("invoiced_at"), index.Fields("total"), index.Fields("customer_id", "id")}
}

// InvoiceLine is one track of an invoice.
type InvoiceLine struct{ ent.Schema }

// Mixin returns the mixins.
func (InvoiceLine) Mixin() []ent.Mixin {
	return []ent.Mixin{Open{Prefix: "line", Shown: []string{"quantity", "unitPrice", "track", "invoice"}}}
}

// Fields returns the fields that no mixin adds.
func (InvoiceLine) Fields() []ent.Field {
	return []ent.Field{field.Int32("quantity"), price("unit_price"), key("invoice_id"), key("track_id")}
}

// Edges returns the relations to other entities.
func (InvoiceLine) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("invoice", Invoice.Type).Ref("lines").Field("invoice_id").Unique().Required(),
		edge.From("track", Track.Type).Ref("invoice_lines").Field("track_id").Unique().Required(),
	}
}

// Indexes returns the indexes of the table.
func (InvoiceLine) Indexes() []ent.Index {
	return []ent.Index{index.Fields("invoice_id", "id"), index.Fields("track_id", "id")}
}
