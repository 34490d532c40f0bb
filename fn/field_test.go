// SPDX-License-Identifier: Apache-2.0

package fn

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestWarnings_field expands manifests that show the limits of one rule each, in the forms
// that people write. The first line of each says how many warnings are right: a warning
// that is often wrong is not read. TestFindings_public has the manifests of others.
func TestWarnings_field(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "testdata", "field", "*.yaml"))
	if err != nil || len(files) < 40 {
		t.Fatalf("%d manifests, want 40 or more: %v", len(files), err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var want int
		if _, err := fmt.Sscanf(string(content), "# warnings: %d\n", &want); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		var stdout, stderr strings.Builder
		if err := Expand([]File{{Name: filepath.Base(file), Content: content}}, &stdout, &stderr, ExpandOptions{}); err != nil {
			t.Errorf("%v\n%s", err, &stderr)
		}
		if got := strings.Count(stderr.String(), "peerjob: warning: "); got != want {
			t.Errorf("%s: %d warnings, want %d:\n%s", filepath.Base(file), got, want, &stderr)
		}
	}
}
