// SPDX-License-Identifier: Apache-2.0

package framework_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/peerjob/peerjob/internal/framework"
)

func TestValidate_elastic(t *testing.T) {
	for text, want := range map[string][]string{
		"{type: Torchrun}":                                          {},
		"{type: Torchrun, elastic: {}}":                             {},
		"{type: Torchrun, elastic: {minPeers: 1, maxRestarts: 0}}":  {},
		"{type: Torchrun, elastic: {minPeers: 4}}":                  {},
		"{type: Torchrun, elastic: {minPeers: 0}}":                  {"spec.framework.elastic.minPeers: Invalid value: 0: must be between 1 and spec.peers, 4"},
		"{type: Torchrun, elastic: {minPeers: 5, maxRestarts: -1}}": {"spec.framework.elastic.minPeers: Invalid value: 5: must be between 1 and spec.peers, 4", "spec.framework.elastic.maxRestarts: Invalid value: -1: must be 0 or more"},
		"{type: JAX, elastic: {minPeers: 9}}":                       {"spec.framework.elastic: Forbidden: JAX has groups of a fixed size; leave it out"},
	} {
		g := parse(t, fmt.Sprintf("metadata: {name: train}\nspec: {peers: 4, framework: %s, template: {spec: {containers: [{name: w, image: x}]}}}", text))
		got := []string{}
		for _, err := range framework.Validate(g) {
			got = append(got, err.Error())
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}
