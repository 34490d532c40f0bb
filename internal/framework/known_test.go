// SPDX-License-Identifier: Apache-2.0

package framework

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/peerjob/peerjob/internal/framework/known"
)

func TestKnown(t *testing.T) {
	if diff := cmp.Diff(Types(), known.Types()); diff != "" {
		t.Errorf("package known has other types (-here +there):\n%s", diff)
	}
}
