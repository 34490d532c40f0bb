// SPDX-License-Identifier: Apache-2.0

package schema

import (
	"bytes"
	"os"
	"testing"
)

// TestJSON holds what the program has to the file.
func TestJSON(t *testing.T) {
	want, err := os.ReadFile("peerjob.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, JSON()) {
		t.Error(`peerjob.json.gz is not peerjob.json; run "make generate"`)
	}
}
