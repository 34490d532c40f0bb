// SPDX-License-Identifier: Apache-2.0

package framework_test

import (
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/peerjob/peerjob/examples/frameworks"
	"github.com/peerjob/peerjob/internal/framework"
)

// group is what a framework makes of what it reads: who the peer is, how many
// there are, and where they meet.
type group struct {
	Size, Index int
	Meet        string
	All         []string
}

// readers read a peer's surroundings as the frameworks do. They are written
// from the sources that the table names, without a word from it: they are the
// oracle. A reader fails on what its framework would not read.
var readers = map[string]func(t *testing.T, p pod) group{
	"Torchrun": func(t *testing.T, p pod) group {
		// torch/distributed/argparse_util.py: the environment variable of a flag is
		// PET_ and its destination in capitals; these are the flags of run.py.
		flags := strings.Fields("nnodes nproc_per_node rdzv_backend rdzv_endpoint rdzv_id rdzv_conf standalone max_restarts monitor_interval start_method role module no_python run_path log_dir redirects tee local_ranks_filter node_rank master_addr master_port local_addr logs_specs")
		for name := range p.env {
			if flag, found := strings.CutPrefix(name, "PET_"); found && !slices.Contains(flags, strings.ToLower(flag)) {
				t.Errorf("torchrun has no flag for %s", name)
			}
		}
		// run.py: a world size or a rank of the user's would be overwritten.
		for _, name := range []string{"RANK", "WORLD_SIZE", "LOCAL_RANK"} {
			if _, found := p.env[name]; found {
				t.Errorf("%s is torchrun's to set", name)
			}
		}
		if p.env["PET_NPROC_PER_NODE"] != "2" {
			t.Errorf("%q processes, want 2", p.env["PET_NPROC_PER_NODE"])
		}
		return group{Size: number(t, p.env["PET_NNODES"]), Index: number(t, p.env["PET_NODE_RANK"]), Meet: p.env["PET_MASTER_ADDR"] + ":" + p.env["PET_MASTER_PORT"]}
	},
	"PyTorch": func(t *testing.T, p pod) group {
		if p.env["LOCAL_RANK"] != "0" {
			t.Errorf("local rank %q", p.env["LOCAL_RANK"])
		}
		return group{Size: number(t, p.env["WORLD_SIZE"]), Index: number(t, p.env["RANK"]), Meet: p.env["MASTER_ADDR"] + ":" + p.env["MASTER_PORT"]}
	},
	"JAX": func(t *testing.T, p pod) group {
		return group{Size: number(t, p.env["JAX_NUM_PROCESSES"]), Index: number(t, p.env["JAX_PROCESS_ID"]), Meet: p.env["JAX_COORDINATOR_ADDRESS"]}
	},
	"TensorFlow": func(t *testing.T, p pod) group {
		var config struct {
			Cluster map[string][]string
			Task    struct {
				Type  string
				Index int
			}
		}
		decoder := json.NewDecoder(strings.NewReader(p.env["TF_CONFIG"]))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&config); err != nil {
			t.Fatalf("TF_CONFIG: %v: %s", err, p.env["TF_CONFIG"])
		}
		all := config.Cluster[config.Task.Type]
		return group{Size: len(all), Index: config.Task.Index, Meet: all[0], All: hosts(t, all)}
	},
	"TPU": func(t *testing.T, p pod) group {
		addresses := strings.Split(p.env["TPU_PROCESS_ADDRESSES"], ",")
		names := strings.Split(p.env["TPU_WORKER_HOSTNAMES"], ",")
		if diff := cmp.Diff(names, hosts(t, addresses)); diff != "" {
			t.Errorf("names and addresses differ: %s", diff)
		}
		if _, port, _ := net.SplitHostPort(addresses[0]); port != p.env["TPU_PROCESS_PORT"] {
			t.Errorf("ports %s and %s", port, p.env["TPU_PROCESS_PORT"])
		}
		return group{Size: len(names), Index: number(t, p.env["TPU_WORKER_ID"]), Meet: addresses[0], All: names}
	},
	"XGBoost": func(t *testing.T, p pod) group {
		return group{Size: number(t, p.env["DMLC_NUM_WORKER"]), Index: number(t, p.env["DMLC_TASK_ID"]), Meet: p.env["DMLC_TRACKER_URI"] + ":" + p.env["DMLC_TRACKER_PORT"]}
	},
	"Dask": func(t *testing.T, p pod) group {
		// dask/config.py: DASK_SCHEDULER_ADDRESS is the key scheduler-address.
		return group{Size: peers(t, p), Index: index(t, p), Meet: address(t, "tcp", p.env["DASK_SCHEDULER_ADDRESS"])}
	},
	"Ray": func(t *testing.T, p pod) group {
		return group{Size: peers(t, p), Index: index(t, p), Meet: p.env["RAY_ADDRESS"]}
	},
	"Spark": func(t *testing.T, p pod) group {
		if got, want := p.env["SPARK_LOCAL_HOSTNAME"], fmt.Sprintf("prod-pi-%d.prod-pi", index(t, p)); got != want {
			t.Errorf("this peer is %s, want %s", got, want)
		}
		if got := p.env["SPARK_MASTER_HOST"] + ":" + p.env["SPARK_MASTER_PORT"]; "spark://"+got != p.env["MASTER"] {
			t.Errorf("the master is at %s, and looked for at %s", got, p.env["MASTER"])
		}
		return group{Size: peers(t, p), Index: index(t, p), Meet: address(t, "spark", p.env["MASTER"])}
	},
	"DeepSpeed": func(t *testing.T, p pod) group {
		// deepspeed/launcher/runner.py: the flags of the launcher, and the file that
		// it reads without being told. With --no_ssh a node is its place in it.
		flags := map[string]string{}
		for _, word := range p.args {
			if name, value, found := strings.Cut(word, "="); found {
				flags[name] = value
			}
		}
		if !slices.Contains(p.args, "--no_ssh") {
			t.Error("the launcher would use ssh")
		}
		lines := strings.Split(strings.TrimSpace(p.files["/job/hostfile"]), "\n")
		for _, line := range lines {
			if _, slots, found := strings.Cut(line, " slots="); !found || slots != "8" {
				t.Errorf("line %q", line)
			}
		}
		return group{Size: len(lines), Index: number(t, flags["--node_rank"]), Meet: flags["--master_addr"] + ":" + flags["--master_port"]}
	},
}

