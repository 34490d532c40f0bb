// SPDX-License-Identifier: Apache-2.0

package peerjob

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/apitype"
)

// TestOwners compares the table of whose field is whose with the API types: what a role
// has is OfRole or OfBoth, and what only spec has is OfGroup.
func TestOwners(t *testing.T) {
	owners := Owners()
	spec, role := apitype.Of(reflect.TypeFor[v1alpha1.PeerJobSpec]()), apitype.Of(reflect.TypeFor[v1alpha1.PeerRole]())
	for _, name := range spec.Names() {
		_, inRole := role.Place(name)
		if owner, found := owners[name]; !found || inRole != (owner != OfGroup) {
			t.Errorf("spec.%s has the owner %v, and a role has it: %v", name, owner, inRole)
		}
	}
	for _, name := range role.Names() {
		if _, inSpec := spec.Place(name); !inSpec && !slices.Contains([]string{"name", "dependsOn"}, name) {
			t.Errorf("only a role has %s", name)
		}
	}
	if len(owners) != len(spec.Names()) {
		t.Errorf("%d owners of %d fields", len(owners), len(spec.Names()))
	}
}

const twoRoles = `
metadata: {name: train, namespace: ml}
spec:
  roles:
  - {name: launcher, peers: 1, template: {spec: {containers: [{name: main, image: x, command: [a]}]}}}
  - {name: data-loader, peers: 2, template: {spec: {containers: [{name: load, image: x, command: [b]}]}}}
`

func TestPeerEnv_roles(t *testing.T) {
	g := decodeValid(t, func(string) string { return twoRoles }).All()[1]
	want := []string{
		"JOB_COMPLETION_INDEX", "PEERJOB_NAME", "PEERJOB_NAMESPACE", "PEERJOB_SERVICE", "PEERJOB_SIZE", "PEERJOB_ROLE",
		"PEERJOB_LAUNCHER_NAME", "PEERJOB_LAUNCHER_SIZE", "PEERJOB_LAUNCHER_LEADER",
		"PEERJOB_DATA_LOADER_NAME", "PEERJOB_DATA_LOADER_SIZE", "PEERJOB_DATA_LOADER_LEADER", "PEERJOB_LEADER", "PEERJOB_SELF", "PEERJOB_UID",
	}
	if diff := cmp.Diff(want, g.PeerEnvNames()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, variable := range g.PeerEnv(false) {
		if variable.Name == "PEERJOB_LEADER" && variable.Value != "$(PEERJOB_LAUNCHER_NAME)-0.$(PEERJOB_SERVICE)" {
			t.Errorf("the leader is %s", variable.Value)
		}
	}
}

// TestRunnerEnv_roles has what the runner reads where the peers' environment is off.
func TestRunnerEnv_roles(t *testing.T) {
	g := decodeValid(t, func(string) string {
		return strings.Replace(twoRoles, "spec:\n", "spec:\n  peerEnv: Disabled\n  barrier: {start: Enabled}\n  runner: {image: x}\n", 1)
	})
	var names []string
	for _, variable := range g.RunnerEnv() {
		names = append(names, variable.Name)
	}
	want := []string{"JOB_COMPLETION_INDEX", "PEERJOB_NAME", "PEERJOB_SERVICE", "PEERJOB_SIZE", "PEERJOB_ROLE", "PEERJOB_LAUNCHER_NAME", "PEERJOB_DATA_LOADER_NAME", "PEERJOB_UID"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestFailureRules_roles has the rules of a role that is told to end, and of one that
// decides.
func TestFailureRules_roles(t *testing.T) {
	g := decodeValid(t, func(string) string {
		return strings.Replace(twoRoles, "spec:\n", "spec:\n  successRoles: [launcher]\n  failurePolicy: {action: FailPeerJob}\n  runner: {image: x}\n", 1)
	})
	for i, want := range [][]int32{{0, v1alpha1.ExitTerminated}, {v1alpha1.ExitTimedOut, v1alpha1.ExitGroupFailed}} {
		rules := g.All()[i].FailureRules(false)
		if got := rules[len(rules)-1].OnExitCodes.Values; !slices.Equal(got, want) {
			t.Errorf("role %d has a rule about %v, want %v", i, got, want)
		}
	}
}
