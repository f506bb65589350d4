//go:build peers

// Forge.go is added to the load generator of another benchmark, which the script run in this folder
// starts. It is needed because Forge's keys are not numbers, unlike those of the other servers.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log"
	"net/url"
	"os"
	"sync"
)

// forgeKeys are the IDs of all users and products.
var forgeKeys = sync.OnceValue(func() (keys struct{ users, products []string }) {
	keys.users, keys.products = forgePages("users"), forgePages("products")
	return keys
})

// forgePages returns the IDs of all objects in a connection, in its order.
func forgePages(connection string) (ids []string) {
	u, err := url.Parse(os.Getenv("PROJECT_URL"))
	if err != nil {
		log.Fatal(err)
	}
	c := dial(u.Host)
	defer c.c.Close()
	for after := "null"; ; {
		query := fmt.Sprintf("query($after: Cursor) { page: %s(first: 100, after: $after) { nodes { id } pageInfo { endCursor } } }", connection)
		answer, err := c.do("POST", u.Path, fmt.Appendf(nil, `{"query":%q,"variables":{"after":%s}}`, query, after))
		if err != nil {
			log.Fatalf("%v: %s", err, answer)
		}
		var page struct {
			Data struct {
				Page struct {
					Nodes    []struct{ ID string }
					PageInfo struct{ EndCursor json.RawMessage }
				}
			}
		}
		if err := json.Unmarshal(answer, &page); err != nil {
			log.Fatal(err)
		}
		for _, node := range page.Data.Page.Nodes {
			ids = append(ids, node.ID)
		}
		if len(page.Data.Page.Nodes) < 100 {
			return ids
		}
		after = string(page.Data.Page.PageInfo.EndCursor)
	}
}

// forgeValue appends the value of a placeholder in the queries for Forge.
func forgeValue(b []byte, placeholder string, v *vals) []byte {
	keys := forgeKeys()
	switch placeholder {
	case "forgeUser":
		return append(b, keys.users[v.id-1]...)
	case "forgeProduct1", "forgeProduct2", "forgeProduct3":
		return append(b, keys.products[v.pid[placeholder[len(placeholder)-1]-'1']-1]...)
	}
	log.Fatalf("unknown placeholder {{%s}}", placeholder)
	return nil
}

// forgeRows is the number of objects with an ID in an answer, for each workload.
var forgeRows = map[string]int{"w1": 1, "w2": 50, "w3": 220, "w4": 120, "w5": 50, "w6": 1, "w7": 1}

// forgeCheck returns the length of an answer. It returns an error if the number of objects is
// wrong. Only "make bench" compares the values.
func forgeCheck(workload string, answer []byte) (int, error) {
	if n := bytes.Count(answer, []byte(`"id":"`)); n != forgeRows[workload] {
		return 0, fmt.Errorf("%d rows instead of %d: %.300s", n, forgeRows[workload], answer)
	}
	return len(answer), nil
}
