// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/peerjob/peerjob/fn"
	"github.com/peerjob/peerjob/internal/framework"
)

// TestShowFramework: what is printed of a framework is a file that expands and
// that the API server would take, and it says what the Pods then have.
func TestShowFramework(t *testing.T) {
	for _, entry := range framework.Entries() {
		t.Run(entry.Type, func(t *testing.T) {
			var page, out, said bytes.Buffer
			root := newRoot(func(string) string { return "" })
			root.SetArgs([]string{"frameworks", strings.ToUpper(entry.Type)})
			root.SetOut(&page)
			if err := root.Execute(); err != nil {
				t.Fatal(err)
			}
			if err := fn.Expand([]fn.File{{Name: "page", Content: page.Bytes()}}, &out, &said, fn.ExpandOptions{}); err != nil || said.Len() > 0 {
				t.Fatalf("%v: %s", err, &said)
			}
			for _, row := range entry.Contract() {
				if !strings.Contains(page.String(), "# "+row.Name+" ") {
					t.Errorf("%s is not shown", row.Name)
				}
				if set := strings.Contains(out.String(), "- name: "+row.Name+"\n"); set == row.Elastic {
					t.Errorf("%s is set: %v", row.Name, set)
				}
			}
		})
	}
}
