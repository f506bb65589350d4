package graph

import (
	"forge/internal/gqlexec"
	"forge/internal/viewer"
)

// access says who may call which root field. A field that is not in it may not be called by
// anybody. Which rows a caller may see and change is decided by the policies in ent/schema.
func (r *Resolver) access() map[string]gqlexec.Access {
	return map[string]gqlexec.Access{
		"Query.viewer": {Role: viewer.Anonymous},
		"Query.node":   {Role: viewer.Anonymous},
		"Query.nodes":  {Role: viewer.Anonymous},
		"Query.user":   {Role: viewer.Anonymous},
		"Query.users":  {Role: viewer.Anonymous},

		"Query.authProviders": {Role: viewer.Anonymous},

		"Mutation.signUp":         {Role: viewer.Anonymous, Credentials: true},
		"Mutation.signIn":         {Role: viewer.Anonymous, Credentials: true},
		"Mutation.refreshSession": {Role: viewer.Anonymous, Credentials: true},
		"Mutation.signOut":        {Role: viewer.Anonymous, Credentials: true},
		"Mutation.changePassword": {Role: viewer.User, Credentials: true},

		"Mutation.signInWithProvider": {Role: viewer.Anonymous, Credentials: true},
		"Mutation.beginProviderLink":  {Role: viewer.User, Credentials: true},
		"Mutation.finishProviderLink": {Role: viewer.User, Credentials: true},
		"Mutation.unlinkProvider":     {Role: viewer.User},

		"Mutation.createUser":  {Role: viewer.Admin, Prepare: r.hashPassword},
		"Mutation.updateUser":  {Role: viewer.User, Prepare: r.hashPassword},
		"Mutation.deleteUser":  {Role: viewer.User},
		"Mutation.restoreUser": {Role: viewer.Admin},
	}
}
