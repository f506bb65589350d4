package graph

import (
	"context"
	"fmt"

	"github.com/99designs/gqlgen/graphql"

	"forge/ent"
	"forge/ent/hero"
	"forge/ent/schema"
	"forge/graph/model"
	"forge/internal/ids"
	"forge/internal/input"
	"forge/internal/read"
)

func createHero(ctx context.Context, db *ent.Client, in model.CreateHeroInput) (*ent.Hero, error) {
	create := db.Hero.Create()
	f := input.Form{Path: "input"}
	setHero(&f, create.Mutation(), newHero(&in))
	if f.Err() != nil {
		return nil, f.Err()
	}
	if err := haveRelatives(ctx, db, f.Path, create.Mutation()); err != nil {
		return nil, err
	}
	h, err := create.Save(read.WithFinalWrite(ctx))
	if err != nil {
		return nil, fmt.Errorf("create a hero: %w", err)
	}
	return h, nil
}

func updateHero(ctx context.Context, db *ent.Client, t input.Target, in model.UpdateHeroInput) error {
	if err := input.WantPrefix("id", t.ID, "hero"); err != nil {
		return err
	}
	update := db.Hero.Update().Where(t.Is)
	f := input.Form{Path: "input"}
	setHero(&f, update.Mutation(), in)
	if f.Err() != nil {
		return f.Err()
	}
	if err := haveRelatives(ctx, db, f.Path, update.Mutation()); err != nil {
		return err
	}
	return t.Update(ctx, update.Mutation(), update.Save, heroVersion(db, t.ID))
}

func deleteHero(ctx context.Context, db *ent.Client, t input.Target) error {
	if err := input.WantPrefix("id", t.ID, "hero"); err != nil {
		return err
	}
	n, err := db.Hero.Delete().Where(t.Is).Exec(read.WithFinalWrite(ctx))
	return t.Changed(ctx, n, err, heroVersion(db, t.ID))
}

func heroVersion(db *ent.Client, id ids.ID) input.Versions {
	return db.Hero.Query().Where(hero.ID(id.UUID)).Select(hero.FieldVersion).Ints
}

// newHero returns the input for a new hero in the form of an update, so that setHero accepts both.
func newHero(in *model.CreateHeroInput) model.UpdateHeroInput {
	return model.UpdateHeroInput{
		Name:       graphql.OmittableOf(&in.Name),
		SecretName: in.SecretName,
		Age:        in.Age,
		TeamID:     in.TeamID,
		OwnerID:    in.OwnerID,
	}
}

// setHero checks the input, and sets the fields of the mutation.
func setHero(f *input.Form, m *ent.HeroMutation, in model.UpdateHeroInput) {
	if name, ok := input.Value(f, "name", in.Name); ok {
		m.SetName(f.Text("name", name, schema.HeroNameLength))
	}
	if secret, ok := in.SecretName.ValueOK(); ok {
		input.SetOrClear(f.Optional("secretName", secret, schema.HeroSecretNameLength), m.SetSecretName, m.ClearSecretName)
	}
	if age, ok := in.Age.ValueOK(); ok {
		input.SetOrClear(age, func(age int32) { m.SetAge(f.AtLeast("age", age, 0)) }, m.ClearAge)
	}
	if id, ok := in.TeamID.ValueOK(); ok {
		input.SetOrClear(id, func(id ids.ID) { m.SetTeamID(f.ID("teamId", id, "team").UUID) }, m.ClearTeamID)
	}
	if id, ok := in.OwnerID.ValueOK(); ok {
		input.SetOrClear(id, func(id ids.ID) { m.SetOwnerID(f.ID("ownerId", id, "user").UUID) }, m.ClearOwnerID)
	}
}
