// SPDX-License-Identifier: Apache-2.0

package scan

import "testing"

// TestOddClassesOf has every pair of bytes in every place of eight, and judges each byte by
// itself.
func TestOddClassesOf(t *testing.T) {
	text := []byte("abcd\nfgh")
	for place := range len(text) - 1 {
		for pair := range 1 << 16 {
			before := [2]byte(text[place:])
			text[place], text[place+1] = byte(pair), byte(pair>>8)
			want := (classes[text[place]] | classes[text[place+1]]) & oddClasses
			if got := oddClassesOf(text); got != want {
				t.Fatalf("%q: got %b, want %b", text, got, want)
			}
			text[place], text[place+1] = before[0], before[1]
		}
	}
}
