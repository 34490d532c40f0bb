// SPDX-License-Identifier: Apache-2.0

package fn

import (
	"fmt"
	"strings"
	"testing"
)

// TestExpand_linear expands a PeerJob beside a Service of 200,000 selector labels. Where every
// key is compared with every other, that takes minutes.
func TestExpand_linear(t *testing.T) {
	var service strings.Builder
	service.WriteString("apiVersion: v1\nkind: Service\nmetadata: {name: big}\nspec:\n  selector:\n")
	for i := range 200_000 {
		service.WriteString(fmt.Sprintf("    key%d: v\n", i))
	}
	files := []File{{Name: "big.yaml", Content: []byte(service.String())}, {Name: "peerjob.yaml", Content: []byte(
		"apiVersion: peerjob.dev/v1alpha1\nkind: PeerJob\nmetadata: {name: a}\nspec: {peers: 1, template: {spec: {containers: [{name: w, image: x}]}}}\n")}}
	var stdout, stderr strings.Builder
	if err := Expand(files, &stdout, &stderr, ExpandOptions{}); err != nil || stderr.Len() > 0 {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	if !strings.HasPrefix(stdout.String(), service.String()) {
		t.Error("the Service did not keep its bytes")
	}
}
