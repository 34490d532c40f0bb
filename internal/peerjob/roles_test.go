// SPDX-License-Identifier: Apache-2.0

package peerjob

import (
	"fmt"
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

// TestFailureRules_roles has the rules of roles of one peer and of more, of those that decide and
// those that are told to end. Of the peers of each Job, one exits with 76 (TestSimulation_jobsFail
// in barrier/protocol).
func TestFailureRules_roles(t *testing.T) {
	const restart = "RestartPeerJob, maxRestarts: 1"
	every, told, failed := "NotIn [0 143]", "In [75 76]", "In [76]"
	for _, tt := range []struct {
		action, success string
		// policy says that the Jobs have a success policy.
		policy bool
		want   []string // of a, of one peer, and b, of two
	}{
		{"FailPeerJob", "", false, []string{every, every}},
		{"FailPeerJob", "", true, []string{every, told}},
		{"FailPeerJob", "a", false, []string{every, told}},
		{"FailPeerJob", "a", true, []string{every, told}},
		{"FailPeerJob", "b", false, []string{told, every}},
		{"FailPeerJob", "b", true, []string{told, told}},
		{restart, "", false, []string{failed, failed}},
		{restart, "", true, []string{failed, failed}},
		{restart, "a", false, []string{failed, failed}},
		{restart, "b", true, []string{failed, failed}},
	} {
		g := decodeValid(t, rolesWith("  runner: {image: x}\n  failurePolicy: {action: "+tt.action+"}\n  successRoles: ["+tt.success+"]", podOf(one), podOf(one)))
		var got []string
		for _, role := range g.All() {
			rules := role.FailureRules(tt.policy)
			codes := rules[len(rules)-1].OnExitCodes
			got = append(got, fmt.Sprintf("%s %v", codes.Operator, codes.Values))
			if !matches(codes, v1alpha1.ExitGroupFailed) || matches(codes, v1alpha1.ExitTerminated) {
				t.Errorf("%+v: role %s: the Job must fail with 76, and not with 143", tt, role.RoleName())
			}
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%+v: %q", tt, got)
		}
	}
}

// rolesWith is a PeerJob with more of its spec, and its roles a with one peer and b with two.
func rolesWith(fields, a, b string) func(string) string {
	return func(string) string {
		return "metadata: {name: train, namespace: ml}\nspec:\n" + fields + "\n  roles:\n  - {name: a, peers: 1, " + a + "}\n  - {name: b, peers: 2, " + b + "}\n"
	}
}

// podOf is the template of a role.
func podOf(pod string) string { return "template: {spec: {" + pod + "}}" }

const (
	onePod  = "template: {spec: {containers: [{name: w, image: x, command: [x]}]}}"
	started = "  barrier: {start: Enabled}\n  runner: {image: r}"
)

// TestWarn_roles has what is said of roles together, and once.
func TestWarn_roles(t *testing.T) {
	container := func(fields string) string { return "containers: [{name: w, image: x, command: [x], " + fields + "}]" }
	const (
		onHost = "hostNetwork: true, dnsPolicy: ClusterFirstWithHostNet, "
		apart  = ", affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {peerjob.dev/group: train}}}]}}"
	)
	hostPort := podOf(container("ports: [{containerPort: 80, hostPort: 8080}]"))
	alone := podOf(container("ports: [{containerPort: 80, hostPort: 8080}]") + apart)
	network := func(port string) string { return podOf(onHost + container("ports: [{containerPort: "+port+"}]")) }
	twoOf := func(pod string) string { return strings.TrimSuffix(strings.TrimSuffix(pod, "}"), "}") + apart + "}}" }
	const collide = "a port of the node, and the role a has it, too: a peer that finds only nodes with a peer of the other role stays Pending; choose another port, or keep the roles apart with a required podAntiAffinity on kubernetes.io/hostname"
	for name, tt := range map[string]struct {
		change func(string) string
		want   []string
	}{
		"one host port":                        {rolesWith("", hostPort, onePod), nil},
		"a host port in both":                  {rolesWith("", hostPort, strings.Replace(alone, "peerjob.dev/group: train", "app: b", 1)), []string{"warning: spec.roles[1].template.spec.containers[0].ports[0].hostPort: the port 8080 is " + collide}},
		"a host port in both, kept apart":      {rolesWith("", hostPort, alone), nil},
		"a host port, and the host network":    {rolesWith("", network("8080"), strings.Replace(alone, "peerjob.dev/group: train", "app: b", 1)), []string{"warning: spec.roles[1].template.spec.containers[0].ports[0].hostPort: the port 8080 is " + collide}},
		"other ports on the host network":      {rolesWith("", network("80"), twoOf(network("81"))), nil},
		"the port of the runner in both":       {rolesWith(started, podOf(onHost+container("ports: []")), strings.Replace(twoOf(podOf(onHost+container("ports: []"))), "peerjob.dev/group: train", "app: b", 1)), []string{"warning: spec.roles[1].template.spec.hostNetwork: the port 7450 is " + collide}},
		"a suspended role behind a barrier":    {rolesWith(started, onePod, "suspend: true, "+onePod), []string{"warning: spec.roles[1].suspend: the Job of the role b has no Pods while it is suspended, and the peers of a wait for them (spec.barrier.start) and fail after 600 s (spec.barrier.startTimeoutSeconds); suspend all roles with spec.suspend, or resume the Job soon"}},
		"all are suspended but one":            {rolesWith(started+"\n  suspend: true", onePod, "suspend: false, "+onePod), []string{"warning: spec.roles[1].suspend: the Job of the role a has no Pods while it is suspended, and the peers of b wait for them (spec.barrier.start) and fail after 600 s (spec.barrier.startTimeoutSeconds); remove spec.roles[1].suspend, or resume the Job soon"}},
		"a role waits without a limit":         {rolesWith("  barrier: {end: Enabled}\n  runner: {image: r}", "dependsOn: [{name: b, status: Complete}], "+onePod, onePod), []string{"warning: spec.failurePolicy: the peers of a wait for another role (dependsOn) without a limit, and nobody tells them if it fails; write {action: FailPeerJob}, or set spec.barrier.start to Enabled with a startTimeoutSeconds, or activeDeadlineSeconds"}},
		"a role waits, and 0 is no limit":      {rolesWith("  barrier: {start: Enabled, startTimeoutSeconds: 0}\n  runner: {image: r}", "dependsOn: [{name: b, status: Complete}], "+onePod, onePod), []string{"warning: spec.failurePolicy: the peers of a wait for another role (dependsOn) without a limit, and nobody tells them if it fails; write {action: FailPeerJob}, or set spec.barrier.start to Enabled with a startTimeoutSeconds, or activeDeadlineSeconds"}},
		"a role waits for a while":             {rolesWith(started, "dependsOn: [{name: b, status: Complete}], "+onePod, onePod), nil},
		"a role waits, with a deadline":        {rolesWith("  barrier: {end: Enabled}\n  runner: {image: r}\n  activeDeadlineSeconds: 60", "dependsOn: [{name: b, status: Complete}], "+onePod, onePod), nil},
		"a role waits, and is told":            {rolesWith("  failurePolicy: {action: FailPeerJob}\n  runner: {image: r}", "dependsOn: [{name: b, status: Complete}], "+onePod, onePod), nil},
		"all are suspended":                    {rolesWith(started+"\n  suspend: true", onePod, onePod), nil},
		"a suspended role that nobody waits":   {rolesWith("  failurePolicy: {action: FailPeerJob}\n  runner: {image: r}", onePod, "suspend: true, "+onePod), nil},
		"a suspended role that another awaits": {rolesWith("  failurePolicy: {action: FailPeerJob}\n  runner: {image: r}", "dependsOn: [{name: b, status: Started}], "+onePod, "suspend: true, "+onePod), []string{"warning: spec.roles[1].suspend: the Job of the role b has no Pods while it is suspended, and the peers of a wait for them (dependsOn) and have no limit (spec.barrier.startTimeoutSeconds); suspend all roles with spec.suspend, or resume the Job soon"}},
		"a suspended success role":             {rolesWith("  failurePolicy: {action: FailPeerJob}\n  runner: {image: r}\n  successRoles: [b]", onePod, "suspend: true, "+onePod), []string{"warning: spec.roles[1].suspend: the Job of the role b has no Pods while it is suspended, and the peers of a are not told to end before b is Complete (spec.successRoles); suspend all roles with spec.suspend, or resume the Job soon"}},
		"a suspended role that is no success":  {rolesWith("  failurePolicy: {action: FailPeerJob}\n  runner: {image: r}\n  successRoles: [a]", onePod, "suspend: true, "+onePod), nil},
		"a suspended role without a runner":    {rolesWith("", onePod, "suspend: true, "+onePod), nil},
		"a number of processes":                {rolesWith("", podOf(container(`env: [{name: WORLD_SIZE, value: "8"}]`)), onePod), []string{"warning: spec.roles[0].template.spec.containers[0].env[0].value: WORLD_SIZE is 8, and there are 3 peers in all roles; write 3, or change the number of peers"}},
		"the number of one role":               {rolesWith("", podOf(container(`env: [{name: WORLD_SIZE, value: "2"}]`)), podOf(container(`args: [--nnodes=3]`))), nil},
	} {
		t.Run(name, func(t *testing.T) {
			got := findings(decodeValid(t, tt.change), nil)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestWarn_suspendedFramework has roles that a framework runs in together, without a runner.
func TestWarn_suspendedFramework(t *testing.T) {
	g := decodeValid(t, rolesWith("  framework: {type: JAX}", onePod, "suspend: true, "+onePod))
	runsIn := func(names ...string) Brings {
		return func(g *Group) Brought {
			return Brought{Together: slices.Contains(names, g.RoleName())}
		}
	}
	want := []string{"warning: spec.roles[1].suspend: the Job of the role b has no Pods while it is suspended, and the peers of a run JAX with them (spec.framework), and wait as long as it does; suspend all roles with spec.suspend, or resume the Job soon"}
	if diff := cmp.Diff(want, findings(g, runsIn("a", "b"))); diff != "" {
		t.Errorf("both run it (-want +got):\n%s", diff)
	}
	if got := findings(g, runsIn("a")); got != nil {
		t.Errorf("one runs it: %q", got)
	}
}

// TestValidate_roles has what is refused once for all roles.
func TestValidate_roles(t *testing.T) {
	two := func(first, second string) string {
		return podOf("containers: [{name: " + first + ", image: x, command: [x]}, {name: " + second + ", image: x, command: [x]}]")
	}
	runner := func(name string) string { return strings.Replace(started, "image: r", "image: r, container: "+name, 1) }
	const path = "spec.runner.container: "
	for name, tt := range map[string]struct {
		change func(string) string
		want   []string
	}{
		"one name in both":       {rolesWith(runner("main"), two("main", "log"), two("log", "main")), nil},
		"one container each":     {rolesWith(started, onePod, onePod), nil},
		"several in one role":    {rolesWith(started, onePod, two("main", "log")), []string{path + `Required value: the role b has several containers; name the one whose command the runner starts, of main and log`}},
		"several in both":        {rolesWith(started, two("main", "x"), two("main", "log")), []string{path + `Required value: the roles a, b have several containers; name the one whose command the runner starts, of main`}},
		"no name in both":        {rolesWith(started, two("w", "x"), two("main", "log")), []string{path + `Required value: the roles a, b have several containers; no name is in all of them: give the one whose command the runner starts the same name in each, and write it here`}},
		"a name in one of them":  {rolesWith(runner("main"), two("w", "x"), two("main", "log")), []string{path + `Invalid value: "main": the roles a, b have several containers, and it must be in each of them: a has w, x; no name is in all of them: give the one whose command the runner starts the same name in each, and write it here`}},
		"the other name of both": {rolesWith(runner("w"), two("w", "x"), two("x", "y")), []string{path + `Unsupported value: "w": supported values: "x" (the roles a, b have several containers)`}},
		"a name of none":         {rolesWith(runner("mian"), onePod, two("main", "log")), []string{path + `Unsupported value: "mian": supported values: "main", "log" (the role b has several containers)`}},
		"a name of no role":      {rolesWith(runner("main"), onePod, onePod), []string{path + `Unsupported value: "main": supported values: "w"`}},
		"labels of the Jobs":     {rolesWith("  template: {metadata: {labels: {job-name: x}}}", onePod, onePod), []string{"spec.template.metadata.labels[job-name]: Forbidden: is set by the Job controller; leave it out"}},
		"labels of one Job":      {rolesWith("", onePod, "template: {metadata: {labels: {controller-uid: x}}, spec: {containers: [{name: w, image: x}]}}"), []string{"spec.roles[1].template.metadata.labels[controller-uid]: Forbidden: is set by the Job controller; leave it out"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, err := range Validate(decodeValid(t, tt.change), nil) {
				got = append(got, err.Error())
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestValidateService_hash has the name of a Service for which its hash leaves no room.
func TestValidateService_hash(t *testing.T) {
	long := strings.Repeat("s", 53)
	pj := decodeValid(t, rolesWith("  service: {name: "+long+"}", onePod, onePod)).PeerJob
	var got []string
	for _, err := range Validate(NewGroup(pj, "0123456789"), nil) {
		got = append(got, err.Error())
	}
	want := []string{`spec.service.name: Invalid value: "` + long + `": must be no more than 52 characters with spec.nameSuffixHash: the name of the Service, "` + long + `-0123456789", must be a DNS label of no more than 63 characters`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if errs := Validate(NewGroup(pj, ""), nil); len(errs) > 0 {
		t.Error(errs)
	}
}

// TestWarn_runnerVariables has variables that the runner sets, where nothing sets them.
func TestWarn_runnerVariables(t *testing.T) {
	at := "warning: spec.template.spec.containers[0]."
	roles := func(spec string) func(string) string {
		return rolesWith(spec, podOf("containers: [{name: w, image: x, command: [sh, -c, 'x $PEERJOB_RANK of ${PEERJOB_WORLD_SIZE}']}]"), onePod)
	}
	const none = "warning: spec.roles[0].template.spec.containers[0].command[2]: uses $"
	for name, tt := range map[string]struct {
		change func(string) string
		want   []string
	}{
		"a rank without roles":       {container("command: [x, $(PEERJOB_RANK)]"), []string{at + "command[1]: uses $(PEERJOB_RANK), which only the runner of a PeerJob with roles sets, and it stays in the value as it is; write $(JOB_COMPLETION_INDEX), the number of the peer from 0 on"}},
		"a size in env":              {container("env: [{name: N, value: $(PEERJOB_WORLD_SIZE)}]"), []string{at + "env[0].value: uses $(PEERJOB_WORLD_SIZE), which only the runner of a PeerJob with roles sets, and it stays in the value as it is; write $(PEERJOB_SIZE), the number of peers"}},
		"both in a script":           {container("command: [sh, -c, 'x $PEERJOB_RANK ${PEERJOB_WORLD_SIZE}']"), []string{at + "command[2]: uses $PEERJOB_RANK, which only the runner of a PeerJob with roles sets, and it is empty; write $JOB_COMPLETION_INDEX", at + "command[2]: uses $PEERJOB_WORLD_SIZE, which only the runner of a PeerJob with roles sets, and it is empty; write $PEERJOB_SIZE"}},
		"an attempt in a script":     {container("command: [sh, -c, 'x $PEERJOB_ATTEMPT']"), []string{at + "command[2]: uses $PEERJOB_ATTEMPT, which only the runner of spec.failurePolicy sets, and it is empty; set spec.failurePolicy, or leave it out"}},
		"with a default":             {container("command: [sh, -c, 'x ${PEERJOB_ATTEMPT:-1} ${PEERJOB_RANK-0}']"), nil},
		"set in the script":          {container("command: [sh, -c, 'PEERJOB_RANK=1; x $PEERJOB_RANK']"), nil},
		"set in env":                 {container("command: [sh, -c, 'x $PEERJOB_RANK'], env: [{name: PEERJOB_RANK, value: '1'}]"), nil},
		"from elsewhere":             {container("command: [sh, -c, 'x $PEERJOB_RANK'], envFrom: [{configMapRef: {name: c}}]"), nil},
		"in roles without a runner":  {roles(""), []string{none + "PEERJOB_RANK, which only the runner sets, and it is empty; set spec.barrier or spec.failurePolicy, or leave it out", none + "PEERJOB_WORLD_SIZE, which only the runner sets"}},
		"in roles with the runner":   {roles(started), nil},
		"an attempt without failure": {rolesWith(started, podOf("containers: [{name: w, image: x, command: [x, $(PEERJOB_ATTEMPT)]}]"), onePod), []string{"warning: spec.roles[0].template.spec.containers[0].command[1]: uses $(PEERJOB_ATTEMPT), which only the runner of spec.failurePolicy sets, and it stays in the value as it is; set spec.failurePolicy, or leave it out"}},
	} {
		t.Run(name, func(t *testing.T) { wantPrefixes(t, tt.want, findings(decodeValid(t, tt.change), nil)) })
	}
}

// TestWarn_grace has Pods that are killed before the runner has done its work.
func TestWarn_grace(t *testing.T) {
	const (
		runner = "barrier: {start: Enabled}\n  runner: {image: 'r:v1'}"
		at     = "warning: spec.template.spec."
		rest   = " s after SIGTERM, and then the kubelet kills the runner, which has no time to pass the signal to the command and to tell the other peers; give it 2 s or more"
	)
	for name, tt := range map[string]struct {
		change func(string) string
		want   []string
	}{
		"none":             {both(spec(runner), pod("terminationGracePeriodSeconds: 0"), container("command: [a]")), []string{at + "terminationGracePeriodSeconds: is 0" + rest}},
		"one":              {both(spec(runner), pod("terminationGracePeriodSeconds: 1"), container("command: [a]")), []string{at + "terminationGracePeriodSeconds: is 1" + rest}},
		"two":              {both(spec(runner), pod("terminationGracePeriodSeconds: 2"), container("command: [a]")), nil},
		"of a probe":       {both(spec("barrier: {end: Enabled}\n  runner: {image: 'r:v1'}"), container("command: [a], livenessProbe: {terminationGracePeriodSeconds: 1, periodSeconds: 60, failureThreshold: 100, tcpSocket: {port: 1}}")), []string{at + "containers[0].livenessProbe.terminationGracePeriodSeconds: is 1" + rest}},
		"a hook":           {both(spec(runner), container("command: [a], lifecycle: {preStop: {sleep: {seconds: 29}}}")), []string{at + "containers[0].lifecycle.preStop: leaves 1" + rest}},
		"without a runner": {both(pod("terminationGracePeriodSeconds: 0"), container("command: [a]")), nil},
	} {
		t.Run(name, func(t *testing.T) { wantPrefixes(t, tt.want, findings(decodeValid(t, tt.change), nil)) })
	}
}

// wantPrefixes compares lines with what each of them begins with.
func wantPrefixes(t *testing.T, want, got []string) {
	t.Helper()
	short := slices.Clone(got)
	for i := range short {
		if i < len(want) && strings.HasPrefix(short[i], want[i]) {
			short[i] = want[i]
		}
	}
	if diff := cmp.Diff(want, short); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
