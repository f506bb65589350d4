package sourcetree

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"slices"
	"strings"
)

// editor inserts text into the Go files of ent/schema. Nothing else of them changes.
type editor struct {
	tree    *Tree
	sources []*source
}

// source is a Go file to be edited.
type source struct {
	path  string
	text  []byte
	files *token.FileSet
	file  *ast.File
	edits []edit
}

type edit struct {
	at   int
	text string
}

func (t *Tree) editor() (*editor, error) {
	paths, err := t.schemaFiles()
	if err != nil {
		return nil, err
	}
	e := &editor{tree: t}
	for _, path := range paths {
		s := &source{path: path, files: token.NewFileSet()}
		if s.text, err = t.read(path); err != nil {
			return nil, err
		}
		if s.file, err = parser.ParseFile(s.files, path, s.text, parser.ParseComments|parser.SkipObjectResolution); err != nil {
			return nil, fmt.Errorf("%s does not compile: %w", schemaDir, err)
		}
		e.sources = append(e.sources, s)
	}
	return e, nil
}

// end stores what was edited in the tree's new files.
func (e *editor) end() error {
	for _, s := range e.sources {
		if len(s.edits) == 0 {
			continue
		}
		text, err := s.edited()
		if err != nil {
			return err
		}
		e.tree.files[s.path] = text
	}
	return e.tree.parse()
}

// edited returns the text with all edits. It is formatted if it was before.
func (s *source) edited() ([]byte, error) {
	slices.SortStableFunc(s.edits, func(a, b edit) int { return a.at - b.at })
	var b bytes.Buffer
	from := 0
	for _, e := range s.edits {
		b.Write(s.text[from:e.at])
		b.WriteString(e.text)
		from = e.at
	}
	b.Write(s.text[from:])
	formatted, err := format.Source(s.text)
	if err != nil || !bytes.Equal(formatted, s.text) {
		return b.Bytes(), nil
	}
	return format.Source(b.Bytes())
}

func (s *source) insert(at token.Pos, text string) {
	s.edits = append(s.edits, edit{s.files.Position(at).Offset, text})
}

// typeOf returns the file that declares a type, or nil.
func (e *editor) typeOf(name string) *source {
	for _, s := range e.sources {
		for _, d := range s.file.Decls {
			if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.TYPE {
				for _, spec := range g.Specs {
					if spec.(*ast.TypeSpec).Name.Name == name {
						return s
					}
				}
			}
		}
	}
	return nil
}

// blob shortens the source of a column by the variable that ent/schema has for it, if there is one.
func (e *editor) blob(line string) string {
	for _, s := range e.sources {
		if bytes.Contains(s.text, []byte("\nvar blobOnSQLite = ")) {
			return strings.ReplaceAll(line, `map[string]string{dialect.SQLite: "blob"}`, "blobOnSQLite")
		}
	}
	return line
}

// method returns a method of a type, and the file that has it, or nil.
func (e *editor) method(of, name string) (*source, *ast.FuncDecl) {
	for _, s := range e.sources {
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Name.Name == name && f.Recv != nil && strings.TrimPrefix(exprText(starless(f.Recv.List[0].Type)), "*") == of {
				return s, f
			}
		}
	}
	return nil, nil
}

func starless(e ast.Expr) ast.Expr {
	if star, ok := e.(*ast.StarExpr); ok {
		return star.X
	}
	return e
}

// list adds an entry to the list that a method of an entity returns, such as Fields. Where there is
// no such method, it is written. It returns an error if the method does not return a literal.
func (e *editor) list(of, method, typed, entry string) error {
	s, f := e.method(of, method)
	if f == nil {
		s = e.typeOf(of)
		s.edits = append(s.edits, edit{len(s.text), fmt.Sprintf("\n// %s returns the %s of the entity.\nfunc (%s) %s() []%s {\n\treturn []%s{\n\t\t%s,\n\t}\n}\n",
			method, strings.ToLower(method), of, method, typed, typed, entry)})
		return nil
	}
	lit := returned(f)
	if lit == nil {
		return fmt.Errorf("%s: the method %s of %s does not return a literal, such as []%s{…}; add this line by hand: %s", s.path, method, of, typed, entry)
	}
	s.insertEntry(lit, entry)
	return nil
}

// returned returns the composite literal that a function returns, or nil.
func returned(f *ast.FuncDecl) *ast.CompositeLit {
	for _, statement := range f.Body.List {
		if r, ok := statement.(*ast.ReturnStmt); ok && len(r.Results) == 1 {
			lit, _ := r.Results[0].(*ast.CompositeLit)
			return lit
		}
	}
	return nil
}

