package api_test

import (
	"context"
	"strings"
	"testing"

	"forge/ent"
	"forge/ent/schema"
	"forge/ent/user"
	"forge/internal/entity"
	"forge/internal/ids"
	"forge/internal/password"
	"forge/test/dbtest"
)

// row returns the stored row of a user, even of a deleted one.
func (a *api) row(id string) (found *ent.User) {
	a.t.Helper()
	parsed, err := ids.Parse(id)
	if err != nil {
		a.t.Fatal(err)
	}
	a.stored(func(ctx context.Context, db *ent.Client) {
		found, err = db.User.Query().Where(user.ID(parsed.UUID)).Only(entity.WithDeleted(ctx))
		if err != nil {
			a.t.Fatal(err)
		}
	})
	return found
}

func TestCreateUser(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		for _, tt := range []struct {
			name  string
			input vars
			want  vars
		}{
			{"username alone", vars{"username": "ada"},
				vars{"username": "ada", "email": nil, "role": "USER", "isActive": true, "version": 1.0}},
			{"all", vars{"username": "bob", "email": "Bob@Example.com", "password": "correct horse", "isActive": false},
				vars{"username": "bob", "email": "Bob@Example.com", "isActive": false}},
			{"blanks around", vars{"username": " \t\u00a0eve\u2003\n", "email": " eve@example.com\t"},
				vars{"username": "eve", "email": "eve@example.com"}},
			{"blanks within", vars{"username": "Lady Sybil"}, vars{"username": "Lady Sybil"}},
			{"null email", vars{"username": "nil", "email": nil}, vars{"email": nil}},
			{"blank email", vars{"username": "blank", "email": "  "}, vars{"email": nil}},
			{"as many characters as can be, of more than a byte", vars{"username": strings.Repeat("é", schema.UsernameLength-1) + "🙂"},
				vars{"username": strings.Repeat("é", schema.UsernameLength-1) + "🙂"}},
			{"an email as long as can be", vars{"username": "long", "email": strings.Repeat("a", schema.EmailLength-12) + "@example.org"},
				vars{"email": strings.Repeat("a", schema.EmailLength-12) + "@example.org"}},
			{"other script", vars{"username": "Владимир", "email": "владимир@пример.рф"}, vars{"email": "владимир@пример.рф"}},
			{"one of several forms", vars{"username": "Zoe\u0308 \u3000ﬁnn"}, vars{"username": "Zoë finn"}},
			{"other case is another username", vars{"username": "ADA"}, vars{"username": "ADA"}},
		} {
			t.Run(tt.name, func(t *testing.T) {
				got := a.shows(t, "createUser.user", vars{"input": tt.input}, tt.want)
				// What the payload shows is what a query finds.
				found := a.Do(`query($id: ID!) { user(id: $id) { username email } }`, vars{"id": got.Text("createUser.user.id")})
				for _, name := range []string{"username", "email"} {
					if payload, query := got.At("createUser.user."+name), found.At("user."+name); payload != query {
						t.Errorf("%s: the payload has %v, a query %v", name, payload, query)
					}
				}
			})
		}
	})
}

func TestPasswordIsHashed(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		for _, tt := range []struct{ name, secret string }{
			{"plain", "correct horse"},
			{"blanks count", "  12345 "},
			{"longest", strings.Repeat("ж", 128)},
		} {
			t.Run(tt.name, func(t *testing.T) {
				id := a.mustCall("createUser", vars{"input": vars{"username": tt.name, "password": tt.secret}}).Text("createUser.user.id")
				hash := a.row(id).HashedPassword
				if hash == nil || !strings.HasPrefix(*hash, "$argon2id$") {
					t.Fatalf("stored: %v, want an argon2id hash", hash)
				}
				if ok, err := password.New(password.Cost{}, 0, 0).Verify(t.Context(), tt.secret, *hash); !ok || err != nil {
					t.Errorf("the stored hash does not verify: %v, %v", ok, err)
				}
				if ok, _ := password.New(password.Cost{}, 0, 0).Verify(t.Context(), strings.TrimSpace(tt.secret)+"!", *hash); ok {
					t.Error("the stored hash verifies another password")
				}
			})
		}
		id := a.mustCall("createUser", vars{"input": vars{"username": "none"}}).Text("createUser.user.id")
		if hash := a.row(id).HashedPassword; hash != nil {
			t.Errorf("a user without a password has the hash %s", *hash)
		}
	})
}

