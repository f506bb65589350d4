package token

// keySet is keys for verifying, each together with an algorithm that it may be used with. It is not changed once it is in use.
type keySet struct {
	by    map[keyName]any
	alone map[string]any // the key for an algorithm; nil if there are several
}

// keyName is what a token says of its key. It is looked up, and names nothing else: no file, no row, no address.
type keyName struct{ id, algorithm string }

func newKeySet() *keySet { return &keySet{map[keyName]any{}, map[string]any{}} }

// add takes a key for an algorithm. Of two that have the same name the first counts.
func (s *keySet) add(name keyName, key any) {
	if _, taken := s.by[name]; !taken {
		s.by[name] = key
	}
	if _, several := s.alone[name.algorithm]; several {
		key = nil
	}
	s.alone[name.algorithm] = key
}

// find returns the key of a name; without an ID, the only one for the algorithm. It is nil if there is none.
func (s *keySet) find(name keyName) any {
	if name.id == "" {
		return s.alone[name.algorithm]
	}
	return s.by[name]
}

// has reports whether there is a key of the ID for any of the algorithms.
func (s *keySet) has(id string, algorithms []string) bool {
	for _, algorithm := range algorithms {
		if s.by[keyName{id, algorithm}] != nil {
			return true
		}
	}
	return false
}
