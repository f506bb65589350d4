package graph

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"forge/ent"
	"forge/ent/hero"
	"forge/ent/schema"
	"forge/graph/model"
	"forge/internal/apperr"
	"forge/internal/database"
	"forge/internal/entity"
	"forge/internal/ids"
	"forge/internal/input"
	"forge/internal/unit"
)

// heroesAtOnce is the largest number of heroes in one statement. It keeps the statement within the
// 32,766 parameters that SQLite allows.
const heroesAtOnce = 1000

// draft is one of several heroes that are to be stored.
type draft struct {
	path string // the path of the input for this hero
	row  *ent.HeroCreate
	err  *apperr.Error // the reason why the hero cannot be stored, or nil
}

// createHeroes stores heroes. The number of statements does not depend on the number of heroes,
// unless the database refuses some with SKIP. With ABORT, it stores all or returns the error of the
// first draft that cannot be stored. With SKIP, it returns all drafts, and those that were not
// stored have an error.
func createHeroes(ctx context.Context, db *ent.Client, in []*model.CreateHeroInput, onError model.OnError) ([]*draft, error) {
	if len(in) > heroesAtOnce {
		return nil, apperr.BadInput("input", "input has %d heroes; at most %d are allowed", len(in), heroesAtOnce)
	}
	drafts := make([]*draft, len(in))
	for i := range in {
		drafts[i] = newDraft(db, "input."+strconv.Itoa(i), in[i])
	}
	if f := firstError(drafts); f != nil && onError == model.OnErrorAbort {
		return nil, f
	}
	for _, d := range good(drafts) {
		if err := hero.Policy.EvalMutation(ctx, d.row.Mutation()); err != nil && !errors.As(err, &d.err) {
			return nil, err
		}
	}
	if err := checkRelatives(ctx, db, drafts); err != nil {
		return nil, err
	}
	if onError == model.OnErrorSkip {
		return drafts, insertAcceptable(ctx, db, good(drafts))
	}
	if f := firstError(drafts); f != nil {
		return nil, f
	}
	return drafts, insertHeroes(ctx, db, drafts)
}

// newDraft checks the input for a hero, and returns its draft. It also makes the key, because
// heroes sort by their keys and must keep the order of the input.
func newDraft(db *ent.Client, path string, in *model.CreateHeroInput) *draft {
	f := input.Form{Path: path}
	create := db.Hero.Create().SetID(entity.NewID())
	setHero(&f, create.Mutation(), in)
	return &draft{path: path, row: create, err: f.Fault()}
}

// setHero checks the input for a hero, and sets the fields of the mutation.
func setHero(f *input.Form, m *ent.HeroMutation, in *model.CreateHeroInput) {
	m.SetName(f.Text("name", in.Name, schema.HeroNameLength))
	if secret := f.Optional("secretName", in.SecretName.Value(), schema.HeroSecretNameLength); secret != nil {
		m.SetSecretName(*secret)
	}
	if age := in.Age.Value(); age != nil {
		m.SetAge(f.AtLeast("age", *age, 0))
	}
	if id := in.TeamID.Value(); id != nil {
		m.SetTeamID(f.ID("teamId", *id, "team").UUID)
	}
	if id := in.OwnerID.Value(); id != nil {
		m.SetOwnerID(f.ID("ownerId", *id, "user").UUID)
	}
}

func (d *draft) id() ids.ID {
	key, _ := d.row.Mutation().ID()
	return ids.ID{Prefix: "hero", UUID: key}
}

// checkRelatives gives an error to each draft whose team or owner does not exist.
func checkRelatives(ctx context.Context, db *ent.Client, drafts []*draft) error {
	var mutations []*ent.HeroMutation
	for _, d := range good(drafts) {
		mutations = append(mutations, d.row.Mutation())
	}
	found, err := findRelatives(ctx, db, mutations...)
	if err != nil {
		return err
	}
	for _, d := range good(drafts) {
		d.err = found.missing(ctx, d.path, d.row.Mutation())
	}
	return nil
}

// good returns the drafts without an error.
func good(drafts []*draft) []*draft {
	var list []*draft
	for _, d := range drafts {
		if d.err == nil {
			list = append(list, d)
		}
	}
	return list
}

// firstError returns the error of the first draft that has one, or nil.
func firstError(drafts []*draft) error {
	for _, d := range drafts {
		if d.err != nil {
			return d.err
		}
	}
	return nil
}

// insertHeroes stores all drafts or none.
func insertHeroes(ctx context.Context, db *ent.Client, drafts []*draft) error {
	rows := make([]*ent.HeroCreate, len(drafts))
	for i, d := range drafts {
		rows[i] = d.row
	}
	if err := db.Hero.CreateBulk(rows...).Exec(ctx); err != nil {
		return fmt.Errorf("create %d heroes: %w", len(rows), err)
	}
	return nil
}

// insertAcceptable stores the drafts that the database accepts, and gives an error to the others.
// If the database refuses a group of drafts, it tries each half of the group, down to single
// drafts.
func insertAcceptable(ctx context.Context, db *ent.Client, drafts []*draft) error {
	if len(drafts) == 0 {
		return nil
	}
	err := unit.FromContext(ctx).Savepoint(ctx, func() error { return insertHeroes(ctx, db, drafts) })
	if _, refused := database.Violation(err); !refused {
		return err
	}
	if len(drafts) == 1 {
		drafts[0].err = apperr.BadInput(drafts[0].path, "the database does not accept this hero")
		return nil
	}
	half := len(drafts) / 2
	if err := insertAcceptable(ctx, db, drafts[:half]); err != nil {
		return err
	}
	return insertAcceptable(ctx, db, drafts[half:])
}

// heroesPayload returns the payload: the heroes that were stored, and the errors of the others.
func heroesPayload(drafts []*draft) *model.CreateHeroesPayload {
	p := &model.CreateHeroesPayload{Heroes: []*model.Hero{}, Errors: []*model.CreateHeroesError{}}
	for i, d := range drafts {
		if d.err == nil {
			p.Heroes = append(p.Heroes, &model.Hero{ID: d.id()})
			continue
		}
		e := &model.CreateHeroesError{Index: int32(i), Code: string(d.err.Code), Message: d.err.Message}
		if d.err.Field != "" {
			e.Field = &d.err.Field
		}
		p.Errors = append(p.Errors, e)
	}
	return p
}
