package seed

// Account is a demo user whom everybody may sign in as.
type Account struct{ Username, Password, Role string }

// Accounts are one of each role. They are the first two users, and have these passwords only if Run is told so.
var Accounts = []Account{
	{"admin", "forge-demo-admin", "ADMIN"},
	{"user", "forge-demo-user", "USER"},
}

// hashes are those of the passwords, made once: the same scale is to give the same rows.
var hashes = []string{
	"$argon2id$v=19$m=19456,t=2,p=1$mU0uM+Z/deVu7GMILGB4Lg$9pRpDJmMeeC5RYaIRQcPGUZ+SEDtci7M0E2YgEfqYGs",
	"$argon2id$v=19$m=19456,t=2,p=1$2DmwUihjRPCtQifrZYL8HQ$2yEyFIqxJ2+XjomUKvSU57FzgjqTTY7asFbDDb85HZo",
}

// open gives the accounts their passwords.
func (d *dataset) open() {
	for i := range hashes {
		d.users[i].hash = &hashes[i]
	}
}
