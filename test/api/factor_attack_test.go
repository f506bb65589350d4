package api_test

import (
	"testing"

	"forge/graph"
	"forge/internal/factor"
	"forge/test/dbtest"
)

// TestWrongFactorIsLogged has somebody sign in who knows the password, and not the codes. The user
// sees it.
func TestWrongFactorIsLogged(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, address string) {
		d, o := newSessionAPI(t, address), allFactors()
		r := d.sessionResolver(lifetimes)
		o.Log = d.log
		r.Factors = factor.New(d.db, graph.Accounts{}, r.Sessions, o)
		d.configure(config{Options: usual().Options, Resolver: r})
		ada := d.joinWithTOTP("ada")
		if got := ada.complete(ada.due(), ada.wrong()); !refusedCode(got) {
			t.Fatal(got)
		}
		d.storeFailures(r.Sessions)
		if got := ada.must(listSignIns, nil); got.At("viewer.signIns.nodes.0.succeeded") != false || got.Text("viewer.signIns.nodes.0.method") != "password" {
			t.Errorf("%s, want a failure", got)
		}
	})
}

// TestFactorsOfEndedSession has a thief begin other ways to sign in. Then the user ends that
// session, after which the thief's access token completes none of them.
func TestFactorsOfEndedSession(t *testing.T) {
	eachFactors(t, func(t *testing.T, d *api) {
		ada := d.join("ada")
		thief := &member{d: d, name: "ada", viewer: d.holder(d.signIn("ada", secret))}
		response := newDevice(thief).makes(thief.must(beginPasskey, nil))
		thief.begin()
		ada.must(endOtherSessions, nil)
		for mutation, v := range map[string]vars{
			finishPasskey: {"r": response}, confirmTotp: {"c": thief.code(0)}, beginTotp: nil, beginPasskey: nil,
		} {
			if got := thief.do(mutation, v); got.Code() != "UNAUTHENTICATED" {
				t.Errorf("%s: %s", mutation, got)
			}
		}
		ada.begin()
	})
}
