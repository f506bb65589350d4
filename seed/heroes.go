package seed

import (
	"slices"
	"time"

	"github.com/brianvoe/gofakeit/v7/data"
	"github.com/google/uuid"
)

// opening is a time in the year. Teams and products were created before it; heroes and orders
// follow after it.
var opening = yearStart.AddDate(0, 0, 30)

type teamRow struct {
	row
	name         string
	headquarters *string
}

func teams(n int) []teamRow {
	m, taken := newMaker(2), names{}
	all := make([]teamRow, n)
	for i := range all {
		t := teamRow{row: m.row(m.nth(i, n, yearStart, opening))}
		t.name = taken.unique("The "+pick(m, qualities)+" "+pick(m, bands), " ")
		if i == 0 || !m.oneIn(8) {
			where := m.city() + " " + pick(m, lairs)
			t.headquarters = &where
		}
		if m.oneIn(4) {
			t.changed(m, 90*24*time.Hour)
		}
		all[i] = t
	}
	return all
}

type heroRow struct {
	row
	name       string
	secretName *string
	age        *int
	team       *uuid.UUID
	owner      uuid.UUID
}

// heroes returns each heroes for each owner, oldest first.
func heroes(owners []userRow, teams []teamRow, each int) []heroRow {
	m := newMaker(3)
	all := make([]heroRow, 0, len(owners)*each)
	for _, owner := range owners {
		for range each {
			h := heroRow{owner: owner.id, name: heroName(m)}
			h.created = m.between(later(owner.created, opening), yearEnd)
			if !m.oneIn(4) {
				name := m.firstName() + " " + m.lastName()
				h.secretName = &name
			}
			if !m.oneIn(10) {
				age := m.intRange(16, 79)
				h.age = &age
			}
			if !m.oneIn(8) {
				team := pick(m, teams).id
				h.team = &team
			}
			all = append(all, h)
		}
	}
	slices.SortStableFunc(all, func(a, b heroRow) int { return a.created.Compare(b.created) })
	for i := range all {
		all[i].row = m.row(all[i].created)
		if m.oneIn(5) {
			all[i].changed(m, 120*24*time.Hour)
		}
	}
	return all
}

func heroName(m *maker) string {
	switch m.IntN(10) {
	case 0, 1:
		return pick(m, titles) + " " + pick(m, figures)
	case 2:
		return "The " + pick(m, figures)
	default:
		return pick(m, qualities) + " " + pick(m, figures)
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (m *maker) city() string { return pick(m, data.Address["city"]) }

// intRange returns a number from least to most.
func (m *maker) intRange(least, most int) int { return least + m.IntN(most-least+1) }
