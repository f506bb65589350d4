package rows

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"forge/internal/apperr"
	"forge/internal/entity"
	"forge/internal/read/binding"
	"forge/internal/read/kind"
	"forge/internal/read/plan"
	"forge/internal/scalar"
	"forge/internal/viewer"
)

// MaxKeys is how many columns groups are formed by at most.
const MaxKeys = 8

// Summary is what a node of aggregates or groups computes, as the arguments of its fields say.
type Summary struct {
	Columns []binding.Column      // those of the node
	Faults  map[int]*apperr.Error // what is wrong with the arguments of a column, by its index
	By      []binding.Column      // what rows are grouped by
	Having  []Having              // the conditions that groups fulfil, all of them
	Order   []Rank                // ends with the columns of By, so that no two groups are equal
}

// Having is a condition on groups: the column is compared with the value.
type Having struct {
	Column binding.Column
	Op     string // as of binding.Having
	Value  any
}

// Rank is one part of an order of groups.
type Rank struct {
	Column    binding.Column
	Desc      bool
	Collation string // as of Term
}

// summaryReader reads the arguments of one node.
type summaryReader struct {
	*Summary
	of        *binding.Summary
	variables map[string]any
	role      viewer.Role
}

// ReadSummary returns what a node of aggregates or groups computes, and the page of its groups. It
// returns nil for a node whose columns do not depend on arguments. It returns an error that names
// the argument of the field groups that is not valid, or that the viewer's role may not use.
func ReadSummary(n *plan.Node, variables map[string]any, role viewer.Role) (*Summary, *Page, error) {
	if n.Groups == nil && n.Distinct == nil {
		return nil, nil, nil
	}
	r := summaryReader{&Summary{Columns: slices.Clone(n.Columns), Faults: map[int]*apperr.Error{}}, n.Object.Summary, variables, role}
	for _, d := range n.Distinct {
		r.distinct(d)
	}
	if n.Groups == nil {
		return r.Summary, nil, nil
	}
	args := map[string]any{}
	for _, def := range n.Groups.Definition.Arguments {
		args[def.Name] = plan.Argument(n.Groups, def, variables)
	}
	page, err := groupPage(args["first"])
	if err == nil {
		err = r.by(plan.List(args["by"]))
	}
	if err == nil {
		err = r.having(args["having"])
	}
	if err == nil && args["orderBy"] != nil {
		err = r.order(plan.List(args["orderBy"]))
	}
	if err != nil {
		return nil, nil, err
	}
	for _, key := range r.By {
		r.rank(Rank{Column: key})
	}
	r.keys()
	return r.Summary, page, nil
}

// groupPage returns the page that holds the first groups, of which an argument says the number.
func groupPage(value any) (*Page, error) {
	first, err := size("first", plan.NumberOf(value), plan.MaxGroups)
	if err != nil {
		return nil, err
	}
	if first == nil {
		first = new(plan.DefaultPage)
	}
	return &Page{First: first, Size: *first, Limit: *first}, nil
}

// distinct finds out which column is counted.
func (r *summaryReader) distinct(d plan.Distinct) {
	value := plan.Argument(d.Field, d.Field.Definition.Arguments[0], r.variables)
	key, err := r.key("field", value)
	if err != nil {
		r.Faults[d.Column] = err
		r.Columns[d.Column] = *binding.TotalCount.Column
		return
	}
	c := &r.Columns[d.Column]
	c.Name, c.Measure = key.Column.Name, &binding.Measure{Function: kind.CountDistinct, Of: key.Column.Kind}
}

// key returns what a value of the enum of group fields names.
func (r *summaryReader) key(path string, value any) (*binding.Field, *apperr.Error) {
	key := r.of.By[fmt.Sprint(value)]
	switch {
	case key == nil:
		return nil, apperr.BadInput(path, "%.40q is nothing to group by", value)
	case key.Visible != entity.ToAll && r.role != viewer.Admin:
		return nil, apperr.Forbidden(path, "only an administrator may group by this")
	}
	return key, nil
}

// by reads the argument by.
func (r *summaryReader) by(entries []any) error {
	if len(entries) == 0 || len(entries) > MaxKeys {
		return apperr.BadInput("by", "by has %d entries; from 1 to %d are allowed", len(entries), MaxKeys)
	}
	for i, entry := range entries {
		path := fmt.Sprintf("by.%d.", i)
		input, _ := entry.(map[string]any)
		key, fault := r.key(path+"field", input["field"])
		if fault != nil {
			return fault
		}
		column := *key.Column
		if r.grouped(column.Name) != nil {
			return apperr.BadInput(path+"field", "%s stands in by already, as what it names is the same column", input["field"])
		}
		var err error
		if column.Measure, err = bucket(path, &column, input["bucket"], input["timeZone"]); err != nil {
			return err
		}
		r.By = append(r.By, column)
	}
	return nil
}

// grouped returns the member of By with the values of a column, or nil.
func (r *summaryReader) grouped(column string) *binding.Column {
	for i := range r.By {
		if r.By[i].Name == column {
			return &r.By[i]
		}
	}
	return nil
}

