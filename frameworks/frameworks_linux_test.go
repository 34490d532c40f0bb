// SPDX-License-Identifier: Apache-2.0

package frameworks

import (
	"bytes"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/peerjob/peerjob/frameworks/pod"
)

// A proof is a PeerJob with one framework, mostly an example, run with the real programs.
type proof struct {
	// example is the folder under examples, or the file under testdata of a PeerJob that is
	// no example.
	example string
	// variant says what is changed in the example, "" for nothing: from the first
	// text to the second. It runs once, and not renamed or failing.
	variant  string
	from, to string
	// needs are the programs' files.
	needs []need
	// image is what the example leaves to its image and Debian has elsewhere.
	image pod.Image
	// sshSecret is the Secret that the example asks the user for, "" for none.
	sshSecret string
	// pattern matches the lines that prove the result, and want are those lines
	// of all Pods together, sorted.
	pattern string
	want    []string
	// claim is the PersistentVolumeClaim that the example asks the user for, "" for none.
	claim string
	// hangs says why the programs may have computed everything and not end, or
	// end badly, "" for never. Such a run proves the result and not the end, and
	// is repeated.
	hangs string
}

// mpichHangs: five ranks wait in the barrier of MPI_Finalize, and the last one
// waits for an answer of theirs while it closes its connections, or one crashes
// there. It happens in up to half of all runs, over TCP alone, too.
const mpichHangs = "MPI_Finalize of MPICH 4.0.2 on UCX"

// attempts are how often a Job that hangs is run.
const attempts = 10

var (
	torchrun = need{"/usr/bin/torchrun", "python3-torch"}
	torch    = need{"/usr/lib/python3/dist-packages/torch/__init__.py", "python3-torch"}
	ssh      = need{"/usr/bin/ssh", "openssh-client"}
	sshd     = need{"/usr/sbin/sshd", "openssh-server"}
	mpi4py   = need{"/usr/lib/python3/dist-packages/mpi4py/__init__.py", "python3-mpi4py"}
	openmpi  = need{"/usr/bin/mpirun.openmpi", "openmpi-bin"}
	mpich    = need{"/usr/bin/mpiexec.mpich", "mpich"}
	dask     = need{"/usr/lib/python3/dist-packages/distributed/__init__.py", "python3-distributed"}
	xgboost  = need{"/usr/lib/python3/dist-packages/xgboost/__init__.py", "python3-xgboost"}
)

var (
	// torchrun of torch 1.13 reads its own default of these two flags wrongly on
	// Python 3.11, where an IntFlag prints as a number.
	imageTorchrun = pod.Image{Env: map[string]string{"PET_REDIRECTS": "9:1", "PET_TEE": "9:1"}}
	// mpirun is Open MPI's in its images; on Debian it is that of an alternative.
	mpirun = pod.File{Path: "/usr/local/bin/mpirun", Link: "/usr/bin/mpirun.openmpi"}
	// A user who is not root must be known in the image, and not be locked.
	passwd = pod.File{Path: "/etc/passwd", Mode: 0o644, Data: []byte(
		"root:x:0:0::/root:/bin/sh\nsshd:x:100:65534::/run/sshd:/usr/sbin/nologin\nmpi:x:3000:3000::/tmp:/bin/sh\n")}
	shadow = pod.File{Path: "/etc/shadow", Mode: 0o600, Data: []byte("root:*:19000::::::\nmpi:*:19000::::::\n")}
)

// inOrder are n lines of a format, in the order of their ranks.
func inOrder(n int, format string, values func(i int) []any) []string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf(format, values(i)...))
	}
	return all
}

