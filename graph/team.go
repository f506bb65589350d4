package graph

import (
	"context"
	"fmt"
	"slices"

	"forge/ent"
	"forge/ent/team"
	"forge/graph/model"
)

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
