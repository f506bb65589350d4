package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"entgo.io/ent/dialect"
	"github.com/google/uuid"

	"forge/ent"
	entfile "forge/ent/file"
	"forge/ent/user"
	"forge/internal/database"
	"forge/internal/entity"
	"forge/internal/ids"
	"forge/internal/onetime"
	"forge/internal/search"
	"forge/internal/unit"
	"forge/internal/viewer"
	"forge/test/dbtest"
)

const (
	deleteAccount = `mutation($p: String) { m: deleteAccount(password: $p) { eraseAt } }`
	keepAccount   = `mutation { keepAccount { ok } }`
	exportAccount = `mutation { m: exportAccount { data } }`
)

// erased erases accounts as if a time had passed, and returns how many.
func (d *mailed) erased(later time.Duration) int {
	d.t.Helper()
	d.stored(func(ctx context.Context, c *ent.Client) {
		for _, u := range c.User.Query().Where(user.EraseAtNotNil()).AllX(entity.WithDeleted(ctx)) {
			u.Update().SetEraseAt(u.EraseAt.Add(-later)).ExecX(entity.WithDeleted(ctx))
		}
	})
	n, err := d.service.EraseDue(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	return n
}

// TestDeleteAccount deletes an account, keeps it, and deletes it for good. What is personal is gone
// then, from every table, and what others need stays.
func TestDeleteAccount(t *testing.T) {
	eachMail(t, func(t *testing.T, d *mailed) {
		ada := d.verified("ada")
		d.WantCode("UNAUTHENTICATED", deleteAccount, vars{"p": secret})
		d.as(ada).WantCode("BAD_USER_INPUT", deleteAccount, vars{"p": "incorrect"})
		d.as(ada).WantCode("BAD_USER_INPUT", deleteAccount, nil)
		d.as(ada).Must(deleteAccount, vars{"p": secret})
		if m := d.news(1)[0]; m.Template != "changed" || !strings.Contains(m.Text, "deleted in 1 hours") {
			t.Errorf("the notice: %+v", m)
		}
		d.as(ada).Must(keepAccount, nil)
		if n := d.erased(2 * time.Hour); n != 0 {
			t.Errorf("%d accounts that were kept are erased", n)
		}
		hero := d.as(ada).Must(`mutation { m: createHero(input: {name: "Lovelace"}) { hero { id } } }`, nil).Text("m.hero.id")
		order := ""
		d.stored(func(ctx context.Context, c *ent.Client) {
			order = c.Order.Create().SetUserID(ada.ID).SetTotalCents(1).SaveX(ctx).GlobalID().String()
			c.Credential.Create().SetUserID(ada.ID).SetKind("passkey").SetKey("key").SetName("ada's phone").SaveX(ctx)
			c.SignIn.Create().SetUserID(ada.ID).SetMethod("password").SetSucceeded(true).SetAddress("192.0.2.1").SaveX(ctx)
			parsed, _ := ids.Parse(hero)
			for i, add := range []*ent.FileCreate{c.File.Create(), c.File.Create().SetHeroOfPhotosID(parsed.UUID).SetAttachedAt(time.Now())} {
				add.SetUserID(ada.ID).SetName(fmt.Sprintf("ada's %d.png", i)).SetContentType("image/png").SetSize(1).SetState(entfile.StateStored).SetEtag("x").SaveX(ctx)
			}
			c.Mail.Create().SetUserID(ada.ID).SetTemplate("verify").SetRecipient("ada@example.com").SetDueAt(time.Now().Add(time.Hour)).SaveX(ctx)
			for _, login := range []string{"ada", "ADA@example.com"} { // asked for by nobody who was signed in, and given up
				c.Mail.Create().SetTemplate("reset").SetRecipient(login).SetDueAt(time.Now()).SetFailedAt(time.Now()).SaveX(ctx)
			}
			if _, err := onetime.New(ctx, "any", ada.ID, nil, time.Hour); err != nil {
				t.Fatal(err)
			}
		})
		d.as(ada).Must(deleteAccount, vars{"p": secret})
		d.signIn("ada", "incorrect") // waits to be logged
		if n := d.erased(30 * time.Minute); n != 0 {
			t.Errorf("%d accounts are erased before their time", n)
		}
		if n := d.erased(2 * time.Hour); n != 1 {
			t.Errorf("%d accounts are erased", n)
		}
		if !tokenEnded(d.revocations, ada) {
			t.Error("a token is good")
		}
		if got := d.signIn("ada", secret); got.Code() != "UNAUTHENTICATED" {
			t.Error(got)
		}
		d.storeFailures(d.service.Sessions)
		d.stored(func(ctx context.Context, c *ent.Client) {
			left := []int{c.Session.Query().CountX(ctx), c.Credential.Query().CountX(ctx), c.SignIn.Query().CountX(ctx), c.Mail.Query().CountX(ctx)}
			if fmt.Sprint(left) != "[0 0 0 0]" {
				t.Errorf("left behind: %v", left)
			}
			if n := c.File.Query().Where(entfile.StateEQ(entfile.StateRemoved)).CountX(ctx); n != 1 {
				t.Errorf("%d files are to go; want the one that no row has", n)
			}
		})
		d.as(ada).WantCode("UNAUTHENTICATED", keepAccount, nil)
		u := d.row(d.id(ada))
		if u.DeletedAt == nil || u.Email != nil || u.EmailKey != nil || u.HashedPassword != nil || u.EmailVerifiedAt != nil || u.EraseAt != nil || !strings.HasPrefix(u.Username, "erased_") {
			t.Errorf("stored: %v", u)
		}
		got := d.rule(`query($h: ID!, $o: ID!) { hero(id: $h) { name owner { id } } order(id: $o) { totalCents } }`, vars{"h": hero, "o": order})
		if got.Text("hero.name") != "Lovelace" || got.At("hero.owner") != nil || got.Number("order.totalCents") != 1 {
			t.Errorf("what others need: %s", got)
		}
		tables := []string{"users", "sessions", "credentials", "sign_ins", "mails", "files", onetime.Objects(d.db.Dialect)[0].Name}
		if d.db.Dialect == dialect.SQLite {
			for _, o := range search.Objects(ent.Entities)(dialect.SQLite) {
				tables = append(tables, o.Name+"_content", o.Name+"_data")
			}
		}
		for _, table := range tables {
			if text := contents(t, d.db, table); strings.Contains(strings.ToLower(text), "ada") || strings.Contains(text, "192.0.2.1") {
				t.Errorf("%s: %s", table, text)
			}
		}
		d.signUp("ada") // name and email are free
	})
}

// TestEraseGoesOn has accounts that cannot be erased, as many as a sweep takes up, and one more to
// be erased. It is erased, and the others are once they can be.
func TestEraseGoesOn(t *testing.T) {
	const atOnce = 10
	eachMail(t, func(t *testing.T, d *mailed) {
		log := new(bytes.Buffer)
		d.log = slog.New(slog.NewTextHandler(log, nil))
		d.sending(d.inbox)
		execute := func(statement string) {
			if _, err := d.db.ExecContext(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
		execute(`CREATE UNIQUE INDEX kept ON users ((CASE WHEN role = 'ADMIN' AND substr(username, 1, 6) = 'erased' THEN 1 END))`)
		d.stored(func(ctx context.Context, c *ent.Client) {
			add := func(name string) *ent.UserCreate { return c.User.Create().SetUsername(name).SetRole(user.RoleADMIN) }
			add("erased").ExecX(ctx)
			add("kept").SetEraseAt(time.Now().Add(-time.Hour)).SetDeletedAt(time.Now()).ExecX(ctx)
			for i := range atOnce - 1 {
				add(fmt.Sprint("kept", i)).SetEraseAt(time.Now().Add(-time.Hour)).ExecX(ctx)
			}
			add("ada").SetRole(user.RoleUSER).SetEraseAt(time.Now().Add(-time.Minute)).ExecX(ctx)
		})
		left := func(want int) {
			t.Helper()
			d.stored(func(ctx context.Context, c *ent.Client) {
				names := c.User.Query().Where(user.EraseAtNotNil()).Select(user.FieldUsername).StringsX(entity.WithDeleted(ctx))
				if len(names) != want || slices.Contains(names, "ada") {
					t.Errorf("not erased: %v, want %d", names, want)
				}
			})
		}
		d.erased(0)
		d.erased(0)
		left(atOnce)
		if n := strings.Count(log.String(), "cannot be erased"); n != atOnce {
			t.Errorf("logged %d times: %s", n, log)
		}
		execute(`DROP INDEX kept`)
		d.erased(0)
		left(atOnce)
		d.erased(2 * time.Hour)
		left(0)
	})
}

// uuidText matches an ID, in which any three letters from a to f may come by chance.
var uuidText = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// contents returns all that a table has, but IDs.
func contents(t *testing.T, db *database.DB, table string) string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), `SELECT * FROM `+table)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for rows.Next() {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		for _, v := range values {
			if b, ok := v.([]byte); ok {
				v = string(b)
			}
			if text := fmt.Sprintln(v); !uuidText.MatchString(strings.TrimSpace(text)) {
				all.WriteString(text)
			}
		}
	}
	return all.String()
}

