package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"regexp"
)

// samples is the number of requests to which all targets must give the same answer before a
// workload is measured.
const samples = 20

// own matches the parts of an answer that differ between servers: the IDs of new orders, and
// extensions.
var own = regexp.MustCompile(`"createOrder":\{"order":\{"id":"[\w-]+"|,"extensions":.*(\})`)

// ids matches IDs. The server stock writes them in another form than the other servers.
var ids = regexp.MustCompile(`"id":"[^"]*"`)

// compare sends the same requests to all servers, and returns the last answer of each. It returns
// an error if the answers to a request differ in more than the parts that own and ids match.
func compare(w *workload, servers []*server) ([][]byte, error) {
	answers := make([][]byte, len(servers))
	for n := range uint64(samples) {
		for i, s := range servers {
			r := w.next(s.keys, rand.New(rand.NewPCG(1, n))) // the same request for each server
			answer, err := s.once(w, &r)
			if err != nil {
				return nil, fmt.Errorf("%s of %s: %w", w.name, s.name, err)
			}
			if err := (&load{workload: w, server: s}).check(&r, answer); err != nil {
				return nil, fmt.Errorf("%s of %s: %w", w.name, s.name, err)
			}
			answers[i] = answer
			if s.name == "user" && w.own > 0 {
				continue
			}
			first, answer := own.ReplaceAll(answers[0], []byte("$1")), own.ReplaceAll(answer, []byte("$1"))
			if s.name == "stock" {
				first, answer = ids.ReplaceAll(first, nil), ids.ReplaceAll(answer, nil)
			}
			if !bytes.Equal(first, answer) {
				return nil, fmt.Errorf("%s: %s answers\n%s\nand %s\n%s", w.name, servers[0].name, first, s.name, answer)
			}
		}
	}
	return answers, nil
}

// once sends one request over a new connection, and returns the answer.
func (s *server) once(w *workload, r *request) ([]byte, error) {
	form := s.form(w)
	c, err := dial(s, form.path)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	answer, err := c.post(form.body(nil, r))
	return bytes.Clone(answer), err
}
