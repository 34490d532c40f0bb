// SPDX-License-Identifier: Apache-2.0

package framework

import (
	"strings"

	"github.com/peerjob/peerjob/api/v1alpha1"
)

// table has one entry for each framework. Variables below it hold what several
// entries share.
var table = []Entry{
	{
		Type:    "Torchrun",
		About:   "torchrun on every peer forms one group of PyTorch processes.",
		Sources: []string{"torch/distributed/run.py and torch/distributed/argparse_util.py of PyTorch: every flag is read from PET_<FLAG>, too", "https://docs.pytorch.org/docs/stable/elastic/run.html"},
		Ports:   []Port{{"tcp-rendezvous", 29500, "the rendezvous, on index 0"}},
		Variables: []Variable{
			{Name: "PET_NNODES", Meaning: "number of peers; with elastic, the minimum and the maximum", value: func(s setup) string { return s.least() + s.peers() }},
			{Name: "PET_NPROC_PER_NODE", Meaning: "processes in each Pod; only with processesPerPeer", value: func(s setup) string {
				if processes, _ := s.processesPerPeer(); processes == nil {
					return ""
				}
				return s.processes()
			}},
			{Name: "PET_NODE_RANK", Meaning: "rank of the Pod; left out with elastic, because torchrun chooses it", value: static(rank)},
			{Name: "PET_MASTER_ADDR", Meaning: "name of index 0; left out with elastic", value: static(leader)},
			{Name: "PET_MASTER_PORT", Meaning: "port of the rendezvous; left out with elastic", value: static(port)},
			{Name: "PET_RDZV_BACKEND", Meaning: "only with elastic", value: elastic(fixed("c10d"))},
			{Name: "PET_RDZV_ENDPOINT", Meaning: "only with elastic: the full name of index 0; torchrun knows itself by no other name", value: elastic(leaderInFull)},
			{Name: "PET_RDZV_ID", Meaning: "only with elastic: separates this group from others", value: elastic(leaderName)},
			{Name: "PET_MAX_RESTARTS", Meaning: "only with elastic.maxRestarts", value: elastic(maxRestarts)},
		},
		Processes: "--nproc-per-node", CountsProcesses: []string{"auto", "gpu", "cpu"},
		Elastic: true,
		Notes: []string{
			"For one process per GPU, set processesPerPeer to gpu.",
			"torchrun sets RANK, WORLD_SIZE and similar variables for each process. Do not set them.",
			"With elastic, the ranks follow the order in which peers join, not the index. spec.clusterDomain must be the domain of your cluster.",
		},
	},
	{
		Type:    "PyTorch",
		About:   "One PyTorch process in each Pod, with init_method env://, without a launcher.",
		Sources: []string{"https://docs.pytorch.org/docs/stable/distributed.html#environment-variable-initialization"},
		Ports:   []Port{{"tcp-rendezvous", 29500, "the store, on index 0"}},
		Variables: []Variable{
			{Name: "MASTER_ADDR", Meaning: "name of index 0", value: leader},
			{Name: "MASTER_PORT", Meaning: "port of the store", value: port},
			{Name: "WORLD_SIZE", Meaning: "number of peers", value: peers},
			{Name: "RANK", Meaning: "the index", value: rank},
			{Name: "LOCAL_RANK", Meaning: "the only process of its Pod", value: fixed("0")},
			{Name: "LOCAL_WORLD_SIZE", Meaning: "the only process of its Pod", value: fixed("1")},
		},
		Notes: []string{"For several processes in a Pod, use Torchrun: a variable can't compute a rank from an index."},
	},
	{
		Type:    "JAX",
		About:   "jax.distributed.initialize on every peer.",
		Sources: []string{"jax/_src/distributed.py of JAX", "https://docs.jax.dev/en/latest/_autosummary/jax.distributed.initialize.html"},
		Ports:   []Port{{"tcp-coordinator", 29500, "the coordinator, on index 0"}},
		Variables: []Variable{
			{Name: "JAX_COORDINATOR_ADDRESS", Meaning: "index 0 and its port", value: leaderAt("")},
			{Name: "JAX_NUM_PROCESSES", Meaning: "number of peers", value: peers},
			{Name: "JAX_PROCESS_ID", Meaning: "the index", value: rank},
		},
		Notes: []string{
			"Every version of JAX reads JAX_COORDINATOR_ADDRESS. Pass num_processes and process_id from the other two variables, as the example does.",
			"Variables such as HTTP_PROXY can keep the peers from reaching each other. JAX warns of them.",
		},
	},
	{
		Type:  "TensorFlow",
		About: "A cluster of TensorFlow workers (MultiWorkerMirroredStrategy); index 0 is the chief.",
		Sources: []string{
			"https://www.tensorflow.org/api_docs/python/tf/distribute/cluster_resolver/TFConfigClusterResolver",
			"tensorflow/python/distribute/cluster_resolver/tfconfig_cluster_resolver.py of TensorFlow",
			"https://www.tensorflow.org/versions/r2.15/api_docs/python/tf/estimator/train_and_evaluate",
		},
		Ports: []Port{{"tcp-worker", 2222, "the server of each worker"}},
		Variables: []Variable{
			{Name: "TF_CONFIG", Meaning: "all workers and the index of this one, as JSON", value: tfConfig},
		},
		// At most one chief and one evaluator, which is not in the cluster.
		Tasks: []Task{
			{Name: "chief", Also: []string{"master", "leader"}, One: true},
			{Name: "worker"},
			{Name: "ps", Also: []string{"server"}, Serves: true},
			{Name: "evaluator", Also: []string{"eval"}, One: true, Outside: true},
		},
		Notes: []string{
			"Without roles, all peers are workers. Roles named chief, worker, ps and evaluator are these tasks.",
			"The evaluator is not in the cluster, and its own TF_CONFIG has the cluster of the others.",
		},
	},
	{
		Type:    "XGBoost",
		About:   "XGBoost processes that find the tracker on index 0.",
		Sources: []string{"rabit/src/allreduce_base.cc and python-package/xgboost/tracker.py of XGBoost 1.7", "https://xgboost.readthedocs.io/en/stable/python/python_api.html#module-xgboost.collective"},
		Ports:   []Port{{"tcp-tracker", 9091, "the tracker, on index 0"}},
		Variables: []Variable{
			{Name: "DMLC_TRACKER_URI", Meaning: "name of index 0", value: leader},
			{Name: "DMLC_TRACKER_PORT", Meaning: "port of the tracker", value: port},
			{Name: "DMLC_TASK_ID", Meaning: "the index", value: rank},
			{Name: "DMLC_NUM_WORKER", Meaning: "number of peers", value: peers},
		},
		Notes: []string{"The program starts the tracker on index 0 itself, as the example does. From 2.0 on, pass the variables to xgboost.collective.CommunicatorContext."},
	},
	{
		Type:    "Dask",
		About:   "A Dask scheduler beside the client on index 0, and a worker on every other peer.",
		Sources: []string{"https://docs.dask.org/en/stable/configuration.html", "distributed/client.py and distributed/cli/dask_worker.py of Dask: scheduler-address", "https://docs.dask.org/en/stable/deploying-cli.html"},
		Ports:   []Port{{"tcp-scheduler", 8786, "the scheduler, on index 0"}, {"tcp-dashboard", 8787, "the dashboard, on index 0"}},
		Variables: []Variable{
			{Name: "DASK_SCHEDULER_ADDRESS", Meaning: "the scheduler, for clients and workers", value: leaderAt("tcp://")},
		},
		Processes: "--nworkers of the workers",
		Leader: &Leader{
			Before: "dask scheduler --port {port} &\n",
			Server: "dask scheduler --port {port}",
			Worker: "dask worker --nworkers {processes} \"$DASK_SCHEDULER_ADDRESS\"",
			Twice:  []string{"dask scheduler", "dask-scheduler"}, Another: []string{"dask scheduler", "dask-scheduler"},
		},
		Notes: []string{"Call Client() without an address, and wait_for_workers with (PEERJOB_SIZE - 1) × processesPerPeer, or with roles PEERJOB_WORKER_SIZE × processesPerPeer."},
	},
	{
		Type:    "Ray",
		About:   "A Ray cluster with its head beside the driver on index 0, and a node on every other peer.",
		Sources: []string{"https://docs.ray.io/en/latest/cluster/cli.html#ray-start", "python/ray/_private/services.py of Ray: RAY_ADDRESS"},
		Ports:   []Port{{"tcp-gcs", 6379, "the head (GCS), on index 0"}, {"tcp-client", 10001, "Ray clients, on index 0"}},
		Variables: []Variable{
			{Name: "RAY_ADDRESS", Meaning: "the head, for drivers and nodes", value: leaderAt("")},
		},
		Leader: &Leader{
			Before: "ray start --head --port={port}\n",
			Server: "ray start --head --port={port} --block",
			Worker: `ray start --address="$RAY_ADDRESS" --block`,
			Twice:  []string{"ray start --head"}, Another: []string{"ray start --head"},
		},
		Notes: []string{"Call ray.init() without an address. Ray opens more ports, at random, so a NetworkPolicy must allow all ports between the peers."},
	},
	{
		Type:  "Spark",
		About: "A standalone Spark cluster with its master beside the driver on index 0, and a worker on every other peer.",
		Sources: []string{
			"https://spark.apache.org/docs/latest/spark-standalone.html#cluster-launch-scripts",
			"core/src/main/scala/org/apache/spark/deploy/SparkSubmitArguments.scala (MASTER), .../deploy/master/MasterArguments.scala (SPARK_MASTER_*) and .../util/Utils.scala (SPARK_LOCAL_HOSTNAME) of Spark",
		},
		Ports: []Port{{"tcp-master", 7077, "the master, on index 0"}, {"tcp-ui", 8080, "the master's page, on index 0"}},
		Variables: []Variable{
			{Name: "MASTER", Meaning: "the master, for spark-submit and the workers", value: leaderAt("spark://")},
			{Name: "SPARK_MASTER_HOST", Meaning: "the name of the master", value: leader},
			{Name: "SPARK_MASTER_PORT", Meaning: "the master's port", value: port},
			{Name: "SPARK_LOCAL_HOSTNAME", Meaning: "the name of this peer for the others", value: fixed(reference(v1alpha1.EnvSelf))},
		},
		Leader: &Leader{
			Before: `"${SPARK_HOME:-/opt/spark}/bin/spark-class" org.apache.spark.deploy.master.Master &` + "\n",
			Server: `"${SPARK_HOME:-/opt/spark}/bin/spark-class" org.apache.spark.deploy.master.Master`,
			Worker: `"${SPARK_HOME:-/opt/spark}/bin/spark-class" org.apache.spark.deploy.worker.Worker "$MASTER"`,
			Twice:  sparkMasters, Another: sparkMasters,
		},
		Notes: []string{"The scripts look for Spark in SPARK_HOME, or in /opt/spark, as in the project's images. You can set SPARK_WORKER_CORES and SPARK_WORKER_MEMORY."},
	},
	{
		Type:    "DeepSpeed",
		About:   "The deepspeed launcher on every peer, without ssh, forms one group.",
		Sources: []string{"deepspeed/launcher/runner.py and deepspeed/launcher/constants.py of DeepSpeed", "https://www.deepspeed.ai/getting-started/#launching-without-passwordless-ssh"},
		Ports:   []Port{{"tcp-rendezvous", 29500, "the store, on index 0"}},
		Variables: []Variable{
			{Name: "MASTER_ADDR", Meaning: "name of index 0, for --master_addr", value: leader},
			{Name: "MASTER_PORT", Meaning: "port of the store, for --master_port", value: port},
		},
		Processes: "slots in the hostfile: GPUs of each Pod",
		// The launcher reads this path without being told. With --no_ssh the names in
		// it are not looked up: a node is its place in the file.
		Hostfile: &Hostfile{Directory: "/job", File: "hostfile", line: func(host string, s setup) string { return host + " slots=" + s.processes() }},
		OneRole:  "the launcher takes its rank from its command line, and $(JOB_COMPLETION_INDEX) counts the peers of one role",
		Notes: []string{
			"Write deepspeed --no_ssh --node_rank=$(JOB_COMPLETION_INDEX) --master_addr=$(MASTER_ADDR) --master_port=$(MASTER_PORT), as the example does. The launcher takes these only from its command line.",
			"--no_ssh exists from DeepSpeed 0.14.5 on. A DeepSpeed program also runs under Torchrun.",
		},
	},
	{
		Type:    "TPU",
		About:   "libtpu and the frameworks that use it, on the hosts of one TPU slice.",
		Sources: []string{"https://cloud.google.com/kubernetes-engine/docs/how-to/tpu-multislice", "pkg/utils/accelerators/tpu.go of kubernetes-sigs/lws", "jax/_src/clusters/cloud_tpu_cluster.py of JAX"},
		Ports:   []Port{{"tcp-tpu", 8476, "libtpu, on every peer"}},
		Variables: []Variable{
			{Name: "TPU_WORKER_ID", Meaning: "the index", value: rank},
			{Name: "TPU_WORKER_HOSTNAMES", Meaning: "all peers", value: func(s setup) string { return s.all("", "") }},
			{Name: "TPU_PROCESS_ADDRESSES", Meaning: "all peers with their port", value: func(s setup) string { return s.all("", ":"+s.port()) }},
			{Name: "TPU_PROCESS_PORT", Meaning: "the port", value: port},
			{Name: "TPU_NAME", Meaning: "one name for all hosts of the slice", value: leaderName},
		},
		OneRole: "the hosts of a slice are all alike",
		Notes:   []string{"One PeerJob is one slice. On GKE, leave spec.framework out if GKE's own webhook sets these variables."},
	},
	{
		Type:    "OpenMPI",
		About:   "mpirun of Open MPI on index 0 starts its processes on all peers through ssh.",
		Sources: []string{"orte/runtime/orte_mca_params.c and orte/mca/plm/rsh/plm_rsh_component.c of Open MPI 4.1", "src/runtime/prte_mca_params.c of PRRTE, for Open MPI 5", "https://docs.open-mpi.org/en/main/launching-apps/ssh.html"},
		Ports:   []Port{sshPort},
		Variables: []Variable{
			{Name: "OMPI_MCA_orte_default_hostfile", Meaning: "all hosts, for Open MPI 4", value: fixed(currentHostfile)},
			{Name: "OMPI_MCA_orte_keep_fqdn_hostnames", Meaning: "do not cut the Service off the names", value: fixed("true")},
			{Name: "OMPI_MCA_plm_rsh_args", Meaning: "how ssh is called", value: fixed(sshArguments)},
			{Name: "PRTE_MCA_prte_default_hostfile", Meaning: "all hosts, for Open MPI 5", value: fixed(currentHostfile)},
			{Name: "PRTE_MCA_prte_keep_fqdn_hostnames", Meaning: "do not cut the Service off the names", value: fixed("true")},
			{Name: "PRTE_MCA_plm_ssh_args", Meaning: "how ssh is called", value: fixed(sshArguments)},
			{Name: "OMPI_ALLOW_RUN_AS_ROOT", Meaning: "allows root, the usual user of a container", Yields: true, value: fixed("1")},
			{Name: "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", Meaning: "the confirmation that Open MPI needs", Yields: true, value: fixed("1")},
			{Name: "PRTE_ALLOW_RUN_AS_ROOT", Meaning: "the same for Open MPI 5", Yields: true, value: fixed("1")},
			{Name: "PRTE_ALLOW_RUN_AS_ROOT_CONFIRM", Meaning: "the same for Open MPI 5", Yields: true, value: fixed("1")},
		},
		Processes:   "slots in the hostfile",
		Hostfile:    hostfile(func(host string, s setup) string { return host + " slots=" + s.processes() }),
		Leader:      mpiLeader,
		SSH:         true,
		StrictSlots: true,
		Notes:       mpiNotes,
	},
	{
		Type:    "MPICH",
		About:   "mpiexec of MPICH (Hydra) on index 0 starts its processes on all peers through ssh.",
		Sources: []string{"src/pm/hydra/mpiexec/options.c and src/pm/hydra/lib/tools/bootstrap/external/ssh_launch.c of MPICH 4", "https://github.com/pmodels/mpich/blob/main/doc/wiki/how_to/Using_the_Hydra_Process_Manager.md"},
		Ports:   []Port{sshPort},
		Variables: []Variable{
			{Name: "HYDRA_HOST_FILE", Meaning: "all hosts", value: fixed(currentHostfile)},
			{Name: "HYDRA_LAUNCHER", Meaning: "how processes are started", value: fixed("ssh")},
			{Name: "HYDRA_LAUNCHER_EXTRA_ARGS", Meaning: "how ssh is called", value: fixed(sshArguments)},
			{Name: "HYDRA_IFACE", Meaning: "the Pod's interface: the others reach index 0 by its address; left out on the host network", Yields: true, value: podInterface},
		},
		Processes: "processes of each host in the hostfile",
		Hostfile:  hostfile(func(host string, s setup) string { return host + ":" + s.processes() }),
		Leader:    mpiLeader,
		SSH:       true,
		Notes:     mpiNotes,
	},
	{
		Type:    "IntelMPI",
		About:   "mpiexec of the Intel MPI Library (Hydra) on index 0 starts its processes on all peers through ssh.",
		Sources: []string{"https://www.intel.com/content/www/us/en/docs/mpi-library/developer-reference-linux/2021-13/hydra-environment-variables.html"},
		Ports:   []Port{sshPort},
		Variables: []Variable{
			{Name: "I_MPI_HYDRA_HOST_FILE", Meaning: "all hosts", value: fixed(currentHostfile)},
			{Name: "I_MPI_PERHOST", Meaning: "processes in each Pod", value: func(s setup) string { return s.hostSetups()[0].processes() }},
			{Name: "I_MPI_HYDRA_BOOTSTRAP", Meaning: "how processes are started", value: fixed("ssh")},
			{Name: "I_MPI_HYDRA_BOOTSTRAP_EXEC_EXTRA_ARGS", Meaning: "how ssh is called", value: fixed(sshArguments)},
			{Name: "I_MPI_HYDRA_IFACE", Meaning: "the Pod's interface: the others reach index 0 by its address; left out on the host network", Yields: true, value: podInterface},
		},
		SameProcesses: true,
		Processes:     "I_MPI_PERHOST, and processes of each host in the hostfile",
		Hostfile:      hostfile(func(host string, s setup) string { return host + ":" + s.processes() }),
		Leader:        mpiLeader,
		SSH:           true,
		Notes:         mpiNotes,
	},
}

