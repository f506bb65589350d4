package gqlexec

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/viewer"
)

// OfferedType is a type of the schema, as OfferedSchema has it.
type OfferedType struct {
	Kind        ast.DefinitionKind `json:"kind"`
	Description string             `json:"description,omitempty"`
	Fields      []OfferedField     `json:"fields,omitempty"` // also of input objects
	Values      []OfferedValue     `json:"values,omitempty"` // of enums
	Possible    []string           `json:"possible,omitempty"`
}

// OfferedField is a field or an argument. Its type is in the syntax of GraphQL, such as [User!]!.
type OfferedField struct {
	Name        string         `json:"name"`
	Description string         `json:"description,omitempty"`
	Type        string         `json:"type"`
	Default     *string        `json:"default,omitempty"`
	Args        []OfferedField `json:"args,omitempty"`
}

// OfferedValue is a value of an enum.
type OfferedValue struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
}

// OfferedSchema is what introspection tells of a schema, with those root fields that one viewer may
// call. It leaves out mutations that take credentials.
type OfferedSchema struct {
	Role  string                 `json:"role"` // of the viewer
	Types map[string]OfferedType `json:"types"`
}

// Offered returns the schema as the viewer may use it.
func (h *Handler) Offered(ctx context.Context) OfferedSchema {
	schema := h.executor.schema.Schema()
	offered := OfferedSchema{viewer.RoleOf(ctx).String(), map[string]OfferedType{}}
	for name, def := range schema.Types {
		if strings.HasPrefix(name, "__") {
			continue
		}
		t := OfferedType{Kind: def.Kind, Description: def.Description, Fields: offeredFields(def.Fields)}
		switch def {
		case schema.Query, schema.Mutation, schema.Subscription:
			t.Fields = slices.DeleteFunc(t.Fields, func(f OfferedField) bool { return !h.executor.api.offers(ctx, name, f.Name) })
		}
		for _, v := range def.EnumValues {
			t.Values = append(t.Values, OfferedValue{v.Name, v.Description})
		}
		if def.IsAbstractType() {
			for _, p := range schema.GetPossibleTypes(def) {
				t.Possible = append(t.Possible, p.Name)
			}
		}
		offered.Types[name] = t
	}
	return offered
}

func offeredFields(fields ast.FieldList) (all []OfferedField) {
	for _, f := range fields {
		if strings.HasPrefix(f.Name, "__") {
			continue
		}
		o := OfferedField{Name: f.Name, Description: f.Description, Type: f.Type.String(), Default: defaultOf(f.DefaultValue)}
		for _, a := range f.Arguments {
			o.Args = append(o.Args, OfferedField{Name: a.Name, Description: a.Description, Type: a.Type.String(), Default: defaultOf(a.DefaultValue)})
		}
		all = append(all, o)
	}
	return all
}

func defaultOf(v *ast.Value) *string {
	if v == nil {
		return nil
	}
	text := v.String()
	return &text
}

// offers reports whether the viewer may call a root field, and it takes no credentials.
func (a API) offers(ctx context.Context, object, field string) bool {
	access, declared := a.Access[object+"."+field]
	return declared && !access.Credentials && access.admits(ctx)
}

// ServeOffered returns a handler that answers with the Offered schema of the viewer. If onlyAdmins
// is true, it answers 401 or 403 to all others.
func (h *Handler) ServeOffered(onlyAdmins bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		role := viewer.RoleOf(r.Context())
		w.Header().Set("Cache-Control", "no-store")
		switch {
		case onlyAdmins && role == viewer.Anonymous:
			http.Error(w, "sign in as an administrator", http.StatusUnauthorized)
		case onlyAdmins && role != viewer.Admin:
			http.Error(w, "only administrators may use the console", http.StatusForbidden)
		default:
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(h.Offered(r.Context())) // fails if the client is gone
		}
	})
}
