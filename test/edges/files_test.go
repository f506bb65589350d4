package edges

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"forge/test/edges/ent/file"
	"forge/test/gqltest"
)

// files stores n files that nobody in particular has uploaded, and returns their IDs.
func (w *world) files(n int, contentType string, size int64) (all []string) {
	w.Helper()
	for range n {
		f := w.ent.File.Create().SetName("a").SetContentType(contentType).SetSize(size).SetState(file.StateStored).SetEtag("x").SaveX(w.system)
		all = append(all, f.GlobalID().String())
	}
	return all
}

// TestFiles gives files to rows of several types at once, nested in others, and refuses those that
// do not fit.
func TestFiles(t *testing.T) {
	api := writes(t, tenMutations())
	if err := api.Check(); err != nil {
		t.Fatal(err)
	}
	each(t, func(w *world) {
		c := nestedClient(w, api)
		png, pdf := w.files(12, "image/png", 10), w.files(2, "application/pdf", 10)
		long := w.files(1, "application/pdf", 1001)[0]
		v := gqltest.Vars{"two": png[:2], "three": png[1:4], "pdfs": pdf, "pdf": pdf[0], "long": long, "next": png[4:6], "last": png[6:7], "rest": png[7:10]}
		run := func(mutation string) gqltest.Answer {
			w.Helper()
			declared := ""
			for name, value := range v {
				if kind := "ID"; strings.Contains(strings.NewReplacer("}", " ", ")", " ").Replace(mutation), "$"+name+" ") {
					if _, many := value.([]string); many {
						kind = "[ID!]"
					}
					declared += " $" + name + ": " + kind
				}
			}
			if declared != "" {
				declared = "(" + declared + ")"
			}
			return c.Do("mutation "+declared+" { "+mutation+" }", v)
		}
		refused := func(mutation string, fields ...string) {
			w.Helper()
			got, at := run(mutation), []string{}
			for _, e := range got.Errors {
				field, _ := e.Extensions["field"].(string)
				at = append(at, field)
			}
			if slices.Sort(at); !slices.Equal(at, fields) || got.Code() != "BAD_USER_INPUT" {
				w.Errorf("%s: %s, want errors at %q", mutation, got, fields)
			}
		}

		refused(`createConcert(input: {name: "a", price: 1, venue: {create: {name: "v"}}, pictures: {connect: $three}}) { concert { id } }`, "input.pictures.connect.2")
		refused(`createVenue(input: {name: "v", concerts: {create: [{name: "a", price: 1, pictures: {connect: $two}, poster: {create: {text: "t", printId: $long}}}, {name: "b", price: 1, pictures: {connect: $pdfs}}]}}) { venue { id } }`,
			"input.concerts.create.0.poster.create.printId", "input.concerts.create.1.pictures.connect.0", "input.concerts.create.1.pictures.connect.1")
		got := run(`createVenue(input: {name: "v", concerts: {create: [{name: "a", price: 1, pictures: {connect: $two}, poster: {create: {text: "t", printId: $pdf}}}, {name: "b", price: 1}]}}) { venue { id concerts { id pictures { id } poster { id print { id } } } } }`)
		venue, concert, poster := got.Text("createVenue.venue.id"), got.Text("createVenue.venue.concerts.0.id"), got.Text("createVenue.venue.concerts.0.poster.id")
		if got.Len("createVenue.venue.concerts.0.pictures") != 2 || got.Text("createVenue.venue.concerts.0.poster.print.id") != pdf[0] {
			w.Fatal(got)
		}
		refused(`updateConcert(id: "`+concert+`", input: {pictures: {connect: $last}}) { concert { id } }`, "input.pictures")
		refused(`updateConcert(id: "`+concert+`", input: {pictures: {set: $rest}}) { concert { id } }`, "input.pictures.set.2")
		got = run(`createConcerts(onError: SKIP, input: [{name: "c", price: 1, venueId: "` + venue + `", pictures: {connect: $rest}}, {name: "d", price: 1, venueId: "` + venue + `", pictures: {connect: $last}}]) { affected concerts { name pictures { id } } errors { index field } }`)
		if want := `{"createConcerts":{"affected":1,"concerts":[{"name":"d","pictures":[{"id":"` + png[6] + `"}]}],"errors":[{"index":0,"field":"input.0.pictures.connect.2"}]}}`; got.RawData() != want {
			w.Errorf("%s, want %s", got, want)
		}
		if got = run(`updateConcert(id: "` + concert + `", input: {pictures: {set: $next}}) { concert { pictures { id } } }`); got.Text("updateConcert.concert.pictures.1.id") != png[5] {
			w.Error(got)
		}
		if got = run(`updatePoster(id: "` + poster + `", input: {printId: null}) { poster { print { id } } }`); !got.OK() || got.At("updatePoster.poster.print") != nil {
			w.Error(got)
		}
		refused(`updatePoster(id: "`+poster+`", input: {printId: $pdf}) { poster { id } }`, "input.printId")
		got = c.Must(`{ with: concerts(where: {hasPictures: true}) { totalCount } without: concerts(where: {hasPictures: false}) { totalCount } posters(where: {hasPrint: false}) { totalCount } }`, nil)
		if got.RawData() != `{"with":{"totalCount":2},"without":{"totalCount":1},"posters":{"totalCount":1}}` {
			w.Error(got)
		}
	})
}

