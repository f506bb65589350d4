package dev

import "ariga.io/atlas/sql/schema"

// A rename is the rename of a column. If table is empty, it is the rename of a table.
type rename struct{ table, from, to string }

// old returns the old name, in the form that answers use.
func (r rename) old() string { return qualified(r.table, r.from) }

func (r rename) String() string { return r.old() + ":" + r.to }

// fits reports whether an answer names this rename.
func (r rename) fits(answer string) bool { return answer == r.String() || answer == r.from+":"+r.to }

// qualified returns a name with the name of its table before it. If table is empty, it returns only
// the name.
func qualified(table, name string) string {
	if table == "" {
		return name
	}
	return table + "." + name
}

// A candidate is a possible rename: something that is gone, and something of the same kind that is
// new.
type candidate struct {
	rename
	similar bool
}

// sameType reports whether two columns have the same type in the planner's database.
func (b *planner) sameType(one, other *schema.Column) bool {
	a, err := b.formatType(one.Type.Type)
	if err != nil {
		return false
	}
	c, err := b.formatType(other.Type.Type)
	return err == nil && a == c
}

// tableCandidates pairs each table that is gone with each table that is new. Two tables are similar
// if at least two thirds of their columns have the same name and type.
func (b *planner) tableCandidates() (candidates []candidate) {
	for _, gone := range b.now.Tables {
		if _, ok := b.wanted.Table(gone.Name); ok {
			continue
		}
		for _, added := range b.wanted.Tables {
			if _, ok := b.now.Table(added.Name); ok {
				continue
			}
			same := 0
			for _, c := range gone.Columns {
				if other, ok := added.Column(c.Name); ok && b.sameType(c, other) {
					same++
				}
			}
			similar := 3*same >= 2*max(len(gone.Columns), len(added.Columns))
			candidates = append(candidates, candidate{rename{"", gone.Name, added.Name}, similar})
		}
	}
	return candidates
}

// columnCandidates pairs each column that is gone with each new column of the same table. Two
// columns are similar if they have the same type.
func (b *planner) columnCandidates() (candidates []candidate) {
	for _, t := range b.now.Tables {
		after, ok := b.wanted.Table(t.Name)
		if !ok {
			continue
		}
		for _, gone := range t.Columns {
			if _, ok := after.Column(gone.Name); ok {
				continue
			}
			for _, added := range after.Columns {
				if _, ok := t.Column(added.Name); !ok {
					candidates = append(candidates, candidate{rename{t.Name, gone.Name, added.Name}, b.sameType(gone, added)})
				}
			}
		}
	}
	return candidates
}

// goneTables returns the names of the tables that ent no longer has.
func (b *planner) goneTables() (names []string) {
	for _, t := range b.now.Tables {
		if _, ok := b.wanted.Table(t.Name); !ok {
			names = append(names, t.Name)
		}
	}
	return names
}

// goneColumns returns the names of the columns that ent no longer has, for tables that it still
// has.
func (b *planner) goneColumns() (names []string) {
	for _, t := range b.now.Tables {
		if after, ok := b.wanted.Table(t.Name); ok {
			for _, c := range t.Columns {
				if _, ok := after.Column(c.Name); !ok {
					names = append(names, qualified(t.Name, c.Name))
				}
			}
		}
	}
	return names
}

// common returns the candidates that exist for all kinds of database. One is similar if it is
// similar for all of them.
func common(planners []*planner, pairsOf func(*planner) []candidate) (candidates []candidate) {
	for i, b := range planners {
		found := pairsOf(b)
		if i == 0 {
			candidates = found
			continue
		}
		var both []candidate
		for _, p := range candidates {
			for _, other := range found {
				if p.rename == other.rename {
					both = append(both, candidate{p.rename, p.similar && other.similar})
				}
			}
		}
		candidates = both
	}
	return candidates
}
