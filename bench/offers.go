package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// offers makes a query of each condition and each order that a schema offers.
type offers struct {
	*api
	client  *client
	samples map[string][]map[string]any // rows of each entity
}

// all returns the queries of all connections at the root, and of all connections in those.
func (o *offers) all() (all []offered, err error) {
	o.samples = map[string][]map[string]any{}
	roots, entities := o.connections(o.query)
	for i, f := range roots {
		if err := o.sample(entities[i], f.Name); err != nil {
			return nil, err
		}
	}
	for i, f := range roots {
		all = append(all, o.of(&f, entities[i], f.Name, "{ "+f.Name+"(ARGS) { nodes { id } } }", true)...)
		nested, below := o.connections(entities[i])
		for j, n := range nested {
			if err := o.sample(below[j], f.Name, n.Name); err != nil {
				return nil, err
			}
			all = append(all, o.of(&n, below[j], f.Name+"."+n.Name, "{ "+f.Name+"(first: 20) { nodes { "+n.Name+"(ARGS) { nodes { id } } } } }", false)...)
		}
	}
	return all, nil
}

// of returns the queries of one connection.
func (o *offers) of(f *apiField, entity, name, query string, root bool) (all []offered) {
	add := func(asks string, args func(try int) string) {
		all = append(all, offered{asks: asks, field: name, args: args, query: query})
	}
	for _, condition := range o.types[f.arg("where").Type.named()].InputFields {
		if o.value(entity, condition, 0, 0) != "" {
			add(condition.Name, func(try int) string {
				return "first: 20, where: {" + condition.Name + ": " + o.value(entity, condition, try, 0) + "}"
			})
		}
	}
	if f.arg("search") != nil {
		for _, letters := range []int{2, 5} {
			add(fmt.Sprintf("search for %d letters", letters), func(try int) string {
				return "first: 20, search: " + strconv.Quote(cut(o.text(entity, try), letters))
			})
		}
	}
	by := f.arg("orderBy")
	if by == nil {
		return all
	}
	values := o.types[o.types[by.Type.named()].input("field").Type.named()].EnumValues
	for i, v := range values {
		for _, direction := range []string{"ASC", "DESC"} {
			order := "{field: " + v.Name + ", direction: " + direction + "}"
			if v.Name == "RELEVANCE" {
				add(v.Name+" "+direction, func(try int) string {
					return "first: 20, search: " + strconv.Quote(cut(o.text(entity, try), 3)) + ", orderBy: [" + order + "]"
				})
				continue
			}
			add(v.Name+" "+direction, func(try int) string { return "first: 20, orderBy: [" + order + "], offset: " + strconv.Itoa(try) })
			if !root {
				continue
			}
			add(v.Name+" "+direction+", after a cursor", func(try int) string { return o.after(f.Name, order, try) })
			add(v.Name+" "+direction+", the last", func(try int) string { return "last: 20, orderBy: [" + order + "], offset: " + strconv.Itoa(try) })
			add(v.Name+" "+direction+", offset 10,000", func(int) string { return "first: 20, orderBy: [" + order + "], offset: 10000" })
			for _, second := range values[i+1:] {
				if second.Name != "RELEVANCE" {
					both := order + ", {field: " + second.Name + ", direction: DESC}"
					add(v.Name+" "+direction+", "+second.Name+" DESC, after a cursor", func(try int) string { return o.after(f.Name, both, try) })
				}
			}
		}
	}
	return all
}

// after returns the arguments of a page that begins after some row.
func (o *offers) after(connection, order string, try int) string {
	body, _ := json.Marshal(map[string]string{"query": fmt.Sprintf("{ page: %s(first: 1, offset: %d, orderBy: [%s]) { pageInfo { endCursor } } }", connection, 100*try, order)})
	var got struct {
		Data struct {
			Page struct{ PageInfo struct{ EndCursor string } }
		}
	}
	answer, err := o.client.post(body)
	if err != nil || json.Unmarshal(answer, &got) != nil { // the query that follows fails, too
		return "first: 20, orderBy: [" + order + "]"
	}
	return "first: 20, orderBy: [" + order + "], after: " + strconv.Quote(got.Data.Page.PageInfo.EndCursor)
}

func (t *apiType) input(name string) *apiValue {
	i := slices.IndexFunc(t.InputFields, func(v apiValue) bool { return v.Name == name })
	return &t.InputFields[i]
}

