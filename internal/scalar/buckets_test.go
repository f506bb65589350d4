package scalar

import (
	"strings"
	"testing"
	"time"
)

func TestZone(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+5", "Australia/Lord_Howe"} {
		if _, err := Zone(name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"", "Local", "CET", "EST5EDT", "europe/berlin", "../etc/passwd", "Europe//Berlin", "posix/Europe/Berlin", "Europe/Berlin\n",
		"Europe/Berlin'", "Nowhere/Land", strings.Repeat("A/", 1<<20)} {
		if zone, err := Zone(name); err == nil {
			t.Errorf("%.40q is the time zone %s", name, zone)
		} else if len(err.Error()) > 200 {
			t.Errorf("%.40q is refused with %d bytes", name, len(err.Error()))
		}
	}
}

func TestAdder(t *testing.T) {
	t.Parallel()
	const most = 1<<63 - 1
	for _, tt := range []struct {
		ints    []int64
		texts   []string
		sum     string
		average float64
	}{
		{[]int64{1, 2, 4}, nil, "7", 7.0 / 3},
		{[]int64{most, 1}, nil, "9223372036854775808", 9223372036854775808.0 / 2},
		{[]int64{most, 1, -2, -most, -most, -3}, nil, "-9223372036854775811", -9223372036854775811.0 / 6},
		{[]int64{-most - 1, -most - 1}, nil, "-18446744073709551616", -9223372036854775808},
		{nil, []string{"0.1", "0.2", "1e2", "-0.30"}, "100", 25},
		{nil, []string{"1e-400", "1"}, "1." + strings.Repeat("0", 399) + "1", 0.5},
	} {
		var a Adder
		for _, n := range tt.ints {
			a.AddInt(n)
		}
		for _, text := range tt.texts {
			a.AddText(text)
		}
		sum, ok := a.Sum()
		average, _ := a.Average()
		if !ok || sum != tt.sum || average != tt.average {
			t.Errorf("of %v %v: sum %s, average %g; want %s, %g", tt.ints, tt.texts, sum, average, tt.sum, tt.average)
		}
	}
	var none, large, bad Adder
	if _, ok := none.Sum(); ok {
		t.Error("there is a sum of nothing")
	}
	for _, n := range []string{"-1e301", "0", "-0.00000000000000020"} {
		large.AddText(n)
	}
	if got, _ := large.DecimalAverage(); got != "-"+strings.Repeat("3", 301)+".3333333333333334" {
		t.Errorf("the average of -1e301, 0 and -2e-16 is %s", got)
	}
	if got, ok := none.DecimalAverage(); ok {
		t.Errorf("the average of nothing is %s", got)
	}
	bad.AddText("1e999999999")
	if sum, _ := bad.Sum(); sum != "NaN" {
		t.Errorf("the sum of too many digits is %.40s", sum)
	}
}

func TestBucketUnknown(t *testing.T) {
	t.Parallel()
	if at, err := Bucket("DECADE", time.Now(), time.UTC); err == nil {
		t.Errorf("a decade began at %s", at)
	}
}
