package graph

import (
	"context"
	"fmt"

	"github.com/99designs/gqlgen/graphql"

	"forge/ent"
	"forge/ent/team"
	"forge/graph/model"
	"forge/internal/ids"
	"forge/internal/read"
)

func createTeam(ctx context.Context, db *ent.Client, in model.CreateTeamInput) (*ent.Team, error) {
	create := db.Team.Create()
	err := setTeam(create.Mutation(), model.UpdateTeamInput{
		Name:         graphql.OmittableOf(&in.Name),
		Headquarters: in.Headquarters,
	})
	if err != nil {
		return nil, err
	}
	t, err := create.Save(read.WithFinalWrite(ctx))
	if err != nil {
		return nil, fmt.Errorf("create a team: %w", err)
	}
	return t, nil
}

func updateTeam(ctx context.Context, db *ent.Client, t target, in model.UpdateTeamInput) error {
	if err := wantPrefix("id", t.id, "team"); err != nil {
		return err
	}
	update := db.Team.Update().Where(t.is)
	if err := setTeam(update.Mutation(), in); err != nil {
		return err
	}
	return t.update(ctx, update.Mutation(), update.Save, teamVersion(db, t.id))
}

// setTeam checks the input and makes of it what is to be stored.
func setTeam(m *ent.TeamMutation, in model.UpdateTeamInput) error {
	f := form{path: "input"}
	if name, ok := given(&f, "name", in.Name); ok {
		m.SetName(f.text("name", name, 100))
	}
	if headquarters, ok := in.Headquarters.ValueOK(); ok {
		setOrClear(f.optional("headquarters", headquarters, 200), m.SetHeadquarters, m.ClearHeadquarters)
	}
	if f.fault != nil {
		return f.fault
	}
	return nil
}

// deleteTeam removes a team. The database takes its heroes out of it.
func deleteTeam(ctx context.Context, db *ent.Client, t target) error {
	if err := wantPrefix("id", t.id, "team"); err != nil {
		return err
	}
	n, err := db.Team.Delete().Where(t.is).Exec(read.WithFinalWrite(ctx))
	return t.changed(ctx, n, err, teamVersion(db, t.id))
}

func teamVersion(db *ent.Client, id ids.ID) func(context.Context) (int, error) {
	return db.Team.Query().Where(team.ID(id.UUID)).Select(team.FieldVersion).Int
}