// sample reads rows of an entity, with all of its columns: through a connection at the root, and
// perhaps another one below.
func (o *offers) sample(entity string, connections ...string) error {
	if len(o.samples[entity]) > 0 {
		return nil
	}
	query := "id"
	for _, f := range o.types[entity].Fields {
		switch t := o.types[f.Type.named()]; {
		case len(f.Args) > 0 || f.Type.list() || f.Name == "id":
		case t.Kind == "SCALAR" || t.Kind == "ENUM":
			query += " " + f.Name
		case t.field("id") != nil:
			query += " " + f.Name + " { id }"
		}
	}
	for _, connection := range slices.Backward(connections) {
		query = connection + "(first: 50) { nodes { " + query + " } }"
	}
	body, _ := json.Marshal(map[string]string{"query": "{ " + query + " }"})
	answer, err := o.client.post(body)
	if err != nil {
		return fmt.Errorf("%s: %w", query, err)
	}
	var got struct{ Data map[string]any }
	if err := json.Unmarshal(answer, &got); err != nil {
		return err
	}
	o.collect(entity, got.Data, len(connections))
	return nil
}

// collect takes the rows out of the lists of nodes, which stand so deep inside each other.
func (o *offers) collect(entity string, data map[string]any, depth int) {
	for name, value := range data {
		list, isList := value.([]any)
		switch {
		case name == "nodes" && isList && depth <= 1:
			for _, row := range list {
				o.samples[entity] = append(o.samples[entity], row.(map[string]any))
			}
		case name == "nodes" && isList:
			for _, row := range list {
				o.collect(entity, row.(map[string]any), depth-1)
			}
		default:
			if object, ok := value.(map[string]any); ok {
				o.collect(entity, object, depth)
			}
		}
	}
}

// value returns a value for a condition on an entity, as GraphQL. It returns "" if there is none.
func (o *offers) value(entity string, condition apiValue, try, depth int) string {
	t := o.types[condition.Type.named()]
	if t.Kind == "INPUT_OBJECT" {
		of, is := strings.CutSuffix(t.Name, "WhereInput")
		if !is || depth > 0 {
			return ""
		}
		for _, inner := range t.InputFields {
			if v := o.value(of, inner, try, depth+1); v != "" && inner.Type.named() != "Boolean" {
				v = "{" + inner.Name + ": " + v + "}"
				if condition.Type.list() {
					v = "[" + v + "]"
				}
				return v
			}
		}
		return ""
	}
	if t.Name == "Boolean" {
		return "true"
	}
	v := o.sampled(entity, condition.Name, try)
	if v == nil && t.Name == "Int" {
		v = float64(try)
	}
	if v == nil {
		return ""
	}
	if text, ok := v.(string); ok && t.Kind != "ENUM" {
		switch {
		case strings.HasSuffix(condition.Name, "HasPrefix"):
			text = cut(text, 4)
		case strings.Contains(condition.Name, "Contains"):
			text = text[len(text)/3 : 2*len(text)/3]
		case strings.HasSuffix(condition.Name, "HasSuffix"):
			text = text[len(text)*2/3:]
		}
		v = strconv.Quote(text)
	}
	if condition.Type.list() {
		return fmt.Sprintf("[%v]", v)
	}
	return fmt.Sprint(v)
}

// sampled returns a value of the column with whose name the condition's begins.
func (o *offers) sampled(entity, condition string, try int) any {
	rows := o.samples[entity]
	for i := range rows {
		row := rows[(i+try*7)%len(rows)]
		best, found := "", any(nil)
		for name, value := range row {
			if edge, ok := value.(map[string]any); ok {
				name, value = name+"Id", edge["id"]
			}
			if strings.HasPrefix(condition, name) && len(name) > len(best) {
				best, found = name, value
			}
		}
		if found != nil {
			return found
		}
	}
	return nil
}

// text returns a text in a row of the entity.
func (o *offers) text(entity string, try int) string {
	rows := o.samples[entity]
	if len(rows) == 0 {
		return "a"
	}
	for _, name := range []string{"name", "username", "title"} {
		if text, ok := rows[(try*7)%len(rows)][name].(string); ok {
			return text
		}
	}
	return "a"
}

// cut returns the beginning of a text.
func cut(text string, letters int) string { return text[:min(len(text), letters)] }
