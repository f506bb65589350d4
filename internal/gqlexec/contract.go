package gqlexec

import (
	"bytes"
	"io/fs"
	"maps"
	"regexp"
	"strings"
	"text/scanner"
)

// Refers returns a function that reports whether the resolver of a root field of Query only returns
// a reference. It returns nil if the API has no Sources.
func (a API) Refers() func(field string) bool {
	if a.Sources == nil {
		return nil
	}
	methods := referringMethods(a.Sources)
	return func(field string) bool { return methods[methodName(field)] }
}

// methodName returns the form of a field's name that is the same for the Go name of its method.
func methodName(field string) string { return strings.ToLower(strings.ReplaceAll(field, "_", "")) }

// referringMethods returns the methods of queryResolver that only return a reference. It panics if
// a source cannot be read, which does not happen, as the sources are embedded.
func referringMethods(sources fs.FS) map[string]bool {
	found := map[string]bool{}
	files, err := fs.Glob(sources, "*.resolvers.go")
	if err != nil {
		panic(err)
	}
	for _, name := range files {
		source, err := fs.ReadFile(sources, name)
		if err != nil {
			panic(err)
		}
		maps.Copy(found, refersOnly(source))
	}
	return found
}

// reference is a method of queryResolver whose only statement returns a reference and no error, as
// blanks between its tokens write it. Before the body, there is no brace in it.
var reference = regexp.MustCompile(`\bfunc \( \w+ \* queryResolver \) (\w+) \( [^{}]*\) \{ return ` +
	`(?:& model \. \w+ \{ (?:ID : id )?\}|gqlexec \. Reference \{ ID : id \}) , nil \}`)

// refersOnly returns those methods of queryResolver in a source file whose only statement returns a
// reference and no error. A reference is &model.ThingConnection{}, &model.Thing{ID: id} or
// gqlexec.Reference{ID: id}. The file has to be one that compiles.
func refersOnly(source []byte) map[string]bool {
	var s scanner.Scanner
	s.Init(bytes.NewReader(source))
	s.Error = func(*scanner.Scanner, string) {}
	var tokens strings.Builder
	for t := s.Scan(); t != scanner.EOF; t = s.Scan() {
		text := s.TokenText()
		if t == scanner.String || t == scanner.RawString || t == scanner.Char {
			text = `""`
		}
		tokens.WriteString(text + " ")
	}
	found := map[string]bool{}
	for _, method := range reference.FindAllStringSubmatch(tokens.String(), -1) {
		found[methodName(method[1])] = true
	}
	return found
}
