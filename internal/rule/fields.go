package rule

import (
	"context"

	"entgo.io/ent/dialect/sql"

	"forge/internal/entity"
)

// Fields collects the conditions under which the viewer may see fields of rows; see WithFields.
type Fields struct {
	names   []string
	answers map[string]answer
}

// NewFields returns a Fields for the fields that a Policy shows to some viewers, by their API
// names.
func NewFields(names ...string) *Fields { return &Fields{names, map[string]answer{}} }

type fieldsKey struct{}

// WithFields returns a context in which the policy of a query's entity fills f. An entity that has
// no policy leaves it empty: nobody may see the fields.
func WithFields(ctx context.Context, f *Fields) context.Context {
	return context.WithValue(ctx, fieldsKey{}, f)
}

// Sees returns the predicate that the viewer may see a field of a row of s.
func (f *Fields) Sees(name string, s *sql.Selector) *sql.Predicate {
	return f.answers[name].predicate(s)
}

func (p Policy) showFields(ctx context.Context, r *rows) error {
	if len(p.ShownTo) == 0 {
		return nil
	}
	f, _ := ctx.Value(fieldsKey{}).(*Fields)
	if f == nil {
		return nil
	}
	for _, name := range f.names {
		if who := p.ShownTo[name]; who != nil {
			a, err := who.of(ctx, r)
			if err != nil {
				return err
			}
			f.answers[name] = a
		}
	}
	return nil
}

// Visible returns the visibility of a field or an edge of an entity, by its API name.
func Visible(e *entity.Entity, name string) entity.Visibility {
	for _, p := range Of(e) {
		if who := p.ShownTo[name]; who != nil {
			return entity.ToSome
		}
	}
	return e.Visible[name]
}
