package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// uuid is a key as PostgreSQL sends it. Clients see a prefix and 26 digits of Crockford's base 32.
type uuid [16]byte

const digits = "0123456789abcdefghjkmnpqrstvwxyz"

// UnmarshalText parses the text that appendID writes. It accepts any prefix.
func (u *uuid) UnmarshalText(text []byte) error {
	if len(text) < 27 {
		return fmt.Errorf("%q is no ID", text)
	}
	var high, low uint64
	for _, c := range text[len(text)-26:] {
		digit := strings.IndexByte(digits, c)
		if digit < 0 {
			return fmt.Errorf("%q is no ID", text)
		}
		high, low = high<<5|low>>59, low<<5|uint64(digit)
	}
	binary.BigEndian.PutUint64(u[:8], high)
	binary.BigEndian.PutUint64(u[8:], low)
	return nil
}

// appendID appends a key with its prefix, such as "user_", as a JSON string.
func appendID(b []byte, prefix string, key []byte) []byte {
	high, low := binary.BigEndian.Uint64(key[:8]), binary.BigEndian.Uint64(key[8:])
	var text [26]byte
	for i := 25; i >= 0; i-- {
		text[i] = digits[low&31]
		high, low = high>>5, low>>5|high<<59
	}
	b = append(append(b, '"'), prefix...)
	return append(append(b, text[:]...), '"')
}

// appendText appends a text as a JSON string, or null if text is nil.
func appendText(b, text []byte) []byte {
	if text == nil {
		return append(b, "null"...)
	}
	start := len(b)
	b = append(b, '"')
	for _, c := range text {
		if c < ' ' || c == '"' || c == '\\' {
			quoted, _ := json.Marshal(string(text)) // a string can always be written as JSON
			return append(b[:start], quoted...)
		}
		b = append(b, c)
	}
	return append(b, '"')
}

// appendInt appends an integer. raw has four bytes, as PostgreSQL sends it.
func appendInt(b, raw []byte) []byte {
	return strconv.AppendInt(b, int64(int32(binary.BigEndian.Uint32(raw))), 10)
}

// place returns the ordinality of a row. raw has eight bytes, as PostgreSQL sends it.
func place(raw []byte) int { return int(binary.BigEndian.Uint64(raw)) }
