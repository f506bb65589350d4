package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"

	"forge/internal/apperr"
	"forge/internal/viewer"
)

// access says of each root field who may call it at all. A field that is missing is closed. Which rows those who may then see and
// change, ent/schema says.
var access = map[string]viewer.Role{
	"Query.viewer":   viewer.Anonymous,
	"Query.node":     viewer.Anonymous,
	"Query.nodes":    viewer.Anonymous,
	"Query.user":     viewer.Anonymous,
	"Query.users":    viewer.Anonymous,
	"Query.team":     viewer.Anonymous,
	"Query.teams":    viewer.Anonymous,
	"Query.hero":     viewer.Anonymous,
	"Query.heroes":   viewer.Anonymous,
	"Query.product":  viewer.Anonymous,
	"Query.products": viewer.Anonymous,
	"Query.order":    viewer.Anonymous,
	"Query.orders":   viewer.Anonymous,

	"Mutation.signUp":         viewer.Anonymous,
	"Mutation.signIn":         viewer.Anonymous,
	"Mutation.refreshSession": viewer.Anonymous,
	"Mutation.signOut":        viewer.Anonymous,
	"Mutation.changePassword": viewer.User,

	"Mutation.createUser":    viewer.Admin,
	"Mutation.updateUser":    viewer.User,
	"Mutation.deleteUser":    viewer.User,
	"Mutation.restoreUser":   viewer.Admin,
	"Mutation.createTeam":    viewer.Admin,
	"Mutation.updateTeam":    viewer.Admin,
	"Mutation.deleteTeam":    viewer.Admin,
	"Mutation.createHero":    viewer.User,
	"Mutation.createHeroes":  viewer.User,
	"Mutation.updateHero":    viewer.User,
	"Mutation.deleteHero":    viewer.User,
	"Mutation.createProduct": viewer.Admin,
	"Mutation.updateProduct": viewer.Admin,
	"Mutation.adjustStock":   viewer.Admin,
	"Mutation.createOrder":   viewer.User,
	"Mutation.cancelOrder":   viewer.User,
}

// admit is a root field middleware. It answers with null and an error in the place of a field that the viewer may not call, and does not
// look at its arguments.
func admit(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
	field := graphql.GetRootFieldContext(ctx).Field
	if err := mayCall(ctx, field.ObjectDefinition.Name, field.Name); err != nil {
		graphql.AddError(graphql.WithFieldContext(ctx, &graphql.FieldContext{Object: field.ObjectDefinition.Name, Field: field}), err)
		return graphql.Null
	}
	return next(ctx)
}

// toAll reports whether everybody may call the field of Query.
func toAll(field string) bool {
	least, declared := access["Query."+field]
	return declared && least == viewer.Anonymous
}

// mayCall returns UNAUTHENTICATED if signing in could help, or else FORBIDDEN, unless the viewer may call the field of the root type.
func mayCall(ctx context.Context, object, name string) error {
	if name == "__typename" || name == "__schema" || name == "__type" {
		return nil // whether they are answered at all is not up to who asks
	}
	role := viewer.RoleOf(ctx)
	switch least, declared := access[object+"."+name]; {
	case !declared:
		return apperr.Forbidden("", "%s is closed: nothing says who may call it", name)
	case role >= least:
		return nil
	case role == viewer.Anonymous:
		return apperr.Unauthenticated()
	default:
		return apperr.Forbidden("", "only an administrator may call %s", name)
	}
}
