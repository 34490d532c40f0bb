// SPDX-License-Identifier: Apache-2.0

package framework

import "github.com/peerjob/peerjob/fn/v1alpha1"

// table holds every framework. An entry says all there is to say about one:
// what is true of several stands in variables beside it.
var table = []Entry{
	{
		Type:    "Torchrun",
		About:   "torchrun on every peer forms one group of PyTorch processes.",
		Sources: []string{"torch/distributed/run.py and torch/distributed/argparse_util.py of PyTorch: every flag is read from PET_<FLAG>, too", "https://docs.pytorch.org/docs/stable/elastic/run.html"},
		Ports:   []Port{{"tcp-rendezvous", 29500, "the rendezvous, on index 0"}},
		Variables: []Variable{
			{Name: "PET_NNODES", Meaning: "number of peers, or the least and the most with elastic", value: func(s settings) string { return s.least() + s.peers() }},
			{Name: "PET_NPROC_PER_NODE", Meaning: "processes in each Pod; left out without processesPerPeer", value: func(s settings) string {
				if s.spec.ProcessesPerPeer == nil {
					return ""
				}
				return s.processes()
			}},
			{Name: "PET_NODE_RANK", Meaning: "place of the Pod; left out with elastic, where torchrun chooses", value: static(fixed(index))},
			{Name: "PET_MASTER_ADDR", Meaning: "name of index 0; left out with elastic", value: static(fixed(leader))},
			{Name: "PET_MASTER_PORT", Meaning: "port of the rendezvous; left out with elastic", value: static(port)},
			{Name: "PET_RDZV_BACKEND", Meaning: "only with elastic", value: elastic(fixed("c10d"))},
			{Name: "PET_RDZV_ENDPOINT", Meaning: "only with elastic", value: elastic(leaderAt(""))},
			{Name: "PET_RDZV_ID", Meaning: "only with elastic: without one all groups are one", value: elastic(fixed(reference(v1alpha1.EnvName)))},
			{Name: "PET_MAX_RESTARTS", Meaning: "only with elastic.maxRestarts", value: elastic(maxRestarts)},
		},
		Processes: "--nproc-per-node",
		Elastic:   true,
		Notes: []string{
			"For one process for each GPU leave processesPerPeer out and set PET_NPROC_PER_NODE to gpu yourself.",
			"torchrun sets RANK, WORLD_SIZE and the like for each process; do not set them.",
			"With elastic the ranks follow the order of joining, not the index.",
		},
	},
	{
		Type:    "PyTorch",
		About:   "One PyTorch process in each Pod, with init_method env://, without a launcher.",
		Sources: []string{"https://docs.pytorch.org/docs/stable/distributed.html#environment-variable-initialization"},
		Ports:   []Port{{"tcp-rendezvous", 29500, "the store, on index 0"}},
		Variables: []Variable{
			{Name: "MASTER_ADDR", Meaning: "name of index 0", value: fixed(leader)},
			{Name: "MASTER_PORT", Meaning: "port of the store", value: port},
			{Name: "WORLD_SIZE", Meaning: "number of peers", value: peers},
			{Name: "RANK", Meaning: "the index", value: fixed(index)},
			{Name: "LOCAL_RANK", Meaning: "the only process of its Pod", value: fixed("0")},
			{Name: "LOCAL_WORLD_SIZE", Meaning: "the only process of its Pod", value: fixed("1")},
		},
		Notes: []string{"For several processes in a Pod take Torchrun: a rank can't be computed from an index in a variable."},
	},
	{
		Type:    "JAX",
		About:   "jax.distributed.initialize on every peer.",
		Sources: []string{"jax/_src/distributed.py of JAX", "https://docs.jax.dev/en/latest/_autosummary/jax.distributed.initialize.html"},
		Ports:   []Port{{"tcp-coordinator", 29500, "the coordinator, on index 0"}},
		Variables: []Variable{
			{Name: "JAX_COORDINATOR_ADDRESS", Meaning: "index 0 and its port", value: leaderAt("")},
			{Name: "JAX_NUM_PROCESSES", Meaning: "number of peers", value: peers},
			{Name: "JAX_PROCESS_ID", Meaning: "the index", value: fixed(index)},
		},
		Notes: []string{
			"Older versions of JAX read only JAX_COORDINATOR_ADDRESS; pass num_processes and process_id from the other two, as the example does, and every version is served.",
		},
	},
	{
		Type:    "TensorFlow",
		About:   "A cluster of TensorFlow workers (MultiWorkerMirroredStrategy); index 0 is the chief.",
		Sources: []string{"https://www.tensorflow.org/api_docs/python/tf/distribute/cluster_resolver/TFConfigClusterResolver", "tensorflow/python/distribute/cluster_resolver/tfconfig_cluster_resolver.py of TensorFlow"},
		Ports:   []Port{{"tcp-worker", 2222, "the server of each worker"}},
		Variables: []Variable{
			{Name: "TF_CONFIG", Meaning: "all workers, and which of them this one is, as JSON", value: func(s settings) string {
				return `{"cluster":{"worker":[` + s.all(`"`, ":"+s.port()+`"`) + `]},"task":{"type":"worker","index":` + index + `}}`
			}},
		},
		Notes: []string{"All peers are of one kind: a parameter server needs a PeerJob of its own."},
	},
	{
		Type:    "XGBoost",
		About:   "XGBoost processes that find the tracker on index 0.",
		Sources: []string{"rabit/src/allreduce_base.cc and python-package/xgboost/tracker.py of XGBoost 1.7", "https://xgboost.readthedocs.io/en/stable/python/python_api.html#module-xgboost.collective"},
		Ports:   []Port{{"tcp-tracker", 9091, "the tracker, on index 0"}},
		Variables: []Variable{
			{Name: "DMLC_TRACKER_URI", Meaning: "name of index 0", value: fixed(leader)},
			{Name: "DMLC_TRACKER_PORT", Meaning: "port of the tracker", value: port},
			{Name: "DMLC_TASK_ID", Meaning: "the index", value: fixed(index)},
			{Name: "DMLC_NUM_WORKER", Meaning: "number of peers", value: peers},
		},
		Notes: []string{"The program starts the tracker on index 0 itself, as the example does. From 2.0 on pass the variables to xgboost.collective.CommunicatorContext."},
	},
	{
		Type:    "Dask",
		About:   "A Dask scheduler beside the client on index 0, and a worker on every other peer.",
		Sources: []string{"https://docs.dask.org/en/stable/configuration.html", "distributed/client.py and distributed/cli/dask_worker.py of Dask: scheduler-address", "https://docs.dask.org/en/stable/deploying-cli.html"},
		Ports:   []Port{{"tcp-scheduler", 8786, "the scheduler, on index 0"}},
		Variables: []Variable{
			{Name: "DASK_SCHEDULER_ADDRESS", Meaning: "the scheduler, for clients and workers", value: leaderAt("tcp://")},
		},
		Processes: "--nworkers of the workers",
		Leader: &Leader{
			Before: "dask scheduler --port {port} &\n",
			Worker: "dask worker --nworkers {processes} \"$DASK_SCHEDULER_ADDRESS\"",
		},
		Notes: []string{"The client calls Client() without an address, and wait_for_workers with PEERJOB_SIZE less one, times processesPerPeer."},
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
			{Name: "OMPI_ALLOW_RUN_AS_ROOT", Meaning: "root is the usual user of a container", Yields: true, value: fixed("1")},
			{Name: "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", Meaning: "Open MPI asks twice", Yields: true, value: fixed("1")},
			{Name: "PRTE_ALLOW_RUN_AS_ROOT", Meaning: "the same for Open MPI 5", Yields: true, value: fixed("1")},
			{Name: "PRTE_ALLOW_RUN_AS_ROOT_CONFIRM", Meaning: "the same for Open MPI 5", Yields: true, value: fixed("1")},
		},
		Processes: "slots in the hostfile",
		Hostfile:  hostfile(func(host string, s settings) string { return host + " slots=" + s.processes() }),
		Leader:    mpiLeader,
		SSH:       true,
		Notes:     mpiNotes,
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
			{Name: "HYDRA_IFACE", Meaning: "the Pod's interface: the others reach index 0 by its address", Yields: true, value: fixed("eth0")},
		},
		Processes: "processes of each host in the hostfile",
		Hostfile:  hostfile(func(host string, s settings) string { return host + ":" + s.processes() }),
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
			{Name: "I_MPI_PERHOST", Meaning: "processes in each Pod", value: settings.processes},
			{Name: "I_MPI_HYDRA_BOOTSTRAP", Meaning: "how processes are started", value: fixed("ssh")},
			{Name: "I_MPI_HYDRA_BOOTSTRAP_EXEC_EXTRA_ARGS", Meaning: "how ssh is called", value: fixed(sshArguments)},
			{Name: "I_MPI_HYDRA_IFACE", Meaning: "the Pod's interface: the others reach index 0 by its address", Yields: true, value: fixed("eth0")},
		},
		Processes: "I_MPI_PERHOST, and processes of each host in the hostfile",
		Hostfile:  hostfile(func(host string, s settings) string { return host + ":" + s.processes() }),
		Leader:    mpiLeader,
		SSH:       true,
		Notes:     mpiNotes,
	},
}

// least is the least number of peers and a colon, where torchrun wants one.
func (s settings) least() string {
	if s.spec.Elastic == nil {
		return ""
	}
	if s.spec.Elastic.MinPeers == nil {
		return s.peers() + ":"
	}
	return itoa(*s.spec.Elastic.MinPeers) + ":"
}

func maxRestarts(s settings) string {
	if s.spec.Elastic.MaxRestarts == nil {
		return ""
	}
	return itoa(*s.spec.Elastic.MaxRestarts)
}

// static is a value for a group which is not elastic, and elastic for one that
// is.
func static(value func(settings) string) func(settings) string {
	return func(s settings) string {
		if s.spec.Elastic != nil {
			return ""
		}
		return value(s)
	}
}

func elastic(value func(settings) string) func(settings) string {
	return func(s settings) string {
		if s.spec.Elastic == nil {
			return ""
		}
		return value(s)
	}
}
