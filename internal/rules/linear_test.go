// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"regexp"
	"testing"
)

// TestAssignedIn compares with a search for each name by its own.
func TestAssignedIn(t *testing.T) {
	const name = "PEERJOB_LEADEX"
	search := regexp.MustCompile(`(^|[\s;&|(])(export\s+|local\s+|read\s+(-\w+\s+)*)?` + name + `(=|\s|;|$)`)
	for _, before := range []string{"", "x", "$", "${", "export ", "local  ", "read -r ", ";", "&&", "(", "\n", "_", "-", "é", "PEERJOB_SIZE "} {
		for _, after := range []string{"", "=1", " ", ";", "}", "X", "-", "\n", "\té", "é", " $PEERJOB_LEADEX"} {
			text := before + name + after
			if got, want := assignedIn(text)[name], search.MatchString(text); got != want {
				t.Errorf("%q: got %t, want %t", text, got, want)
			}
		}
	}
}
