package scaffold

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"entgo.io/ent"

	"forge/internal/sourcetree"
)

// Main is the program that package sourcetree runs. It reads a question from the standard input, and
// writes the answer to the file that the first argument names. types are the exported types of
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
	s.SDL, s.Special = q.SDL, q.Special
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

// checked returns what of the schema does not fit ent/schema. Fields with code of their own are not
// among it.
func checked(s Source) sourcetree.Answer {
	schema, err := Load(s.SDL)
	if err != nil {
		return sourcetree.Answer{Refused: err.Error()}
	}
	a := sourcetree.Answer{SDL: s.SDL}
	for _, finding := range Findings(schema, s) {
		if name, at := placeOf(finding); !s.Special[name+"."+at] {
			a.Findings = append(a.Findings, finding)
		}
	}
	slices.Sort(a.Findings)
	a.Findings = slices.Compact(a.Findings)
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
