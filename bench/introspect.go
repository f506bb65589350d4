package main

import (
	"encoding/json"
	"slices"
	"strings"
)

// api is what a server says of its schema.
type api struct {
	types map[string]*apiType
	query string // the name of the type of queries
}

type apiType struct {
	Kind, Name  string
	Fields      []apiField
	InputFields []apiValue
	EnumValues  []struct{ Name string }
}

type apiField struct {
	Name string
	Args []apiValue
	Type apiRef
}

type apiValue struct {
	Name string
	Type apiRef
}

// apiRef is the use of a type, which may be that of a list, or of what is never null.
type apiRef struct {
	Kind, Name string
	OfType     *apiRef
}

// named returns the name of the type, without its lists.
func (r apiRef) named() string {
	for r.OfType != nil {
		r = *r.OfType
	}
	return r.Name
}

// list reports whether the type is that of a list.
func (r apiRef) list() bool {
	return r.Kind == "LIST" || r.OfType != nil && r.OfType.list()
}

const introspection = `{ __schema { queryType { name } types { kind name
	fields { name args { name type { ...Ref } } type { ...Ref } }
	inputFields { name type { ...Ref } } enumValues { name } } } }
	fragment Ref on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }`

// introspect asks a server for its schema.
func introspect(c *client) (*api, error) {
	body, _ := json.Marshal(map[string]string{"query": introspection}) // a text can always be written
	answer, err := c.post(body)
	if err != nil {
		return nil, err
	}
	var got struct {
		Data struct {
			Schema struct {
				QueryType struct{ Name string }
				Types     []*apiType
			} `json:"__schema"`
		}
	}
	if err := json.Unmarshal(answer, &got); err != nil {
		return nil, err
	}
	a := &api{types: map[string]*apiType{}, query: got.Data.Schema.QueryType.Name}
	for _, t := range got.Data.Schema.Types {
		a.types[t.Name] = t
	}
	return a, nil
}

// connections returns the fields of a type that are connections, and the name of the entity of
// each.
func (a *api) connections(of string) (fields []apiField, entities []string) {
	for _, f := range a.types[of].Fields {
		name, is := strings.CutSuffix(f.Type.named(), "Connection")
		if is && a.types[name] != nil && f.arg("where") != nil {
			fields, entities = append(fields, f), append(entities, name)
		}
	}
	return fields, entities
}

// arg returns the argument of a name, or nil.
func (f *apiField) arg(name string) *apiValue {
	i := slices.IndexFunc(f.Args, func(v apiValue) bool { return v.Name == name })
	if i < 0 {
		return nil
	}
	return &f.Args[i]
}

// field returns the field of a name, or nil.
func (t *apiType) field(name string) *apiField {
	i := slices.IndexFunc(t.Fields, func(f apiField) bool { return f.Name == name })
	if i < 0 {
		return nil
	}
	return &t.Fields[i]
}
