// SPDX-License-Identifier: Apache-2.0

package fn

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
)

// TestCheck_asLint holds that whatever lint says of a host name in the objects of a
// PeerJob, check says of the PeerJob: with "expand | lint" nobody finds more.
func TestCheck_asLint(t *testing.T) {
	texts := map[string]bool{ // whether lint finds something
		"shop-trainr-0.shop-trainer":                           true,
		"shop-trainer-0.shop-trainr":                           true,
		"shop-trainer-0.shop":                                  true,
		"shop-trainer-0.api:80":                                true,
		"trainer-0.trainer":                                    true,
		"shop-trainer-5.shop-trainer":                          true,
		"shop-trainer-{0..5}.shop-trainer":                     true,
		"shop-trainer-0.shop-trainer.other.svc.cluster.local":  true,
		"MASTER_ADDR=shop-trainer-0":                           true,
		"shop-trainer-0.shop-trainer":                          false,
		"shop-trainer-1.shop-trainer.ml.svc.cluster.local:80":  false,
		"https://shop-trainer-0.example.com:443":               false,
		"shop-trainer-0.log":                                   false,
		"postgres-0.postgres:5432":                             false,
		"--seeds=cache-0.cache:80,cache-1.cache.db.svc:80":     false,
		"shop-trainer-0.shop-trainer.trainer.example.com:8080": false,
	}
	places := map[string]string{
		"args":   "args: [%q]",
		"script": "command: [sh, -c, %q]",
		"env":    "env: [{name: A, value: %q}]",
	}
	const list = `apiVersion: peerjob.dev/v1alpha1
kind: PeerJob
metadata: {name: shop-trainer, namespace: ml}
spec:
  peers: 2
  nameSuffixHash: %s
  template: {spec: {containers: [{name: w, image: x, %s}]}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: cache, namespace: ml}
`
	for text, wrong := range texts {
		for name, place := range places {
			t.Run(name+" "+text, func(t *testing.T) {
				written := strings.Replace(text, "MASTER_ADDR=", "--master_addr=", 1)
				if bare, found := strings.CutPrefix(text, "MASTER_ADDR="); found && name == "env" {
					written, place = bare, strings.Replace(place, "name: A", "name: MASTER_ADDR", 1)
				}
				plain := []File{{Name: "f.yaml", Content: fmt.Appendf(nil, list, "Disabled", fmt.Sprintf(place, written))}}
				var objects, found bytes.Buffer
				if err := Expand(plain, &objects, io.Discard, ExpandOptions{}); err != nil {
					t.Fatal(err)
				}
				_, _ = Lint([]LintFile{{File: File{Name: "f.yaml", Content: objects.Bytes()}}}, &found, io.Discard, LintOptions{Format: LintJSON})
				var linted struct {
					Findings []struct{ ID, Message string }
				}
				if err := json.Unmarshal(found.Bytes(), &linted); err != nil {
					t.Fatal(err)
				}
				isFound := false
				for _, f := range linted.Findings {
					isFound = isFound || strings.HasPrefix(f.ID, "peer-") || f.ID == "race-at-end"
				}
				if isFound != wrong {
					t.Errorf("lint finds a name: %t, want %t\n%s", isFound, wrong, found.String())
				}
				for _, hash := range []string{"Disabled", "Enabled"} {
					var said bytes.Buffer
					files := []File{{Name: "f.yaml", Content: fmt.Appendf(nil, list, hash, fmt.Sprintf(place, written))}}
					if err := Check(files, &said, io.Discard, CheckOptions{}); err != nil {
						t.Fatal(err)
					}
					// With the hash, a literal name of a peer is wrong, too.
					want := wrong || hash == "Enabled" && strings.Contains(text, ".shop-trainer") && !strings.Contains(text, "example")
					if got := strings.Contains(said.String(), " names "); got != want {
						t.Errorf("hash %s: check finds a name: %t, want %t\n%s", hash, got, want, said.String())
					}
				}
			})
		}
	}
}
