// SPDX-License-Identifier: Apache-2.0

package framework_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/expand"
	"github.com/peerjob/peerjob/internal/framework"
	"github.com/peerjob/peerjob/internal/peerjob"
)

// withRoles is a PeerJob with a framework and roles, each "<name> <peers> <container>".
func withRoles(framework string, roles ...string) string {
	var b strings.Builder
	b.WriteString("metadata: {name: train}\nspec:\n  framework: {" + framework + "}\n  roles:\n")
	for _, role := range roles {
		words := strings.SplitN(role, " ", 3)
		container := "{name: w, image: x}"
		if len(words) > 2 {
			container = "{name: w, image: x, " + words[2] + "}"
		}
		fmt.Fprintf(&b, "  - {name: %s, peers: %s, template: {spec: {containers: [%s]}}}\n", words[0], words[1], container)
	}
	return b.String()
}

// role returns the group of a role.
func role(t testing.TB, g *peerjob.Group, name string) *peerjob.Group {
	t.Helper()
	at := slices.IndexFunc(g.All(), func(other *peerjob.Group) bool { return other.RoleName() == name })
	if at < 0 {
		t.Fatalf("no role %s", name)
	}
	return g.All()[at]
}

// afterShell is the Pod with the environment that the user's program has behind the
// script of a role, if there is one.
func afterShell(t *testing.T, p pod) pod {
	t.Helper()
	if len(p.command) == 0 || p.command[0] != "/bin/sh" {
		return p
	}
	out, err := shell(t, p, nil).Output()
	if err != nil {
		t.Fatal(err)
	}
	p.env = map[string]string{}
	for line := range strings.Lines(string(out)) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		p.env[name] = value
	}
	return p
}

// TestContract_roles reads what every peer of the roles that run a framework sees, as the
// framework does, and finds one group over all of them: the first role meets and leads,
// and the ranks follow the order of the roles.
func TestContract_roles(t *testing.T) {
	const env, none = "command: [env]", ""
	for _, tt := range []struct {
		typ   string
		more  string
		roles []string // "<name> <peers>", in the order of the ranks
		run   string   // what their containers have
	}{
		{"Torchrun", "processesPerPeer: 2", []string{"worker 3"}, none},
		{"Torchrun", "processesPerPeer: 2", []string{"first 1", "second 1", "third 1"}, none},
		{"Torchrun", "processesPerPeer: 2", []string{"big 2", "small 3"}, env},
		{"PyTorch", "", []string{"master 1", "worker 3"}, env},
		{"JAX", "", []string{"a 2", "b 1", "c 12"}, env},
		{"XGBoost", "", []string{"tracker 1", "worker 2"}, env},
		{"TPU", "", []string{"slice 4"}, none},
	} {
		t.Run(tt.typ+" "+strings.Join(tt.roles, ", "), func(t *testing.T) {
			// Another role is first in the PeerJob, and gets nothing.
			text, named := []string{"data 2 command: [load]"}, []string{}
			for _, role := range tt.roles {
				text = append(text, strings.TrimSpace(role+" "+tt.run))
				named = append(named, "{name: "+strings.Fields(role)[0]+"}")
			}
			settings := "type: " + tt.typ + ", roles: [" + strings.Join(named, ", ") + "]"
			if tt.more != "" {
				settings += ", " + tt.more
			}
			g := parse(t, withRoles(settings, text...))
			if errs := append(peerjob.Validate(g, framework.Brings), framework.Validate(g)...); len(errs) > 0 {
				t.Fatal(errs)
			}
			size, rank, all := 0, 0, []string{}
			for _, text := range tt.roles {
				var name string
				var peers int
				if _, err := fmt.Sscan(text, &name, &peers); err != nil {
					t.Fatal(err)
				}
				for i := range peers {
					all = append(all, fmt.Sprintf("prod-train-%s-%d.prod-train", name, i))
				}
				size += peers
			}
			for _, text := range tt.roles {
				group := role(t, g, strings.Fields(text)[0])
				for i := range int(group.Peers()) {
					p := afterShell(t, podOf(t, group, i))
					got := readers[tt.typ](t, p)
					want := wanted(size, rank, fmt.Sprintf("%s:%d", all[0], p.service.Spec.Ports[0].Port), got.All, all)
					if diff := cmp.Diff(want, got); diff != "" {
						t.Errorf("peer %d of %s (-want +got):\n%s", i, group.RoleName(), diff)
					}
					rank++
				}
			}
			// What the other role has is what it has without a framework.
			plain := parse(t, strings.Replace(withRoles("X", text...), "  framework: {X}\n", "", 1))
			if diff := cmp.Diff(podOf(t, plain, 0).job.Spec, podOf(t, g, 0).job.Spec); diff != "" {
				t.Errorf("the role data (-without +with):\n%s", diff)
			}
		})
	}
}

func wanted(size, index int, meet string, read, all []string) group {
	g := group{Size: size, Index: index, Meet: meet}
	if read != nil {
		g.All = all
	}
	return g
}

