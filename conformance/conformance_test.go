// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/conformance/apiserver"
	"github.com/peerjob/peerjob/conformance/generate"
	"github.com/peerjob/peerjob/conformance/programs"
)

var (
	tries  = flag.Int("tries", 2000, "how many PeerJobs to try")
	seed   = flag.Uint64("seed", 1, "the seed of the first PeerJob, which the others count up from; 0 takes one from the clock")
	server = flag.String("server", "", `the minor version of the API server, such as "1.30"; "all" for every one; the newest if unset`)
)

// TestConformance holds peerjob to the API server's verdict.
func TestConformance(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs an API server")
	}
	ctx, cancel := signal.NotifyContext(t.Context(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	newest := newestServer(ctx, t)
	servers := map[string]serverModule{newest.minor: newest}
	for _, older := range olderServers(t) {
		servers[older.minor] = older
	}
	chosen := []string{cmp.Or(*server, newest.minor)}
	if *server == "all" {
		chosen = slices.Sorted(maps.Keys(servers))
	}
	first := *seed
	if first == 0 {
		first = uint64(time.Now().Unix())
	}
	for _, minor := range chosen {
		module, found := servers[minor]
		if !found {
			t.Fatalf("no server %q: there are %v", minor, slices.Sorted(maps.Keys(servers)))
		}
		t.Run(minor, func(t *testing.T) { testServer(ctx, t, module, newest, first) })
	}
}

// testServer tries PeerJobs on one server.
func testServer(ctx context.Context, t *testing.T, module, newest serverModule, first uint64) {
	server, version, err := module.start(ctx, t)
	if errors.Is(err, programs.ErrNoModules) && os.Getenv("CI") != "true" {
		t.Skipf("kube-apiserver %s can't be built here: %v", module.minor, err)
	}
	if err != nil {
		t.Fatal(err)
	}
	servers := servers{asked: server}
	if module.newest {
		checkOffline(ctx, t, version)
	} else {
		servers.newest = sync.OnceValues(func() (*apiserver.Server, error) {
			server, _, err := newest.start(ctx, t)
			return server, err
		})
	}
	began := time.Now()
	found, err := try(ctx, servers, module, first, *tries)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s", found)
	last := first + uint64(*tries) - 1
	t.Logf("seeds %d to %d in %v", first, last, time.Since(began).Round(100*time.Millisecond))
	t.Logf("refused by peerjob's own rules alone, and accepted by the server:%s", found.ownRules)
	if !module.newest {
		t.Logf("accepted by the server, and refused by the newest one and by peerjob:%s", found.newer)
	}
	t.Logf("refused by both, and only the server says:%s", found.untold)
	t.Logf("| %s | %d to %d | %s |", version, first, last, found.row())
	if n := found.counts[acceptedByBoth]; *tries >= 100 && n < *tries/5 {
		t.Errorf("only %d of %d were accepted by both: too few to learn much from", n, *tries)
	}
	for _, f := range found.findings {
		f.shrink(ctx, servers)
		t.Errorf("%s\n", f)
	}
}

// serverModule is a module that an API server is built from.
type serverModule struct {
	// minor is its version, such as "1.30".
	minor, dir string
	// newest is whether it is the version that peerjob validates with.
	newest bool
}

// kubernetesVersion is spec.kubernetesVersion of the PeerJob of a seed. The
// newest server is also what a PeerJob without a version is for.
func (m serverModule) kubernetesVersion(seed uint64) string {
	if m.newest && seed%2 == 1 {
		return ""
	}
	return m.minor
}

// newestDir is the module of the newest server, and of etcd for all of them.
const newestDir = "server"

// newestServer is the server whose validation code peerjob runs offline.
func newestServer(ctx context.Context, t *testing.T) serverModule {
	t.Helper()
	version, err := programs.Version(ctx, newestDir)
	if err != nil {
		t.Fatal(err)
	}
	minor := strings.TrimPrefix(version[:strings.LastIndex(version, ".")], "v")
	return serverModule{minor: minor, dir: newestDir, newest: true}
}

// checkOffline holds the newest server to the version of Kubernetes that peerjob
// asks offline.
func checkOffline(ctx context.Context, t *testing.T, server string) {
	t.Helper()
	offline, err := programs.Version(ctx, ".")
	if err != nil {
		t.Fatal(err)
	}
	if known := fmt.Sprintf("v1.%d.", v1alpha1.NewestMinor); offline != server || !strings.HasPrefix(server, known) {
		t.Fatalf("peerjob asks Kubernetes %s offline and knows versions up to %s*, and the newest server is %s: all must be the same (README.md)", offline, known, server)
	}
}

// olderServers are those with a folder of their own.
func olderServers(t *testing.T) []serverModule {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(newestDir, "1.*", "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	var older []serverModule
	for _, file := range files {
		dir := filepath.Dir(file)
		older = append(older, serverModule{minor: filepath.Base(dir), dir: dir})
	}
	return older
}

// start builds and runs a server until the end of the test, and returns its
// version.
func (m serverModule) start(ctx context.Context, t *testing.T) (*apiserver.Server, string, error) {
	began := time.Now()
	built, err := apiserver.Build(ctx, m.dir, newestDir)
	if err != nil {
		return nil, "", err
	}
	if !strings.HasPrefix(built.Version, "v"+m.minor+".") {
		return nil, "", fmt.Errorf("%s pins Kubernetes %s", m.dir, built.Version)
	}
	buildTime := time.Since(began)
	server, err := apiserver.Start(ctx, built)
	if err != nil {
		return nil, "", err
	}
	t.Cleanup(server.Stop)
	t.Logf("kube-apiserver %s: built in %v, ready in %v", built.Version, buildTime.Round(100*time.Millisecond), (time.Since(began) - buildTime).Round(100*time.Millisecond))
	return server, built.Version, nil
}

// servers are the server that is asked and, when it is an older one, the newest.
type servers struct {
	asked  *apiserver.Server
	newest func() (*apiserver.Server, error)
}

// judge asks peerjob and the server, and the newest server about what the older
// one accepts and peerjob refuses.
func (s servers) judge(ctx context.Context, tree generate.Object) (verdict, error) {
	v, err := judge(ctx, s.asked, tree)
	if err != nil || s.newest == nil || v.kind() != wronglyRefused {
		return v, err
	}
	newest, err := s.newest()
	if err != nil {
		return v, err
	}
	there, err := judge(ctx, newest, tree)
	v.newestRefuses = !there.accepted()
	return v, err
}

// results is what came of many PeerJobs.
type results struct {
	counts map[kind]int
	// ownRules counts what peerjob alone refuses, newer what an older server would
	// accept, untold what only the server says.
	ownRules, newer, untold tally
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
func try(ctx context.Context, servers servers, module serverModule, first uint64, n int) (*results, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	seeds := make(chan uint64)
	found := &results{counts: map[kind]int{}, ownRules: tally{}, newer: tally{}, untold: tally{}}
	var mutex sync.Mutex
	var workers sync.WaitGroup
	for range 2 * runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for seed := range seeds {
				tree := generate.PeerJob(seed, module.kubernetesVersion(seed), !module.newest)
				v, err := servers.judge(ctx, tree)
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
		// What a server does not have it refuses in many words, and peerjob in one.
		if len(f.verdict.version) == 0 {
			r.untold.add(f.seed, f.verdict.untold()...)
		}
	case refusedByOwnRules:
		r.ownRules.add(f.seed, rules(f.verdict.own)...)
	case refusedByNewer:
		r.newer.add(f.seed, rules(f.verdict.admission)...)
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
	return fmt.Sprintf("%d PeerJobs tried: %d accepted by both, %d refused by both, %d unreadable, %d refused by peerjob's own rules alone, %d by the newest server alone; "+
		"accepted by peerjob and refused by the server: %d; refused with the server's reason and accepted by the server: %d; "+
		"accepted by both and read otherwise by the server: %d",
		r.total(), r.counts[acceptedByBoth], r.counts[refusedByBoth], r.counts[unreadable], r.counts[refusedByOwnRules], r.counts[refusedByNewer],
		r.counts[wronglyAccepted], r.counts[wronglyRefused], r.counts[readOtherwise])
}

func (r *results) total() int {
	total := 0
	for _, n := range r.counts {
		total += n
	}
	return total
}

// row is the counts as cells of the table in docs/conformance.md.
func (r *results) row() string {
	return fmt.Sprintf("%d | %d | %d | %d | %d | %d | %d | %d", r.total(), r.counts[acceptedByBoth], r.counts[refusedByBoth]+r.counts[unreadable],
		r.counts[refusedByOwnRules], r.counts[refusedByNewer], r.counts[wronglyAccepted], r.counts[wronglyRefused], r.counts[readOtherwise])
}

// same reports whether a verdict is the same disagreement.
func (f *finding) same(v *verdict) bool {
	return v.kind() == f.verdict.kind() && v.reason() == f.verdict.reason()
}

// shrink leaves out of the PeerJob what does not matter.
func (f *finding) shrink(ctx context.Context, servers servers) {
	version := kubernetesVersion(f.tree)
	f.tree = shrink(f.tree, func(smaller generate.Object) bool {
		if kubernetesVersion(smaller) != version {
			return false
		}
		v, err := servers.judge(ctx, smaller)
		if err != nil || !f.same(&v) || len(v.own)+len(v.version) > len(f.verdict.own)+len(f.verdict.version) {
			return false
		}
		f.verdict = v
		return true
	})
}

func kubernetesVersion(tree generate.Object) any {
	spec, _ := tree["spec"].(generate.Object)
	return spec["kubernetesVersion"]
}

func (f *finding) String() string {
	what := map[kind]string{
		wronglyAccepted: "accepted by peerjob and refused by the server",
		wronglyRefused:  "refused with the server's reason and accepted by the server",
		readOtherwise:   "accepted by both and read otherwise by the server",
	}[f.verdict.kind()]
	return fmt.Sprintf("%s, seed %d (TRIES=1 SEED=%d), and %d more like it\n%s",
		what, f.seed, f.seed, f.times-1, f.verdict.report())
}

// tally counts messages, and has the first seed of each.
type tally map[string]count

type count struct {
	times int
	first uint64
}

func (t tally) add(seed uint64, messages ...string) {
	for _, message := range messages {
		c, found := t[message]
		if !found || seed < c.first {
			c.first = seed
		}
		c.times++
		t[message] = c
	}
}

// String lists the messages, the most frequent first.
func (t tally) String() string {
	messages := slices.SortedFunc(maps.Keys(t), func(a, b string) int {
		return cmp.Or(cmp.Compare(t[b].times, t[a].times), cmp.Compare(a, b))
	})
	var out strings.Builder
	for _, message := range messages {
		fmt.Fprintf(&out, "\n%d times, first seed %d: %s", t[message].times, t[message].first, message)
	}
	if len(t) == 0 {
		return " none"
	}
	return out.String()
}
