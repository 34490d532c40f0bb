// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/peerjob/peerjob/e2e/render"
)

// patience is how long a Job may take that takes seconds on an idle machine; a busy
// one has starved the DNS server for more than a minute.
const patience = 5 * time.Minute

// The scripts of the peers, which are put together: each peer reaches every
// other, and stays for those who have not.
const (
	meet = `for ((i = 0; i < PEERJOB_SIZE; i++)); do
  peer=$PEERJOB_NAME-$i.$PEERJOB_SERVICE
  until ping -c 1 -W 1 "$peer" > /dev/null 2>&1; do sleep 0.5; done
  echo "reached $i"
done
`
	stay = "sleep 15\n"
)

// peerLayer is a layer with one PeerJob "job", whose container "peer" runs a
// script.
type peerLayer struct{ render.Layer }

// peers is such a layer, with further fields of the PeerJob's spec.
func peers(n int, script string, spec ...string) peerLayer {
	peerJob, err := yaml.Marshal(map[string]any{
		"apiVersion": "peerjob.dev/v1alpha1",
		"kind":       "PeerJob",
		"metadata":   map[string]any{"name": "job"},
		"spec": map[string]any{
			"peers": n,
			"template": map[string]any{"spec": map[string]any{
				"containers": []any{map[string]any{
					"name": "peer", "image": bashImage,
					"command": []string{"bash", "-c", script},
				}},
			}},
		},
	})
	if err != nil {
		panic(err)
	}
	return peerLayer{render.Layer{Files: map[string]string{"job.yaml": string(peerJob)}, Patches: spec}}
}

// with is the layer with the settings of another.
func (l peerLayer) with(other render.Layer) render.Layer {
	merged := l.Layer
	merged.Settings = maps.Clone(other.Settings)
	return merged
}

// checkMet holds the peers' logs to this: every peer has reached every peer.
func checkMet(t *testing.T, logs map[string]string, peers int) {
	t.Helper()
	if len(logs) != peers {
		t.Errorf("%d peers succeeded, want %d", len(logs), peers)
	}
	for index, log := range logs {
		for i := range peers {
			// The example's own script names the peer in full.
			short, full := fmt.Sprintf("reached %d", i), "-"+strconv.Itoa(i)+"."
			if !containsLine(log, short) && !containsReached(log, full) {
				t.Errorf("peer %s has not reached peer %d:\n%s", index, i, log)
			}
		}
	}
}

// quote is a text as one word of YAML.
func quote(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return string(quoted)
}
