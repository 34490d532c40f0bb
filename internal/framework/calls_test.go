// SPDX-License-Identifier: Apache-2.0

package framework_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/peerjob/peerjob/internal/framework"
)

// framed is a PeerJob of four peers with one container.
func framed(framework, container string) string {
	return "metadata: {name: a}\nspec: {peers: 4, framework: {" + framework + "}, template: {spec: {containers: [{name: w, image: x, " + container + "}]}}}"
}

// TestWarn_calls has commands that start what the framework's script starts, or that say
// something else than spec.framework.
func TestWarn_calls(t *testing.T) {
	const (
		mpi   = "type: OpenMPI, processesPerPeer: 2, sshSecretName: s"
		plain = "env: [{name: A, value: mpirun -n 3 a}]"
		first = "spec.template.spec.containers[0]."
		lead  = "spec.framework.leader."
		// again and own are what is said of a scheduler.
		again = "runs \"dask scheduler\", which spec.framework (Dask) has already run in this container; remove it, and leave only your program"
		rest  = " has already run in this container; remove it, and leave only your program"
		sshd  = "runs sshd without the port and the keys with which the leader of OpenMPI calls it (spec.framework); leave out command and args, and the right one runs here"
		slots = ", and there are 8 slots (spec.framework): 4 hosts of OpenMPI, whose mpirun starts no more than that; start 8 at most, or change processesPerPeer or the number of peers"
		// restarts is in the place of the end of spec.framework.
		restarts = "runner: {image: y}, failurePolicy: {action: RestartPeerJob, maxRestarts: 3"
		nnodes   = "spec.template.spec.containers[0].command[1]: --nnodes is "
	)
	for name, tt := range map[string]struct {
		give string
		want []string
	}{
		// The server of a leader.
		"a scheduler beside the script's": {framed("type: Dask, leader: {command: [dask, scheduler]}", plain), []string{lead + "command[0]: " + again}},
		"in a script": {framed(`type: Dask, leader: {command: [bash, -ec, "sleep 1\n# dask scheduler\ndask scheduler --port 1 &\npython a.py"]}`, plain),
			[]string{lead + "command[2]: " + again}},
		"in args":                            {framed("type: Dask, leader: {command: [sh, -c], args: [exec /opt/bin/dask scheduler]}", plain), []string{lead + "args[0]: " + again}},
		"a worker's name":                    {framed("type: Dask, leader: {command: [ask]}", "command: [dask, worker, --name, scheduler, tcp://a]"), nil},
		"a version":                          {framed(`type: Dask, leader: {command: [sh, -c, "dask scheduler --version; python a.py"]}`, plain), nil},
		"a worker beside the head of Ray":    {framed(`type: Ray, leader: {command: [sh, -c, "ray start --address=127.0.0.1:6379; python a.py"]}`, plain), nil},
		"only spoken of":                     {framed(`type: Dask, leader: {command: [sh, -c, "echo dask scheduler runs; # dask scheduler\npython dask scheduler"]}`, plain), nil},
		"a program's script":                 {framed(`type: Dask, leader: {command: [python, -c, "dask scheduler\nx"]}`, plain), nil},
		"a worker of Dask beside the client": {framed(`type: Dask, leader: {command: [sh, -c, "dask worker $DASK_SCHEDULER_ADDRESS & python a.py"]}`, plain), nil},
		"a head of Ray": {framed("type: Ray, leader: {command: [ray, start, --head, --block]}", plain),
			[]string{lead + `command[0]: runs "ray start --head", which spec.framework (Ray)` + rest}},
		"a master of Spark": {framed("type: Spark, leader: {command: [/opt/spark/bin/spark-class, org.apache.spark.deploy.master.Master]}", plain),
			[]string{lead + `command[0]: runs "spark-class org.apache.spark.deploy.master.Master", which spec.framework (Spark)` + rest}},
		"a program of Spark": {framed("type: Spark, leader: {command: [/opt/spark/bin/spark-submit, a.py]}", plain), nil},
		"in a role": {withRoles("type: Ray", "head 1 command: [ray, start, --head]", "worker 2") + strings.Replace(ended, "launcher", "head", 1),
			[]string{`spec.roles[0].template.spec.containers[0].command[0]: runs "ray start --head", which spec.framework (Ray) has already run in this container; leave out command and args, or write your program there`}},
		"in a role with a driver": {withRoles("type: Ray", `head 1 command: [sh, -c, "ray start --head; python a.py"]`, "worker 2") + strings.Replace(ended, "launcher", "head", 1),
			[]string{`spec.roles[0].template.spec.containers[0].command[2]: runs "ray start --head", which spec.framework (Ray)` + rest}},

		// A server of a worker's own.
		"a worker that is a scheduler": {framed("type: Dask, leader: {command: [ask]}", "command: [dask-scheduler]"),
			[]string{first + `command[0]: runs "dask-scheduler" in each of these Pods, and the leader of Dask (spec.framework) runs it already; leave out command and args, and its worker runs here`}},
		"a worker that is a head": {withRoles("type: Ray", "head 1 command: [ask]", "worker 2 command: [ray], args: [start, --head]") + strings.Replace(ended, "launcher", "head", 1),
			[]string{`spec.roles[1].template.spec.containers[0].command[0]: runs "ray start --head" in each of these Pods, and the leader of Ray (spec.framework) runs it already; leave out command and args, and its worker runs here`}},
		"a worker of the user's": {framed("type: Ray, leader: {command: [ask]}", "command: [ray, start, --address=$(RAY_ADDRESS), --num-gpus=1, --block]"), nil},
		"an sshd of the user's":  {framed(mpi+", leader: {command: [mpirun, a]}", "command: [/usr/sbin/sshd, -De]"), []string{first + "command[0]: " + sshd}},
		"a check of sshd":        {framed(mpi+", leader: {command: [mpirun, a]}", `command: [sh, -c, "/usr/sbin/sshd -t; sleep 1"]`), nil},
		"a service":              {framed(mpi+", leader: {command: [mpirun, a]}", `command: [bash, -c, "service ssh start; sleep infinity"]`), []string{first + "command[2]: " + sshd}},
		"in a role of hosts": {withRoles(mpi, "launcher 1 command: [mpirun, a]", `worker 2 command: [bash, -c, "mkdir -p /run/sshd\nexec /usr/sbin/sshd -D"]`) + ended,
			[]string{"spec.roles[1].template.spec.containers[0].command[2]: " + sshd}},
		"with peerjob's configuration": {framed(mpi+", leader: {command: [mpirun, a]}", "command: [/usr/sbin/sshd, -D, -f, /run/peerjob/ssh/sshd_config]"), nil},
		"outside of the roles":         {withRoles(mpi+", roles: [{name: launcher}, {name: worker}]", "launcher 1 command: [mpirun, a]", "worker 2", "data 1 command: [/usr/sbin/sshd, -D]") + ended, nil},

		// Processes of MPI.
		"all slots":                  {framed(mpi+`, leader: {command: [mpirun, -n, "8", a, -n, "3"]}`, plain), nil},
		"fewer":                      {framed(mpi+`, leader: {command: [mpirun, -np, "6", a]}`, plain), nil},
		"behind flags":               {framed(mpi+`, leader: {command: [mpirun, --allow-run-as-root, -x, A, --mca, b, c, -np, "9", a]}`, plain), []string{lead + "command[8]: starts 9 processes" + slots}},
		"Hydra goes round the hosts": {framed(strings.Replace(mpi, "OpenMPI", "MPICH", 1)+`, leader: {command: [mpiexec, -n, "16", a]}`, plain), nil},
		"more, in args":              {framed(mpi+`, leader: {command: [mpiexec], args: [-n, "16", a]}`, plain), []string{lead + "args[1]: starts 16 processes" + slots}},
		"in a script of":             {framed(mpi+`, leader: {command: [sh, -c, "exec mpirun -v \\\n  -np 12 a"]}`, plain), []string{lead + "command[2]: starts 12 processes" + slots}},
		"behind another program":     {framed(mpi+`, leader: {command: [timeout, "60", mpirun, -np, "12", a]}`, plain), []string{lead + "command[4]: starts 12 processes" + slots}},
		"in its script":              {framed(mpi+`, leader: {command: [sh, -c, "timeout 60 nice -n 5 env A=b stdbuf -oL mpirun -np 12 a"]}`, plain), []string{lead + "command[2]: starts 12 processes" + slots}},
		"only shown":                 {framed(mpi+`, leader: {command: [sh, -c, "echo \"mpirun -np 12 a; mpirun -np 13 b\"; cat <<EOF\nmpirun -np 14 a\nEOF\nmpirun a"]}`, plain), nil},
		"slots of roles": {withRoles(mpi+", roles: [{name: launcher, processesPerPeer: 1}, {name: a}, {name: b, processesPerPeer: 4}]", `launcher 1 command: [mpirun, -n, "16", a]`, "a 1", "b 3") + ended,
			[]string{"spec.roles[0].template.spec.containers[0].command[2]: starts 16 processes, and there are 15 slots (spec.framework): 5 hosts of OpenMPI, whose mpirun starts no more than that; start 15 at most, or change processesPerPeer or the number of peers"}},
		"a try, and all":                       {framed(mpi+`, leader: {command: [sh, -c, "mpirun -n 4 a; mpirun -n 8 a"]}`, plain), nil},
		"one":                                  {framed(mpi+`, leader: {command: [mpirun, -n, "1", a]}`, plain), nil},
		"no literal":                           {framed(mpi+`, leader: {command: [mpirun, -n, $(N), a]}`, plain), nil},
		"a flag of the program":                {framed(mpi+`, leader: {command: [mpirun, a, -n, "3"]}`, plain), nil},
		"behind a flag that may place them":    {framed(mpi+`, leader: {command: [mpirun, --map-by, "ppr:1:node", -n, "4", a]}`, plain), nil},
		"several programs":                     {framed(mpi+`, leader: {command: [mpirun, -n, "2", a, ":", -n, "6", b]}`, plain), nil},
		"no program that starts MPI processes": {framed(mpi+`, leader: {command: [run, -n, "3", a]}`, plain), nil},

		// Flags of torchrun.
		"processes":                 {framed("type: Torchrun, processesPerPeer: 2", "command: [torchrun, --nproc-per-node=4, a.py]"), []string{first + "command[1]: --nproc-per-node is 4, and takes the place of spec.framework.processesPerPeer, which is 2; remove the flag, or set processesPerPeer to 4"}},
		"processes behind":          {framed("type: Torchrun, processesPerPeer: gpu", `command: [python3, -m, torch.distributed.run, --nproc_per_node, "1", a.py]`), []string{first + "command[4]: --nproc_per_node is 1, and takes the place of spec.framework.processesPerPeer, which is gpu; remove the flag, or set processesPerPeer to 1"}},
		"processes in a script":     {framed("type: Torchrun, processesPerPeer: 2", `command: [sh, -c, "torchrun --nproc-per-node='4' a.py"]`), []string{first + "command[2]: --nproc-per-node is 4, and takes the place of spec.framework.processesPerPeer, which is 2; remove the flag, or set processesPerPeer to 4"}},
		"the same processes":        {framed("type: Torchrun, processesPerPeer: 2", "command: [torchrun, --nproc-per-node=2, a.py]"), nil},
		"processes of the flag":     {framed("type: Torchrun", "command: [torchrun, --nproc-per-node=4, a.py]"), nil},
		"processes of a variable":   {framed("type: Torchrun, processesPerPeer: 2", "command: [torchrun, --nproc-per-node=$(N), a.py]"), nil},
		"processes of the program":  {framed("type: Torchrun, processesPerPeer: 2", "command: [torchrun, a.py, --nproc-per-node=4]"), nil},
		"processes of a module":     {framed("type: Torchrun, processesPerPeer: 2", `command: [torchrun, -m, pkg.train, --nproc-per-node, "4"]`), nil},
		"processes of a program":    {framed("type: Torchrun, processesPerPeer: 2", "command: [torchrun, --no-python, ./run.sh, --nproc-per-node=4]"), nil},
		"processes of a script":     {framed("type: Torchrun, processesPerPeer: 2", `command: [sh, -c, "torchrun $SCRIPT --nproc-per-node=4"]`), nil},
		"processes in one Pod":      {framed("type: Torchrun, processesPerPeer: 2", "command: [torchrun, --standalone, --nproc-per-node=4, a.py]"), nil},
		"processes by a word":       {framed("type: Torchrun, processesPerPeer: 8", "command: [torchrun, --nproc-per-node=gpu, a.py]"), nil},
		"a range":                   {framed("type: Torchrun", "command: [torchrun, '--nnodes=2:4', a.py]"), []string{nnodes + "2:4, but the group always has 4 peers; remove the flag, or set spec.framework.elastic"}},
		"no range":                  {framed("type: Torchrun", "command: [torchrun, '--nnodes=4:4', a.py]"), nil},
		"another range":             {framed("type: Torchrun, elastic: {minPeers: 2}", "command: [torchrun, '--nnodes=1:4', a.py]"), []string{nnodes + "1:4, and takes the place of 2:4, by spec.framework.elastic; leave it out"}},
		"the same range":            {framed("type: Torchrun, elastic: {minPeers: 2}", "command: [torchrun, '--nnodes=2:4', a.py]"), nil},
		"no range beside elastic":   {framed("type: Torchrun, elastic: {minPeers: 2}", "command: [torchrun, --nnodes=4, a.py]"), []string{nnodes + "4, and takes the place of 2:4, by spec.framework.elastic; leave it out"}},
		"all peers beside elastic":  {framed("type: Torchrun, elastic: {}", "command: [torchrun, --nnodes=4, a.py]"), nil},
		"a rank for all":            {framed("type: Torchrun", "command: [torchrun, --node-rank=0, a.py]"), []string{first + "command[1]: --node-rank is 0 in every peer; remove the flag: torchrun reads the rank from PET_NODE_RANK"}},
		"a rank of a variable":      {framed("type: Torchrun", "command: [torchrun, --node_rank, $(JOB_COMPLETION_INDEX), a.py]"), nil},
		"a rank by the index":       {framed("type: Torchrun", `command: [sh, -c, "if a; then torchrun --node-rank=0 a.py; else torchrun --node-rank=1 a.py; fi"]`), nil},
		"a rank beside elastic":     {framed("type: Torchrun, elastic: {}", "command: [torchrun, --node-rank=0, a.py]"), nil},
		"a rank of one peer":        {withRoles("type: Torchrun, roles: [{name: a}, {name: b}]", "a 1 command: [torchrun, --node-rank=0, a.py]", "b 2 command: [torchrun, a.py]"), nil},
		"restarts of its own":       {framed("type: Torchrun}, "+restarts, "command: [torchrun, --max_restarts=3, a.py]"), []string{first + "command[1]: --max_restarts is 3, so torchrun restarts its processes in this peer alone before spec.failurePolicy restarts all peers; remove the flag"}},
		"no restarts of its own":    {framed("type: Torchrun}, "+restarts, `command: [torchrun, --max-restarts, "0", a.py]`), nil},
		"only its own restarts":     {framed("type: Torchrun", "command: [torchrun, --max-restarts=3, a.py]"), nil},
		"peers are for other rules": {framed("type: Torchrun", "command: [torchrun, --nnodes=8, a.py]"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			g := parse(t, tt.give)
			if errs := framework.Validate(g); len(errs) > 0 {
				t.Fatal(errs)
			}
			var got []string
			for _, w := range framework.Warn(g) {
				got = append(got, w.Field+": "+w.Message)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestValidate_windows refuses Pods for Windows where a shell starts the framework, and no
// others.
func TestValidate_windows(t *testing.T) {
	const (
		os      = "os: {name: windows}, containers"
		cure    = "; let the Pods run on Linux, or leave spec.framework out"
		refused = `Invalid value: "windows": a script for /bin/sh starts `
		none    = " here (spec.framework), and Windows has none"
	)
	for name, tt := range map[string]struct {
		give string
		want []string
	}{
		"a leader":              {framed("type: Dask, leader: {command: [a]}", "command: [b]"), []string{"spec.template.spec.os.name: " + refused + "Dask" + none + cure}},
		"no leader":             {framed("type: PyTorch", "command: [b]"), nil},
		"a rank is added up":    {withRoles("type: PyTorch, roles: [{name: a}, {name: b}]", "a 2 command: [c]", "b 2 command: [c]"), []string{"spec.roles[1].template.spec.os.name: " + refused + "PyTorch" + none + "; let the Pods run on Linux, or make the role the first one of spec.framework.roles"}},
		"a rank is known":       {withRoles("type: PyTorch, roles: [{name: a}, {name: b}]", "a 2 command: [c]", "b 1 command: [c]"), nil},
		"a scheduler, a client": {withRoles("type: Dask, roles: [{name: a}, {name: b}]", "a 1", "b 2 command: [c]") + "  successRoles: [b]\n", []string{"spec.roles[0].template.spec.os.name: " + refused + "Dask" + none + cure}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, err := range framework.Validate(parse(t, strings.ReplaceAll(tt.give, "containers", os))) {
				got = append(got, err.Error())
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
