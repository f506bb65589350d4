package graph

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"unicode/utf8"

	"forge/ent"
	"forge/ent/hero"
	"forge/ent/product"
	"forge/ent/team"
	"forge/graph/model"
	"forge/internal/apperr"
	"forge/internal/input"
	"forge/internal/read/plan"
)

// wantSize returns an error if a list may not have first entries.
func wantSize(first int32) error {
	if first < 0 || first > plan.MaxPage {
		return apperr.BadInput("first", "first is %d; from 0 to %d is allowed", first, plan.MaxPage)
	}
	return nil
}

// search finds heroes, products and teams whose name begins with a text.
func search(ctx context.Context, db *ent.Client, text string, first int32) ([]*model.SearchHit, error) {
	if err := wantSize(first); err != nil {
		return nil, err
	}
	f := input.Form{}
	text = f.Text("text", text, 100)
	if f.Err() != nil {
		return nil, f.Err()
	}
	var hits []*model.SearchHit
	found := func(name string, hit model.SearchHit) {
		hit.Score = float64(utf8.RuneCountInString(text)) / float64(utf8.RuneCountInString(name))
		hits = append(hits, &hit)
	}
	heroes, err := db.Hero.Query().Where(hero.NameHasPrefix(text)).Order(hero.ByName(), hero.ByID()).Limit(int(first)).Select(hero.FieldName).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("search heroes: %w", err)
	}
	for _, h := range heroes {
		found(h.Name, model.SearchHit{Hero: &model.Hero{ID: h.GlobalID()}})
	}
	products, err := db.Product.Query().Where(product.NameHasPrefix(text)).Order(product.ByName(), product.ByID()).Limit(int(first)).Select(product.FieldName).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("search products: %w", err)
	}
	for _, p := range products {
		found(p.Name, model.SearchHit{Product: &model.Product{ID: p.GlobalID()}})
	}
	teams, err := db.Team.Query().Where(team.NameHasPrefix(text)).Order(team.ByName()).Limit(int(first)).Select(team.FieldName).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("search teams: %w", err)
	}
	for _, t := range teams {
		found(t.Name, model.SearchHit{Team: &model.Team{ID: t.GlobalID()}})
	}
	slices.SortStableFunc(hits, func(a, b *model.SearchHit) int { return cmp.Compare(b.Score, a.Score) })
	return hits[:min(len(hits), int(first))], nil
}
