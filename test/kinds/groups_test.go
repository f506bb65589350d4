package kinds

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// fieldsOf returns the names of a type's fields, or of an enum's values.
func fieldsOf(name string) (names []string) {
	def := new(Resolver).API().Executable(nil).Schema().Types[name]
	for _, f := range def.Fields {
		names = append(names, f.Name)
	}
	for _, v := range def.EnumValues {
		names = append(names, v.Name)
	}
	return names
}

// TestAggregates asks for every function of every column, of all rows, of none, and below each row.
// The databases have to agree to the byte.
func TestAggregates(t *testing.T) {
	t.Parallel()
	b := filled(t)
	var every strings.Builder
	for function, of := range map[string]string{"sum": "SampleSum", "avg": "SampleAverage", "min": "SampleExtremes", "max": "SampleExtremes"} {
		names := slices.DeleteFunc(fieldsOf(of), func(name string) bool {
			return strings.HasSuffix(strings.ToLower(name), "real") && function != "min" && function != "max" || // of which sums overflow
				strings.HasSuffix(strings.ToLower(name), "near") && (function == "sum" || function == "avg") // added in any order
		})
		fmt.Fprintf(&every, "%s { %s } ", function, strings.Join(names, " "))
	}
	for _, field := range fieldsOf("SampleGroupField") {
		fmt.Fprintf(&every, "d%s: countDistinct(field: %s) ", field, field)
	}
	b.do(`{ samples(where: {wholeGTE: 0}) { aggregate { count sum { whole maybeWhole } } } }`, `{}`)
	for _, where := range []string{`{}`, `{story: "nowhere"}`, `{story: "0"}`, `{flag: true}`, `{storyIn: ["0", "1", "2"]}`} {
		got := b.do(`{ samples(where: `+where+`) { aggregate { count `+every.String()+` } } }`, `{}`)
		for _, e := range got.Errors {
			if !strings.Contains(e.Message, "can hold") {
				t.Errorf("where %s: %s", where, e.Message)
			}
		}
	}
	b.do(`{ samples { nodes { parts { aggregate { count sum { whole price } avg { price } min { day } } groups(by: [{field: OF}]) { key { ofId } } } } } }`, `{}`)
	for query, want := range map[string]string{
		`{ samples(where: {storyIn: ["3", "1"]}) { aggregate { sum { big } avg { big } } } }`: `{"samples":{"aggregate":{"sum":{"big":"9007199254740992"},"avg":{"big":4.503599627370496e+15}}}}`,
		`{ samples(where: {storyIn: ["3", "4"]}) { aggregate { sum { big } avg { big } } } }`: `{"samples":{"aggregate":{"sum":{"big":null},"avg":{"big":4.616189618054758e+18}}}}`,
		`{ samples(where: {storyIn: ["0", "5"]}) { aggregate { sum { big } } } }`:             `{"samples":{"aggregate":{"sum":{"big":null}}}}`,
	} {
		if got := b.do(query, `{}`).RawData(); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
}

// TestGroups groups by each column, and by buckets of those of times, and orders by each column and
// result. The databases have to agree to the byte, also on the order.
func TestGroups(t *testing.T) {
	t.Parallel()
	b := filled(t)
	keys := map[string]string{} // by enum value
	for _, name := range fieldsOf("SampleGroupKey") {
		if name != "of" {
			keys[strings.ToUpper(snake(name))] = name
		}
	}
	for value, name := range keys {
		entries := []string{""}
		switch strings.TrimPrefix(value, "MAYBE_") {
		case "MOMENT":
			entries = []string{"", `, bucket: HOUR`, `, bucket: DAY, timeZone: "Asia/Kathmandu"`, `, bucket: WEEK`, `, bucket: MONTH`, `, bucket: QUARTER, timeZone: "America/Havana"`}
		case "DAY":
			entries = []string{"", `, bucket: DAY`, `, bucket: WEEK`, `, bucket: MONTH`, `, bucket: QUARTER`, `, bucket: YEAR`}
		}
		for _, entry := range entries {
			where := ""
			if entry != "" { // a bucket of the first day there is may begin before it
				where = `(where: {dayGT: "0002-01-01", momentGT: "0002-01-01T00:00:00Z"})`
			}
			for _, order := range []string{"", `, orderBy: [{field: ` + value + `, direction: DESC}]`} {
				b.do(`{ samples`+where+` { groups(by: [{field: `+value+entry+`}]`+order+`) { key { `+name+` } aggregate { count sum { whole } } } } }`, `{}`)
			}
		}
	}
	for _, value := range fieldsOf("SampleGroupOrderField") {
		if keys[value] != "" || value == "OF" || strings.HasSuffix(value, "NEAR") && !strings.HasPrefix(value, "M") {
			continue
		}
		for _, direction := range []string{"ASC", "DESC"} {
			b.do(`{ samples { groups(by: [{field: FLAG}, {field: MAYBE_DAY}], orderBy: [{field: `+value+`, direction: `+direction+`}]) { key { flag maybeDay } aggregate { count } } } }`, `{}`)
		}
	}
}

// TestHaving compares every result with every operator with what the results of groups are.
func TestHaving(t *testing.T) {
	t.Parallel()
	b := filled(t)
	conditions := new(Resolver).API().Executable(nil).Schema().Types["SampleHaving"]
	values := map[string]string{"Int": "1", "BigInt": `"9007199254740993"`, "Float": "0.5", "Decimal": `"9.5"`, "Time": `"1969-12-31T23:59:59.999999Z"`, "Date": `"1969-12-31"`,
		"LocalTime": `"15:04:05.12"`, "Duration": `"PT25H"`, "String": `"a"`, "Color": "RED"}
	for _, f := range conditions.Fields {
		if strings.Contains(f.Name, "Near") && !strings.HasPrefix(f.Name, "m") {
			continue
		}
		b.do(`{ samples { groups(by: [{field: MAYBE_WHOLE}], having: {`+f.Name+`: `+values[f.Type.Name()]+`}) { key { maybeWhole } aggregate { count } } } }`, `{}`)
	}
	got := b.do(`{ samples { groups(by: [{field: COLOR}], having: {minPriceLT: "0", maxPriceGTE: "9.5", countGT: 1}) { key { color } aggregate { min { price } max { price } } } } }`, `{}`)
	if !strings.Contains(got.RawData(), `"min":{"price":"-9999999999.99"}`) {
		t.Errorf("groups with prices: %s", got.RawData())
	}
}

// snake returns a name with an underscore before each capital letter.
func snake(name string) string {
	var b strings.Builder
	for _, r := range name {
		if r >= 'A' && r <= 'Z' {
			b.WriteByte('_')
		}
		b.WriteRune(r)
	}
	return b.String()
}
