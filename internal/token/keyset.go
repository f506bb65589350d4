package token

// keySet has the keys that verify tokens, each with the algorithms that it may be used with. It
// must not be changed once it is in use.
type keySet struct {
	byName map[keyName]any
	only   map[string]any // the only key for an algorithm; nil if there are several
}

// keyName is the name of a key in a token's header. It is only looked up in a keySet, and never
// used as the name of a file, a row or an address.
type keyName struct{ id, algorithm string }

func newKeySet() *keySet { return &keySet{map[keyName]any{}, map[string]any{}} }

// add adds a key. Of two keys with the same name, the first one is used.
func (s *keySet) add(name keyName, key any) {
	if _, exists := s.byName[name]; !exists {
		s.byName[name] = key
	}
	if _, several := s.only[name.algorithm]; several {
		key = nil
	}
	s.only[name.algorithm] = key
}

// find returns the key of that name, or nil if there is none. Without an ID, it returns the only
// key for the algorithm.
func (s *keySet) find(name keyName) any {
	if name.id == "" {
		return s.only[name.algorithm]
	}
	return s.byName[name]
}

// has reports whether there is a key with the ID for any of the algorithms.
func (s *keySet) has(id string, algorithms []string) bool {
	for _, algorithm := range algorithms {
		if s.byName[keyName{id, algorithm}] != nil {
			return true
		}
	}
	return false
}
