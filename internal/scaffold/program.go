package scaffold

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"entgo.io/ent"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/entity"
	"forge/internal/sourcetree"
)

// Main is the program that package sourcetree runs. It reads a question from the standard input,
// and writes the answer to the file that the first argument names. types are the exported types of
// ent/schema, whose import path is path. Those that are no entities are passed over.
func Main(path string, types ...any) {
	if err := answerTo(os.Args[1], path, types); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func answerTo(file, path string, types []any) error {
	var q sourcetree.Question
	if err := json.NewDecoder(os.Stdin).Decode(&q); err != nil {
		return err
	}
	var schemas []ent.Interface
	for _, t := range types {
		if s, ok := t.(ent.Interface); ok {
			schemas = append(schemas, s)
		}
	}
	text, err := json.Marshal(answer(q, path, schemas))
	if err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o600)
}

func answer(q sourcetree.Question, path string, schemas []ent.Interface) sourcetree.Answer {
	s, err := Describe(path, schemas)
	if err != nil {
		return sourcetree.Answer{Refused: err.Error()}
	}
	if q.Describe {
		return sourcetree.Answer{Known: known(s)}
	}
	s.SDL, s.Special, s.Unindexed = q.SDL, q.Special, q.Unindexed
	for name, doc := range q.Docs {
		if s.Comments[name] == "" {
			s.Comments[name] = ofDoc(name, doc)
		}
	}
	if q.Check {
		return checked(s)
	}
	r, err := Write(s, q.Names...)
	if refused, ok := errors.AsType[*RefusedError](err); ok {
		return sourcetree.Answer{Refused: strings.Join(refused.Findings, "\n")}
	}
	if err != nil {
		return sourcetree.Answer{Refused: err.Error()}
	}
	a := sourcetree.Answer{SDL: r.SDL, Shown: r.Shown, Notes: r.Notes}
	for _, access := range r.Access {
		a.Access = append(a.Access, sourcetree.Access{Field: access.Field, Role: [...]string{"Anonymous", "User", "Admin"}[access.Role], Roles: access.Roles})
	}
	return a
}

// checked returns what of the schema does not fit ent/schema. What has code of its own, which only
// the program of the application knows, is not among it.
func checked(s Source) sourcetree.Answer {
	schema, err := Load(s.SDL)
	if err != nil {
		return sourcetree.Answer{Refused: err.Error()}
	}
	if schema.Mutation != nil {
		schema.Mutation.Fields = slices.DeleteFunc(schema.Mutation.Fields, func(f *ast.FieldDefinition) bool { return s.Special["Mutation."+f.Name] })
	}
	a := sourcetree.Answer{SDL: s.SDL}
	for _, finding := range Findings(schema, s) {
		_, at := placeOf(finding)
		if !strings.Contains(finding, ": it is computed, but has no resolver") && !s.Special["."+at] {
			a.Findings = append(a.Findings, finding)
		}
	}
	for _, e := range s.Entities {
		if Shows(e) && unfit(e) == "" && schema.Types[e.Name] == nil {
			a.Findings = append(a.Findings, fmt.Sprintf("%s: ent/schema has fields of it that are shown, and schema.graphqls has no type; run go run . scaffold %[1]s, or take ShownToAll out", e.Name))
		}
	}
	slices.Sort(a.Findings)
	a.Findings = slices.Compact(a.Findings)
	a.Notes = Unset(s)
	return a
}

// ofDoc returns what the comment of a Go type says, as the description of a type in the schema: its
// first sentence, without the name of the type.
func ofDoc(name, doc string) string {
	text := strings.Join(strings.Fields(doc), " ")
	if first, _, more := strings.Cut(text, ". "); more {
		text = first + "."
	}
	return sentence(strings.TrimPrefix(text, name+" is "))
}

// known returns what package sourcetree asks of entities.
func known(s Source) map[string]sourcetree.Known {
	all := map[string]sourcetree.Known{}
	for _, e := range s.Entities {
		k := sourcetree.Known{Table: e.Table}
		for _, f := range e.Fields {
			k.Names = append(k.Names, f.Name)
		}
		for _, edge := range e.Edges {
			k.Names = append(k.Names, edge.Name)
		}
		k.Names = append(slices.AppendSeq(k.Names, maps.Keys(e.Computed)), slices.Collect(maps.Keys(e.Unites))...)
		if len(e.Fields) > 0 && e.Fields[0].Refers == e.Name {
			k.Key = keyBuilder(&e.Fields[0])
		}
		all[e.Name] = k
	}
	return all
}

// keyBuilder returns the builder of a column that holds keys, with %q for its name.
func keyBuilder(key *entity.Field) string {
	name, known := keyBuilders[key.Type]
	if !known {
		return ""
	}
	if size := key.Stored; len(size) > 0 && key.Type != "uuid.UUID" {
		name += fmt.Sprintf(".SchemaType(%#v)", size)
	}
	return name
}

var keyBuilders = map[string]string{
	"uuid.UUID": "field.UUID(%q, uuid.UUID{}).SchemaType(map[string]string{dialect.SQLite: \"blob\"})", "string": "field.String(%q)", "int": "field.Int(%q)", "int8": "field.Int8(%q)",
	"int16": "field.Int16(%q)", "int32": "field.Int32(%q)", "int64": "field.Int64(%q)", "uint8": "field.Uint8(%q)", "uint16": "field.Uint16(%q)", "uint32": "field.Uint32(%q)", "uint64": "field.Uint64(%q)", "uint": "field.Uint(%q)",
}
