package graph

import (
	"context"
	"fmt"
	"slices"

	"github.com/99designs/gqlgen/graphql"

	"forge/ent"
	"forge/ent/schema"
	"forge/ent/team"
	"forge/graph/model"
	"forge/internal/ids"
	"forge/internal/input"
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

func updateTeam(ctx context.Context, db *ent.Client, t input.Target, in model.UpdateTeamInput) error {
	if err := input.WantPrefix("id", t.ID, "team"); err != nil {
		return err
	}
	update := db.Team.Update().Where(t.Is)
	if err := setTeam(update.Mutation(), in); err != nil {
		return err
	}
	return t.Update(ctx, update.Mutation(), update.Save, teamVersion(db, t.ID))
}

// setTeam checks the input, and sets the fields of the mutation.
func setTeam(m *ent.TeamMutation, in model.UpdateTeamInput) error {
	f := input.Form{Path: "input"}
	if name, ok := input.Value(&f, "name", in.Name); ok {
		m.SetName(f.Text("name", name, schema.TeamNameLength))
	}
	if headquarters, ok := in.Headquarters.ValueOK(); ok {
		input.SetOrClear(f.Optional("headquarters", headquarters, schema.TeamHeadquartersLength), m.SetHeadquarters, m.ClearHeadquarters)
	}
	if f.Err() != nil {
		return f.Err()
	}
	return nil
}

// deleteTeam removes a team. The database then clears the team of its heroes.
func deleteTeam(ctx context.Context, db *ent.Client, t input.Target) error {
	if err := input.WantPrefix("id", t.ID, "team"); err != nil {
		return err
	}
	n, err := db.Team.Delete().Where(t.Is).Exec(read.WithFinalWrite(ctx))
	return t.Changed(ctx, n, err, teamVersion(db, t.ID))
}

func teamVersion(db *ent.Client, id ids.ID) input.Versions {
	return db.Team.Query().Where(team.ID(id.UUID)).Select(team.FieldVersion).Ints
}

// rivals returns the rivals of each team: up to first other teams that have the same headquarters,
// by name.
func rivals(ctx context.Context, db *ent.Client, teams []*model.Team, first int32) ([][]*model.Team, error) {
	if err := wantSize(first); err != nil {
		return nil, err
	}
	var places []string
	for _, t := range teams {
		if t.Headquarters != nil {
			places = append(places, *t.Headquarters)
		}
	}
	lists := make([][]*model.Team, len(teams))
	if len(places) == 0 {
		return lists, nil
	}
	slices.Sort(places)
	all, err := db.Team.Query().Where(team.HeadquartersIn(slices.Compact(places)...)).Order(team.ByName()).
		Select(team.FieldID, team.FieldHeadquarters).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the teams of %d headquarters: %w", len(places), err)
	}
	byPlace := map[string][]*ent.Team{}
	for _, t := range all {
		byPlace[*t.Headquarters] = append(byPlace[*t.Headquarters], t)
	}
	for i, t := range teams {
		if t.Headquarters == nil {
			continue
		}
		for _, rival := range byPlace[*t.Headquarters] {
			if rival.ID != t.ID.UUID && len(lists[i]) < int(first) {
				lists[i] = append(lists[i], &model.Team{ID: rival.GlobalID()})
			}
		}
	}
	return lists, nil
}
