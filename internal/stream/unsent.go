package stream

import (
	"container/list"
	"sync"
)

// unsent limits the bytes of all answers that wait for clients to read them. An answer that several
// streams send counts once.
type unsent struct {
	limit int64 // 0: none

	mu      sync.Mutex
	bytes   int64
	aborted int64 // the part of bytes whose streams were ended, until they are removed
	answers map[*Answer]*waiting
	queue   list.List // of *waiting, in the order of sending
}

// waiting is an answer that streams are sending.
type waiting struct {
	bytes   int64
	streams map[int]func() // the functions that end them
	next    int
	element *list.Element // in unsent.queue; nil after the streams were ended
}

// add counts an answer that a stream begins to send. The caller calls the returned function when it
// is sent. If the limit is exceeded, add ends those streams that send the oldest answers, because
// their clients read the slowest. end has to make the writes of a stream fail at once.
func (u *unsent) add(a *Answer, end func()) (sent func()) {
	if u.limit == 0 {
		return func() {}
	}
	u.mu.Lock()
	w := u.answers[a]
	if w == nil {
		w = &waiting{bytes: int64(len(a.Body)), streams: map[int]func(){}}
		if u.answers == nil {
			u.answers = map[*Answer]*waiting{}
		}
		u.answers[a], u.bytes, w.element = w, u.bytes+w.bytes, u.queue.PushBack(w)
	}
	number := w.next
	w.next++
	w.streams[number] = end
	var slow []func()
	for u.bytes-u.aborted > u.limit && u.queue.Len() > 1 {
		first := u.queue.Remove(u.queue.Front()).(*waiting)
		first.element, u.aborted = nil, u.aborted+first.bytes
		for _, end := range first.streams {
			slow = append(slow, end)
		}
	}
	u.mu.Unlock()
	for _, end := range slow {
		end()
	}
	return func() { u.remove(a, w, number) }
}

// remove stops counting an answer for a stream.
func (u *unsent) remove(a *Answer, w *waiting, number int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if delete(w.streams, number); len(w.streams) > 0 {
		return
	}
	if u.bytes -= w.bytes; w.element == nil {
		u.aborted -= w.bytes
	} else {
		u.queue.Remove(w.element)
	}
	if u.answers[a] == w {
		delete(u.answers, a)
	}
}
