package seed

import (
	"forge/internal/demo"
	"forge/internal/viewer"
)

// Accounts are the first two users, one for each role. People can sign in with them only if Fill
// has stored their passwords.
var Accounts = []demo.Account{
	{Username: "admin", Password: "forge-demo-admin", Role: viewer.Admin.String()},
	{Username: "user", Password: "forge-demo-user", Role: viewer.User.String()},
}

// hashes are the hashes of the passwords. They are fixed, so that the same scale always results in
// the same rows.
var hashes = []string{
	"$argon2id$v=19$m=19456,t=2,p=1$mU0uM+Z/deVu7GMILGB4Lg$9pRpDJmMeeC5RYaIRQcPGUZ+SEDtci7M0E2YgEfqYGs",
	"$argon2id$v=19$m=19456,t=2,p=1$2DmwUihjRPCtQifrZYL8HQ$2yEyFIqxJ2+XjomUKvSU57FzgjqTTY7asFbDDb85HZo",
}

// setPasswords gives the accounts their passwords.
func (d *dataset) setPasswords() {
	for i := range hashes {
		d.users[i].hash = &hashes[i]
	}
}
