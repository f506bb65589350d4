package scalar

import (
	"bytes"
	"encoding/json"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
)

// TestParseNumber compares numbers with math/big, which expands them.
func TestParseNumber(t *testing.T) {
	t.Parallel()
	texts := []string{"0", "-0", "0.0", "-0.00e5", "7", "-7", "10", "100e-2", "0.1", "0.10", "1e1", "1E+1", "1e-1", "12.5", "-12.50", "0.001", "1e20", "1e21", "1e22", "123e-9", "1.5e-6", "0.00000015", "999999999999999999999.5"}
	for _, a := range texts {
		n, ok := parseNumber(a)
		x, _ := new(big.Rat).SetString(a)
		plain, _ := new(big.Rat).SetString(string(n.appendPlain(nil, 0)))
		short, _ := new(big.Rat).SetString(string(n.append(nil)))
		if !ok || plain == nil || short == nil || x.Cmp(plain) != 0 || x.Cmp(short) != 0 || !json.Valid(n.append(nil)) {
			t.Errorf("%s is written as %s and %s", a, n.appendPlain(nil, 0), n.append(nil))
		}
		if padded := string(n.appendPlain(nil, 12)); !strings.Contains(padded, ".") || len(padded)-strings.Index(padded, ".") != 13 {
			t.Errorf("%s with 12 digits after the point is %s", a, padded)
		}
		for _, b := range texts {
			y, _ := new(big.Rat).SetString(b)
			if got := CompareDecimals(a, b); got != x.Cmp(y) {
				t.Errorf("%s compared with %s is %d", a, b, got)
			}
			m, _ := parseNumber(b)
			if (n == m) != (x.Cmp(y) == 0) {
				t.Errorf("%s equals %s: %t", a, b, n == m)
			}
		}
	}
	for _, text := range []string{"", "-", "+1", "01", "1.", ".1", "1e", "1e+", "1e++1", "1e1.5", "0x1", "1_0", " 1", "1 ", "NaN", "Infinity", "1e99999999999", "--1", "1-", "１"} {
		if n, ok := parseNumber(text); ok {
			t.Errorf("%q is read as %+v", text, n)
		}
	}
	unsorted := []string{"x", "10", "-1", "", "9", "1e999999999", "-1e999999999"}
	slices.SortFunc(unsorted, CompareDecimals)
	if got := strings.Join(unsorted, " "); got != "-1e999999999 -1 9 10 1e999999999  x" {
		t.Errorf("sorted: %q", got)
	}
}

func TestExact(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{"0.1": true, "1e2": true, "0.10000000000000000000001": false, "9007199254740993.0": false, "9007199254740992.0": true, "1e400": false, "1e-400": false, "0.30000000000000004": true} {
		if Exact(text) != want {
			t.Errorf("%s is exact: %t", text, !want)
		}
	}
	for text, want := range map[string]bool{"1.0": true, "1.00000000000000000001": false, "12e-1": false, "120e-1": true, "-0.0": true, "x": false} {
		if IsWhole(text) != want {
			t.Errorf("%s is whole: %t", text, !want)
		}
	}
}

// TestMarshal checks that gqlgen and the read engine write the same of a value.
func TestMarshal(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		n := int64(r.Uint64()) >> r.IntN(64)
		var b bytes.Buffer
		MarshalDuration(time.Duration(n)).MarshalGQL(&b)
		var text string
		if err := json.Unmarshal(b.Bytes(), &text); err != nil {
			t.Fatal(err)
		}
		if got, err := UnmarshalDuration(text); err != nil || got != time.Duration(n) {
			t.Errorf("%d is written as %s, and read as %d, %v", n, text, got, err)
		}
		b.Reset()
		MarshalBigInt(n).MarshalGQL(&b)
		d := decimal.New(n, -int32(r.IntN(30)))
		MarshalDecimal(d).MarshalGQL(&b)
		own, ok := AppendDecimal(nil, []byte(d.String()), -1)
		if !ok || !bytes.HasSuffix(b.Bytes(), own) {
			t.Errorf("%s is written as %s and as %s", d, &b, own)
		}
	}
	for value, want := range map[any]string{nil: "null", "é": `"é"`, json.Number("1.50"): "1.5", true: "true"} {
		var b bytes.Buffer
		if MarshalJSON(value).MarshalGQL(&b); b.String() != want {
			t.Errorf("%v is written as %s, want %s", value, &b, want)
		}
	}
}

// FuzzAppendJSON expects the one form of a document to be a form of the same document.
func FuzzAppendJSON(f *testing.F) {
	for _, text := range []string{`{"b":1.50,"a":[1e400,null]}`, `"\ud800"`, `{"a":1,"a":2}`, "[[[[]]]]", "-0.0", "1 2", "\xff"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		once, ok := AppendJSON(nil, []byte(text))
		if ok != json.Valid([]byte(text)) && !strings.ContainsAny(text, "eE") {
			t.Fatalf("%q is written: %t", text, ok)
		}
		if !ok {
			return
		}
		again, ok := AppendJSON(nil, once)
		if !ok || !bytes.Equal(once, again) || !JSONEqual([]byte(text), once) || !JSONContains([]byte(text), once) {
			t.Errorf("%q is written as %s, and that as %s", text, once, again)
		}
	})
}

// TestJSONLists looks for values in lists, and expects what a search for each value finds. A search
// of 10,000 values in 1,000 ends at once.
func TestJSONLists(t *testing.T) {
	t.Parallel()
	values := []string{`1`, `1.0`, `10e-1`, `2`, `-0`, `0`, `"1"`, `"true"`, `true`, `false`, `null`, `"\u0061"`, `"a"`, `[]`, `[1]`, `{}`, `{"a":1}`, `[[1.0]]`}
	list := func(of []string) []byte { return []byte("[" + strings.Join(of, ",") + "]") }
	for range 2000 {
		whole, part := make([]string, rand.IntN(5)), make([]string, rand.IntN(4))
		for _, of := range [][]string{whole, part} {
			for i := range of {
				of[i] = values[rand.IntN(len(values))]
			}
		}
		some, every := false, true
		for _, value := range part {
			found := JSONContains(list(whole), list([]string{value}))
			some, every = some || found, every && found
		}
		if got := JSONHasSome(list(whole), list(part)); got != some {
			t.Errorf("%s has some of %s: %t", whole, part, got)
		}
		if got := JSONContains(list(whole), list(part)); got != every {
			t.Errorf("%s contains %s: %t", whole, part, got)
		}
	}
	for _, tt := range []struct {
		part string
		want bool
	}{{`[1.0]`, true}, {`["1"]`, false}, {`[true]`, false}, {`[null]`, true}, {`[[2]]`, true}, {`[2]`, false}, {`[[]]`, true}, {`[{}]`, false}} {
		if got := JSONContains([]byte(`[1, null, [2.0, 3]]`), []byte(tt.part)); got != tt.want {
			t.Errorf("contains %s: %t", tt.part, got)
		}
	}
	start := time.Now()
	if JSONHasSome(list(slices.Repeat([]string{"1"}, 1000)), list(slices.Repeat([]string{"2"}, 10_000))) {
		t.Error("1 is 2")
	}
	if took := time.Since(start); took > time.Second {
		t.Errorf("10,000 values took %v", took)
	}
}
