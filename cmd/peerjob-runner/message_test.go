// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAppendMessage(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, before, line, want string }{
		{"empty", "", "why", "why\n"},
		{"after a line", "user\n", "why", "user\nwhy\n"},
		{"after half a line", "user", "why", "user\nwhy\n"},
		{"nearly full", strings.Repeat("u", 4090), "a reason", strings.Repeat("u", 4090) + "\na rea"},
		{"within a character", strings.Repeat("u", 4093), "ö", strings.Repeat("u", 4093) + "\nö"},
		{"room for half a character", strings.Repeat("u", 4094), "ö", strings.Repeat("u", 4094) + "\n"},
		{"full", strings.Repeat("u", 4096), "why", strings.Repeat("u", 4096)},
		{"too full", strings.Repeat("u", 5000), "why", strings.Repeat("u", 5000)},
		{"long", "", strings.Repeat("why", 4000), strings.Repeat("why", 4000)[:4096]},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "message")
			if err := os.WriteFile(file, []byte(test.before), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := appendMessage(file, test.line); err != nil {
				t.Fatal(err)
			}
			if got := read(t, file); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
	file := filepath.Join(t.TempDir(), "none")
	if err := appendMessage(file, "why"); err != nil {
		t.Errorf("a file that is not there: %v", err)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("the file was made")
	}
	for _, file := range []string{"", "/dev/null"} {
		if err := appendMessage(file, "why"); err != nil {
			t.Errorf("%q: %v", file, err)
		}
	}
}
