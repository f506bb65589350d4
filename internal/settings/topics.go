package settings

import (
	"slices"
	"strings"

	"forge/internal/usage"
)

// Topic is a part of All that one reads together.
type Topic struct {
	Name, About string
	from        string // the variable of its first setting; it ends where the next topic begins
}

// Topics lists the topics in the order of All.
var Topics = []Topic{
	{"basics", "what is served, from which database, and where", "FORGE_ENV"},
	{"sign-in", "who may call: tokens, providers, sessions, second factors, passwords", "AUTH"},
	{"mail", "mails, and what people prove by them", "MAIL_SECRET"},
	{"start", "what is done when a server starts and ends", "SHUTDOWN_DELAY"},
	{"documents", "which documents are allowed or kept, compression, the playground", "TRUSTED_DOCUMENTS"},
	{"database", "connections, times and locks of the database", "POOL_SIZE"},
	{"mutations", "mutations that may be sent twice", "IDEMPOTENCY_TTL"},
	{"changes", "the log of changes, and webhooks", "CHANGES_RETENTION"},
	{"slow", "what is logged because it takes long", "HELD_TOO_LONG"},
	{"limits", "how much an operation may ask for", "MAX_DEPTH"},
	{"connections", "how long clients may take", "MAX_HEADER_BYTES"},
	{"load", "how much is done at once, streams, other origins", "MAX_IN_FLIGHT"},
	{"observe", "the log, and traces", "LOG_LEVEL"},
}

// Of returns the settings of the topic with a name, or all settings for "all". It returns a
// *usage.Error if there is no such topic.
func Of(name string) ([]Setting, error) {
	if name == "all" {
		return All, nil
	}
	at := slices.IndexFunc(Topics, func(t Topic) bool { return t.Name == name })
	if at < 0 {
		names := TopicNames()
		if nearest := usage.Nearest(name, names); nearest != "" {
			return nil, usage.Errorf("there is no topic %q; the nearest is %q, and forge settings lists all", name, nearest)
		}
		return nil, usage.Errorf("there is no topic %q; allowed: %s", name, strings.Join(names, ", "))
	}
	end := len(All)
	if at+1 < len(Topics) {
		end = Topics[at+1].first()
	}
	return All[Topics[at].first():end], nil
}

// TopicNames returns the names that Of knows.
func TopicNames() []string {
	names := []string{"all"}
	for _, t := range Topics {
		names = append(names, t.Name)
	}
	return names
}

// first returns where in All the topic begins.
func (t Topic) first() int {
	return slices.IndexFunc(All, func(s Setting) bool { return s.Env == t.from })
}
