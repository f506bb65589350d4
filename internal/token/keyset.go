package token

// keySet holds keys that verify tokens. Each key has a list of algorithms that it may be used with.
// A keySet must not change while it is in use.
type keySet struct {
	byName map[keyName]any
	only   map[string]any // the only key for each algorithm, or nil if the algorithm has several
}

// keyName identifies a key in the header of a token. The ID comes from a client: it is looked up in
// a keySet, and never used as the name of a file, a row or an address.
type keyName struct{ id, algorithm string }

func newKeySet() *keySet { return &keySet{map[keyName]any{}, map[string]any{}} }

// add adds a key. If a key with the same name exists, the earlier key stays.
func (s *keySet) add(name keyName, key any) {
	if _, exists := s.byName[name]; !exists {
		s.byName[name] = key
	}
	if _, several := s.only[name.algorithm]; several {
		key = nil
	}
	s.only[name.algorithm] = key
}

// find returns the key with that name, or nil. If the name has no ID, find returns the key for the
// algorithm, if there is exactly one.
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
