// SPDX-License-Identifier: Apache-2.0

package framework_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/framework"
)

// TestTemplateRevision makes sure that the hash in a Job's name changes when
// peerjob writes something else for a framework that was there before.
func TestTemplateRevision(t *testing.T) {
	known, err := os.ReadFile("testdata/revisions.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range framework.Entries() {
		with := ""
		if entry.Leader != nil {
			with += ", leader: {command: [a]}"
		}
		if entry.SSH {
			with += ", sshSecretName: keys"
		}
		pj := decode(t, "metadata: {name: a}\nspec: {peers: 2, framework: {type: "+entry.Type+with+"}, template: {spec: {containers: [{name: w, image: x}]}}}")
		data, err := json.Marshal(podOf(t, pj, 0).job.Spec)
		if err != nil {
			t.Fatal(err)
		}
		revision := entry.Type + " " + v1alpha1.TemplateRevision + " "
		line := fmt.Sprintf("%s%x\n", revision, sha256.Sum256(data))[:len(revision)+10]
		switch {
		case strings.Contains(string(known), line+"\n"):
		case strings.Contains(string(known), revision):
			t.Errorf("what peerjob writes into a Job of %s has changed: raise v1alpha1.TemplateRevision, and add the new lines to testdata/revisions.txt", entry.Type)
		default:
			t.Errorf("add to testdata/revisions.txt: %s", line)
		}
	}
}
