package site

import (
	"bytes"
	"html"
	"regexp"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/util"
)

// tokens are the parts of source text that are shown in colours: comments, texts, numbers, and
// words. A word is coloured if it is one of keywords.
var tokens = map[string]*regexp.Regexp{
	"//": regexp.MustCompile("(?s)(//[^\n]*|/\\*.*?\\*/)|(\"(?:[^\"\\\\\n]|\\\\.)*\"|`[^`]*`|'(?:[^'\\\\\n]|\\\\.)*')|(\\b\\d[\\w.]*)|([A-Za-z_]\\w*)"),
	"#":  regexp.MustCompile("(?s)(#[^\n]*)|(\"\"\".*?\"\"\"|\"(?:[^\"\\\\]|\\\\.)*\"|'[^']*')|(\\b\\d[\\w.]*)|([A-Za-z_$][\\w-]*)"),
	"--": regexp.MustCompile("(?s)(--[^\n]*)|('(?:[^']|'')*')|(\\b\\d[\\w.]*)|([A-Za-z_]\\w*)"),
}

// comments says how comments begin in a language. It has the languages that are shown in colours.
var comments = map[string]string{
	"go": "//", "js": "//", "jsx": "//", "ts": "//", "tsx": "//", "json": "//", "graphql": "#", "yaml": "#", "sh": "#", "ini": "#", "nginx": "#", "python": "#", "sql": "--",
}

// sqlKeywords are words of any case, keywords are written as here.
var sqlKeywords = regexp.MustCompile(`^(?i:add|alter|and|as|begin|by|check|column|commit|constraint|create|default|delete|drop|exists|from|group|having|in|index|insert|into|is|` +
	`join|key|limit|not|null|on|or|primary|references|returning|rollback|select|set|table|unique|update|values|where|with)$`)

var keywords = regexp.MustCompile(`^(async|await|break|case|chan|class|const|continue|def|defer|directive|else|enum|except|export|extend|false|for|fragment|func|function|go|if|` +
	`implements|import|input|interface|lambda|let|map|mutation|new|nil|null|package|pass|query|raise|range|return|scalar|self|struct|subscription|switch|throw|true|try|` +
	`type|union|var|while|yield|None|True|False)$`)

// coloured returns source text as HTML, with its parts in elements of the classes c, s, n and k.
func coloured(language, source string) string {
	switch language {
	case "console":
		return lines(source, map[string]string{"$ ": "p"})
	case "diff":
		return lines(source, map[string]string{"+": "added", "-": "removed", "@": "c"})
	}
	scan := tokens[comments[language]]
	if scan == nil {
		return html.EscapeString(source)
	}
	var b strings.Builder
	at := 0
	for _, m := range scan.FindAllStringSubmatchIndex(source, -1) {
		b.WriteString(html.EscapeString(source[at:m[0]]))
		word, class := source[m[0]:m[1]], ""
		for i, c := range []string{"c", "s", "n", "k"} {
			if m[2+2*i] >= 0 {
				class = c
			}
		}
		isKeyword := keywords
		if language == "sql" {
			isKeyword = sqlKeywords
		}
		if class == "k" && !isKeyword.MatchString(word) {
			b.WriteString(html.EscapeString(word))
		} else {
			b.WriteString(`<span class="` + class + `">` + html.EscapeString(word) + "</span>")
		}
		at = m[1]
	}
	return b.String() + html.EscapeString(source[at:])
}

// lines returns lines as HTML. Those that begin with a prefix are in an element of its class; of
// commands, only the prompt is.
func lines(source string, classes map[string]string) string {
	var b strings.Builder
	for line := range strings.Lines(source) {
		class, end := "", len(line)
		for prefix, c := range classes {
			if strings.HasPrefix(line, prefix) {
				class = c
				if c == "p" {
					end = len(prefix)
				}
			}
		}
		if class == "" {
			end = 0
		} else {
			b.WriteString(`<span class="` + class + `">` + html.EscapeString(line[:end]) + "</span>")
		}
		b.WriteString(html.EscapeString(line[end:]))
	}
	return b.String()
}

// codeRenderer renders blocks of code in colours. The words after the language say which file a
// block is, or which test runs it; a file is shown above the block.
type codeRenderer struct{}

// RegisterFuncs registers the renderer of blocks of code.
func (codeRenderer) RegisterFuncs(r renderer.NodeRendererFuncRegisterer) {
	r.Register(ast.KindFencedCodeBlock, func(w util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		block := n.(*ast.FencedCodeBlock)
		language := string(block.Language(source))
		var info []byte
		if block.Info != nil {
			info = block.Info.Value(source)
		}
		_, _ = w.WriteString(`<div class="code">`)
		if words := bytes.Fields(info); len(words) > 1 && bytes.ContainsRune(words[len(words)-1], '.') {
			_, _ = w.WriteString(`<div class="file">` + html.EscapeString(string(words[len(words)-1])) + "</div>")
		}
		_, err := w.WriteString(`<pre tabindex="0"><code class="` + html.EscapeString(language) + `">` + coloured(language, string(block.Lines().Value(source))) + "</code></pre></div>\n")
		return ast.WalkSkipChildren, err
	})
	r.Register(ast.KindHTMLBlock, func(util.BufWriter, []byte, ast.Node, bool) (ast.WalkStatus, error) {
		return ast.WalkSkipChildren, nil // comments, such as that a page is generated
	})
}

// linkRenderer renders links. Those into the source tree become their text.
type linkRenderer struct{}

// RegisterFuncs registers the renderer of links.
func (linkRenderer) RegisterFuncs(r renderer.NodeRendererFuncRegisterer) {
	r.Register(ast.KindLink, func(w util.BufWriter, _ []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
		address := string(n.(*ast.Link).Destination)
		open, end := `<a href="`+html.EscapeString(address)+`">`, "</a>"
		switch {
		case address == "":
			open, end = `<span class="source" title="in the source tree">`, "</span>"
		case strings.Contains(address, "://"):
			open = `<a rel="noreferrer" href="` + html.EscapeString(address) + `">`
		}
		if !entering {
			open = end
		}
		_, err := w.WriteString(open)
		return ast.WalkContinue, err
	})
}