var proofs = []proof{
	{
		example: "frameworks/torchrun",
		needs:   []need{torch, torchrun},
		image:   imageTorchrun,
		pattern: `^rank .*`,
		want:    inOrder(6, "rank %d of 6: the sum is 21", func(i int) []any { return []any{i} }),
	},
	{
		example: "frameworks/torchrun",
		variant: "elastic",
		from:    "    processesPerPeer: 2\n",
		to:      "    processesPerPeer: 2\n    elastic: {}\n",
		needs:   []need{torch, torchrun},
		image:   imageTorchrun,
		pattern: `^rank .*`,
		want:    inOrder(6, "rank %d of 6: the sum is 21", func(i int) []any { return []any{i} }),
	},
	{
		example: "frameworks/pytorch",
		needs:   []need{torch},
		pattern: `^rank .*`,
		want:    inOrder(3, "rank %d of 3: the sum is 6", func(i int) []any { return []any{i} }),
	},
	{
		example:   "frameworks/openmpi",
		needs:     []need{openmpi, mpi4py, ssh, sshd},
		image:     pod.Image{Files: []pod.File{mpirun}},
		sshSecret: "sum-ssh",
		pattern:   `^rank .*`,
		want:      inOrder(6, "rank %d of 6 on sum-%d: the sum is 21", func(i int) []any { return []any{i, i / 2} }),
	},
	{
		example:   "frameworks/openmpi",
		variant:   "not root",
		from:      podSpec,
		to:        podSpec + "      securityContext: {runAsUser: 3000, runAsGroup: 3000, fsGroup: 3000}\n",
		needs:     []need{openmpi, mpi4py, ssh, sshd},
		image:     pod.Image{Files: []pod.File{mpirun, passwd, shadow}},
		sshSecret: "sum-ssh",
		pattern:   `^rank .*`,
		want:      inOrder(6, "rank %d of 6 on sum-%d: the sum is 21", func(i int) []any { return []any{i, i / 2} }),
	},
	{
		example:   "frameworks/mpich",
		needs:     []need{mpich, ssh, sshd},
		sshSecret: "sum-ssh",
		pattern:   `^rank .*`,
		want:      inOrder(6, "rank %d of 6 on sum-%d: the sum is 21", func(i int) []any { return []any{i, i / 2} }),
		hangs:     mpichHangs,
	},
	{
		example:   "frameworks/mpich",
		variant:   "not root",
		from:      podSpec,
		to:        podSpec + "      securityContext: {runAsUser: 3000, runAsGroup: 3000, fsGroup: 3000}\n",
		needs:     []need{mpich, ssh, sshd},
		image:     pod.Image{Files: []pod.File{passwd, shadow}},
		sshSecret: "sum-ssh",
		pattern:   `^rank .*`,
		want:      inOrder(6, "rank %d of 6 on sum-%d: the sum is 21", func(i int) []any { return []any{i, i / 2} }),
		hangs:     mpichHangs,
	},
	{
		example: "frameworks/dask",
		needs:   []need{dask, {"/usr/bin/dask", "python3-distributed"}},
		pattern: `^the sum .*`,
		want:    []string{"the sum is 328350, by 3 workers"},
	},
	{
		example: "frameworks/xgboost",
		needs:   []need{xgboost},
		pattern: `^rank .*`,
		want:    inOrder(3, "rank %d of 3: the sum is 6", func(i int) []any { return []any{i} }),
	},
	{
		example:   "roles/mpi-launcher",
		needs:     []need{openmpi, mpi4py, ssh, sshd},
		image:     pod.Image{Files: []pod.File{mpirun}},
		sshSecret: "sum-ssh",
		pattern:   `^rank .*`,
		want:      inOrder(8, "rank %d of 8 on sum-worker-%d: the sum is 36", func(i int) []any { return []any{i, i / 2} }),
	},
	{
		example:   "roles/mpi-launcher",
		variant:   "a launcher that computes",
		from:      "    processesPerPeer: 2\n",
		to:        "    roles: [{name: launcher, processesPerPeer: 2}, {name: worker, processesPerPeer: 3}]\n",
		needs:     []need{openmpi, mpi4py, ssh, sshd},
		image:     pod.Image{Files: []pod.File{mpirun}},
		sshSecret: "sum-ssh",
		pattern:   `^rank .*`,
		want: []string{
			"rank 0 of 8 on sum-launcher-0: the sum is 36", "rank 1 of 8 on sum-launcher-0: the sum is 36",
			"rank 2 of 8 on sum-worker-0: the sum is 36", "rank 3 of 8 on sum-worker-0: the sum is 36", "rank 4 of 8 on sum-worker-0: the sum is 36",
			"rank 5 of 8 on sum-worker-1: the sum is 36", "rank 6 of 8 on sum-worker-1: the sum is 36", "rank 7 of 8 on sum-worker-1: the sum is 36",
		},
	},
	{
		example:   "mpich-roles.yaml",
		variant:   "a launcher without slots",
		needs:     []need{mpich, ssh, sshd},
		sshSecret: "sum-ssh",
		pattern:   `^rank .*`,
		want:      inOrder(4, "rank %d of 4 on sum-worker-%d: the sum is 10", func(i int) []any { return []any{i, i / 2} }),
		hangs:     mpichHangs,
	},
	{
		example: "pytorch-roles.yaml",
		variant: "a master and workers",
		needs:   []need{torch},
		pattern: `^rank .*`,
		want:    inOrder(3, "rank %d of 3: the sum is 6", func(i int) []any { return []any{i} }),
	},
	{
		example: "roles/dask-client",
		needs:   []need{dask, {"/usr/bin/dask", "python3-distributed"}},
		pattern: `^the sum .*`,
		want:    []string{"the sum is 328350, by 3 workers"},
	},
	{
		example: "roles/torchrun-data",
		needs:   []need{torch, torchrun},
		image:   imageTorchrun,
		claim:   "numbers",
		pattern: `^rank .*`,
		want:    inOrder(4, "rank %d of 4: the sum is 5050", func(i int) []any { return []any{i} }),
	},
}

