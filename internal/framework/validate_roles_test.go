// SPDX-License-Identifier: Apache-2.0

package framework_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/peerjob/peerjob/internal/framework"
	"github.com/peerjob/peerjob/internal/peerjob"
)

// ended is the rest of a PeerJob whose runner tells the other roles when the launcher has
// ended.
const ended = "  barrier: {start: Enabled}\n  runner: {image: y}\n  failurePolicy: {action: FailPeerJob}\n  successRoles: [launcher]\n"

// TestValidate_roles has what a framework can't work with in a PeerJob with roles, and the
// whole error.
func TestValidate_roles(t *testing.T) {
	const launcher, mpi = "launcher 1 command: [mpirun]", "type: OpenMPI, sshSecretName: s"
	for name, tt := range map[string]struct {
		give string
		want []string
	}{
		"leader first":        {withRoles(mpi, launcher, "worker 2") + ended, nil},
		"leader last":         {withRoles(mpi, "worker 2", launcher) + ended, nil},
		"who of two leads":    {withRoles("type: Dask", "a 1", "b 1"), []string{`spec.framework.roles: Required value: name the roles that run Dask, of a and b, such as [{name: a}, {name: b}]: first the role of its leader, with one peer, or one role alone, whose index 0 runs spec.framework.leader`}},
		"one role":            {withRoles("type: JAX", "worker 2"), nil},
		"named":               {withRoles("type: JAX, roles: [{name: worker}]", "data 1", "worker 2"), nil},
		"not clear":           {withRoles("type: JAX", "data 1", "worker 2"), []string{`spec.framework.roles: Required value: name the roles that run JAX, of data and worker, in the order of their ranks, such as [{name: worker}, {name: data}]`}},
		"not clear who leads": {withRoles("type: Dask", "a 2", "b 2"), []string{`spec.framework.roles: Required value: no role has one peer, so none can lead Dask; set the peers of one role to 1, or name one role here, whose index 0 runs spec.framework.leader`}},
		"a leader of two peers": {withRoles(mpi, "worker 4", "launcher 2 command: [mpirun]") + ended,
			[]string{"spec.framework.roles: Required value: no role has one peer, so none can lead OpenMPI; set spec.roles[1].peers to 1"}},
		"three, and who leads":      {withRoles("type: Dask", "a 1", "b 2", "c 2"), []string{`spec.framework.roles: Required value: name the roles that run Dask, of a, b and c, such as [{name: a}, {name: b}, {name: c}]: first the role of its leader, with one peer, or one role alone, whose index 0 runs spec.framework.leader`}},
		"without roles":             {"metadata: {name: a}\nspec: {peers: 2, framework: {type: JAX, roles: [{name: a}]}, template: {spec: {containers: [{name: w, image: x}]}}}", []string{"spec.framework.roles: Forbidden: needs spec.roles; remove it"}},
		"names":                     {withRoles("type: JAX, roles: [{name: wrker}, {name: a}, {name: a}, {}]", "worker 2", "a 2"), []string{`spec.framework.roles[0].name: Unsupported value: "wrker": supported values: "worker", "a"`, `spec.framework.roles[2].name: Duplicate value: "a"`, `spec.framework.roles[3].name: Required value: the name of a role that runs JAX`}},
		"no rank on a command line": {withRoles("type: DeepSpeed, roles: [{name: a}, {name: b}]", "a 2", "b 2"), []string{"spec.framework.roles: Invalid value: a, b: must be one role for DeepSpeed, such as [{name: a}]: the launcher takes its rank from its command line, and $(JOB_COMPLETION_INDEX) counts the peers of one role"}},

		"which one": {withRoles("type: TPU", "a 1", "b 2"), []string{`spec.framework.roles: Required value: name the one role that runs TPU, of a and b, such as [{name: b}]: the hosts of a slice are all alike`}},
		"hosts are forgotten": {withRoles(mpi+", roles: [{name: launcher}]", launcher, "worker 2") + ended,
			[]string{"spec.framework.roles: Required value: launcher has one peer, and no other role runs OpenMPI; list the roles of the others behind it, such as [{name: launcher}, {name: worker}]"}},
		"a leader behind data, and no hosts": {strings.Replace(withRoles("type: Dask, roles: [{name: a}]", "a 1", "data 2"), "{name: a, peers", "{name: a, dependsOn: [{name: data, status: Complete}], peers", 1),
			[]string{"spec.framework.leader.command: Required value: index 0 of the role a runs it, and its Job ends when it ends; or name the role of the leader and those of the workers in spec.framework.roles"}},

		"the leader has several peers": {withRoles(mpi+", roles: [{name: launcher}, {name: worker}]", "launcher 2 command: [mpirun]", "worker 2") + ended,
			[]string{"spec.roles[0].peers: Invalid value: 2: must be 1: the first of spec.framework.roles, launcher, is the role of the leader of OpenMPI; write the role with the leader first, or name one role whose index 0 leads"}},
		"two commands of the leader": {withRoles(mpi+", leader: {command: [a]}", launcher, "worker 2") + ended,
			[]string{"spec.framework.leader: Forbidden: the role launcher leads, and runs the command of its container; write it there, and remove it here; or name one role in spec.framework.roles, and its index 0 leads"}},
		"no command of the leader": {withRoles(mpi, "launcher 1", "worker 2") + ended,
			[]string{"spec.roles[0].template.spec.containers[0].command: Required value: what the leader of OpenMPI runs, and the group ends with, such as [mpiexec, PROGRAM]"}},
		"args of the leader": {withRoles("type: Dask, roles: [{name: s}, {name: w}, {name: launcher}]", "s 1 args: [a]", "w 2 args: [b]", "launcher 1 command: [c]") + ended,
			[]string{
				"spec.roles[0].template.spec.containers[0].command: Required value: with args: the leader is started by a shell, to which the image's entrypoint is not known; or leave args out, and they run the server of Dask",
				"spec.roles[1].template.spec.containers[0].command: Required value: with args: the workers are started by a shell, to which the image's entrypoint is not known; or leave args out, and they run the worker of Dask",
			}},
		"nobody ends": {withRoles(mpi, launcher, "worker 2"),
			[]string{"spec.successRoles: Required value: worker would never be Complete, because a program of OpenMPI (spec.framework) serves there until it is told to end; write [launcher]; the runner needs it to stop worker: set spec.barrier.start to Enabled, or set spec.failurePolicy"}},
		"nobody ends but the client": {withRoles("type: Dask, roles: [{name: s}, {name: w}, {name: c}]", "s 1", "w 2", "c 1 command: [ask]") + "  barrier: {start: Enabled}\n",
			[]string{"spec.successRoles: Required value: s and w would never be Complete, because a program of Dask (spec.framework) serves there until it is told to end; write [c]"}},
		"nobody at all ends": {withRoles("type: Ray", "head 1", "worker 2"),
			[]string{"spec.successRoles: Required value: all roles run a program of Ray (spec.framework) that serves until it is told to end, so the group would never be done; write a command in the role whose end is the end of the group, and name it here"}},
		"a worker decides": {strings.Replace(withRoles(mpi, launcher, "worker 2")+ended, "[launcher]", "[launcher, worker]", 1),
			[]string{`spec.successRoles[1]: Invalid value: "worker": serves until it is told to end (spec.framework, OpenMPI), and the group would never be done; remove it`}},
		"the runner in another container": {strings.Replace(withRoles("type: Dask, containers: [w]", "launcher 1 command: [ask]", "worker 2"), "{name: worker, peers: 2, template: {spec: {containers: [", "{name: worker, peers: 2, template: {spec: {containers: [{name: log, image: x, command: [tail]}, ", 1) +
			"  barrier: {start: Enabled}\n  runner: {image: y, container: log}\n  successRoles: [launcher]\n",
			[]string{`spec.runner.container: Invalid value: "log": is not the container of the role worker that runs Dask (spec.framework): it serves until the runner tells it to end, and the Pod would never end; write w`}},
		"the runner beside mpirun": {strings.Replace(withRoles(mpi+", containers: [w]", launcher, "worker 2"), "{name: launcher, peers: 1, template: {spec: {containers: [", "{name: launcher, peers: 1, template: {spec: {containers: [{name: log, image: x, command: [tail]}, ", 1) +
			strings.Replace(ended, "image: y", "image: y, container: log", 1),
			[]string{`spec.runner.container: Invalid value: "log": is not the container of the role launcher that runs OpenMPI (spec.framework): the end of its command is the end of the group, and the runner would wait for another one; write w`}},
		"the runner beside the program that decides": {strings.Replace(withRoles("type: JAX, containers: [w], roles: [{name: launcher}]", "data 2", "launcher 1 command: [c]"), "{name: launcher, peers: 1, template: {spec: {containers: [", "{name: launcher, peers: 1, template: {spec: {containers: [{name: log, image: x, command: [tail]}, ", 1) +
			strings.Replace(ended, "image: y", "image: y, container: log", 1),
			[]string{`spec.runner.container: Invalid value: "log": is not the container of the role launcher that runs JAX (spec.framework): the end of its command is the end of the group, and the runner would wait for another one; write w`}},
		"containers of the framework with two names": {strings.NewReplacer("[{name: w, image: x, command: [mpirun]}]", "[{name: log, image: x, command: [tail]}, {name: mpi, image: x, command: [mpirun]}]", "[{name: w, image: x}]", "[{name: log, image: x, command: [tail]}, {name: w, image: x}]").Replace(withRoles(mpi+", containers: [mpi, w]", launcher, "worker 2")) +
			strings.Replace(ended, "image: y", "image: y, container: log", 1),
			[]string{
				`spec.runner.container: Invalid value: "log": is not the container of the role launcher that runs OpenMPI (spec.framework): the end of its command is the end of the group, and the runner would wait for another one; give that container the same name in the roles launcher and worker, and write it here and in spec.framework.containers`,
				`spec.runner.container: Invalid value: "log": is not the container of the role worker that runs OpenMPI (spec.framework): it serves until the runner tells it to end, and the Pod would never end; give that container the same name in the roles launcher and worker, and write it here and in spec.framework.containers`,
			}},
		"workers with a command of their own": {withRoles(mpi, launcher, "worker 2 command: [serve]"), nil},
		"index 0 of one role leads":           {withRoles("type: Dask, leader: {command: [a]}, roles: [{name: w}]", "data 1", "w 3"), nil},
		"index 0 of one role leads, without a command": {withRoles("type: Dask, roles: [{name: w}]", "data 1", "w 3"),
			[]string{"spec.framework.leader.command: Required value: index 0 of the role w runs it, and its Job ends when it ends; or name the role of the leader and those of the workers in spec.framework.roles"}},
		"index 0 of one role leads, with the runner": {withRoles("type: Dask, leader: {command: [a]}, roles: [{name: w}]", "data 1", "w 3") + "  barrier: {start: Enabled}\n",
			[]string{"spec.framework.roles: Required value: the leader of Dask in a role of its own, with one peer, before w: the Job of w would end with its index 0 (successPolicy), and the runner of spec.barrier and spec.failurePolicy does not know that in a PeerJob with roles"}},

		"processes of the launcher":            {withRoles(mpi+", roles: [{name: launcher, processesPerPeer: 0}, {name: worker, processesPerPeer: 4}]", launcher, "worker 2") + ended, nil},
		"processes, none, of a worker":         {withRoles(mpi+", roles: [{name: launcher}, {name: worker, processesPerPeer: 0}]", launcher, "worker 2") + ended, []string{"spec.framework.roles[1].processesPerPeer: Invalid value: 0: must be between 1 and 1024"}},
		"processes of all":                     {withRoles(mpi+", processesPerPeer: 2000, roles: [{name: launcher}, {name: a}, {name: b}]", launcher, "a 2", "b 2") + ended, []string{"spec.framework.processesPerPeer: Invalid value: 2000: must be between 1 and 1024"}},
		"processes of a scheduler":             {withRoles("type: Dask, roles: [{name: launcher, processesPerPeer: 2}, {name: w}]", "launcher 1 command: [c]", "w 1") + ended, []string{"spec.framework.roles[0].processesPerPeer: Forbidden: the role launcher leads, and runs no worker of Dask; leave it out"}},
		"processes of a client":                {withRoles("type: Dask, roles: [{name: launcher}, {name: w}, {name: fat, processesPerPeer: 8}]", "launcher 1 command: [c]", "w 1", "fat 2 command: [serve]") + ended, []string{"spec.framework.roles[2].processesPerPeer: Forbidden: the role fat runs its own command, and no worker of Dask; leave it out"}},
		"hosts with a command":                 {withRoles("type: MPICH, sshSecretName: s, roles: [{name: launcher}, {name: fat, processesPerPeer: 8}]", launcher, "fat 2 command: [serve]") + ended, nil},
		"processes that differ":                {withRoles("type: IntelMPI, sshSecretName: s, roles: [{name: launcher}, {name: a, processesPerPeer: 2}, {name: b, processesPerPeer: 4}]", launcher, "a 2", "b 2") + ended, []string{"spec.framework.roles[2].processesPerPeer: Invalid value: 4: must be 2, as in the role a: IntelMPI takes one number for all hosts; write it in spec.framework.processesPerPeer"}},
		"processes that a later role lacks":    {withRoles("type: IntelMPI, sshSecretName: s, roles: [{name: launcher}, {name: a, processesPerPeer: 8}, {name: b}]", launcher, "a 2", "b 2") + ended, []string{"spec.framework.roles[2].processesPerPeer: Required value: 8, as in the role a: IntelMPI takes one number for all hosts; write it in spec.framework.processesPerPeer"}},
		"processes that an earlier role lacks": {withRoles("type: IntelMPI, sshSecretName: s, roles: [{name: launcher}, {name: b}, {name: a, processesPerPeer: 8}]", launcher, "a 2", "b 2") + ended, []string{"spec.framework.roles[2].processesPerPeer: Invalid value: 8: must be 1, as in the role b: IntelMPI takes one number for all hosts; write it in spec.framework.processesPerPeer"}},
		"processes of 1, written in one role":  {withRoles("type: IntelMPI, sshSecretName: s, roles: [{name: launcher}, {name: a, processesPerPeer: 1}, {name: b}]", launcher, "a 2", "b 2") + ended, nil},
		"processes where there can't be":       {withRoles("type: JAX, roles: [{name: a, processesPerPeer: 2}]", "a 1", "b 1"), []string{"spec.framework.roles[0].processesPerPeer: Invalid value: 2: JAX runs one process in each Pod; leave it out"}},
		"no command for a rank":                {withRoles("type: PyTorch, roles: [{name: master}, {name: worker}]", "master 1", "worker 2"), []string{"spec.roles[1].template.spec.containers[0].command: Required value: a shell adds up RANK in this role, and does not know the image's entrypoint; write it here, or make the role the first one of spec.framework.roles"}},
		"a rank in args": {withRoles("type: PyTorch, roles: [{name: master}, {name: worker}]", "master 1 command: [fit, --rank=$(RANK)]", "worker 2 command: [fit], args: [--rank=$(RANK), --size=$(WORLD_SIZE), $$(RANK)], env: [{name: A, value: a-$(RANK)}]"),
			[]string{
				"spec.roles[1].template.spec.containers[0].args[0]: Invalid value: $(RANK): stays as it is: a shell adds up RANK in this role, and the kubelet does not know it; read the variable in the program, or make the role the first one of spec.framework.roles",
				"spec.roles[1].template.spec.containers[0].env[0].value: Invalid value: $(RANK): stays as it is: a shell adds up RANK in this role, and the kubelet does not know it; read the variable in the program, or make the role the first one of spec.framework.roles",
			}},
		"a variable of the shell's":         {withRoles("type: PyTorch, roles: [{name: master}, {name: worker}]", "master 1", "worker 2 command: [c], env: [{name: RANK, value: '1'}]"), []string{`spec.roles[1].template.spec.containers[0].env[0].name: Invalid value: "RANK": is set by spec.framework (PyTorch); remove one of the two`}},
		"a variable in another role":        {withRoles("type: PyTorch, roles: [{name: a}]", "a 2", "b 2 env: [{name: RANK, value: '1'}]"), nil},
		"minPeers of all roles":             {withRoles("type: Torchrun, elastic: {minPeers: 6}, roles: [{name: a}, {name: b}]", "a 2", "b 3", "c 9"), []string{"spec.framework.elastic.minPeers: Invalid value: 6: must be between 1 and the number of peers in the roles that run it, 5"}},
		"a name of a port in another role":  {withRoles("type: PyTorch, roles: [{name: a}]", "a 2", "b 2 ports: [{name: tcp-rendezvous, containerPort: 80}]"), []string{`spec.roles[1].template.spec.containers[0].ports[0].name: Invalid value: "tcp-rendezvous": is the port "tcp-rendezvous" of spec.framework (PyTorch), 29500; remove it, or choose another`}},
		"a name of a port that nobody sees": {withRoles("type: PyTorch, roles: [{name: a}]", "a 2", "b 2 ports: [{name: tcp-rendezvous, containerPort: 80}]") + "  service: {ports: [{name: web, port: 80}]}\n", nil},

		"tasks":               {withRoles("type: TensorFlow", "chief 1", "worker 2", "ps 2", "evaluator 1", "data 3"), nil},
		"no task":             {withRoles("type: TensorFlow", "trainer 2"), []string{`spec.framework.roles: Required value: TensorFlow knows roles by their names, and trainer is none of its tasks; name the roles that run it chief, worker, ps or evaluator`}},
		"no name of a task":   {withRoles("type: TensorFlow, roles: [{name: trainer}]", "trainer 2"), []string{`spec.framework.roles[0].name: Invalid value: "trainer": is no task of TensorFlow; name the role chief, worker, ps or evaluator`}},
		"two chiefs":          {withRoles("type: TensorFlow", "chief 2", "worker 2"), []string{"spec.roles[0].peers: Invalid value: 2: must be 1: TensorFlow takes one chief (spec.framework)"}},
		"nobody who computes": {withRoles("type: TensorFlow", "ps 2", "evaluator 1"), []string{"spec.roles: Required value: a role that computes: TensorFlow takes no cluster of ps and evaluator alone; add a role chief or worker, or leave spec.framework out"}},

		"waits for the end of another": {strings.Replace(withRoles("type: JAX, roles: [{name: a}, {name: b}]", "a 1", "c 1", "b 1"), "{name: b, peers", "{name: b, dependsOn: [{name: a, status: Complete}], peers", 1),
			[]string{"spec.roles[2].dependsOn: Invalid value: a: the role waits until a is Complete, and both run JAX at the same time (spec.framework), so each would wait for the other; wait for the status Started, or leave one of them out of spec.framework.roles"}},
		"waits for data":                   {strings.Replace(withRoles("type: JAX, roles: [{name: b}]", "a 1", "b 1"), "{name: b, peers", "{name: b, dependsOn: [{name: a, status: Complete}], peers", 1), nil},
		"an evaluator behind the training": {strings.Replace(withRoles("type: TensorFlow", "worker 2", "evaluator 1"), "{name: evaluator, peers", "{name: evaluator, dependsOn: [{name: worker, status: Complete}], peers", 1), nil},
		"waits for the end of a server": {strings.Replace(withRoles(mpi+", roles: [{name: launcher}, {name: worker}]", launcher, "worker 2", "report 1 command: [c]"), "{name: report, peers", "{name: report, dependsOn: [{name: worker, status: Complete}], peers", 1) + ended,
			[]string{`spec.roles[2].dependsOn[0].status: Invalid value: "Complete": the role worker serves until it is told to end (spec.framework, OpenMPI), and is never Complete before; write Started`}},

		"several containers": {strings.Replace(withRoles("type: JAX, roles: [{name: a}, {name: b}]", "a 2 command: [c]", "b 1"), "[{name: w, image: x}]", "[{name: w, image: x}, {name: log, image: x}]", 1),
			[]string{`spec.framework.containers: Required value: the role b has several containers; name those that run JAX, of w and log`}},
		"the container of a role with several": {strings.Replace(withRoles("type: JAX, containers: [log], roles: [{name: a}, {name: b}]", "a 2 command: [c]", "b 1"), "[{name: w, image: x}]", "[{name: w, image: x}, {name: log, image: x}]", 1), nil},
		"no such container":                    {withRoles("type: JAX, containers: [v], roles: [{name: a}, {name: b}]", "a 1", "b 1"), []string{`spec.framework.containers[0]: Unsupported value: "v": supported values: "w"`}},
		"a user that can't read the keys": {strings.Replace(withRoles(mpi, launcher, "worker 2")+ended, "[{name: w, image: x}]", "[{name: w, image: x, securityContext: {runAsUser: 1000}}]", 1),
			[]string{`spec.roles[1].template.spec.securityContext.fsGroup: Required value: container "w" does not run as root, and could not read the keys of the Secret "s"; set it to the user's group`}},
		"a volume of the framework": {strings.Replace(withRoles(mpi, launcher, "worker 2")+ended, "[{name: w, image: x}]", "[{name: w, image: x}], volumes: [{name: peerjob-ssh, emptyDir: {}}]", 1),
			[]string{`spec.roles[1].template.spec.volumes[0].name: Invalid value: "peerjob-ssh": is a volume of spec.framework (OpenMPI); choose another name`}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, err := range framework.Validate(parse(t, tt.give)) {
				got = append(got, err.Error())
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestValidate_rolesFit: as many peers of the largest role as a message says fit, and one
// more does not.
func TestValidate_rolesFit(t *testing.T) {
	for name, preset := range map[string]string{"TF_CONFIG": "type: TensorFlow", "hostfile": "type: OpenMPI, sshSecretName: s, roles: [{name: chief}, {name: worker}, {name: ps}]"} {
		errs := func(peers int) string {
			text := withRoles(preset, "chief 1 command: [c]", fmt.Sprintf("worker %d", peers), "ps 1000") + strings.Replace(ended, "launcher", "chief", 1)
			return fmt.Sprint(framework.Validate(parse(t, text)))
		}
		var fit int
		_, rest, _ := strings.Cut(errs(90000), "with these names ")
		if _, err := fmt.Sscan(rest, &fit); err != nil {
			t.Fatalf("%s: %s", name, errs(90000))
		}
		if got := errs(fit); fit < 1000 || got != "[]" {
			t.Errorf("%s: %d peers: %s", name, fit, got)
		}
		if got := errs(fit + 1); !strings.Contains(got, "spec.roles[1].peers") || !strings.Contains(got, name) {
			t.Errorf("%s: %d peers: %s", name, fit+1, got)
		}
	}
}

// TestWarn_roles has what is probably not meant.
func TestWarn_roles(t *testing.T) {
	const launcher, mpi = "launcher 1 command: [mpirun]", "type: OpenMPI, sshSecretName: s"
	const told = "  barrier: {start: Enabled}\n  runner: {image: y}\n  successRoles: [launcher]\n"
	for name, tt := range map[string]struct {
		give string
		want []string
	}{
		"all are told":   {withRoles(mpi, launcher, "worker 2") + ended, nil},
		"nobody is told": {withRoles(mpi, launcher, "worker 2") + told, []string{"spec.failurePolicy: the role worker serves until it is told to end, and nobody tells it if another role fails; write {action: FailPeerJob}, or set activeDeadlineSeconds"}},
		"a deadline":     {withRoles(mpi, launcher, "worker 2") + told + "  activeDeadlineSeconds: 60\n", nil},
		"own commands, and who decides": {withRoles(mpi, launcher, "worker 2 command: [serve]"),
			[]string{"spec.successRoles: the group is done when all roles are, and workers of OpenMPI mostly serve until they are stopped; if the commands of worker do, write the roles whose end is the end of the group, such as [launcher]"}},
		"own commands":          {withRoles(mpi, launcher, "worker 2 command: [serve]") + told, nil},
		"servers decide":        {withRoles("type: TensorFlow", "chief 1", "worker 1", "ps 2"), []string{"spec.successRoles: the programs of ps often serve until they are stopped, and the group then never ends; write the roles whose end is the end of the group, such as [chief]", "spec.failurePolicy: the role ps serves until it is told to end, and nobody tells it if another role fails; write {action: FailPeerJob}, or set activeDeadlineSeconds"}},
		"servers, and no chief": {withRoles("type: TensorFlow", "worker 1", "ps 2"), []string{"spec.successRoles: the programs of ps often serve until they are stopped, and the group then never ends; write the roles whose end is the end of the group, such as [worker]", "spec.failurePolicy: the role ps serves until it is told to end, and nobody tells it if another role fails; write {action: FailPeerJob}, or set activeDeadlineSeconds"}},
		"servers are named": {withRoles("type: TensorFlow", "chief 1", "ps 2") + strings.Replace(ended, "launcher", "chief, ps", 1),
			[]string{"spec.successRoles: the programs of ps often serve until they are stopped, and the group then never ends; write the roles whose end is the end of the group, such as [chief]"}},
		"servers alone are named": {withRoles("type: TensorFlow", "worker 1", "ps 2") + strings.Replace(ended, "launcher", "ps", 1),
			[]string{"spec.successRoles: the programs of ps often serve until they are stopped, and the group then never ends; write the roles whose end is the end of the group, such as [worker]"}},
		"the chief decides": {withRoles("type: TensorFlow", "chief 1", "ps 2") + strings.Replace(ended, "launcher", "chief", 1), nil},
		"nobody tells the servers": {withRoles("type: TensorFlow", "chief 1", "ps 2") + strings.Replace(told, "launcher", "chief", 1),
			[]string{"spec.failurePolicy: the role ps serves until it is told to end, and nobody tells it if another role fails; write {action: FailPeerJob}, or set activeDeadlineSeconds"}},
		"data decides": {withRoles("type: Torchrun, roles: [{name: worker}]", "worker 2", "launcher 1") + ended,
			[]string{"spec.successRoles: launcher does not run Torchrun (spec.framework), and when it ends, the roles that do are stopped, whatever they have done; add worker"}},
		"data decides over the launcher": {withRoles(mpi+", roles: [{name: launcher}, {name: worker}]", launcher, "worker 2", "data 1") + strings.Replace(ended, "launcher", "data", 1),
			[]string{"spec.successRoles: data does not run OpenMPI (spec.framework), and when it ends, the roles that do are stopped, whatever they have done; add launcher"}},
		"a report decides behind the launcher": {strings.Replace(withRoles(mpi+", roles: [{name: launcher}, {name: worker}]", launcher, "worker 2", "data 1"), "{name: data, peers", "{name: data, dependsOn: [{name: launcher, status: Complete}], peers", 1) + strings.Replace(ended, "launcher", "data", 1), nil},
		"a client of servers decides":          {withRoles("type: Dask, roles: [{name: s}, {name: w}]", "s 1", "w 2", "launcher 1 command: [ask]") + ended, nil},
		"data and the worker decide":           {strings.Replace(withRoles("type: Torchrun, roles: [{name: worker}]", "worker 2", "launcher 1")+ended, "[launcher]", "[launcher, worker]", 1), nil},
		"the evaluator decides":                {withRoles("type: TensorFlow", "worker 2", "evaluator 1") + strings.Replace(ended, "launcher", "evaluator", 1), nil},
		"processes of nobody": {withRoles("type: Dask, processesPerPeer: 4, roles: [{name: launcher}, {name: fat}]", "launcher 1 command: [c]", "fat 2 command: [serve]") + ended,
			[]string{"spec.framework.processesPerPeer: has no effect: the roles behind the leader, fat, have their own commands, and run no worker of Dask; remove processesPerPeer, or these commands"}},
		"processes of nobody, without roles": {"metadata: {name: a}\nspec: {peers: 3, framework: {type: Dask, processesPerPeer: 4, leader: {command: [c]}}, template: {spec: {containers: [{name: w, image: x, command: [serve]}]}}}",
			[]string{"spec.framework.processesPerPeer: has no effect: the workers have their own command, and run no worker of Dask; remove processesPerPeer, or that command"}},
		"processes of Dask's workers, without roles": {"metadata: {name: a}\nspec: {peers: 3, framework: {type: Dask, processesPerPeer: 4, leader: {command: [c]}}, template: {spec: {containers: [{name: w, image: x}]}}}", nil},
		"each role has its own processes, by a layer": {withRoles("type: Torchrun, processesPerPeer: 4, roles: [{name: a, processesPerPeer: 1}, {name: b, processesPerPeer: 2}]", "a 1", "b 2 command: [c]"),
			nil},
		"one role has its own processes": {withRoles("type: Torchrun, processesPerPeer: 4, roles: [{name: a}, {name: b, processesPerPeer: 2}]", "a 1", "b 2 command: [c]"), nil},
		"processes of one":               {withRoles("type: Dask, processesPerPeer: 4, roles: [{name: launcher}, {name: w}, {name: fat}]", "launcher 1 command: [c]", "w 1", "fat 2 command: [serve]") + ended, nil},
		"names that are no task": {withRoles("type: TensorFlow", "chief 1", "worker 1", "data 1", "workers 2", "worker-0 1", "ps-server 1", "coord 1"),
			[]string{
				`spec.roles[2].name: "data" is no task of TensorFlow (spec.framework), and the role gets nothing of it; if that is meant, say so with spec.framework.roles: [{name: chief}, {name: worker}]`,
				`spec.roles[3].name: "workers" is no task of TensorFlow (spec.framework), and the role gets nothing of it; if that is meant, say so with spec.framework.roles: [{name: chief}, {name: worker}]`,
				`spec.roles[4].name: "worker-0" is no task of TensorFlow (spec.framework), and the role gets nothing of it; if that is meant, say so with spec.framework.roles: [{name: chief}, {name: worker}]`,
				`spec.roles[5].name: "ps-server" is no task of TensorFlow (spec.framework), and the role gets nothing of it; did you mean "ps"? Otherwise, say that it is meant with spec.framework.roles: [{name: chief}, {name: worker}]`,
				`spec.roles[6].name: "coord" is no task of TensorFlow (spec.framework), and the role gets nothing of it; if that is meant, say so with spec.framework.roles: [{name: chief}, {name: worker}]`,
			}},
		"names like a task": {withRoles("type: TensorFlow", "master 1", "workers 2", "evaluator 1", "worker 1"),
			[]string{
				`spec.roles[0].name: "master" is no task of TensorFlow (spec.framework), and the role gets nothing of it; did you mean "chief"? Otherwise, say that it is meant with spec.framework.roles: [{name: evaluator}, {name: worker}]`,
				`spec.roles[1].name: "workers" is no task of TensorFlow (spec.framework), and the role gets nothing of it; if that is meant, say so with spec.framework.roles: [{name: evaluator}, {name: worker}]`,
			}},
		"names like the task of nobody": {withRoles("type: TensorFlow", "chief 1", "workers 2", "trainer-worker 2"),
			[]string{
				`spec.roles[1].name: "workers" is no task of TensorFlow (spec.framework), and the role gets nothing of it; did you mean "worker"? Otherwise, say that it is meant with spec.framework.roles: [{name: chief}]`,
				`spec.roles[2].name: "trainer-worker" is no task of TensorFlow (spec.framework), and the role gets nothing of it; did you mean "worker"? Otherwise, say that it is meant with spec.framework.roles: [{name: chief}]`,
			}},
		"no task, and it is meant": {withRoles("type: TensorFlow, roles: [{name: chief}, {name: worker}]", "chief 1", "worker 1", "workers 2", "data 1"), nil},
		"GPUs of one role": {withRoles("type: Torchrun, processesPerPeer: 2, roles: [{name: a}, {name: b, processesPerPeer: 8}]", "a 1 resources: {limits: {nvidia.com/gpu: 2}}", "b 1 resources: {limits: {nvidia.com/gpu: 4}}"),
			[]string{"spec.framework.roles[1].processesPerPeer: 8 processes start in each Pod, and the container w has 4 GPUs; write 4, or change the limit"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, w := range framework.Warn(parse(t, tt.give)) {
				got = append(got, w.Field+": "+w.Message)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestBrings_peers: a program of the framework counts the peers of the roles that run it,
// and no other.
func TestBrings_peers(t *testing.T) {
	const torchrun = "type: Torchrun, roles: [{name: worker}]"
	for name, tt := range map[string]struct {
		give string
		want []string
	}{
		"right":               {withRoles(torchrun, "worker 4 command: [run, --nnodes=4]", "data 1"), nil},
		"too few":             {withRoles(torchrun, "worker 4 command: [run, --nnodes=2]", "data 1"), []string{"spec.roles[0].template.spec.containers[0].command[1]: --nnodes is 2, and there are 4 peers; write $(PEERJOB_SIZE), or change the number of peers"}},
		"that of all roles":   {withRoles(torchrun, "worker 4 command: [run, --nnodes=5]", "data 1"), []string{"spec.roles[0].template.spec.containers[0].command[1]: --nnodes is 5, and there are 4 peers; write $(PEERJOB_SIZE), or change the number of peers"}},
		"outside, of all":     {withRoles(torchrun, "worker 4", "data 1 command: [run, --nnodes=5]"), nil},
		"one role of several": {withRoles("type: JAX, roles: [{name: a}, {name: b}]", "a 2 command: [run, --nnodes=2]", "b 3 command: [run, --nnodes=5]"), []string{"spec.roles[0].template.spec.containers[0].command[1]: --nnodes is 2, and there are 5 peers in the roles that run it (spec.framework); write 5, or change the number of peers"}},
		"workers of a leader": {withRoles("type: Dask, roles: [{name: s}, {name: w}]", "s 1 command: [run, --num-nodes=4]", "w 4", "data 2"), nil},
		"more than its own":   {withRoles("type: Dask, roles: [{name: s}, {name: w}]", "s 1 command: [run, --num-nodes=6]", "w 4", "data 2"), []string{"spec.roles[0].template.spec.containers[0].command[1]: --num-nodes is 6, and there are 5 peers in the roles that run it (spec.framework); write 5, or change the number of peers"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, w := range peerjob.Warn(parse(t, tt.give), framework.Brings) {
				if strings.Contains(w.Message, "nodes is") {
					got = append(got, w.Field+": "+w.Message)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestValidate_adviceOnRoles: who writes the roles that an error suggests gets no error about
// them, nor about a command or a number of peers.
func TestValidate_adviceOnRoles(t *testing.T) {
	const waits = ", dependsOn: [{name: data, status: Complete}]"
	mpi := "type: OpenMPI, sshSecretName: s"
	// after lets the role behind data.
	after := func(text string, roles ...string) string {
		for _, role := range roles {
			text = strings.Replace(text, "{name: "+role+", peers", "{name: "+role+waits+", peers", 1)
		}
		return text
	}
	for name, tt := range map[string]struct {
		give string
		// want is what the error suggests, "" for nothing.
		want string
	}{
		"data first":               {after(withRoles("type: Torchrun", "data 1 command: [load]", "worker 2 command: [c]"), "worker"), "{name: worker}"},
		"data last":                {after(withRoles("type: JAX", "worker 2 command: [c]", "data 1 command: [load]"), "worker"), "{name: worker}"},
		"equal roles":              {withRoles("type: JAX", "a 2 command: [c]", "b 2 command: [c]"), "{name: a}, {name: b}"},
		"a command is unknown":     {withRoles("type: PyTorch", "a 2 command: [c]", "b 2"), "{name: b}, {name: a}"},
		"none has peers":           {withRoles("type: JAX", "a 0", "b 0"), ""},
		"one has none":             {withRoles("type: JAX", "a 0 command: [c]", "b 2 command: [c]"), "{name: b}"},
		"no name":                  {withRoles("type: JAX", "'' 2 command: [c]", "b 2 command: [c]"), "{name: b}"},
		"one role":                 {withRoles("type: DeepSpeed", "data 1 command: [load]", "worker 2 command: [c]"), "{name: worker}"},
		"one role behind data":     {after(withRoles("type: TPU", "data 4 command: [load]", "worker 2 command: [c]"), "worker"), "{name: worker}"},
		"the launcher last":        {withRoles(mpi, "a 2", "b 2", "launcher 1 command: [mpirun]") + ended, "{name: launcher}, {name: a}, {name: b}"},
		"the launcher's command":   {withRoles(mpi, "a 1", "b 2", "launcher 1 command: [mpirun]") + ended, "{name: launcher}, {name: a}, {name: b}"},
		"the launcher behind data": {after(withRoles(mpi, "data 1 command: [load]", "b 2", "launcher 1 command: [mpirun]"), "launcher", "b") + ended, "{name: launcher}, {name: b}"},
		"no launcher":              {withRoles(mpi, "a 2", "b 2", "launcher 2 command: [mpirun]"), ""},
		"no peer leads":            {withRoles("type: Dask", "a 0", "b 2", "launcher 1 command: [ask]") + ended, "{name: launcher}, {name: b}"},
		"a scheduler of two":       {withRoles("type: Dask", "a 1", "launcher 1 command: [ask]") + ended, "{name: launcher}, {name: a}"},
		"a leader's command":       {withRoles("type: Dask, leader: {command: [ask]}", "data 1 command: [load]", "a 2", "b 3"), "{name: b}"},
		"and a runner":             {withRoles("type: Dask, leader: {command: [ask]}", "data 1 command: [load]", "a 2", "b 3") + "  barrier: {start: Enabled}\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			errs := framework.Validate(parse(t, tt.give))
			if len(errs) != 1 || errs[0].Field != "spec.framework.roles" {
				t.Fatalf("no error about the roles: %v", errs)
			}
			_, rest, _ := strings.Cut(errs[0].Detail, "such as [")
			advice, _, _ := strings.Cut(rest, "]")
			if advice != tt.want {
				t.Fatalf("%s: %q, want %q", errs[0], advice, tt.want)
			}
			if advice == "" {
				return
			}
			for _, err := range framework.Validate(parse(t, strings.Replace(tt.give, "framework: {", "framework: {roles: ["+advice+"], ", 1))) {
				t.Errorf("after the advice: %s", err)
			}
		})
	}
}
