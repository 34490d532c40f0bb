// SPDX-License-Identifier: Apache-2.0

package fn

import (
	"fmt"

	"go.yaml.in/yaml/v3"

	"github.com/peerjob/peerjob/api/v1alpha1"
)

// checkKeys refuses keys in values that are read as something else than what is
// written: "n: 5" would be the value of "false".
func checkKeys(node *yaml.Node) error {
	for i, inner := range node.Content {
		if node.Kind == yaml.MappingNode && i%2 == 0 && inner.Kind == yaml.ScalarNode && inner.ShortTag() != "!!merge" && !v1alpha1.IsPlainKey(inner) {
			return fmt.Errorf("line %d: %s: a key must be a string; write %q, with the quotes", inner.Line, inner.Value, inner.Value)
		}
		if err := checkKeys(inner); err != nil {
			return err
		}
	}
	return nil
}
