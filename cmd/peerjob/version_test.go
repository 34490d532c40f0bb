// SPDX-License-Identifier: Apache-2.0

package main

import "testing"

func TestRunnerOf(t *testing.T) {
	for version, want := range map[string]string{
		"v0.1.0":                             "ghcr.io/peerjob/runner:v0.1.0",
		"v1.2.3-rc.1":                        "ghcr.io/peerjob/runner:v1.2.3-rc.1",
		"v1.2.3-beta.10":                     "ghcr.io/peerjob/runner:v1.2.3-beta.10",
		"(devel)":                            "",
		"v0.1.0-dev":                         "",
		"v0.1.0-dev.0123456789ab":            "",
		"v0.1.0-dev.012345678901":            "", // a commit of digits alone
		"v0.1.0-dev.0123456789ab.dirty":      "",
		"v0.0.0-20260101000000-0123456789ab": "",
		"v0.0.0-20260101000000-0123456789ab+dirty": "",
		"v0.1.0+dirty": "",
	} {
		if got := runnerOf(version); got != want {
			t.Errorf("runnerOf(%q) = %q, want %q", version, got, want)
		}
	}
}
