package sourcetree

import (
	"errors"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// withAccess adds entries to the table of access: behind the last one of Query or Mutation. Entries
// that are there stay as they are. It returns an error if the source has no such table.
func withAccess(source []byte, entries []Access) ([]byte, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, accessFile, source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	table := accessTable(file)
	if table == nil {
		return nil, fmt.Errorf("%s has no map from names of root fields to gqlexec.Access; nothing was written. It needs:\n%s", accessFile, lines(entries))
	}
	known, ends := map[string]bool{}, map[string]int{}
	for _, element := range table.Elts {
		pair, _ := element.(*ast.KeyValueExpr)
		if name := keyOf(pair); name != "" {
			known[name] = true
			root, _, _ := strings.Cut(name, ".")
			ends[root] = lineEnd(source, files.Position(pair.End()).Offset)
		}
	}
	added := map[string]string{}
	for _, e := range entries {
		if root, _, _ := strings.Cut(e.Field, "."); !known[e.Field] {
			added[root] += lines([]Access{e})
		}
	}
	text, last := string(source), files.Position(table.Rbrace).Offset
	if len(table.Elts) == 0 {
		text = text[:last] + "\n" + text[last:] // the braces of an empty table stand on one line
		last++
	}
	for _, root := range behindFirst(ends, added, last) {
		text = text[:ends[root]] + added[root] + text[ends[root]:]
	}
	return format.Source([]byte(text))
}

// behindFirst returns the roots in the order in which text is to be inserted: from the end of the
// file to its beginning. A root without an entry gets its first one at the end of the table.
func behindFirst(ends map[string]int, added map[string]string, last int) (roots []string) {
	for _, root := range []string{"Subscription", "Mutation", "Query"} { // where several go to one place, the last one is the first
		if _, ok := ends[root]; !ok {
			ends[root] = last
		}
		if added[root] != "" {
			roots = append(roots, root)
		}
	}
	slices.SortStableFunc(roots, func(a, b string) int { return ends[b] - ends[a] })
	return roots
}

// lineEnd returns where the line after an offset begins.
func lineEnd(source []byte, offset int) int {
	for offset < len(source) && source[offset] != '\n' {
		offset++
	}
	return min(offset+1, len(source))
}

func lines(entries []Access) string {
	var b strings.Builder
	for _, e := range entries {
		roles := ""
		if len(e.Roles) > 0 {
			roles = fmt.Sprintf(", Roles: %#v", e.Roles)
		}
		fmt.Fprintf(&b, "\t\t%q: {Role: viewer.%s%s},\n", e.Field, e.Role, roles)
	}
	return b.String()
}

// accessTable returns the literal of the table of access, or nil.
func accessTable(file *ast.File) (table *ast.CompositeLit) {
	ast.Inspect(file, func(n ast.Node) bool {
		if lit, ok := n.(*ast.CompositeLit); ok && table == nil {
			if of, ok := lit.Type.(*ast.MapType); ok && strings.HasSuffix(exprText(of.Value), "Access") {
				table = lit
			}
		}
		return table == nil
	})
	return table
}

func exprText(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return exprText(e.X) + "." + e.Sel.Name
	}
	return ""
}

// keyOf returns the key of an entry of the table, or "".
func keyOf(pair *ast.KeyValueExpr) string {
	if pair == nil {
		return ""
	}
	lit, ok := pair.Key.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return ""
	}
	name, _ := strconv.Unquote(lit.Value)
	return name
}

// special returns the root fields with code of their own: those with a resolver, but for resolvers
// of Query that only refer to something, and those whose entry in the table of access says more
// than who may call them. Fields of inputs that have a function, in write.Functions, are there with
// a full stop before their name.
func (t *Tree) special() (map[string]bool, error) {
	found := map[string]bool{}
	files, err := filepath.Glob(filepath.Join(t.dir, graphDir, "*.go"))
	if err != nil {
		return nil, err
	}
	for _, path := range files {
		rel, err := filepath.Rel(t.dirOrDot(), path)
		if err != nil {
			return nil, err
		}
		source, err := t.read(rel)
		if err != nil {
			return nil, err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, source, parser.SkipObjectResolution)
		if err != nil {
			continue // the generators tell
		}
		addResolvers(found, file)
		addPrepared(found, file)
		addFunctions(found, file)
	}
	if _, err := t.read(accessFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return found, nil
}

// addResolvers adds the mutations that a file has resolvers for.
func addResolvers(found map[string]bool, file *ast.File) {
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Recv == nil {
			continue
		}
		star, ok := f.Recv.List[0].Type.(*ast.StarExpr)
		if ok && exprText(star.X) == "mutationResolver" {
			found["Mutation."+strings.ToLower(f.Name.Name[:1])+f.Name.Name[1:]] = true
		}
	}
}

// addPrepared adds the root fields whose entry says more than Role and Roles.
func addPrepared(found map[string]bool, file *ast.File) {
	table := accessTable(file)
	if table == nil {
		return
	}
	for _, element := range table.Elts {
		pair, _ := element.(*ast.KeyValueExpr)
		name := keyOf(pair)
		if name == "" {
			continue
		}
		lit, _ := pair.Value.(*ast.CompositeLit)
		if lit == nil {
			continue
		}
		for _, field := range lit.Elts {
			if of, ok := field.(*ast.KeyValueExpr); ok && exprText(of.Key) != "Role" && exprText(of.Key) != "Roles" {
				found[name] = true
			}
		}
	}
}

// addFunctions adds the fields of inputs that have a function.
func addFunctions(found map[string]bool, file *ast.File) {
	ast.Inspect(file, func(n ast.Node) bool {
		lit, ok := n.(*ast.CompositeLit)
		if !ok {
			return true
		}
		if of, ok := lit.Type.(*ast.MapType); ok && exprText(of.Value) == "write.Check" {
			for _, element := range lit.Elts {
				pair, _ := element.(*ast.KeyValueExpr)
				if name := keyOf(pair); name != "" {
					found["."+name] = true
				}
			}
		}
		return true
	})
}
