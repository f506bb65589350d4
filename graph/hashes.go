package graph

import (
	"context"
	"fmt"

	"github.com/99designs/gqlgen/graphql"

	"forge/internal/viewer"
)

// hashes are of the passwords that an operation gives to users, by the response keys of the root fields that do.
type hashes map[string]hashed

// hashed is a hash, or why there is none.
type hashed struct {
	hash string
	err  error
}

// hashPasswords makes the hashes that the operation will store. It is done before the first statement: each takes tens of milliseconds once its turn has come, and
// nobody is to wait that long for what a transaction holds. Attempts that follow take the hashes of the first. Passwords that will be refused are left out, and so is
// all that comes after one that could not be hashed.
func (a *attempt) hashPasswords(ctx context.Context) {
	if a.hashes != nil || !isMutation(ctx) || viewer.RoleOf(ctx) != viewer.Admin {
		return // only administrators say the passwords of others
	}
	op := graphql.GetOperationContext(ctx)
	for _, root := range a.engine.Prepare(op).RootFields() {
		if root.Name != "createUser" && root.Name != "updateUser" {
			continue
		}
		input, _ := root.ArgumentMap(op.Variables)["input"].(map[string]any)
		secret, given := input["password"].(string)
		if f := new(form); !given || f.password("password", &secret) == nil || f.fault != nil {
			continue
		}
		hash, err := a.Passwords.Hash(ctx, secret)
		if a.hashes == nil {
			a.hashes = hashes{}
		}
		a.hashes[root.Alias] = hashed{hash, err}
		if err != nil {
			return
		}
	}
}

// hashOf returns the hash of the password that the root field of ctx gives to a user.
func hashOf(ctx context.Context) (string, error) {
	key := graphql.GetRootFieldContext(ctx).Field.Alias
	made, ok := ctx.Value(attemptKey{}).(*attempt).hashes[key]
	if !ok {
		return "", fmt.Errorf("the password that %s sets was not hashed before the operation began", key)
	}
	return made.hash, made.err
}
