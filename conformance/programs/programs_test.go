// SPDX-License-Identifier: Apache-2.0

package programs

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestStamp(t *testing.T) {
	const variable = "-X k8s.io/component-base/version."
	want := variable + "gitVersion=v1.36.3 " + variable + "gitMajor=1 " + variable + "gitMinor=36"
	if diff := cmp.Diff(want, stamp("v1.36.3")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
