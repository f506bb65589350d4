package main

import (
	"encoding/json"
	"fmt"
)

// accounts are targets that are Forge with AUTH=on. Each of their requests has the token of a demo
// user. The names and passwords are those of package seed.
var accounts = map[string]string{"user": "forge-demo-user", "admin": "forge-demo-admin"}

// signed returns the settings of Forge that decide whether it checks tokens.
func signed(name string) []string {
	if accounts[name] == "" {
		return []string{"AUTH=off"}
	}
	return []string{"AUTH=on", "AUTH_SECRET=a secret of this benchmark and no other", "ACCESS_TOKEN_TTL=12h"}
}

// signIn gets the token for the requests of a target, if the target is one of accounts.
func (s *server) signIn() error {
	password := accounts[s.name]
	if password == "" {
		return nil
	}
	c, err := dial(s, "/graphql")
	if err != nil {
		return err
	}
	defer c.Close()
	answer, err := c.post(fmt.Appendf(nil, `{"query":"mutation { signIn(input: {login: \"%s\", password: \"%s\"}) { accessToken } }"}`, s.name, password))
	if err != nil {
		return err
	}
	var got struct {
		Data struct{ SignIn struct{ AccessToken string } }
	}
	if err := json.Unmarshal(answer, &got); err != nil {
		return err
	}
	s.token = got.Data.SignIn.AccessToken
	return nil
}
