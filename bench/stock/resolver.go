package main

import (
	"context"

	"entgo.io/contrib/entgql"

	"forge/bench/stock/ent"
	"forge/bench/stock/ent/user"
	"forge/bench/stock/graph"
	"forge/bench/stock/uuidgql"
)

// resolver is the root of gqlgen's resolvers.
type resolver struct{ client *ent.Client }

func (r *resolver) Query() graph.QueryResolver       { return &queryResolver{r} }
func (r *resolver) Mutation() graph.MutationResolver { return &mutationResolver{r} }

type (
	queryResolver    struct{ *resolver }
	mutationResolver struct{ *resolver }
	cursor           = entgql.Cursor[uuidgql.UUID]
)

func (r *queryResolver) Node(ctx context.Context, id uuidgql.UUID) (ent.Noder, error) {
	return r.client.Noder(ctx, id)
}

func (r *queryResolver) Nodes(ctx context.Context, ids []uuidgql.UUID) ([]ent.Noder, error) {
	return r.client.Noders(ctx, ids)
}

// User returns the user with an ID, or nil if the user was deleted or does not exist.
func (r *queryResolver) User(ctx context.Context, id uuidgql.UUID) (*ent.User, error) {
	q, err := r.client.User.Query().Where(user.ID(id), user.DeletedAtIsNil()).CollectFields(ctx)
	if err != nil {
		return nil, err
	}
	u, err := q.Only(ctx)
	return u, ent.MaskNotFound(err)
}

func (r *queryResolver) Users(ctx context.Context, after *cursor, first *int, before *cursor, last *int, order *ent.UserOrder, where *ent.UserWhereInput) (*ent.UserConnection, error) {
	return r.client.User.Query().Where(user.DeletedAtIsNil()).
		Paginate(ctx, after, first, before, last, ent.WithUserOrder(order), ent.WithUserFilter(where.Filter))
}

func (r *queryResolver) Teams(ctx context.Context, after *cursor, first *int, before *cursor, last *int, order *ent.TeamOrder, where *ent.TeamWhereInput) (*ent.TeamConnection, error) {
	return r.client.Team.Query().Paginate(ctx, after, first, before, last, ent.WithTeamOrder(order), ent.WithTeamFilter(where.Filter))
}

func (r *queryResolver) Heroes(ctx context.Context, after *cursor, first *int, before *cursor, last *int, order *ent.HeroOrder, where *ent.HeroWhereInput) (*ent.HeroConnection, error) {
	return r.client.Hero.Query().Paginate(ctx, after, first, before, last, ent.WithHeroOrder(order), ent.WithHeroFilter(where.Filter))
}

func (r *queryResolver) Products(ctx context.Context, after *cursor, first *int, before *cursor, last *int, order *ent.ProductOrder, where *ent.ProductWhereInput) (*ent.ProductConnection, error) {
	return r.client.Product.Query().Paginate(ctx, after, first, before, last, ent.WithProductOrder(order), ent.WithProductFilter(where.Filter))
}

func (r *queryResolver) Orders(ctx context.Context, after *cursor, first *int, before *cursor, last *int, order *ent.OrderOrder, where *ent.OrderWhereInput) (*ent.OrderConnection, error) {
	return r.client.Order.Query().Paginate(ctx, after, first, before, last, ent.WithOrderOrder(order), ent.WithOrderFilter(where.Filter))
}