// bucket returns how the values of a column are cut to units of time, or nil if they are not.
func bucket(path string, column *binding.Column, unit, zone any) (*binding.Measure, error) {
	switch {
	case unit == nil && zone != nil:
		return nil, apperr.BadInput(path+"timeZone", "a time zone is for a bucket, and there is none; name one, or leave the time zone out")
	case unit == nil:
		return nil, nil
	case column.Kind != entity.Time && column.Kind != entity.Date:
		return nil, apperr.BadInput(path+"bucket", "a bucket is for a Time or a Date, and this is neither; leave it out")
	case !slices.Contains(binding.Buckets, fmt.Sprint(unit)):
		return nil, apperr.BadInput(path+"bucket", "%.40q is no bucket", unit)
	case column.Kind == entity.Date && unit == "HOUR":
		return nil, apperr.BadInput(path+"bucket", "a Date has no hours; allowed are DAY, WEEK, MONTH, QUARTER and YEAR")
	case column.Kind == entity.Date && zone != nil:
		return nil, apperr.BadInput(path+"timeZone", "a Date is the same day in all time zones; leave the time zone out")
	case zone == nil:
		zone = "UTC"
	}
	name, _ := zone.(string)
	if _, err := scalar.Zone(name); err != nil {
		return nil, apperr.BadInput(path+"timeZone", "%s", err)
	}
	local := column.Kind == entity.Time && column.Postgres != ""
	column.Postgres = "" // a bucket is a time with a zone
	return &binding.Measure{Of: column.Kind, Bucket: fmt.Sprint(unit), Zone: name, Local: local}, nil
}

// having reads the argument having.
func (r *summaryReader) having(value any) error {
	input, _ := value.(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(input)) {
		condition := r.of.Have[name]
		if condition == nil || input[name] == nil { // a variable may also hold __typename
			continue
		}
		of := condition.Field
		if of.Visible != entity.ToAll && r.role != viewer.Admin {
			return apperr.Forbidden("having."+name, "only an administrator may compare this")
		}
		k, _ := kind.Of(of.Column.Kind)
		arg, err := k.Argument(of.Shows, input[name])
		if err != nil {
			return apperr.BadInput("having."+name, "%s", err)
		}
		r.Having = append(r.Having, Having{*of.Column, condition.Op, arg})
	}
	return nil
}

// order reads the argument orderBy.
func (r *summaryReader) order(entries []any) error {
	for i, entry := range entries {
		path := fmt.Sprintf("orderBy.%d.", i)
		input, _ := entry.(map[string]any)
		of := r.of.Rank[fmt.Sprint(input["field"])]
		direction, given := input["direction"]
		switch {
		case of == nil:
			return apperr.BadInput(path+"field", "%.40q is nothing to order groups by", input["field"])
		case of.Visible != entity.ToAll && r.role != viewer.Admin:
			return apperr.Forbidden(path+"field", "only an administrator may order by this")
		case given && direction != "ASC" && direction != "DESC":
			return apperr.BadInput(path+"direction", "%.40q is no direction: it is ASC or DESC", direction)
		}
		column := of.Column
		if column.Measure == nil {
			if column = r.grouped(column.Name); column == nil {
				return apperr.BadInput(path+"field", "groups are ordered by %s only if they are formed by it: add {field: %[1]s} to by", input["field"])
			}
		}
		language, err := collated(column.Kind, input["collation"], path+"collation")
		if err != nil {
			return err
		}
		r.rank(Rank{*column, direction == "DESC", language})
	}
	return nil
}

// rank adds a column to the order, unless it is in it: ordering by it again would change nothing,
// as for pages.
func (r *summaryReader) rank(by Rank) {
	if !slices.ContainsFunc(r.Order, func(known Rank) bool { return known.Column == by.Column }) {
		r.Order = append(r.Order, by)
	}
}

// keys replaces the columns that show keys of groups by those that rows are grouped by. One that
// rows are not grouped by is NULL, and has a fault.
func (r *summaryReader) keys() {
	for i := range r.Columns {
		c := &r.Columns[i]
		if c.Measure != nil {
			continue
		}
		if key := r.grouped(c.Name); key != nil {
			*c = *key
			continue
		}
		r.Faults[i] = apperr.BadInput("by", "groups have this key only if they are formed by it: add {field: %s} to by", r.nameOf(c.Name))
		c.Measure = &binding.Measure{Of: c.Kind, Null: true}
	}
}

// nameOf returns a value of the enum of group fields that names a column.
func (r *summaryReader) nameOf(column string) string {
	for _, name := range slices.Sorted(maps.Keys(r.of.By)) {
		if r.of.By[name].Column.Name == column {
			return name
		}
	}
	return "…"
}

// Fault returns what is wrong with the arguments of a column, or nil.
func (s *Summary) Fault(column int) *apperr.Error {
	if s == nil {
		return nil
	}
	return s.Faults[column]
}

// AppendKey appends all that the text of a statement depends on, except for conditions.
func (s *Summary) AppendKey(b []byte) []byte {
	if s == nil {
		return b
	}
	column := func(c *binding.Column) {
		b = append(append(b, ';'), c.Name...)
		if m := c.Measure; m != nil {
			b = append(append(append(append(append(append(b, ','), m.Function...), ','), m.Bucket...), ','), m.Zone...)
			b = strconv.AppendBool(b, m.Null)
		}
	}
	for i := range s.Columns {
		column(&s.Columns[i])
	}
	b = append(b, '|')
	for i := range s.By {
		column(&s.By[i])
	}
	b = append(b, '|')
	for i := range s.Order {
		column(&s.Order[i].Column)
		b = strconv.AppendBool(append(b, s.Order[i].Collation...), s.Order[i].Desc)
	}
	return b
}
