// SPDX-License-Identifier: Apache-2.0

package adopt

import "testing"

func TestDifference_String(t *testing.T) {
	for _, test := range []struct {
		of   Difference
		want string
	}{
		{Difference{Object: "Service hub", Is: "a headless Service", Why: "no other Service gives the Pods their names"}, "differs: Service hub: was not in the input, is a headless Service; no other Service gives the Pods their names"},
		{Difference{Object: "Service hub", Field: "spec.x", Is: "true"}, `differs: Service hub: spec.x: was not set, is "true"`},
		{Difference{Object: "Service hub", Field: "spec.x", Was: "true"}, `differs: Service hub: spec.x: was "true", is not set`},
		{Difference{Object: "Service hub", Field: "spec.x", Is: "y", Adds: true}, "adds: Service hub: spec.x: y"},
	} {
		if got := test.of.String(); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}
