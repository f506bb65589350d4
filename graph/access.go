package graph

import (
	"forge/internal/gqlexec"
	"forge/internal/viewer"
)

// access says who may call which root field. A field that is not in it may not be called by
// anybody. Which rows a caller may see and change is decided by the policies in ent/schema.
func (r *Resolver) access() map[string]gqlexec.Access {
	return map[string]gqlexec.Access{
		"Query.viewer":       {Role: viewer.Anonymous},
		"Query.node":         {Role: viewer.Anonymous},
		"Query.nodes":        {Role: viewer.Anonymous},
		"Query.changeCursor": {Role: viewer.Anonymous},
		"Query.changes":      {Role: viewer.Anonymous},
		"Query.user":         {Role: viewer.Anonymous},
		"Query.users":        {Role: viewer.Anonymous},
		"Query.team":         {Role: viewer.Anonymous},
		"Query.teams":        {Role: viewer.Anonymous},
		"Query.hero":         {Role: viewer.Anonymous},
		"Query.heroes":       {Role: viewer.Anonymous},
		"Query.product":      {Role: viewer.Anonymous},
		"Query.products":     {Role: viewer.Anonymous},
		"Query.search":       {Role: viewer.Anonymous},
		"Query.order":        {Role: viewer.Anonymous},
		"Query.orders":       {Role: viewer.Anonymous},
		"Query.webhooks":     {Role: viewer.Admin},
		"Query.orderItems":   {Role: viewer.Anonymous},

		"Query.authProviders": {Role: viewer.Anonymous},

		"Mutation.signUp":           {Role: viewer.Anonymous, Credentials: true},
		"Mutation.signIn":           {Role: viewer.Anonymous, Credentials: true},
		"Mutation.refreshSession":   {Role: viewer.Anonymous, Credentials: true},
		"Mutation.signOut":          {Role: viewer.Anonymous, Credentials: true},
		"Mutation.changePassword":   {Role: viewer.User, Credentials: true},
		"Mutation.endSession":       {Role: viewer.User},
		"Mutation.endOtherSessions": {Role: viewer.User},

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

		"Mutation.createWebhook": {Role: viewer.Admin, Credentials: true},
		"Mutation.updateWebhook": {Role: viewer.Admin, Credentials: true},
		"Mutation.deleteWebhook": {Role: viewer.Admin},
		"Mutation.replayWebhook": {Role: viewer.Admin},

		"Mutation.createUser":    {Role: viewer.Admin, Prepare: r.hashPassword},
		"Mutation.updateUser":    {Role: viewer.User, Prepare: r.prepareUser},
		"Mutation.deleteUser":    {Role: viewer.User},
		"Mutation.restoreUser":   {Role: viewer.Admin},
		"Mutation.createTeam":    {Role: viewer.Admin},
		"Mutation.updateTeam":    {Role: viewer.Admin},
		"Mutation.deleteTeam":    {Role: viewer.Admin},
		"Mutation.createHero":    {Role: viewer.User},
		"Mutation.createHeroes":  {Role: viewer.User},
		"Mutation.updateHero":    {Role: viewer.User},
		"Mutation.updateHeroes":  {Role: viewer.User},
		"Mutation.deleteHero":    {Role: viewer.User},
		"Mutation.deleteHeroes":  {Role: viewer.User},
		"Mutation.createProduct": {Role: viewer.Admin},
		"Mutation.updateProduct": {Role: viewer.Admin},
		"Mutation.deleteProduct": {Role: viewer.Admin},
		"Mutation.adjustStock":   {Role: viewer.Admin},
		"Mutation.createOrder":   {Role: viewer.User},
		"Mutation.payOrder":      {Role: viewer.Admin}, // nobody says of their own order that it is paid
		"Mutation.cancelOrder":   {Role: viewer.User},

		"Subscription.changes":        {Role: viewer.Anonymous},
		"Subscription.live":           {Role: viewer.Anonymous},
		"Subscription.heroChanges":    {Role: viewer.Anonymous},
		"Subscription.orderChanges":   {Role: viewer.User},
		"Subscription.productChanges": {Role: viewer.Anonymous},
		"Subscription.teamChanges":    {Role: viewer.Anonymous},
		"Subscription.userChanges":    {Role: viewer.Anonymous},
	}
}