// concertFiles is what is known of the files of concerts.
type concertFiles struct {
	by   map[string][]string // the pictures of each concert
	used map[string]bool     // the files that a concert has, or had
}

// fit reports whether a concert may have files after a mutation that names them.
func (k *concertFiles) fit(concert string, named, after []string) bool {
	for i, id := range named {
		if slices.Contains(named[:i], id) || k.used[id] && !slices.Contains(k.by[concert], id) {
			return false
		}
	}
	return len(after) <= 2
}

// set says which files a concert has now.
func (k *concertFiles) set(concert string, after []string) {
	slices.Sort(after)
	k.by[concert] = after
	for _, id := range after {
		k.used[id] = true
	}
}

// TestFilesAtRandom changes the lists of files of some rows at random. Each mutation is refused if,
// and only if, a file is not free or there would be too many. Then the rows have the files they
// should have.
func TestFilesAtRandom(t *testing.T) {
	api := writes(t, tenMutations())
	each(t, func(w *world) {
		c, random := nestedClient(w, api), rand.New(rand.NewPCG(5, 6))
		all, known := w.files(40, "image/png", 10), concertFiles{map[string][]string{}, map[string]bool{}}
		venue := c.Must(`mutation { createVenue(input: {name: "v"}) { venue { id } } }`, nil).Text("createVenue.venue.id")
		some := func(of []string) []string {
			list := []string{}
			for range random.IntN(4) {
				if len(of) > 0 {
					list = append(list, of[random.IntN(len(of))])
				}
			}
			return list
		}
		var concerts []string
		for range 60 {
			list := some(all)
			if len(concerts) < 3 {
				got := c.Do(`mutation($venue: ID!, $list: [ID!]) { createConcert(input: {name: "c", price: 1, venueId: $venue, pictures: {connect: $list}}) { concert { id } } }`, gqltest.Vars{"venue": venue, "list": list})
				if want := known.fit("", list, list); got.OK() != want {
					w.Fatalf("create with %v: %s; want success: %t", list, got, want)
				} else if want {
					concerts = append(concerts, got.Text("createConcert.concert.id"))
					known.set(concerts[len(concerts)-1], list)
				}
				continue
			}
			concert := concerts[random.IntN(len(concerts))]
			has := known.by[concert]
			input, after, named := gqltest.Vars{"set": list}, list, list
			if random.IntN(2) == 0 {
				named = some(append(slices.Clone(has), all...))
				gone := has[:random.IntN(len(has)+1)]
				after = slices.DeleteFunc(slices.Concat(has, named), func(id string) bool { return slices.Contains(gone, id) })
				slices.Sort(after)
				after = slices.Compact(after)
				named = slices.DeleteFunc(named, func(id string) bool { return slices.Contains(gone, id) })
				input = gqltest.Vars{"connect": named, "disconnect": gone}
			}
			got := c.Do(`mutation($id: ID!, $pictures: AllIDs) { updateConcert(id: $id, input: {pictures: $pictures}) { concert { id } } }`, gqltest.Vars{"id": concert, "pictures": input})
			if want := known.fit(concert, named, after); got.OK() != want {
				w.Fatalf("%v for a concert with %v: %s; want success: %t", input, has, got, want)
			} else if want {
				known.set(concert, after)
			}
			known.compare(w, c)
			if random.IntN(8) == 0 {
				c.Must(`mutation($id: ID!) { deleteConcert(id: $id) { deletedId } }`, gqltest.Vars{"id": concert})
				delete(known.by, concert)
				concerts = slices.DeleteFunc(concerts, func(id string) bool { return id == concert })
			}
		}
		if attached := w.ent.File.Query().Where(file.AttachedAtNotNil()).CountX(context.WithoutCancel(w.system)); attached != len(known.used) {
			w.Errorf("%d files are attached, want %d", attached, len(known.used))
		}
	})
}

// compare compares what is known with what is stored.
func (k *concertFiles) compare(w *world, c client) {
	w.Helper()
	got := c.Must(`{ concerts(first: 100) { nodes { id pictures { id } } } }`, nil)
	for i := range got.Len("concerts.nodes") {
		at := fmt.Sprintf("concerts.nodes.%d.", i)
		var has []string
		for n := range got.Len(at + "pictures") {
			has = append(has, got.Text(fmt.Sprintf("%spictures.%d.id", at, n)))
		}
		if want := k.by[got.Text(at+"id")]; !slices.Equal(has, want) {
			w.Fatalf("a concert has the pictures %v, want %v", has, want)
		}
	}
}
