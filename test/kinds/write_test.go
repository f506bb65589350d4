package kinds

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"forge/internal/entity"
	"forge/test/gqltest"
)

// each calls f with the client of each database, and the IDs of the rows there.
func (b *both) each(f func(c *gqltest.Client, ids []string)) {
	b.Helper()
	for _, c := range b.clients {
		var ids []string
		for row := range rows {
			ids = append(ids, c.Must(`{ samples { nodes { id } } }`, nil).Text(fmt.Sprintf("samples.nodes.%d.id", row)))
		}
		f(c, ids)
	}
}

// send sends an operation with variables in JSON.
func (b *both) send(c *gqltest.Client, query, variables string) gqltest.Answer {
	return c.SendRequest(b.Context(), gqltest.Request{Query: query, Variables: json.RawMessage(variables)})
}

const update = `mutation($id: ID!, $input: UpdateSampleInput!) { updateSample(id: $id, input: $input) { sample { %s } } }`

// TestWrites changes and deletes rows with a column of every kind. No code of this application does
// that.
func TestWrites(t *testing.T) {
	t.Parallel()
	b := filled(t)
	b.each(func(c *gqltest.Client, ids []string) {
		change := fmt.Sprintf(update, all)
		for row, id := range ids {
			other := (row + 1) % rows
			want := `{"updateSample":{"sample":` + shown(other) + `}}`
			for statements, in := range []string{1: input(other), 2: `{}`} { // what is left out stays
				if in == "" {
					continue
				}
				got := b.send(c, change, `{"id": "`+id+`", "input": `+in+`}`)
				if got.RawData() != want {
					t.Errorf("update of row %d: %s", row, difference(got, want))
				}
				if got.Statements() != statements {
					t.Errorf("update of row %d took %d statements", row, got.Statements())
				}
			}
		}
		var cleared, stays []string
		for _, col := range columns {
			cleared = append(cleared, `"`+maybe(col.name)+`": null`)
		}
		b.send(c, change, `{"id": "`+ids[0]+`", "input": {`+strings.Join(cleared, ", ")+`}}`)
		got := b.send(c, `query($id: ID!) { sample(id: $id) { `+all+` } }`, `{"id": "`+ids[0]+`"}`)
		for _, col := range columns {
			v, _, _ := col.of(1, false)
			stays = append(stays, `"`+col.name+`":`+v.shown+`,"`+maybe(col.name)+`":null`)
		}
		if want := `{"sample":{"story":"1",` + strings.Join(stays, ",") + `}}`; got.RawData() != want {
			t.Errorf("after null: %s", difference(got, want))
		}
		if got := b.send(c, `mutation($id: ID!) { deleteSample(id: $id) { deletedId gone: __typename } again: deleteSample(id: $id) { deletedId } }`, `{"id": "`+ids[0]+`"}`); got.Code() != "NOT_FOUND" || got.RawData() != "null" {
			t.Errorf("a row is deleted twice: %s", got)
		}
		got = b.send(c, `mutation($id: ID!) { of: deleteSample(id: $id) { deletedId gone: __typename } __typename }`, `{"id": "`+ids[0]+`"}`)
		if want := `{"of":{"deletedId":"` + ids[0] + `","gone":"DeleteSamplePayload"},"__typename":"Mutation"}`; got.RawData() != want {
			t.Errorf("delete: %s", difference(got, want))
		}
		if got := b.send(c, `query($id: ID!) { sample(id: $id) { whole } }`, `{"id": "`+ids[0]+`"}`); got.RawData() != `{"sample":null}` {
			t.Errorf("after the delete: %s", got)
		}
	})
}

