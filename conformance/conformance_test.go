// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/peerjob/peerjob/conformance/apiserver"
	"github.com/peerjob/peerjob/conformance/generate"
)

var (
	tries = flag.Int("tries", 2000, "how many PeerJobs to try")
	seed  = flag.Uint64("seed", 1, "the seed of the first PeerJob, which the others count up from; 0 takes one from the clock")
)

// TestConformance holds peerjob to the API server's verdict.
func TestConformance(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs an API server")
	}
	ctx, cancel := signal.NotifyContext(t.Context(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	server := startServer(ctx, t)
	first := *seed
	if first == 0 {
		first = uint64(time.Now().Unix())
	}
	began := time.Now()
	found, err := try(ctx, server, first, *tries)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s", found)
	t.Logf("seeds %d to %d in %v", first, first+uint64(*tries)-1, time.Since(began).Round(100*time.Millisecond))
	for _, line := range found.mostFrequent() {
		t.Logf("refused by both, and only the server says: %s", line)
	}
	if n := found.counts[acceptedByBoth]; *tries >= 100 && n < *tries/4 {
		t.Errorf("only %d of %d were accepted by both: too few to learn much from", n, *tries)
	}
	for _, f := range found.findings {
		f.shrink(ctx, server)
		t.Errorf("%s\n", f)
	}
}

func startServer(ctx context.Context, t *testing.T) *apiserver.Server {
	t.Helper()
	began := time.Now()
	programs, err := apiserver.Build(ctx, "server")
	if err != nil {
		t.Fatal(err)
	}
	built := time.Since(began)
	checkVersion(ctx, t, programs.Version)
	server, err := apiserver.Start(ctx, programs)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	t.Logf("kube-apiserver %s: built in %v, ready in %v", programs.Version, built.Round(100*time.Millisecond), (time.Since(began) - built).Round(100*time.Millisecond))
	return server
}

// checkVersion holds the server to the version of Kubernetes that peerjob asks
// offline.
func checkVersion(ctx context.Context, t *testing.T, server string) {
	t.Helper()
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Version}}", "k8s.io/kubernetes").Output()
	if err != nil {
		t.Fatal(err)
	}
	if offline := strings.TrimSpace(string(out)); offline != server || !strings.HasPrefix(server, "v"+generate.KubernetesVersion+".") {
		t.Fatalf("peerjob asks Kubernetes %s offline, the server is %s, and the PeerJobs are for %s: all must be the same (README.md)",
			offline, server, generate.KubernetesVersion)
	}
}

// results is what came of many PeerJobs.
type results struct {
	counts map[kind]int
	// untold counts what only the server says, and has the first seed of each.
	untold      map[string]int
	firstUntold map[string]uint64
	// findings are the disagreements, one of each reason, the rest counted.
	findings []*finding
}

// finding is a disagreement.
type finding struct {
	seed    uint64
	tree    generate.Object
	verdict verdict
	times   int
}

// try judges PeerJobs, several at a time.
func try(ctx context.Context, server *apiserver.Server, first uint64, n int) (*results, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	seeds := make(chan uint64)
	found := &results{counts: map[kind]int{}, untold: map[string]int{}, firstUntold: map[string]uint64{}}
	var mutex sync.Mutex
	var workers sync.WaitGroup
	for range 2 * runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for seed := range seeds {
				tree := generate.PeerJob(seed)
				v, err := judge(ctx, server, tree)
				if err != nil {
					cancel(fmt.Errorf("seed %d: %w\n%s", seed, err, v.text))
					continue
				}
				mutex.Lock()
				found.add(&finding{seed: seed, tree: tree, verdict: v, times: 1})
				mutex.Unlock()
			}
		})
	}
	for i := range n {
		seeds <- first + uint64(i)
	}
	close(seeds)
	workers.Wait()
	slices.SortFunc(found.findings, func(a, b *finding) int { return cmp.Compare(a.seed, b.seed) })
	return found, context.Cause(ctx)
}

func (r *results) add(f *finding) {
	kind := f.verdict.kind()
	r.counts[kind]++
	switch kind {
	case refusedByBoth:
		for _, message := range f.verdict.untold() {
			if r.untold[message]++; r.untold[message] == 1 || f.seed < r.firstUntold[message] {
				r.firstUntold[message] = f.seed
			}
		}
	case wronglyAccepted, wronglyRefused, readOtherwise:
		for i, other := range r.findings {
			if other.same(&f.verdict) {
				// The lowest seed stays, whichever was judged first.
				if f.seed < other.seed {
					f.times = 0
					f, r.findings[i] = other, f
				}
				r.findings[i].times += f.times
				return
			}
		}
		r.findings = append(r.findings, f)
	}
}

func (r *results) String() string {
	total := 0
	for _, n := range r.counts {
		total += n
	}
	return fmt.Sprintf("%d PeerJobs tried: %d accepted by both, %d refused by both, %d refused by peerjob's own rules; "+
		"accepted by peerjob and refused by the server: %d; refused with the server's reason and accepted by the server: %d; "+
		"accepted by both and read otherwise by the server: %d",
		total, r.counts[acceptedByBoth], r.counts[refusedByBoth], r.counts[refusedByOwnRules], r.counts[wronglyAccepted], r.counts[wronglyRefused], r.counts[readOtherwise])
}

// same reports whether a verdict is the same disagreement.
func (f *finding) same(v *verdict) bool {
	return v.kind() == f.verdict.kind() && v.reason() == f.verdict.reason()
}

// shrink leaves out of the PeerJob what does not matter.
func (f *finding) shrink(ctx context.Context, server *apiserver.Server) {
	f.tree = shrink(f.tree, func(smaller generate.Object) bool {
		v, err := judge(ctx, server, smaller)
		if err != nil || !f.same(&v) || len(v.own)+len(v.version) > len(f.verdict.own)+len(f.verdict.version) {
			return false
		}
		f.verdict = v
		return true
	})
}

func (f *finding) String() string {
	what := map[kind]string{
		wronglyAccepted: "accepted by peerjob and refused by the server",
		wronglyRefused:  "refused with the server's reason and accepted by the server",
		readOtherwise:   "accepted by both and read otherwise by the server",
	}[f.verdict.kind()]
	return fmt.Sprintf("%s, seed %d (go test -run TestConformance -tries 1 -seed %d), and %d more like it\n%s",
		what, f.seed, f.seed, f.times-1, f.verdict.report())
}

// mostFrequent returns what only the server says, the most frequent first.
func (r *results) mostFrequent() []string {
	messages := slices.SortedFunc(maps.Keys(r.untold), func(a, b string) int {
		return cmp.Or(cmp.Compare(r.untold[b], r.untold[a]), cmp.Compare(a, b))
	})
	lines := make([]string, 0, len(messages))
	for _, message := range messages[:min(len(messages), 30)] {
		lines = append(lines, fmt.Sprintf("%d times, first seed %d: %s", r.untold[message], r.firstUntold[message], message))
	}
	return lines
}
