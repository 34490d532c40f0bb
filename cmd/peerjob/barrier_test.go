// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"strings"
	"testing"
)

// TestRun_barrierTimedOut holds the gate to its exit code, which a
// podFailurePolicy asks for, and everything else to 1.
func TestRun_barrierTimedOut(t *testing.T) {
	for want, args := range map[int][]string{
		75: {"barrier", "wait", "--port", "17448", "--timeout", "50ms", "--termination-message", ""},
		1:  {"barrier", "status", "--port", "17448"},
	} {
		var stdout, stderr bytes.Buffer
		if got := run(args, strings.NewReader(""), &stdout, &stderr); got != want || stdout.Len() > 0 {
			t.Errorf("%v: exit code %d, want %d\n%s%s", args, got, want, &stdout, &stderr)
		}
	}
}

func TestImageOf(t *testing.T) {
	for version, want := range map[string]string{
		"v0.1.0":                             "ghcr.io/peerjob/peerjob:" + "v0.1.0",
		"v1.2.3-rc.1":                        "ghcr.io/peerjob/peerjob:" + "v1.2.3-rc.1",
		"v1.2.3-beta.10":                     "ghcr.io/peerjob/peerjob:" + "v1.2.3-beta.10",
		"(devel)":                            "",
		"v0.1.0-dev":                         "",
		"v0.1.0-dev.0123456789ab":            "",
		"v0.1.0-dev.012345678901":            "", // a commit of digits alone
		"v0.1.0-dev.0123456789ab.dirty":      "",
		"v0.0.0-20260101000000-0123456789ab": "",
		"v0.0.0-20260101000000-0123456789ab+dirty": "",
		"v0.1.0+dirty": "",
	} {
		if got := imageOf(version); got != want {
			t.Errorf("imageOf(%q) = %q, want %q", version, got, want)
		}
	}
}
