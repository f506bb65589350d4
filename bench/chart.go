package main

import (
	"fmt"
	"strconv"
	"strings"
)

// This file draws the chart. The chart has a row for each workload. A bar shows the ratio of
// Forge's requests per second to those of the hand-written handlers, and marks show the ratios of
// other servers. Its colours are legible on white and on black.

const (
	chartWidth = 800
	chartLeft  = 265 // where the ratio 0 is
	chartRight = 745 // where the highest ratio is
	chartTop   = 74
	rowHeight  = 40
)

const chartStyle = `<style>
	text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328 }
	.small { font-size: 11px; fill: #59636e }
	.title { font-size: 15px; font-weight: 600 }
	.name { font-weight: 600 }
	.grid { stroke: #d1d9e0 } .limit { stroke: #1f2328; stroke-dasharray: 4 3 }
	.forge { fill: #0969da }
	.p0 { fill: #bc4c00 } .p1 { fill: #8250df } .p2 { fill: #1a7f37 } .p3 { fill: #9a6700 }
	.mark { stroke: #fff; stroke-width: 1.5 }
	@media (prefers-color-scheme: dark) {
		text { fill: #f0f6fc } .small { fill: #9198a1 }
		.grid { stroke: #3d444d } .limit { stroke: #f0f6fc }
		.forge { fill: #1f6feb }
		.p0 { fill: #f0883e } .p1 { fill: #bc8cff } .p2 { fill: #3fb950 } .p3 { fill: #e3b341 }
		.mark { stroke: #0d1117 }
	}
</style>
`

// chart returns the result as an SVG image.
func (r *result) chart() string {
	var rows []*workload
	for _, w := range workloads {
		if _, ok := r.median(w.name, "limit", rate); ok {
			rows = append(rows, w)
		}
	}
	bottom := chartTop + rowHeight*len(rows)
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-label="Requests per second, as part of what hand-written handlers reach">`+"\n",
		chartWidth, bottom+62)
	b.WriteString(chartStyle)
	b.WriteString(`<text x="16" y="24" class="title">Requests per second, as part of what hand-written Go handlers reach</text>` + "\n")
	legend(&b)
	most := r.most(rows)
	most.grid(&b, bottom)
	for i, w := range rows {
		r.row(&b, most, w, chartTop+rowHeight*i+rowHeight/2)
	}
	fmt.Fprintf(&b, `<text x="16" y="%d" class="small">Forge: %s</text>`+"\n", bottom+38, escape(r.Date+", "+r.Machine))
	fmt.Fprintf(&b, `<text x="16" y="%d" class="small">%s</text>`+"\n</svg>\n", bottom+54, escape(measured))
	return b.String()
}

func legend(b *strings.Builder) {
	b.WriteString(`<rect x="16" y="41" width="22" height="12" rx="2" class="forge"/><text x="44" y="52">Forge</text>` + "\n")
	x := 104
	for i, p := range peers {
		fmt.Fprintf(b, `<circle cx="%d" cy="47" r="5.5" class="mark p%d"/><text x="%d" y="52">%s</text>`+"\n", x, i, x+11, escape(p.name))
		x += 34 + 7*len(p.name)
	}
}

// scale is the highest ratio in the chart.
type scale float64

// most returns the largest ratio in the chart: at least 1, so that the scale always shows 1.
func (r *result) most(rows []*workload) scale {
	most := 1.0
	for _, w := range rows {
		forge, _ := r.median(w.name, "forge", rate)
		limit, _ := r.median(w.name, "limit", rate)
		most = max(most, forge/limit)
	}
	return scale(most)
}

// place returns the horizontal position of a ratio.
func (most scale) place(ratio float64) float64 {
	return chartLeft + ratio/float64(most)*(chartRight-chartLeft)
}

// grid draws a line for every half, or for every quarter if there is room.
func (most scale) grid(b *strings.Builder, bottom int) {
	step := .25
	if most > 1.25 {
		step = .5
	}
	for at := 0.0; at <= float64(most); at += step {
		label, kind := strconv.FormatFloat(at, 'f', -1, 64), "grid"
		if at == 1 {
			label, kind = "hand-written", "limit"
		}
		x := most.place(at)
		fmt.Fprintf(b, `<line x1="%.1f" y1="%d" x2="%.1f" y2="%d" class="%s"/><text x="%.1f" y="%d" text-anchor="middle" class="small">%s</text>`+"\n",
			x, chartTop, x, bottom, kind, x, bottom+16, label)
	}
}

// row draws the row of a workload. Its middle is at the height y.
func (r *result) row(b *strings.Builder, most scale, w *workload, y int) {
	forge, _ := r.median(w.name, "forge", rate)
	limit, _ := r.median(w.name, "limit", rate)
	end := most.place(forge / limit)
	fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="end">%s <tspan class="name">%s</tspan></text>`+"\n", chartLeft-12, y+5, escape(w.short), strings.ToUpper(w.name))
	fmt.Fprintf(b, `<rect x="%d" y="%d" width="%.1f" height="20" rx="2" class="forge"><title>Forge %.0f requests/s, hand-written %.0f</title></rect>`+"\n",
		chartLeft, y-10, end-chartLeft, forge, limit)
	fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="end" class="name">%.2f</text>`+"\n", chartWidth-8, y+5, forge/limit)
	for i, p := range peers {
		if ratio, ok := p.ratio[w.name]; ok {
			fmt.Fprintf(b, `<circle cx="%.1f" cy="%d" r="5.5" class="mark p%d"><title>%s %.2f</title></circle>`+"\n", most.place(ratio), y, i, escape(p.name), ratio)
		}
	}
}

func escape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}