// sparkMasters are programs that start a master of Spark.
var sparkMasters = []string{"spark-class org.apache.spark.deploy.master.Master", "spark-daemon.sh start org.apache.spark.deploy.master.Master", "start-master.sh", "start-all.sh"}

// least is the least number of peers and a colon, where torchrun wants one.
func (s setup) least() string {
	if s.spec.Elastic == nil {
		return ""
	}
	if s.spec.Elastic.MinPeers == nil {
		return s.peers() + ":"
	}
	return itoa(*s.spec.Elastic.MinPeers) + ":"
}

func maxRestarts(s setup) string {
	if s.spec.Elastic.MaxRestarts == nil {
		return ""
	}
	return itoa(*s.spec.Elastic.MaxRestarts)
}

// static is a value for a group that is not elastic, and elastic for one that
// is.
func static(value func(setup) string) func(setup) string {
	return func(s setup) string {
		if s.spec.Elastic != nil {
			return ""
		}
		return value(s)
	}
}

func elastic(value func(setup) string) func(setup) string {
	return func(s setup) string {
		if s.spec.Elastic == nil {
			return ""
		}
		return value(s)
	}
}

// tfConfig is TF_CONFIG, as JSON.
func tfConfig(s setup) string {
	task, cluster := "worker", `"worker":[`+s.all(`"`, ":"+s.port()+`"`)+`]`
	if s.group.HasRoles() {
		var lists []string
		for _, role := range s.roles {
			if known, _ := s.task(role.RoleName()); !known.Outside {
				lists = append(lists, `"`+role.RoleName()+`":[`+peersOf(role, `"`, ":"+s.port()+`"`)+`]`)
			}
		}
		task, cluster = s.group.RoleName(), strings.Join(lists, ",")
	}
	return `{"cluster":{` + cluster + `},"task":{"type":"` + task + `","index":` + index + `}}`
}
