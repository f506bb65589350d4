package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"regexp"
)

// samples is how many requests all targets must answer alike before one is measured.
const samples = 20

// own is what each server has to itself: the ID of a new order, and what is said beside the data.
var own = regexp.MustCompile(`"createOrder":\{"order":\{"id":"\w+"|,"extensions":.*(\})`)

// compare sends the same requests to all servers and returns an error unless their answers are the same to the byte. It returns one.
func compare(w *workload, servers []*server, k *keys) ([]byte, error) {
	random := rand.New(rand.NewPCG(1, 2))
	var first []byte
	for range samples {
		r := w.next(k, random)
		first = nil
		for _, s := range servers {
			answer, err := s.once(w, &r)
			if err != nil {
				return nil, fmt.Errorf("%s of %s: %w", w.name, s.name, err)
			}
			if err := (&load{workload: w}).check(&r, answer); err != nil {
				return nil, fmt.Errorf("%s of %s: %w", w.name, s.name, err)
			}
			answer = own.ReplaceAll(answer, []byte("$1"))
			if first == nil {
				first = answer
			}
			if !bytes.Equal(first, answer) {
				return nil, fmt.Errorf("%s: %s answers\n%s\nand %s\n%s", w.name, servers[0].name, first, s.name, answer)
			}
		}
	}
	return first, nil
}

// once sends a request over a connection of its own.
func (s *server) once(w *workload, r *request) ([]byte, error) {
	form := s.form(w)
	c, err := dial(s.host, form.path)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	answer, err := c.post(form.body(nil, r))
	return bytes.Clone(answer), err
}
