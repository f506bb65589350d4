package docs

import (
	"bytes"
	"image"
	"image/png"
	"net/http"
	"os"
	"testing"

	"forge/test/gqltest"
	"forge/test/process"
)

// TestFilesRecipe uploads a picture as the recipe says, puts it into a row, and reads a smaller
// one.
func TestFilesRecipe(t *testing.T) {
	page, err := os.ReadFile("recipes/files.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	url := serve(t, process.Build(t), dir, append(os.Environ(), "FILES_URL="+dir+"/files", "DEMO=off"))
	api := gqltest.New(t, url)
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewRGBA(image.Rect(0, 0, 64, 32))); err != nil {
		t.Fatal(err)
	}
	var announced, last gqltest.Answer
	compared := 0
	for _, b := range blocks(string(page)) {
		switch {
		case b.label == "announce":
			announced = api.Must(b.text, gqltest.Vars{"name": "cape.png", "size": picture.Len()})
			send(t, url, announced, picture.Bytes())
		case b.language == "json":
			compared++
			if got := last.RawData(); !sameJSON(t, []byte(got), b.text) {
				t.Errorf("the server answers %s, and the page shows %s", got, b.text)
			}
		case b.label == "attach":
			last = api.Must(b.text, gqltest.Vars{"file": announced.Text("createUpload.upload.fileId")})
		case b.label == "show":
			address := api.Must(b.text, nil).Text("products.nodes.0.picture.url")
			if shown := read(t, url+address); shown.Bounds().Dx() != 32 || shown.Bounds().Dy() != 16 {
				t.Errorf("the picture is %v, want 32 by 16", shown.Bounds())
			}
		}
	}
	if compared != 1 {
		t.Errorf("the page has %d answers, want 1", compared)
	}
}

// send sends the bytes of an upload as the answer says.
func send(t *testing.T, url string, announced gqltest.Answer, content []byte) {
	t.Helper()
	var to struct {
		CreateUpload struct {
			Upload struct {
				URL, Method string
				Headers     []struct{ Name, Value string }
			}
		}
	}
	if err := announced.Decode(&to); err != nil {
		t.Fatal(err)
	}
	upload := to.CreateUpload.Upload
	r, err := http.NewRequestWithContext(t.Context(), upload.Method, url+upload.URL, bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range upload.Headers {
		r.Header.Set(h.Name, h.Value)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		t.Fatalf("the upload is answered with %s", res.Status)
	}
}

// read reads a picture.
func read(t *testing.T, address string) image.Image {
	t.Helper()
	res, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	found, err := png.Decode(res.Body)
	if err != nil {
		t.Fatalf("%s: %s: %v", address, res.Status, err)
	}
	return found
}
