// Package program tests the program from start to end.
package program

import (
	"os"
	"os/exec"
	"testing"

	"forge/test/dbtest"
	"forge/test/gqltest"
	"forge/test/process"
)

func TestMain(m *testing.M) { os.Exit(process.Main(m)) }

// serve starts the program with settings, and returns its server.
func serve(t *testing.T, environ ...string) *process.Server {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), process.Build(t))
	cmd.Dir, cmd.Env = t.TempDir(), append(os.Environ(), append([]string{"ADDR=127.0.0.1:0"}, environ...)...)
	return process.Start(t, cmd)
}

// TestFirstStart starts the program as a newcomer does. Demo data is there, and everybody is an
// administrator.
func TestFirstStart(t *testing.T) {
	t.Parallel()
	s := serve(t)
	if n := gqltest.New(t, s.URL).Must(`{ users { totalCount } }`, nil).Number("users.totalCount"); n != 100 {
		t.Errorf("%d users, want 100", n)
	}
	s.Stop()
}

// TestAccounts signs a user up, in, and out, on both databases.
func TestAccounts(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		s := serve(t, "DATABASE_URL="+url, "AUTH=on", "AUTH_SECRET=a secret of more than thirty-two bytes", "DEMO=off")
		guest := gqltest.New(t, s.URL)
		in := map[string]any{"username": "ada", "password": "correct horse battery"}
		up := guest.Must(`mutation($in: SignUpInput!) { signUp(input: $in) { accessToken user { id } } }`, gqltest.Vars{"in": in})
		user := guest.With("Authorization", "Bearer "+up.Text("signUp.accessToken"))
		if id := user.Must(`{ viewer { id } }`, nil).Text("viewer.id"); id != up.Text("signUp.user.id") {
			t.Errorf("the viewer is %s, want %s", id, up.Text("signUp.user.id"))
		}
		if got := user.Do(`mutation { createUser(input: {username: "eve"}) { user { id } } }`, nil); got.Code() != "FORBIDDEN" {
			t.Errorf("a user makes another: %s, want FORBIDDEN", got)
		}
		signIn := guest.Must(`mutation { signIn(input: {login: "ada", password: "correct horse battery"}) { refreshToken } }`, nil)
		const out = `mutation($in: SignOutInput!) { signOut(input: $in) { ok } }`
		if got := guest.Must(out, gqltest.Vars{"in": map[string]any{"refreshToken": signIn.Text("signIn.refreshToken")}}); got.At("signOut.ok") != true {
			t.Errorf("signOut: %s", got)
		}
		s.Stop()
	})
}