// TestContract_elasticRoles: all roles have one id and one endpoint, and the number of all
// peers.
func TestContract_elasticRoles(t *testing.T) {
	g := parse(t, withRoles("type: Torchrun, elastic: {minPeers: 2}, roles: [{name: a}, {name: b, processesPerPeer: gpu}]", "a 2", "b 3"))
	if errs := framework.Validate(g); len(errs) > 0 {
		t.Fatal(errs)
	}
	for name, processes := range map[string]string{"a": "", "b": "gpu"} {
		p := podOf(t, role(t, g, name), 1)
		want := map[string]string{
			"PET_NNODES": "2:5", "PET_RDZV_BACKEND": "c10d", "PET_RDZV_ENDPOINT": "prod-train-a-0.prod-train.ml.svc.cluster.local:29500", "PET_RDZV_ID": "prod-train-a",
		}
		if processes != "" {
			want["PET_NPROC_PER_NODE"] = processes
		}
		got := map[string]string{}
		for variable, value := range p.env {
			if strings.HasPrefix(variable, "PET_") {
				got[variable] = value
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestContract_tasks reads TF_CONFIG as TFConfigClusterResolver does: the task of a peer is
// its role, and the evaluator is not in the cluster.
func TestContract_tasks(t *testing.T) {
	g := parse(t, withRoles("type: TensorFlow", "ps 2", "chief 1", "worker 3", "evaluator 1", "data 1 command: [load]"))
	if errs := framework.Validate(g); len(errs) > 0 {
		t.Fatal(errs)
	}
	cluster := map[string][]string{
		"ps":     {"prod-train-ps-0.prod-train:2222", "prod-train-ps-1.prod-train:2222"},
		"chief":  {"prod-train-chief-0.prod-train:2222"},
		"worker": {"prod-train-worker-0.prod-train:2222", "prod-train-worker-1.prod-train:2222", "prod-train-worker-2.prod-train:2222"},
	}
	type task struct {
		Type  string `json:"type"`
		Index int    `json:"index"`
	}
	type config struct {
		Cluster map[string][]string `json:"cluster"`
		Task    task                `json:"task"`
	}
	for _, group := range g.All() {
		for i := range int(group.Peers()) {
			text, found := podOf(t, group, i).env["TF_CONFIG"]
			if group.RoleName() == "data" {
				if found {
					t.Errorf("the role data has TF_CONFIG %s", text)
				}
				continue
			}
			var got config
			decoder := json.NewDecoder(strings.NewReader(text))
			decoder.DisallowUnknownFields()
			if err := decoder.Decode(&got); err != nil {
				t.Fatalf("%v: %s", err, text)
			}
			if diff := cmp.Diff(config{cluster, task{group.RoleName(), i}}, got); diff != "" {
				t.Errorf("%s %d (-want +got):\n%s", group.RoleName(), i, diff)
			}
		}
	}
}

// TestContract_leaderRole: every role of a framework with a leader meets at the first one.
func TestContract_leaderRole(t *testing.T) {
	for _, tt := range []struct{ typ, variable, want string }{
		{"Dask", "DASK_SCHEDULER_ADDRESS", "tcp://prod-train-head-0.prod-train:8786"},
		{"Ray", "RAY_ADDRESS", "prod-train-head-0.prod-train:6379"},
		{"Spark", "MASTER", "spark://prod-train-head-0.prod-train:7077"},
	} {
		g := parse(t, withRoles("type: "+tt.typ+", roles: [{name: head}, {name: worker}, {name: client}]",
			"client 1 command: [ask]", "head 1", "worker 2"))
		for _, group := range g.All() {
			p := podOf(t, group, 0)
			if got := p.env[tt.variable]; got != tt.want {
				t.Errorf("%s: %s of %s is %q, want %q", tt.typ, tt.variable, group.RoleName(), got, tt.want)
			}
			if p.job.Spec.SuccessPolicy != nil {
				t.Errorf("%s: the Job of %s has a success policy", tt.typ, group.RoleName())
			}
			if group.RoleName() == "client" && (len(p.command) != 1 || p.command[0] != "ask") {
				t.Errorf("%s: the client runs %q", tt.typ, p.command)
			}
		}
	}
}

// TestScript_hostfile runs the script of an MPI leader with a role of its own, and reads
// the hostfile that mpirun finds, with the names of today.
func TestScript_hostfile(t *testing.T) {
	for name, tt := range map[string]struct {
		framework, launcher string
		want                []string
		sshd                bool // whether the launcher needs one
	}{
		"no slots for the launcher": {"type: OpenMPI, processesPerPeer: 2", "launcher", []string{
			"prod-train-small-0.prod-train slots=2", "prod-train-big-0-0.prod-train slots=2", "prod-train-big-0-1.prod-train slots=2",
		}, false},
		"slots by role": {"type: OpenMPI, processesPerPeer: 2", "launcher, processesPerPeer: 0", []string{
			"prod-train-small-0.prod-train slots=2", "prod-train-big-0-0.prod-train slots=8", "prod-train-big-0-1.prod-train slots=8",
		}, false},
		"a launcher that computes": {"type: MPICH", "launcher, processesPerPeer: 1", []string{
			"prod-train-launcher-0.prod-train:1", "prod-train-small-0.prod-train:1", "prod-train-big-0-0.prod-train:8", "prod-train-big-0-1.prod-train:8",
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			big := "big-0"
			if name != "no slots for the launcher" {
				big += ", processesPerPeer: 8"
			}
			text := withRoles(tt.framework+", sshSecretName: keys, roles: [{name: "+tt.launcher+"}, {name: small}, {name: "+big+"}]",
				`big-0 2`, "launcher 1 command: ['true']", "small 1")
			g := parse(t, text+"  successRoles: [launcher]\n  barrier: {start: Enabled}\n  runner: {image: y}\n")
			if errs := append(peerjob.Validate(g, framework.Brings), framework.Validate(g)...); len(errs) > 0 {
				t.Fatal(errs)
			}
			p := podOf(t, role(t, g, "launcher"), 0)
			// Behind the runner's part of the command.
			p.command = p.command[slices.Index(p.command, "--")+1:]
			cmd := shell(t, p, map[string]string{"getent": "exit 0\n", "usr/sbin/sshd": "touch $(dirname $0)/started\nexec sleep 60\n"})
			for path, content := range map[string]string{"/etc/mpi/hostfile": p.files["/etc/mpi/hostfile"], "/etc/peerjob/ssh/ssh-privatekey": "a", "/etc/peerjob/ssh/ssh-publickey": "b"} {
				if err := os.MkdirAll(filepath.Dir(cmd.Dir+path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(cmd.Dir+path, []byte(content), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if err := cmd.Run(); err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(cmd.Dir + "/run/peerjob/hostfile")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, strings.Split(strings.TrimSpace(string(got)), "\n")); diff != "" {
				t.Errorf("hostfile (-want +got):\n%s", diff)
			}
			if got := strings.Contains(strings.Join(p.command, "\n"), "sshd -D"); got != tt.sshd {
				t.Errorf("the launcher starts sshd: %v, want %v", got, tt.sshd)
			}
		})
	}
}

// TestScript_server: a leader without a command runs the framework's server alone.
func TestScript_server(t *testing.T) {
	g := parse(t, withRoles("type: Dask, port: 1234, processesPerPeer: 3", "scheduler 1", "worker 2"))
	for name, want := range map[string]string{"scheduler": "scheduler --port 1234", "worker": "worker --nworkers 3 tcp://prod-train-scheduler-0.prod-train:1234"} {
		cmd := shell(t, podOf(t, role(t, g, name), 0), map[string]string{"dask": "echo \"$@\"\nexit 127\n"})
		out, err := cmd.Output()
		if code := exitCode(err); code != 127 {
			t.Errorf("%s: %v", name, err)
		}
		if got := strings.TrimSpace(string(out)); got != want {
			t.Errorf("%s runs dask %s, want %s", name, got, want)
		}
	}
}

// TestScript_workerEnds: a worker behind the runner ends when its program has: the runner
// kills what is left of it.
func TestScript_workerEnds(t *testing.T) {
	g := parse(t, withRoles("type: Dask", "scheduler 1", "worker 2"))
	cmd := shell(t, podOf(t, role(t, g, "worker"), 0), map[string]string{
		"dask": "trap 'sleep 0.3; : > ended; exit 0' TERM\n: > started\nwhile :; do sleep 0.1; done\n",
	})
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if _, err := os.Stat(filepath.Join(cmd.Dir, "started")); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the worker does not start")
		}
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := exitCode(cmd.Wait()); code != 143 {
		t.Errorf("exit code %d, want 143", code)
	}
	if _, err := os.Stat(filepath.Join(cmd.Dir, "ended")); err != nil {
		t.Errorf("the script ended before its worker: %v", err)
	}
}

// TestPorts_roles: another role may have a port of the framework's number, which the
// Service has once.
func TestPorts_roles(t *testing.T) {
	g := parse(t, withRoles("type: PyTorch, roles: [{name: worker}]", "worker 2", "data 1 ports: [{name: web, containerPort: 29500}]"))
	if errs := framework.Validate(g); len(errs) > 0 {
		t.Error(errs)
	}
	for _, object := range expand.Group(g) {
		if service, ok := object.Object.(*corev1.Service); ok && (len(service.Spec.Ports) != 1 || service.Spec.Ports[0].Port != 29500) {
			t.Errorf("ports %+v", service.Spec.Ports)
		}
	}
}

// TestBrings_together has the roles that wait for each other: all but the evaluator, which is
// not in the cluster.
func TestBrings_together(t *testing.T) {
	pj := &v1alpha1.PeerJob{}
	pj.Name = "train"
	pj.Spec.Framework = &v1alpha1.Framework{Type: "TensorFlow"}
	for _, name := range []string{"chief", "evaluator", "data"} {
		pj.Spec.Roles = append(pj.Spec.Roles, v1alpha1.PeerRole{Name: name, Peers: new(int32(1))})
	}
	got := map[string]bool{}
	for _, role := range peerjob.NewGroup(pj, "").All() {
		got[role.RoleName()] = framework.Brings(role).Together
	}
	if diff := cmp.Diff(map[string]bool{"chief": true, "evaluator": false, "data": false}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