// podSpec is where a Pod's own fields can be put into an example.
const podSpec = "  template:\n    spec:\n"

// TestFrameworks runs each example to its end and reads what it computed.
func TestFrameworks(t *testing.T) {
	require(t, nil)
	for _, p := range proofs {
		t.Run(p.name(), func(t *testing.T) {
			p.succeeds(t, expand(t, p.example, p.peerJob(t)), p.want)
		})
	}
}

// TestFrameworksRenamed runs each example after a layer of kustomize behind
// peerjob has given it another name and another namespace.
func TestFrameworksRenamed(t *testing.T) {
	require(t, nil)
	for _, p := range proofs {
		if p.variant != "" {
			continue
		}
		t.Run(p.name(), func(t *testing.T) {
			objects := rename(t, p.peerJob(t))
			for _, job := range objects.Each() {
				if !strings.HasPrefix(job.Job.Name, "prod-") || job.Namespace() != "ml" {
					t.Fatalf("the Job is %s in %s", job.Job.Name, job.Namespace())
				}
			}
			var want []string
			for _, line := range p.want {
				want = append(want, strings.Replace(line, " on ", " on prod-", 1))
			}
			slices.Sort(want)
			p.succeeds(t, objects, want)
		})
	}
}

// TestFrameworksFail runs each example with its own check turned round: the
// programs find a wrong result, and the Job must fail, and not wait for those
// that serve forever.
func TestFrameworksFail(t *testing.T) {
	require(t, nil)
	check := regexp.MustCompile(`(?m)^( *assert .*)==`)
	for _, p := range proofs {
		if p.variant != "" {
			continue
		}
		t.Run(p.name(), func(t *testing.T) {
			content := p.peerJob(t)
			wrong := check.ReplaceAll(content, []byte("${1}!="))
			if bytes.Equal(content, wrong) {
				t.Fatal("the example checks nothing")
			}
			out := p.run(t, expand(t, p.example, wrong))
			if out.succeeded || !strings.HasPrefix(out.reason, "index ") {
				t.Errorf("the Job succeeded: %v: %s", out.succeeded, out.reason)
			}
			if got := p.computed(out); len(got) > 0 {
				t.Errorf("what the peers computed: %q", got)
			}
		})
	}
}

func (p proof) name() string {
	if p.variant == "" {
		return p.example
	}
	return p.example + ", " + p.variant
}

// peerJob is the PeerJob to run.
func (p proof) peerJob(t *testing.T) []byte {
	t.Helper()
	require(t, p.needs)
	file := filepath.Join("..", "examples", p.example, "peerjob.yaml")
	if strings.HasSuffix(p.example, ".yaml") {
		file = filepath.Join("testdata", p.example)
	}
	content := read(t, file)
	if p.from == "" {
		return content
	}
	if bytes.Count(content, []byte(p.from)) != 1 {
		t.Fatalf("%q is not in the example once", p.from)
	}
	return bytes.Replace(content, []byte(p.from), []byte(p.to), 1)
}

func (p proof) run(t *testing.T, objects *pod.Objects) outcome {
	t.Helper()
	if p.sshSecret != "" {
		objects.Secrets[p.sshSecret] = sshKeys(t, p.sshSecret)
	}
	if p.claim != "" {
		objects.Claims[p.claim] = t.TempDir()
	}
	image := withRunner(t, p.image)
	if p.hangs == "" {
		return run(t, objects, image)
	}
	return runUntilSilent(t, objects, image, silence)
}

func (p proof) succeeds(t *testing.T, objects *pod.Objects, want []string) {
	t.Helper()
	out := p.run(t, objects)
	for n := 1; n < attempts && p.hangs != "" && !out.succeeded && cmp.Equal(want, p.computed(out)); n++ {
		t.Logf("the result is right, and the programs do not end well: %s; once more", p.hangs)
		out = p.run(t, objects)
	}
	if !out.succeeded {
		t.Errorf("the Job failed: %s", out.reason)
	}
	if diff := cmp.Diff(want, p.computed(out)); diff != "" {
		t.Errorf("what the peers computed (-want +got):\n%s", diff)
	}
}

// computed are the lines that prove the result, of all Pods, sorted.
func (p proof) computed(out outcome) []string {
	var all []string
	for _, text := range out.output {
		all = append(all, lines(text, p.pattern)...)
	}
	slices.Sort(all)
	return all
}
