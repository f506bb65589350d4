package api_test

import (
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/lexer"

	"forge/graph/generated"
	"forge/internal/gqlexec"
)

// These are the most that the validation of one document may take, whatever its result is.
const (
	mostTime   = slowed * 100 * time.Millisecond
	mostMemory = slowed * 64 << 20
)

// cost returns what it takes to prepare a document: the processor time, because others use the
// machine as well, and all memory that is allocated, even if it is freed.
func cost(t testing.TB, v gqlexec.Validator, text string) (took time.Duration, allocated uint64) {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	took, allocated = time.Hour, 1<<62
	for range 3 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := processorTime(t)
		_, _ = v.Parse(t.Context(), text)
		took = min(took, processorTime(t)-start)
		runtime.ReadMemStats(&after)
		allocated = min(allocated, after.TotalAlloc-before.TotalAlloc)
		if took < mostTime && allocated < mostMemory {
			break
		}
	}
	return took, allocated
}

// processorTime returns how much processor time this thread has used.
func processorTime(t testing.TB) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	const ofThread = 1 // RUSAGE_THREAD, which package syscall does not name
	if err := syscall.Getrusage(ofThread, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// join returns n texts in a row. In each, # stands for its number, and #next for the next number.
func join(n int, format string) string {
	parts := strings.Split(strings.ReplaceAll(format, "#next", "\x00"), "#")
	var b []byte
	for i := range n {
		for j, part := range parts {
			if j > 0 {
				b = strconv.AppendInt(b, int64(i), 10)
			}
			before, after, more := strings.Cut(part, "\x00")
			for b = append(b, before...); more; b = append(b, before...) {
				b = strconv.AppendInt(b, int64(i+1), 10)
				before, after, more = strings.Cut(after, "\x00")
			}
		}
	}
	return string(b)
}

type attack func(n, m int, word, text string) string

// attacks are documents that take very long with some ways of validating them. m and n are sizes.
// word is a name and text a string, both as long as allowed.
var attacks = map[string]attack{
	"fields of one name": func(n, _ int, _, _ string) string { return "{" + join(n, "__typename ") + "}" },
	"nested fields of one name": func(n, m int, _, _ string) string {
		return "{" + join(n, "users { nodes { heroes { nodes {"+join(m%50, "id ")+" id } } } } ") + "}"
	},
	"aliases of long names": func(n, _ int, word, _ string) string { return "{" + join(n, word+"#: users { nodes { id } } ") + "}" },
	"fields that differ":    func(n, _ int, _, _ string) string { return "{" + join(n, "a: users(first: #) { totalCount } ") + "}" },
	"long fields that differ": func(n, _ int, word, _ string) string {
		return "{ " + word + ": viewer { id } " + join(n, word+": "+word+"# ") + "}"
	},
	"conflicts far below": func(n, m int, word, _ string) string {
		return strings.Repeat("{"+word+": viewer ", min(m, 90)) + "{" + join(n, "a: a# ") + "}" + strings.Repeat("}", min(m, 90))
	},
	"a tree of fragments": func(n, m int, _, _ string) string {
		return "{...f0} " + join(n, "fragment f# on Query {"+strings.Repeat("...f#next ", 1+m%20)+"} ") + "fragment f" + fmt.Sprint(n) + " on Query { __typename }"
	},
	"a tree of introspection": func(n, m int, _, _ string) string {
		return "{ __schema { ...f0 } } " + join(n, "fragment f# on __Schema {"+strings.Repeat("...f#next ", 1+m%20)+"} ") + "fragment f" + fmt.Sprint(n) + " on __Schema { description }"
	},
	"a tree behind a second of its name": func(n, _ int, _, _ string) string {
		return "{ __schema { types { ...f0 } } } " + join(n, "fragment f# on __Type { ofType { ...f#next } a: ofType { ...f#next } } ") +
			fmt.Sprintf("fragment f%d on __Type { name } fragment f0 on __Type { name }", n)
	},
	"unknown spreads": func(n, _ int, word, _ string) string { return "{" + join(n, "..."+word+"# ") + "}" },
	"unknown spreads below": func(n, m int, _, _ string) string {
		return "{" + join(m, "users { "+join(1+n/max(m, 1), "...a# ")+"} ") + "}"
	},
	"cycles": func(n, _ int, word, _ string) string {
		return "{..." + word + "0} " + join(n, "fragment "+word+"# on Query { ..."+word+"#next ..."+word+"0 } ")
	},
	"all spread all": func(n, m int, _, _ string) string {
		return "{ " + join(n, "...f# ") + "}" + join(n, "fragment f# on Query { "+strings.Repeat("users { totalCount } ", m%100)+"} ")
	},
	"operations with one fragment": func(n, m int, word, _ string) string {
		return join(n, "query "+word+"# {...f} ") + "fragment f on Query {" + join(m, "a#: nodes(ids: [$"+word+"#]) { id } ") + "}"
	},
	"operations that spread a chain": func(n, m int, _, _ string) string {
		return join(n, "query q# {...f0} ") + join(m, "fragment f# on Query {...f#next} ") + "fragment f" + fmt.Sprint(m) + " on Query { __typename }"
	},
	"one wrong value in each operation": func(n, m int, _, text string) string {
		return join(n, "query q# {...f} ") + "fragment f on Query { users(first: [" + text + join(m, "# ") + "]) { totalCount } }"
	},
	"inline fragments": func(n, m int, _, _ string) string {
		return "{" + strings.Repeat("... {", min(m, 98)) + join(n, "... { users { nodes { id } } } ") + strings.Repeat("}", min(m, 98)) + "}"
	},
	"inline fragments on interfaces": func(n, m int, _, _ string) string {
		return `{ node(id: "") {` + strings.Repeat("... on Node {", min(m, 90)) + join(n, "... on Node { id } ... on User { id } ... on Nothing { id } ") + strings.Repeat("}", min(m, 90)) + "} }"
	},
	"types apart": func(n, m int, _, _ string) string {
		const level = `{ ... on User { x: heroes { nodes { owner { x: heroes { totalCount } } } } } ... on Team { x: heroes { totalCount } } ... on Node { id } `
		return `{ node(id: "") ` + strings.Repeat(level+"... on Node ", min(m, 90)) + "{" + join(n, "... on User { a: id b: heroes { nodes { id } } } ... on Hero { a: id b: name } ") + "}" + strings.Repeat("} ", min(m, 90)) + "}"
	},
	"unknown types": func(n, _ int, word, _ string) string {
		return "{" + join(n, "...f# ") + "}" + join(n, "fragment f# on "+word+"# { id } ")
	},
	"unknown fields": func(n, _ int, word, _ string) string { return "{" + join(n, word+"# ") + "}" },
	"unknown arguments": func(n, _ int, word, _ string) string {
		return "{ users(" + join(n, word+"#: 1 ") + ") { totalCount } }"
	},
	"arguments of one name": func(n, m int, _, _ string) string {
		return "{" + strings.Repeat("users("+join(n, "first: 1 ")+") { totalCount } ", 1+m%4) + "}"
	},
	"directives": func(n, _ int, word, _ string) string {
		return "{ __typename " + join(n, "@skip(if: true) @"+word+" @include ") + "}"
	},
	"variables": func(n, m int, word, _ string) string {
		return "query(" + join(n, "$"+word+"#: Int ") + ") { " + join(m, "a#: users(first: $"+word+"#) { totalCount } ") + "}"
	},
	"variables of one name": func(n, m int, word, _ string) string {
		return "query(" + join(n, "$"+word+": Int ") + ") { " + join(m, "a#: users(first: $"+word+") { totalCount } ") + "}"
	},
	"a variable of lists": func(n, m int, word, _ string) string {
		return "query($v: " + strings.Repeat("[", min(m, 90)) + word + strings.Repeat("]", min(m, 90)) + ") {" + join(n, "a#: users(first: $v) { totalCount } ") + "}"
	},
	"a default of lists": func(n, m int, _, text string) string {
		return "query($v: " + strings.Repeat("[", min(m, 90)) + "Int" + strings.Repeat("]", min(m, 90)) + " = " +
			strings.Repeat("[", min(m, 90)) + text + join(n, "# ") + "99999999999999999999" + strings.Repeat("]", min(m, 90)) + ") { users(first: $v) { totalCount } }"
	},
	"conditions inside each other": func(n, m int, _, text string) string {
		return "{ users(where: " + strings.Repeat("{not: ", min(m, 90)) + "{or: [" + join(n, "{emailIsNil: true}") + "{username: " + text + "}]}" + strings.Repeat("}", min(m, 90)) + ") { totalCount } }"
	},
	"conditions beside each other": func(n, m int, _, _ string) string {
		return "{" + strings.Repeat("users(where: {"+join(n, "usernameHasPrefix: # ")+"}) { totalCount } ", 1+m%3) + "}"
	},
	"wrong values": func(n, m int, word, text string) string {
		return "{" + strings.Repeat("users(orderBy: ["+join(n, "{field: "+word+"#, direction: "+text+"} ")+"], first: "+text+") { totalCount } ", 1+m%3) + "}"
	},
	"long strings": func(n, _ int, _, text string) string {
		return "{" + join(1+n%100, "a#: node(id: "+text+") { id } ") + "}"
	},
	"blocks": func(n, _ int, _, text string) string {
		return `{ node(id: ""` + text + strings.Repeat("\n  x", n) + ` """) { id } }`
	},
	"comments": func(n, _ int, _, text string) string { return "{ __typename }" + strings.Repeat("#"+text+"\n", n) },
	"subscriptions": func(n, m int, _, _ string) string {
		return join(n, "subscription s# {...f} ") + "fragment f on Query {" + join(m, "a#: users { totalCount } ") + "}"
	},
	"many mistakes": func(n, m int, word, _ string) string {
		return join(n, "query "+word+"# { ...f } ") + "fragment f on Query {" + join(m, word+" { id } ") + "}"
	},
}

// maxTokens is the default of MAX_TOKENS.
const maxTokens = 10_000

// tokensIn returns how many tokens a document has.
func tokensIn(document string) (n int) {
	lex := lexer.New(&ast.Source{Input: document})
	for {
		token, err := lex.ReadToken()
		if err != nil || token.Kind == lexer.EOF {
			return n
		}
		n++
	}
}

// largest returns an attack with about as many parts as the limits on tokens and bytes allow.
func largest(attack attack, m, word, text int) (document string) {
	name, quoted := "a"+strings.Repeat("b", word), `"`+strings.Repeat("x", text)+`"`
	few, more := attack(50, m, name, quoted), attack(100, m, name, quoted)
	tokens, bytes := max(tokensIn(more)-tokensIn(few), 1), max(len(more)-len(few), 1)
	n := 50 + min(50*(maxTokens-tokensIn(few))/tokens, 50*(1<<20-len(few))/bytes, maxTokens)
	for n = max(n, 1); n > 0; n = n * 9 / 10 {
		document = attack(n, m, name, quoted)
		if len(document) <= 1<<20 && tokensIn(document) <= maxTokens {
			break
		}
	}
	return document
}

var served = generated.NewExecutableSchema(generated.Config{}).Schema()

// mustBeCheap checks what it takes to prepare a document, and the result.
func mustBeCheap(t testing.TB, name, document string, hints bool) {
	t.Helper()
	v := gqlexec.Validator{Schema: served, Tokens: maxTokens, Hints: hints}
	took, allocated := cost(t, v, document)
	if took > mostTime || allocated > mostMemory {
		t.Errorf("%s, %d bytes: %v and %d MiB", name, len(document), took, allocated>>20)
	}
	if testing.Verbose() {
		_, errs := v.Parse(t.Context(), document)
		t.Logf("%s, %d bytes, %d tokens: %v and %d MiB; %d errors: %.100v", name, len(document), tokensIn(document), took, allocated>>20, len(errs), errs)
	}
}

func TestValidationIsBounded(t *testing.T) {
	for name, attack := range attacks {
		for _, m := range []int{3, 400}[min(slowed-1, 1):] {
			for _, word := range []int{1, 900} {
				document := largest(attack, m, word, 100_000)
				mustBeCheap(t, fmt.Sprintf("%s (%d, %d)", name, m, word), document, m == 3)
			}
		}
	}
}

// FuzzValidation changes the parts of attacks, and what stands around them. Each document of up to
// a megabyte must be validated or refused in less than 100 ms of processor time and 64 MiB.
func FuzzValidation(f *testing.F) {
	names := slices.Sorted(maps.Keys(attacks))
	for i := range names {
		f.Add(uint8(i), uint16(300), uint16(20), uint16(1), uint32(1), "", "")
		f.Add(uint8(i), uint16(60), uint16(120), uint16(900), uint32(100_000), "", "")
	}
	f.Add(uint8(0), uint16(1), uint16(1), uint16(1), uint32(1), "{ ...f }", " fragment f on Query { ...g } fragment g on Query { ...f }")
	f.Fuzz(func(t *testing.T, kind uint8, n, m, word uint16, text uint32, before, after string) {
		name := names[int(kind)%len(names)]
		document := before + attacks[name](int(n)%5000, int(m)%2000, "a"+strings.Repeat("b", int(word)%1200), `"`+strings.Repeat("x", int(text)%1_000_000)+`"`) + after
		if len(document) > 1<<20 || gqlexec.Nesting(document) > gqlexec.MaxNesting {
			return
		}
		mustBeCheap(t, name, document, word%2 == 0)
	})
}