func TestUpdateUser(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		id := a.mustCall("createUser", vars{"input": vars{"username": "ada", "email": "ada@example.com", "password": "correct horse"}}).Text("createUser.user.id")
		for _, tt := range []struct {
			name         string
			input        vars
			want         vars
			wantPassword string
		}{
			{"username", vars{"username": " eve "}, vars{"username": "eve", "email": "ada@example.com", "isActive": true}, "correct horse"},
			{"its own username", vars{"username": "eve"}, vars{"username": "eve"}, "correct horse"},
			{"its own email in other case", vars{"email": "ADA@example.com"}, vars{"email": "ADA@example.com"}, "correct horse"},
			{"isActive", vars{"isActive": false}, vars{"username": "eve", "email": "ADA@example.com", "isActive": false}, "correct horse"},
			{"password", vars{"password": "battery staple"}, vars{"username": "eve", "isActive": false}, "battery staple"},
			{"no email", vars{"email": nil}, vars{"username": "eve", "email": nil, "isActive": false}, "battery staple"},
			{"an email", vars{"email": "eve@example.com"}, vars{"email": "eve@example.com"}, "battery staple"},
			{"blank email", vars{"email": " "}, vars{"email": nil}, "battery staple"},
			{"no password", vars{"password": nil}, vars{"username": "eve"}, ""},
		} {
			t.Run(tt.name, func(t *testing.T) {
				a.shows(t, "updateUser.user", vars{"id": id, "input": tt.input}, tt.want)
				stored := a.row(id)
				if (stored.Email == nil) != (stored.EmailKey == nil) || stored.EmailKey != nil && *stored.EmailKey != strings.ToLower(*stored.Email) {
					t.Errorf("the email's key does not follow the email %v", stored.Email)
				}
				if tt.wantPassword == "" {
					if stored.HashedPassword != nil {
						t.Error("there still is a password")
					}
				} else if ok, err := password.New(password.Cost{}, 0, 0).Verify(t.Context(), tt.wantPassword, *stored.HashedPassword); !ok {
					t.Errorf("the password is not %q: %v", tt.wantPassword, err)
				}
			})
		}
	})
}

func TestDeleteUser(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		m := a.make()
		got := a.mustCall("deleteUser", vars{"id": m.user})
		if id := got.Text("deleteUser.deletedId"); id != m.user {
			t.Errorf("deletedId is %s, want %s", id, m.user)
		}
		found := a.Must(`query($user: ID!, $hero: ID!, $order: ID!) {
			user(id: $user) { id }
			node(id: $user) { id }
			users { totalCount nodes { id } }
			hero(id: $hero) { name owner { id } version }
			order(id: $order) { totalCents user { id } }
		}`, vars{"user": m.user, "hero": m.hero, "order": m.order})
		for _, path := range []string{"user", "node", "users.nodes.0", "hero.owner", "order.user"} {
			if is := found.At(path); is != nil {
				t.Errorf("%s is %v, want null\n%s", path, is, found)
			}
		}
		if found.Number("users.totalCount") != 0 || found.Number("hero.version") != 1 || found.Number("order.totalCents") != 5000 {
			t.Errorf("%s\nwant no users, and the hero and the order as they were", found)
		}
		if row := a.row(m.user); row.DeletedAt == nil || row.Version != 2 {
			t.Errorf("stored: deleted at %v, version %d; want a time, and 2", row.DeletedAt, row.Version)
		}
		// Its username and email are free.
		a.mustCall("createUser", vars{"input": vars{"username": "ada", "email": "ada@example.com"}})
	})
}

func TestRestoreUser(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		m := a.make()
		a.refused(t, "restoreUser", vars{"id": m.user}, "CONFLICT", vars{"field": "id"})

		a.mustCall("deleteUser", vars{"id": m.user})
		a.shows(t, "restoreUser.user", vars{"id": m.user}, vars{"id": m.user, "username": "ada", "email": "ada@example.com", "version": 3.0})
		found := a.Must(`query($hero: ID!) { hero(id: $hero) { owner { id } } users { totalCount } }`, vars{"hero": m.hero})
		if found.Text("hero.owner.id") != m.user || found.Number("users.totalCount") != 1 {
			t.Errorf("%s\nwant one user, who owns the hero again", found)
		}

		a.mustCall("deleteUser", vars{"id": m.user})
		other := a.mustCall("createUser", vars{"input": vars{"username": "ada"}}).Text("createUser.user.id")
		a.refused(t, "restoreUser", vars{"id": m.user}, "CONFLICT", vars{"field": "username"})
		a.mustCall("updateUser", vars{"id": other, "input": vars{"username": "bob", "email": "ADA@example.com"}})
		a.refused(t, "restoreUser", vars{"id": m.user}, "CONFLICT", vars{"field": "email"})
		a.mustCall("updateUser", vars{"id": other, "input": vars{"email": nil}})
		a.mustCall("restoreUser", vars{"id": m.user})
	})
}
