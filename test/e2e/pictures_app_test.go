package e2e

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"forge/test/bucket"
	"forge/test/dbtest"
)

// TestPicturesApp uses a single-page application with pictures in a browser, with files in a folder
// and in S3: with each database in one of them, and in both with FORGE_SOAK. It was written from
// the pages alone, and has another origin than Forge.
func TestPicturesApp(t *testing.T) {
	const dir = "../../playground"
	needChromium(t)
	install(t, dir)
	install(t, clients)
	dbtest.Each(t, func(t *testing.T, databaseURL string) {
		storages := map[bool][]string{true: {"s3"}, false: {"folder"}}[strings.HasPrefix(databaseURL, "postgres")]
		if os.Getenv("FORGE_SOAK") != "" {
			storages = []string{"folder", "s3"}
		}
		for _, storage := range storages {
			t.Run(storage, func(t *testing.T) {
				var forge, s3 string
				app := httptest.NewServer(picturesApp(&forge))
				t.Cleanup(app.Close)
				origin, files := onLocalhost(app.URL), t.TempDir()
				if storage == "s3" {
					files = onLocalhost(bucket.Start(t).Address)
					s3 = "http://" + regexp.MustCompile(`localhost:\d+`).FindString(files)
				}
				forge = onLocalhost(serve(t, databaseURL, "AUTH=on", "AUTH_SECRET="+rand.Text()+rand.Text(), "DEMO=off", "CORS_ORIGINS="+origin, "FILES_URL="+files))
				npm(t, dir, []string{"FORGE_URL=" + forge, "APP_URL=" + origin, "S3_URL=" + s3, "NAME=" + storage}, "run", "test:pictures")
			})
		}
	})
}

// picturesApp serves the application, which asks the Forge at an address that is known later.
func picturesApp(forge *string) http.Handler {
	files := http.NewServeMux()
	files.Handle("/", http.FileServer(http.Dir(filepath.Join(clients, "pictures-app"))))
	files.HandleFunc("/tus.js", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFile(w, r, filepath.Join(clients, "node_modules", "tus-js-client", "dist", "tus.min.js"))
	})
	files.Handle("/forge-errors/", http.StripPrefix("/forge-errors/", http.FileServer(http.Dir("../../clients/forge-errors"))))
	files.HandleFunc("/config.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		fmt.Fprintf(w, "export const api = %q;\n", *forge+"/graphql")
	})
	return files
}