// TestWritesRefuse sends values that columns cannot hold, and what refers to nothing.
func TestWritesRefuse(t *testing.T) {
	t.Parallel()
	b := filled(t)
	const stranger = "sample_01h455vb4pex5vsknk084sn02q"
	b.each(func(c *gqltest.Client, ids []string) {
		for _, tt := range []struct{ id, input, code, field, message string }{
			{ids[0], `"price": "1.234"`, "BAD_USER_INPUT", "input.price", "price has more than 2 digits after its point"},
			{ids[0], `"price": 99999999999`, "BAD_USER_INPUT", "input.price", "price has more than 10 digits before its point"},
			{ids[0], `"huge": -1`, "BAD_USER_INPUT", "input.huge", "huge is -1; it must be from 0 to 9223372036854775807"},
			{ids[0], `"near": 1e39`, "BAD_USER_INPUT", "input.near", "32 bits"},
			{ids[0], `"word": "a\u0000"`, "BAD_USER_INPUT", "input.word", ""},
			{ids[0], `"tokens": ["01890a5d-ac96-774b-bcce-b302099a8057", "x"]`, "BAD_USER_INPUT", "input.tokens.1", ""},
			{ids[0], `"day": "2026-02-30"`, "BAD_USER_INPUT", "input.day", ""},
			{ids[0], `"whole": null`, "BAD_USER_INPUT", "input.whole", "whole cannot be null; leave it out to keep it as it is"},
			{ids[0], `"words": null`, "BAD_USER_INPUT", "input.words", "words cannot be null; leave it out to keep it as it is"},
			{ids[0], `"color": "BLUE"`, "BAD_USER_INPUT", "input.color", ""},
			{ids[0], `"ofId": "` + stranger + `"`, "NOT_FOUND", "input.ofId", "there is no " + stranger},
			{ids[0], `"ofId": "other_01h455vb4pex5vsknk084sn02q"`, "BAD_USER_INPUT", "input.ofId", "one that begins with sample_ is wanted here"},
			{ids[0], `"ofId": "sample_1"`, "BAD_USER_INPUT", "input.ofId", `"sample_1" is not an ID: one looks like sample_01h455vb4pex5vsknk084sn02q`},
			{"sample_1", ``, "BAD_USER_INPUT", "id", `"sample_1" is not an ID: one looks like sample_01h455vb4pex5vsknk084sn02q`},
			{stranger, `"whole": 1`, "NOT_FOUND", "", "there is no " + stranger},
			{stranger, ``, "NOT_FOUND", "", "there is no " + stranger},
		} {
			got := b.send(c, fmt.Sprintf(update, "id"), `{"id": "`+tt.id+`", "input": {`+tt.input+`}}`)
			field, _ := got.Extension("field").(string)
			if got.Code() != tt.code || field != tt.field || !strings.Contains(got.Errors[0].Message, tt.message) {
				t.Errorf("%s: %s; want %s at %q: %s", tt.input, got, tt.code, tt.field, tt.message)
			}
		}
		if got := b.send(c, `{ samples { nodes { `+all+` } } }`, `{}`); !strings.HasPrefix(got.RawData(), `{"samples":{"nodes":[`+shown(0)) {
			t.Errorf("a refused value was stored: %s", got)
		}
	})
}

// TestWritesBind has the start name what of the mutations does not fit the entities.
func TestWritesBind(t *testing.T) {
	t.Parallel()
	api := new(Resolver).API()
	api.Entities = slices.Clone(api.Entities)
	sample := *api.Entities[0]
	sample.Fields = slices.DeleteFunc(slices.Clone(sample.Fields), func(f entity.Field) bool { return f.Name == "whole" })
	for i := range sample.Fields {
		switch f := &sample.Fields[i]; f.Name {
		case "flag":
			f.Immutable = true
		case "secret":
			f.Default = false
		}
	}
	api.Entities[0] = &sample
	err := api.Check()
	for _, want := range []string{
		"UpdateSampleInput.flag: the column flag of Sample is Immutable() in ent/schema; take one of the two out",
		"CreateSampleInput: the column secret of Sample must have a value, and nothing sets it; add the field secret",
		"CreateSampleInput.whole: Sample has neither a column nor an edge of this name in ent/schema; name the one that it sets",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the start says %v, not %s", err, want)
		}
	}
}
