// SPDX-License-Identifier: Apache-2.0

package admission_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/peerjob/peerjob/internal/admission"
	"github.com/peerjob/peerjob/internal/expand"
)

// both returns what is refused of the newest server and of the one asked for.
func both(t *testing.T, text string) []string {
	t.Helper()
	refused, _ := version(t, text)
	return append(check(t, text), refused...)
}

// TestCheck_older has what validation itself finds with the gates of an older
// server, each with the first version that takes it: as the lists of feature
// gates in the Kubernetes documentation have it.
func TestCheck_older(t *testing.T) {
	const pod = "spec.template.spec."
	tests := map[string]struct {
		minor int
		spec  string
		path  string
	}{
		"a variable of any name": {
			32, "containers: [{name: a, image: x, env: [{name: 'a b', value: c}]}]", pod + "containers[0].env[0].name",
		},
		"a prefix of variables": {
			32, "containers: [{name: a, image: x, envFrom: [{prefix: '1 a', configMapRef: {name: c}}]}]", pod + "containers[0].envFrom[0].prefix",
		},
		"matchLabelKeys of a label in the selector": {
			// Until the keys were merged into the selector, they had to differ from it.
			34, "topologySpreadConstraints: [{maxSkew: 1, topologyKey: z, whenUnsatisfiable: DoNotSchedule, labelSelector: {matchExpressions: [{key: a, operator: Exists}]}, matchLabelKeys: [a]}], containers: [{name: a, image: x}]",
			pod + "topologySpreadConstraints[0].matchLabelKeys[0]",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			at := func(minor int) []string {
				return both(t, fmt.Sprintf("metadata: {name: a}\nspec: {peers: 1, kubernetesVersion: '1.%d', template: {spec: {%s}}}", minor, tt.spec))
			}
			if got := at(tt.minor); len(got) > 0 {
				t.Errorf("refused by 1.%d: %s", tt.minor, got)
			}
			for _, older := range []int{tt.minor - 1, 29} {
				want := fmt.Sprintf("needs Kubernetes 1.%d, and spec.kubernetesVersion is \"1.%d\": ", tt.minor, older)
				got := at(older)
				if len(got) != 1 || !strings.HasPrefix(got[0], tt.path+": ") || !strings.Contains(got[0], want) {
					t.Errorf("1.%d says %q, want %s on %s", older, got, want, tt.path)
				}
			}
		})
	}
}

// TestCheck_olderAndNewest has an error of the newest server: it is said once,
// in the newest server's words.
func TestCheck_olderAndNewest(t *testing.T) {
	got := both(t, "metadata: {name: a}\nspec: {peers: 1, kubernetesVersion: '1.25', template: {spec: {containers: [{name: a, image: x, env: [{name: 'a=b'}]}]}}}")
	if len(got) != 1 || strings.Contains(got[0], "needs Kubernetes") {
		t.Error(got)
	}
}

// TestCheck_olderWithoutField has a field that the older server does not have:
// CheckVersion speaks of it, and what follows from its absence is not said.
func TestCheck_olderWithoutField(t *testing.T) {
	got := both(t, "metadata: {name: a}\nspec: {peers: 1, kubernetesVersion: '1.30', template: {spec: {volumes: [{name: v, image: {reference: x}}], containers: [{name: a, image: x}]}}}")
	want := `spec.template.spec.volumes[0].image: Forbidden: needs Kubernetes 1.35, and spec.kubernetesVersion is "1.30"`
	if len(got) != 1 || got[0] != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestCheck_versionsAtOnce judges for several versions at the same time: each
// verdict is that of its own version.
func TestCheck_versionsAtOnce(t *testing.T) {
	var group sync.WaitGroup
	for i := range 40 {
		minor := 30 + i%8
		group.Go(func() {
			got := both(t, fmt.Sprintf("metadata: {name: a}\nspec: {peers: 1, kubernetesVersion: '1.%d', template: {spec: {containers: [{name: a, image: x, env: [{name: 'a b', value: c}]}]}}}", minor))
			if refused := len(got) > 0; refused != (minor < 32) {
				t.Errorf("1.%d: %v", minor, got)
			}
		})
	}
	group.Wait()
}

// TestAdmit_stricter has a value that only newer servers refuse: an error without a
// version, and a warning for a server that takes it.
func TestAdmit_stricter(t *testing.T) {
	const text = "metadata: {name: a}\nspec: {peers: 1, VERSION template: {spec: {hostAliases: [{ip: 010.0.0.1, hostnames: [a]}], containers: [{name: w, image: x}]}}}"
	for version, refused := range map[string]bool{"": true, "1.30": false, "1.35": false, "1.36": true, "1.37": true} {
		asked := ""
		if version != "" {
			asked = "kubernetesVersion: '" + version + "',"
		}
		g := read(t, strings.Replace(text, "VERSION", asked, 1))
		errs, warnings := admission.Admit(g, expand.Group(g))
		if (len(errs) > 0) != refused || (len(warnings) > 0) == refused {
			t.Errorf("%q: refused %v, warned of %v", version, errs, warnings)
		}
		const want = `Kubernetes 1.36 and later refuse this: Invalid value: "010.0.0.1": must not have leading 0s`
		if !refused && (warnings[0].Field != "spec.template.spec.hostAliases[0].ip" || warnings[0].Message != want) {
			t.Errorf("%q: %v", version, warnings)
		}
	}
}
