package graph

import (
	"context"
	"fmt"

	"github.com/99designs/gqlgen/graphql"

	"forge/ent"
	"forge/ent/hero"
	"forge/graph/model"
	"forge/internal/ids"
	"forge/internal/read"
)

func createHero(ctx context.Context, db *ent.Client, in model.CreateHeroInput) (*ent.Hero, error) {
	create := db.Hero.Create()
	f := form{path: "input"}
	setHero(&f, create.Mutation(), newHero(&in))
	if f.fault != nil {
		return nil, f.fault
	}
	if err := haveRelatives(ctx, db, f.path, create.Mutation()); err != nil {
		return nil, err
	}
	h, err := create.Save(read.WithFinalWrite(ctx))
	if err != nil {
		return nil, fmt.Errorf("create a hero: %w", err)
	}
	return h, nil
}

func updateHero(ctx context.Context, db *ent.Client, t target, in model.UpdateHeroInput) error {
	if err := wantPrefix("id", t.id, "hero"); err != nil {
		return err
	}
	update := db.Hero.Update().Where(t.is)
	f := form{path: "input"}
	setHero(&f, update.Mutation(), in)
	if f.fault != nil {
		return f.fault
	}
	if err := haveRelatives(ctx, db, f.path, update.Mutation()); err != nil {
		return err
	}
	return t.update(ctx, update.Mutation(), update.Save, heroVersion(db, t.id))
}

func deleteHero(ctx context.Context, db *ent.Client, t target) error {
	if err := wantPrefix("id", t.id, "hero"); err != nil {
		return err
	}
	n, err := db.Hero.Delete().Where(t.is).Exec(read.WithFinalWrite(ctx))
	return t.changed(ctx, n, err, heroVersion(db, t.id))
}

func heroVersion(db *ent.Client, id ids.ID) func(context.Context) (int, error) {
	return db.Hero.Query().Where(hero.ID(id.UUID)).Select(hero.FieldVersion).Int
}

// newHero returns the input of a new hero as a change of one that has nothing yet.
func newHero(in *model.CreateHeroInput) model.UpdateHeroInput {
	return model.UpdateHeroInput{
		Name:       graphql.OmittableOf(&in.Name),
		SecretName: in.SecretName,
		Age:        in.Age,
		TeamID:     in.TeamID,
		OwnerID:    in.OwnerID,
	}
}

// setHero checks the input and makes of it what is to be stored.
func setHero(f *form, m *ent.HeroMutation, in model.UpdateHeroInput) {
	if name, ok := given(f, "name", in.Name); ok {
		m.SetName(f.text("name", name, 100))
	}
	if secret, ok := in.SecretName.ValueOK(); ok {
		setOrClear(f.optional("secretName", secret, 100), m.SetSecretName, m.ClearSecretName)
	}
	if age, ok := in.Age.ValueOK(); ok {
		setOrClear(age, func(age int32) { m.SetAge(f.atLeast("age", age, 0)) }, m.ClearAge)
	}
	if id, ok := in.TeamID.ValueOK(); ok {
		setOrClear(id, func(id ids.ID) { m.SetTeamID(f.key("teamId", id, "team").UUID) }, m.ClearTeamID)
	}
	if id, ok := in.OwnerID.ValueOK(); ok {
		setOrClear(id, func(id ids.ID) { m.SetOwnerID(f.key("ownerId", id, "user").UUID) }, m.ClearOwnerID)
	}
}
