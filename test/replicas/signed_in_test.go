package replicas

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"forge/test/gqltest"
)

var ageLine = regexp.MustCompile(`(?m)^forge_revocations_age_seconds (\S+)$`)

// age returns how long ago the server learned last which tokens were ended.
func (f *forge) age(t *testing.T) time.Duration {
	t.Helper()
	found := ageLine.FindStringSubmatch(f.Get("/metrics").Body)
	if found == nil {
		t.Fatal("the metric of the age is missing")
	}
	seconds, err := strconv.ParseFloat(found[1], 64)
	must(t, err)
	return time.Duration(seconds * float64(time.Second))
}

// TestSignedInWithoutPrimary takes the primary away from people who are signed in. Where a commit
// waits for a standby, all standbys together tell whose tokens were ended: tokens go on to be good,
// and those that were ended in the last moment are refused everywhere. Without one of the standbys
// nobody can tell.
func TestSignedInWithoutPrimary(t *testing.T) {
	t.Parallel()
	c := cluster(t, 2)
	must(t, c.SetSynchronous(t.Context(), "ANY 1 (node1, node2, node3)"))
	settings := []string{"DURABILITY=synced", "AUTH=on", "AUTH_SECRET=a secret of more than 32 bytes, for tests", "PASSWORD_MEMORY=7168", "PASSWORD_TIME=1"}
	var servers []*forge
	for range 2 {
		servers = append(servers, serve(t, c.URL("postgres"), c.Nodes, settings...))
		servers[len(servers)-1].usable(t, c.Nodes[1:]...)
	}
	for named, lacks := range map[string]bool{c.Nodes[1].URL("postgres"): true, c.Nodes[1].URL("postgres") + " " + c.Nodes[2].URL("postgres"): false} {
		report := doctor(t, append(settings, "DATABASE_URL="+c.URL("postgres"), "DATABASE_REPLICAS="+named, "READS=replica")...)
		if strings.Contains(report, "the primary has 2 standbys, and 1 of them can be read from") != lacks {
			t.Errorf("with %s, doctor says\n%s", named, report)
		}
	}
	const password = "correct horse battery"
	signUp := func(name string) (token string) {
		return servers[0].Must(`mutation($i: SignUpInput!) { m: signUp(input: $i) { accessToken } }`,
			gqltest.Vars{"i": gqltest.Vars{"username": name, "password": password}}).Text("m.accessToken")
	}
	ann, eve := signUp("ann"), signUp("eve")
	read := func(at *forge, token string) gqltest.Answer {
		return at.As(token).Do(`{ viewer { username } }`, nil)
	}
	servers[0].As(eve).Must(`mutation($i: ChangePasswordInput!) { changePassword(input: $i) { user { id } } }`,
		gqltest.Vars{"i": gqltest.Vars{"oldPassword": password, "newPassword": password + "!"}})
	must(t, c.Nodes[0].Kill())
	killed := time.Now()
	for i, f := range servers {
		gqltest.Eventually(t, "the standbys tell which tokens were ended", func() error {
			if age, since := f.age(t), time.Since(killed); age >= since {
				return fmt.Errorf("the last news are %s old, and the primary is away for %s", age, since)
			}
			return nil
		})
		if a := read(f, ann); !a.OK() || host(a) == "" {
			t.Errorf("server %d: %s", i, a)
		}
		if a := read(f, eve); a.Code() != "UNAUTHENTICATED" {
			t.Errorf("server %d takes a token that was ended: %s", i, a)
		}
	}
	if os.Getenv("FORGE_SOAK") == "" {
		return
	}
	must(t, c.Nodes[2].Kill())
	gqltest.Eventually(t, "one standby alone does not tell", func() error {
		if age := servers[0].age(t); age < 3*time.Second {
			return fmt.Errorf("the last news are %s old", age)
		}
		return nil
	})
}
