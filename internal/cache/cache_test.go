package cache

import (
	"slices"
	"testing"
)

func TestCache(t *testing.T) {
	t.Parallel()
	var gone []int
	c := New(3, 100, func(v int) { gone = append(gone, v) })
	for _, add := range []struct {
		key   string
		value int
		bytes int
		kept  bool
		gone  []int
	}{
		{"a", 1, 9, true, nil},
		{"b", 2, 9, true, nil},
		{"a", 3, 9, false, nil},   // it has a value
		{"c", 4, 100, false, nil}, // with its key that is too much
		{"d", 5, 9, true, nil},
		{"e", 6, 9, true, []int{2}},
		{"f", 7, 79, true, []int{2, 5}},          // with a, which was asked for meanwhile, and e
		{"g", 8, 99, true, []int{2, 5, 1, 6, 7}}, // all there is room for
	} {
		if kept := c.Add(add.key, add.value, add.bytes); kept != add.kept || !slices.Equal(gone, add.gone) {
			t.Errorf("%s: kept %t, gone %v; want %t, %v", add.key, kept, gone, add.kept, add.gone)
		}
		if values, bytes := c.Held(); values > 3 || bytes > 100 {
			t.Errorf("%s: %d values with %d bytes", add.key, values, bytes)
		}
		if add.key == "d" {
			if v, ok := c.Get("a"); v != 1 || !ok {
				t.Errorf("a is %d, %t", v, ok)
			}
		}
	}
	if v, ok := c.Get("g"); v != 8 || !ok {
		t.Errorf("g is %d, %t", v, ok)
	}
	if v, ok := c.Get("f"); v != 0 || ok {
		t.Errorf("f is %d, %t", v, ok)
	}
	if values, bytes := c.Held(); values != 1 || bytes != 100 {
		t.Errorf("%d values with %d bytes, want 1 with 100", values, bytes)
	}
}

func TestCacheRemove(t *testing.T) {
	t.Parallel()
	var gone []int
	c := New(3, 100, func(v int) { gone = append(gone, v) })
	c.Add("a", 1, 9)
	c.Add("b", 2, 9)
	c.Add("c", 3, 9)
	c.Remove("b")
	c.Remove("x")
	if values, bytes := c.Held(); values != 2 || bytes != 20 || !slices.Equal(gone, []int{2}) {
		t.Errorf("%d values with %d bytes, gone %v", values, bytes, gone)
	}
	c.Purge()
	if values, bytes := c.Held(); values != 0 || bytes != 0 || len(gone) != 3 {
		t.Errorf("%d values with %d bytes, gone %v", values, bytes, gone)
	}
}
