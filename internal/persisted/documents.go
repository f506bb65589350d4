package persisted

import (
	"strings"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// documents are texts by their hashes. Those that were not asked for the longest go first.
type documents struct {
	mu               sync.Mutex
	known            *simplelru.LRU[string, string]
	bytes, mostBytes int
}

// newDocuments returns room for so many documents and bytes; both must be 1 at least.
func newDocuments(most, mostBytes int) *documents {
	d := &documents{mostBytes: mostBytes}
	known, err := simplelru.NewLRU(most, func(hash, text string) { d.bytes -= len(hash) + len(text) })
	if err != nil {
		panic("persisted: " + err.Error()) // settings let no other number through
	}
	d.known = known
	return d
}

func (d *documents) get(hash string) (text string, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.known.Get(hash)
}

// add keeps a text, unless it is larger than all that may be kept.
func (d *documents) add(hash, text string) {
	size := len(hash) + len(text)
	d.mu.Lock()
	defer d.mu.Unlock()
	if size > d.mostBytes || d.known.Contains(hash) {
		return
	}
	d.known.Add(strings.Clone(hash), strings.Clone(text)) // what they were cut from is not to be kept with them
	for d.bytes += size; d.bytes > d.mostBytes; {
		d.known.RemoveOldest()
	}
}