// insertEntry adds an entry at the end of a literal.
func (s *source) insertEntry(lit *ast.CompositeLit, entry string) {
	line := func(at token.Pos) int { return s.files.Position(at).Line }
	switch last := len(lit.Elts) - 1; {
	case last < 0:
		s.insert(lit.Rbrace, "\n"+entry+",\n")
	case line(lit.Rbrace) == line(lit.Elts[last].End()):
		s.insert(lit.Elts[last].End(), ", "+entry)
	default:
		s.insert(lit.Rbrace, entry+",\n")
	}
}

// annotation returns the literal of a field of the annotation of package entity, and the file, or
// nil.
func (e *editor) annotation(of string) (s *source, lit *ast.CompositeLit, all *ast.CompositeLit) {
	s, f := e.method(of, "Annotations")
	if f == nil {
		return nil, nil, nil
	}
	if all = returned(f); all == nil {
		return nil, nil, nil
	}
	for _, element := range all.Elts {
		if one, ok := element.(*ast.CompositeLit); ok && exprText(one.Type) == "entity.Annotation" {
			lit = one
		}
	}
	return s, lit, all
}

// show adds a name to ShownToAll, or to ShownToOwners. It returns an error if there is no such
// list.
func (e *editor) show(of, list, name string) error {
	s, lit, _ := e.annotation(of)
	byHand := fmt.Errorf("the method Annotations of %s has no entity.Annotation{%s: []string{…}}; add it by hand, with %q in it", of, list, name)
	if lit == nil {
		return byHand
	}
	for _, element := range lit.Elts {
		if pair, ok := element.(*ast.KeyValueExpr); ok && exprText(pair.Key) == list {
			names, ok := pair.Value.(*ast.CompositeLit)
			if !ok {
				return byHand
			}
			s.insertName(names, name)
			return nil
		}
	}
	entry := fmt.Sprintf("%s: []string{%q}", list, name)
	s.insertEntry(lit, entry)
	return nil
}

// insertName adds a name to a list, before version and what follows it there.
func (s *source) insertName(list *ast.CompositeLit, name string) {
	for _, element := range list.Elts {
		if lit, ok := element.(*ast.BasicLit); ok && slices.Contains([]string{`"version"`, `"createdAt"`}, lit.Value) {
			s.insert(lit.Pos(), fmt.Sprintf("%q, ", name))
			return
		}
	}
	s.insertEntry(list, fmt.Sprintf("%q", name))
}

// check adds a CHECK to the table of an entity.
func (e *editor) check(of, name, condition string) error {
	s, _, all := e.annotation(of)
	if all == nil {
		return fmt.Errorf("%s has no method Annotations that returns a literal; add this CHECK by hand: entsql.Checks(map[string]string{%q: %q})", of, name, condition)
	}
	entry := fmt.Sprintf("%q: %q", name, condition)
	for _, element := range all.Elts {
		call, ok := element.(*ast.CallExpr)
		if !ok || exprText(call.Fun) != "entsql.Checks" || len(call.Args) != 1 {
			continue
		}
		if checks, ok := call.Args[0].(*ast.CompositeLit); ok {
			s.insertEntry(checks, entry)
			return nil
		}
	}
	s.insertEntry(all, "entsql.Checks(map[string]string{"+entry+"})")
	s.use("entgo.io/ent/dialect/entsql")
	return nil
}

// use adds an import to a file.
func (s *source) use(path string) {
	quoted := fmt.Sprintf("%q", path)
	std := !strings.Contains(strings.Split(path, "/")[0], ".")
	var near *ast.ImportSpec
	for _, i := range s.file.Imports {
		if i.Path.Value == quoted {
			return
		}
		if strings.Contains(strings.Split(i.Path.Value, "/")[0], ".") != std && near == nil {
			near = i
		}
	}
	if slices.ContainsFunc(s.edits, func(e edit) bool { return strings.TrimSpace(e.text) == quoted }) {
		return
	}
	if near == nil && len(s.file.Imports) > 0 {
		near = s.file.Imports[0]
		quoted += "\n" // a group of its own
	}
	if near != nil {
		s.insert(near.Pos(), quoted+"\n\t")
		return
	}
	s.insert(s.file.Name.End(), "\n\nimport "+quoted+"\n")
}