// TestDeleteAccountWithoutPassword deletes an account that has no password. That needs a session
// that has just begun, however often it was refreshed.
func TestDeleteAccountWithoutPassword(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		d := newMailAPI(t, url)
		d.signUp("ada")
		d.Must(requestLink, vars{"l": "ada"})
		token, _ := d.token()
		in := d.Must(signInLink, vars{"t": token}) // which has ended the password
		d.as(d.holder(in)).Must(deleteAccount, nil)
		refreshed := d.holder(d.refresh(in.Text("m.refreshToken")))
		d.as(refreshed).Must(keepAccount, nil)
		aged := (&member{d: d.api, viewer: refreshed}).aged(false)
		d.as(aged).WantCode("FORBIDDEN", deleteAccount, nil)
		d.as(aged).WantCode("FORBIDDEN", deleteAccount, vars{"p": secret})
		d.stored(func(ctx context.Context, c *ent.Client) {
			if _, err := unit.FromContext(ctx).Exec(ctx, "UPDATE users SET tokens_valid_after = NULL"); err != nil {
				t.Fatal(err)
			}
		})
		old := d.holder(in)
		old.Issued = old.Issued.Add(-time.Hour)
		d.as(old).WantCode("FORBIDDEN", deleteAccount, nil)
	})
}