// TestContract reads, for each framework, what every peer of its example sees
// after a rename, and finds one group: the right size, every index once, one
// meeting point, which is a port of the Service.
func TestContract(t *testing.T) {
	for _, entry := range framework.Entries() {
		read, found := readers[entry.Type]
		if !found {
			if !entry.SSH {
				t.Errorf("%s has no reader", entry.Type)
			}
			continue // mpi_test.go runs their script
		}
		t.Run(entry.Type, func(t *testing.T) {
			g := parse(t, example(t, frameworks.Folder(entry.Type)))
			size, name := int(g.Peers()), "prod-"+g.PeerJob.Name
			for i := range size {
				p := podOf(t, g, i)
				var all []string
				for j := range size {
					all = append(all, fmt.Sprintf("%s-%d.%s", name, j, name))
				}
				port := p.service.Spec.Ports[0].Port
				want := group{Size: size, Index: i, Meet: fmt.Sprintf("%s:%d", all[0], port)}
				got := read(t, p)
				if got.All != nil {
					want.All = all
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("peer %d (-want +got):\n%s", i, diff)
				}
				if port != entry.Ports[0].Number {
					t.Errorf("the port is %d, and the framework's default %d", port, entry.Ports[0].Number)
				}
			}
		})
	}
}

// TestContract_elastic has the variables of the c10d rendezvous, and none of
// the static one's.
func TestContract_elastic(t *testing.T) {
	p := podOf(t, parse(t, "metadata: {name: train}\nspec: {peers: 4, framework: {type: Torchrun, port: 1234, elastic: {minPeers: 2, maxRestarts: 3}}, template: {spec: {containers: [{name: w, image: x}]}}}"), 1)
	got := map[string]string{}
	for name, value := range p.env {
		if strings.HasPrefix(name, "PET_") {
			got[name] = value
		}
	}
	want := map[string]string{
		"PET_NNODES": "2:4", "PET_RDZV_BACKEND": "c10d", "PET_RDZV_ENDPOINT": "prod-train-0.prod-train.ml.svc.cluster.local:1234",
		"PET_RDZV_ID": "prod-train", "PET_MAX_RESTARTS": "3",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("variables (-want +got):\n%s", diff)
	}
}

func number(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Errorf("%q is no number", text)
	}
	return n
}

func peers(t *testing.T, p pod) int { return number(t, p.env["PEERJOB_SIZE"]) }

func index(t *testing.T, p pod) int { return number(t, p.env["JOB_COMPLETION_INDEX"]) }

func hosts(t *testing.T, addresses []string) []string {
	t.Helper()
	var all []string
	for _, address := range addresses {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			t.Error(err)
		}
		all = append(all, host)
	}
	return all
}

func address(t *testing.T, scheme, text string) string {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil || u.Scheme != scheme || u.Path != "" {
		t.Errorf("%q is no address with %s://", text, scheme)
		return ""
	}
	return u.Host
}
