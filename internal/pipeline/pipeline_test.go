// SPDX-License-Identifier: Apache-2.0

package pipeline

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/peerjob/peerjob/internal/krmlist"
	"github.com/peerjob/peerjob/internal/results"
)

const panicked = "internal error: out of paper; nothing was changed; please report this with the input at https://github.com/peerjob/peerjob/issues"

// TestRun_panics has a step that panics. The list goes out as it came in, with
// one error in its results.
func TestRun_panics(t *testing.T) {
	const items = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n"
	const secret = "- apiVersion: v1\n  kind: Secret\n  metadata: {name:   odd}   # as written\n"
	const result = "results:\n- message: '" + panicked + "'\n  severity: error\n"
	for name, tt := range map[string]struct{ input, want string }{
		"a list":        {items + secret, items + secret + result},
		"not a list":    {"kind: [", "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems: []\n" + result},
		"nothing":       {"", "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems: []\n" + result},
		"an empty list": {items[:len(items)-1] + " []\n", "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems: []\n" + result},
	} {
		t.Run(name, func(t *testing.T) {
			report := &results.Report{}
			report.Errorf(nil, "what was found before")
			read := func([]byte) (krmlist.List, error) { panic("out of paper") }
			var got bytes.Buffer
			if err := Run([]byte(tt.input), read, Options{}, report)(&got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got.String()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if !report.Failed() || len(report.Results()) != 1 {
				t.Errorf("%d findings, want the error alone", len(report.Results()))
			}
		})
	}
}
