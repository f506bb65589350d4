package api_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"forge/graph"
	"forge/graph/generated"
	"forge/internal/ids"
)

// refers reports whether the resolver of a root field of Query is known to do nothing but return a
// reference.
var refers = new(graph.Resolver).API().Refers()

// TestResolversOnlyRefer calls the resolvers that the read engine does not call, because their
// source shows that they only return a reference. That must be all they do.
func TestResolversOnlyRefer(t *testing.T) {
	resolver := reflect.ValueOf((&graph.Resolver{}).Query())
	schema := generated.NewExecutableSchema(generated.Config{}).Schema()
	id := ids.ID{Prefix: "user", UUID: [16]byte{1, 2, 3}}
	checked := 0
	for _, field := range schema.Query.Fields {
		byID := len(field.Arguments) == 1 && field.Arguments[0].Name == "id"
		if !refers(field.Name) {
			continue // it is called
		}
		call := resolver.MethodByName(strings.ToUpper(field.Name[:1]) + field.Name[1:])
		args := []reflect.Value{reflect.ValueOf(t.Context())}
		for i := 1; i < call.Type().NumIn(); i++ {
			args = append(args, reflect.Zero(call.Type().In(i)))
		}
		if byID {
			args[1] = reflect.ValueOf(id)
		}
		got := call.Call(args)
		if !got[1].IsNil() {
			t.Errorf("%s fails: %v", field.Name, got[1])
		}
		if byID {
			if got := got[0].Interface().(interface{ GetID() ids.ID }).GetID(); got != id {
				t.Errorf("%s(id: %q) refers to %q", field.Name, id, got)
			}
		}
		if schema.Types[field.Type.Name()].Kind == ast.Object {
			want := reflect.New(got[0].Type().Elem())
			if byID {
				want.Elem().FieldByName("ID").Set(args[1])
			}
			if !reflect.DeepEqual(got[0].Interface(), want.Interface()) {
				t.Errorf("%s returns %+v, want a reference alone", field.Name, got[0].Elem())
			}
		}
		checked++
	}
	for _, name := range []string{"viewer", "nodes", "other"} {
		if refers(name) {
			t.Errorf("the resolver of %s is never called, and does more than refer", name)
		}
	}
	if checked < 3 {
		t.Errorf("%d resolvers are known to do nothing but refer; there are more", checked)
	}
}
