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

		"Mutation.signUp":           {Role: viewer.Anonymous, Credentials: true},
		"Mutation.signIn":           {Role: viewer.Anonymous, Credentials: true},
		"Mutation.refreshSession":   {Role: viewer.Anonymous, Credentials: true},
		"Mutation.signOut":          {Role: viewer.Anonymous, Credentials: true},
		"Mutation.changePassword":   {Role: viewer.User, Credentials: true},
		"Mutation.endSession":       {Role: viewer.User},
		"Mutation.endOtherSessions": {Role: viewer.User},
		"Mutation.createUpload":     {Role: viewer.User},

		"Mutation.signInWithProvider":       {Role: viewer.Anonymous, Credentials: true},
		"Mutation.beginProviderLink":        {Role: viewer.User, Credentials: true},
		"Mutation.finishProviderLink":       {Role: viewer.User, Credentials: true},
		"Mutation.unlinkProvider":           {Role: viewer.User},
		"Mutation.requestEmailVerification": {Role: viewer.User},
		"Mutation.verifyEmail":              {Role: viewer.User, Credentials: true},
		"Mutation.requestEmailChange":       {Role: viewer.User},
		"Mutation.confirmEmailChange":       {Role: viewer.User, Credentials: true},
		"Mutation.requestPasswordReset":     {Role: viewer.Anonymous, Credentials: true},
		"Mutation.resetPassword":            {Role: viewer.Anonymous, Credentials: true},
		"Mutation.requestSignInLink":        {Role: viewer.Anonymous, Credentials: true},
		"Mutation.signInWithLink":           {Role: viewer.Anonymous, Credentials: true},
		"Mutation.requestSignInCode":        {Role: viewer.Anonymous, Credentials: true},
		"Mutation.signInWithCode":           {Role: viewer.Anonymous, Credentials: true},
		"Mutation.completeSignIn":           {Role: viewer.Anonymous, Credentials: true},
		"Mutation.beginTotp":                {Role: viewer.User, Credentials: true},
		"Mutation.confirmTotp":              {Role: viewer.User, Credentials: true},
		"Mutation.disableTotp":              {Role: viewer.User, Credentials: true},
		"Mutation.renewRecoveryCodes":       {Role: viewer.User, Credentials: true},
		"Mutation.beginPasskey":             {Role: viewer.User, Credentials: true},
		"Mutation.finishPasskey":            {Role: viewer.User, Credentials: true},
		"Mutation.removePasskey":            {Role: viewer.User, Credentials: true},
		"Mutation.beginPasskeySignIn":       {Role: viewer.Anonymous, Credentials: true},
		"Mutation.signInWithPasskey":        {Role: viewer.Anonymous, Credentials: true},
		"Mutation.removeFactors":            {Role: viewer.Admin},
		"Mutation.deleteAccount":            {Role: viewer.User, Credentials: true},
		"Mutation.keepAccount":              {Role: viewer.User},
		"Mutation.exportAccount":            {Role: viewer.User, Credentials: true},

		"Mutation.createUser":  {Role: viewer.Admin, Prepare: r.hashPassword},
		"Mutation.updateUser":  {Role: viewer.User, Prepare: r.hashPassword},
		"Mutation.deleteUser":  {Role: viewer.User},
		"Mutation.restoreUser": {Role: viewer.Admin},
	}
}