// TestAccountNeedsSignIn asks as nobody, and as somebody of a provider who has no account here, for
// what is for one's own account.
func TestAccountNeedsSignIn(t *testing.T) {
	t.Parallel()
	d := newMailAPI(t, dbtest.SQLite(t))
	stranger := viewer.Viewer{ID: uuid.New(), Role: viewer.User, Stranger: true}
	for query, v := range map[string]vars{requestVerify: nil, verifyEmail: {"t": "x"}, requestChange: {"e": "a@example.com"}, confirmChange: {"t": "x"},
		deleteAccount: nil, keepAccount: nil, exportAccount: nil} {
		d.WantCode("UNAUTHENTICATED", query, v)
		d.as(stranger).WantCode("UNAUTHENTICATED", query, v)
	}
}

// TestDeletionIsNotGuessed tries passwords to delete an account.
func TestDeletionIsNotGuessed(t *testing.T) {
	eachMail(t, func(t *testing.T, d *mailed) {
		ada := d.holder(d.signUp("ada"))
		for range 5 {
			d.as(ada).WantCode("BAD_USER_INPUT", deleteAccount, vars{"p": "incorrect"})
		}
		d.as(ada).WantCode("RATE_LIMITED", deleteAccount, vars{"p": secret})
	})
}

// TestExportAccount exports the data of a user: their own alone, without what nobody may see.
func TestExportAccount(t *testing.T) {
	eachMail(t, func(t *testing.T, d *mailed) {
		ada, eve := d.holder(d.signUp("ada")), d.holder(d.signUp("eve"))
		for v, name := range map[viewer.Viewer]string{ada: "Lovelace", eve: "Evil"} {
			d.as(v).Must(`mutation($n: String!) { createHero(input: {name: $n, secretName: "hush", age: 36}) { hero { id } } }`, vars{"n": name})
		}
		d.stored(func(ctx context.Context, c *ent.Client) { // the items of an order are its user's
			product := c.Product.Create().SetSku("tea").SetName("Tea").SetPriceCents(300).SaveX(ctx)
			for i, v := range []viewer.Viewer{ada, eve} {
				order := c.Order.Create().SetUserID(v.ID).SetTotalCents(300).SaveX(ctx)
				c.OrderItem.Create().SetOrder(order).SetProduct(product).SetQuantity(int32(i + 1)).SetUnitPriceCents(300).ExecX(ctx)
			}
		})
		d.WantCode("UNAUTHENTICATED", exportAccount, nil)
		text := d.as(ada).Must(exportAccount, nil).Text("m.data")
		var got struct {
			Complete bool
			Rows     map[string][]map[string]any
		}
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Fatal(err)
		}
		user, heroes := got.Rows["User"], got.Rows["Hero"]
		if !got.Complete || len(user) != 1 || len(heroes) != 1 || user[0]["id"] != d.id(ada) || user[0]["email"] != "ada@Example.com" || user[0]["isActive"] != true ||
			heroes[0]["name"] != "Lovelace" || heroes[0]["age"] != 36.0 {
			t.Errorf("%s", text)
		}
		if items := got.Rows["OrderItem"]; len(items) != 1 || items[0]["quantity"] != 1.0 || len(got.Rows["Order"]) != 1 {
			t.Errorf("%s", text)
		}
		if at, err := time.Parse(time.RFC3339Nano, user[0]["createdAt"].(string)); err != nil || time.Since(at) > time.Hour {
			t.Errorf("createdAt: %v, %v", user[0]["createdAt"], err)
		}
		for _, hidden := range []string{"eve", "Evil", "hush", "assword", "argon2", "tokensValidAfter", "emailKey"} {
			if strings.Contains(text, hidden) {
				t.Errorf("%s has %s", text, hidden)
			}
		}
		for bytes := range 4 { // the user's row takes more
			d.service.ExportBytes = bytes
			if text := d.as(ada).Must(exportAccount, nil).Text("m.data"); !strings.Contains(text, `"complete":false`) || !strings.Contains(text, `"rows":{}`) {
				t.Errorf("with %d bytes: %s", bytes, text)
			}
		}
		d.as(ada).WantCode("RATE_LIMITED", exportAccount, nil)
	})
}
