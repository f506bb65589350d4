package dev

import "ariga.io/atlas/sql/schema"

// A rename is one of a table, or of a column of the table that is named.
type rename struct{ table, from, to string }

// old is what the renamed thing is called by who answers.
func (r rename) old() string { return qualified(r.table, r.from) }

func (r rename) String() string { return r.old() + ":" + r.to }

// fits reports whether an answer with one of the names of r's own means r.
func (r rename) fits(answer string) bool { return answer == r.String() || answer == r.from+":"+r.to }

func qualified(table, name string) string {
	if table == "" {
		return name
	}
	return table + "." + name
}

// A pair is something that is gone and something that is new, which may be the
// same under another name.
type pair struct {
	rename
	alike bool
}

// hasTypeOf reports whether two columns are of one type, as this dialect has it.
func (b *bench) hasTypeOf(one, other *schema.Column) bool {
	a, err := b.formatType(one.Type.Type)
	if err != nil {
		return false
	}
	c, err := b.formatType(other.Type.Type)
	return err == nil && a == c
}

// tablePairs are two tables each of which one is gone and the other new. They
// are alike when two thirds of their columns are.
func (b *bench) tablePairs() (pairs []pair) {
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
				if other, ok := added.Column(c.Name); ok && b.hasTypeOf(c, other) {
					same++
				}
			}
			alike := 3*same >= 2*max(len(gone.Columns), len(added.Columns))
			pairs = append(pairs, pair{rename{"", gone.Name, added.Name}, alike})
		}
	}
	return pairs
}

// columnPairs are the same for columns of one table. They are alike when they
// have one type.
func (b *bench) columnPairs() (pairs []pair) {
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
					pairs = append(pairs, pair{rename{t.Name, gone.Name, added.Name}, b.hasTypeOf(gone, added)})
				}
			}
		}
	}
	return pairs
}

// goneTables are the names of the tables that ent no longer has, goneColumns
// those of the columns in the tables that it still has.
func (b *bench) goneTables() (names []string) {
	for _, t := range b.now.Tables {
		if _, ok := b.wanted.Table(t.Name); !ok {
			names = append(names, t.Name)
		}
	}
	return names
}

func (b *bench) goneColumns() (names []string) {
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

// common returns the pairs that every dialect has, alike if they are so in all.
func common(benches []*bench, pairsOf func(*bench) []pair) (pairs []pair) {
	for i, b := range benches {
		found := pairsOf(b)
		if i == 0 {
			pairs = found
			continue
		}
		var both []pair
		for _, p := range pairs {
			for _, other := range found {
				if p.rename == other.rename {
					both = append(both, pair{p.rename, p.alike && other.alike})
				}
			}
		}
		pairs = both
	}
	return pairs
}
