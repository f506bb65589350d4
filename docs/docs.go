//go:build !release

// Package docs holds the pages about Forge as files. They are read on a forge of code as they are,
// and the command docs serves them as a site.
package docs

import "embed"

// Files are all files in this folder. The links to them are relative.
//
//go:embed *
var Files embed.FS
