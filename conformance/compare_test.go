// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCompare(t *testing.T) {
	for _, test := range []struct {
		name, meant, stored string
		want                comparison
	}{
		{"the same", `{"a": [1, {"b": "x"}]}`, `{"a": [1, {"b": "x"}]}`, comparison{}},
		{"a default", `{"targetPort": 0, "d": null, "e": [], "metadata": {"h": null}}`, `{"targetPort": 80, "d": {}, "e": null, "f": 1}`, comparison{}},
		{"set to nothing, kept", `{"a": "", "b": 0, "c": false}`, `{"a": "", "b": 0, "c": false}`, comparison{}},
		{"set to nothing, dropped", `{"a": "", "b": 0, "c": false, "d": {"e": null}, "f": {"g": ""}, "h": {}}`, `{}`, comparison{dropped: []string{"b", "c", "d", "h"}, emptied: []string{"a", "f"}}},
		{"resources that were set", `{"resources": {}, "containers": [{"resources": {}}]}`, `{"containers": [{}]}`, comparison{dropped: []string{"resources"}}},
		{"added to", `{"a": [1]}`, `{"a": [1, 2]}`, comparison{}},
		{"dropped", `{"a": 1, "b": 2}`, `{"b": 2}`, comparison{dropped: []string{"a"}}},
		{"rounded", `"1u"`, `"1m"`, comparison{}},
		{"another type", `{"a": "1"}`, `{"a": 1}`, comparison{misread: []string{`a: meant "1", read 1`}}},
		{"another text", `[{"a": "x\n"}]`, `[{"a": "x"}]`, comparison{misread: []string{`[0].a: meant "x\n", read "x"`}}},
		{"another number", `9223372036854775807`, `9223372036854775806`, comparison{misread: []string{`: meant 9223372036854775807, read 9223372036854775806`}}},
		{"shorter", `[1, 2]`, `[1]`, comparison{misread: []string{`: meant [1,2], read [1]`}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			meant, err := decodeJSON([]byte(test.meant))
			if err != nil {
				t.Fatal(err)
			}
			got, err := compare(meant, []byte(test.stored))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(comparison{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
