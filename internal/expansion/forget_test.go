// SPDX-License-Identifier: Apache-2.0

package expansion

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/krmlist"
)

// TestExpansion_Forget reads a PeerJob of a list once more, and finds what it found before.
func TestExpansion_Forget(t *testing.T) {
	roles := "apiVersion: peerjob.dev/v1alpha1\nkind: PeerJob\nmetadata: {name: train}\nspec:\n  roles:\n" +
		"  - {name: a, peers: 1, template: {spec: {containers: [{name: w, image: x}]}}}\n" +
		"  - {name: b, peers: 3, template: {spec: {containers: [{name: w, image: y}]}}}\n"
	for name, source := range map[string]string{
		"plain":         peerJob(""),
		"a hash":        peerJob("  nameSuffixHash: Enabled\n  service: {name: other}\n"),
		"a default":     peerJob("  runner: {port: 7000}\n  barrier: {}\n"),
		"roles":         roles,
		"no forgetting": peerJob("  templating: Enabled\n  values: {a: b}\n"),
	} {
		t.Run(name, func(t *testing.T) {
			list := "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n- " + strings.ReplaceAll(strings.TrimSpace(source), "\n", "\n  ") + "\n"
			read, err := krmlist.NewReader(func(string) bool { return false })([]byte(list))
			if err != nil {
				t.Fatal(err)
			}
			e := &Expansion{Source: read.Objects()[0], InList: true}
			if errs, _ := e.Expand(v1alpha1.Settings{RunnerImage: "r:1", ClusterDomain: "c.local"}, NewSources(nil, nil, nil)); len(errs) > 0 {
				t.Fatal(errs)
			}
			before, objects := e.Group(), e.Objects()
			e.Forget()
			after := e.Group()
			if kept := before == after; kept != e.HasTemplates() {
				t.Fatalf("the group was kept: %t", kept)
			}
			if diff := cmp.Diff(before.PeerJob, after.PeerJob); diff != "" {
				t.Errorf("(-before +after):\n%s", diff)
			}
			if before.JobName != after.JobName || before.ServiceName() != after.ServiceName() || len(before.All()) != len(after.All()) {
				t.Errorf("%s and %s, now %s and %s", before.JobName, before.ServiceName(), after.JobName, after.ServiceName())
			}
			for i, o := range e.Objects() {
				if diff := cmp.Diff(objects[i].Object, o.Object); diff != "" {
					t.Errorf("(-before +after):\n%s", diff)
				}
			}
		})
	}
}
