// SPDX-License-Identifier: Apache-2.0

package frameworks

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/peerjob/peerjob/frameworks/pod"
	"github.com/peerjob/peerjob/frameworks/sandbox"
)

var runReal = flag.Bool("real", false, "run the programs (make frameworks-real)")

func TestMain(m *testing.M) {
	sandbox.Main()
	os.Exit(withTemp(m.Run))
}

// withTemp runs tests with a folder of their own for temporary files, which
// goes with them, also when they are interrupted.
func withTemp(run func() int) int {
	dir, err := os.MkdirTemp("", "peerjob-frameworks-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if err := os.Setenv("TMPDIR", dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-interrupted
		os.RemoveAll(dir)
		os.Exit(130)
	}()
	return run()
}

// timeout is how long one Job may take.
const timeout = 5 * time.Minute

// longestGrace bounds the time that a Pod has between SIGTERM and SIGKILL; a
// Pod may ask for more, and a shell as first process uses all of it.
const longestGrace = 5 * time.Second

// need is a file without which a test can't run, and the Debian package that
// has it.
type need struct{ file, pkg string }

// require skips a test when something is missing on this machine, and fails it
// in CI.
func require(t *testing.T, needs []need) {
	t.Helper()
	if !*runReal {
		t.Skip("not asked for: make frameworks-real runs it")
	}
	missing := sandbox.Missing()
	for _, n := range needs {
		if found, _ := filepath.Glob(n.file); len(found) == 0 && missing == "" {
			missing = fmt.Sprintf("%s is not on this machine: Debian's package %s has it (hack/install-frameworks)", n.file, n.pkg)
		}
	}
	if missing == "" {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s, and in CI that is a failure", missing)
	}
	t.Skip(missing)
}

// outcome is how a Job ended, or all Jobs of a PeerJob with roles.
type outcome struct {
	succeeded bool
	reason    string
	// output is what each Pod wrote, by index, one Job after the other.
	output []string
	// codes are the exit codes of the Pods that ended before the last Job did.
	codes map[int]int
}

// silence is how long a Job that may hang goes on without a word.
const silence = 15 * time.Second

// run runs a Job to its end.
func run(t *testing.T, objects *pod.Objects, image pod.Image) outcome {
	t.Helper()
	return runUntilSilent(t, objects, image, timeout)
}

// runUntilSilent runs a Job to its end, or until none of its Pods has written
// anything for so long.
func runUntilSilent(t *testing.T, objects *pod.Objects, image pod.Image, silence time.Duration) outcome {
	t.Helper()
	jobs := objects.Each()
	var addresses []string
	for _, job := range jobs {
		for range job.Size() {
			addresses = append(addresses, sandbox.Address(len(addresses)))
		}
	}
	var pods []*pod.Pod
	var outputs []*output
	for _, job := range jobs {
		for i := range job.Size() {
			p, err := job.Pod(i, addresses, image)
			if err != nil {
				t.Fatalf("%s: index %d: %v", job.Job.Name, i, err)
			}
			pods = append(pods, p)
			outputs = append(outputs, &output{t: t, prefix: p.Hostname, last: time.Now()})
		}
	}
	s, err := sandbox.Start(pods, func(index int) io.Writer { return outputs[index] })
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		s.Close()
		for _, o := range outputs {
			o.close()
		}
	}()
	out := outcome{codes: map[int]int{}}
	deadline := time.After(timeout)
	second := time.NewTicker(time.Second)
	defer second.Stop()
	for out.reason == "" {
		select {
		case exit := <-s.Exits():
			out.codes[exit.Index] = exit.Code
			out.succeeded, out.reason = verdict(jobs, out.codes)
		case <-second.C:
			if !slices.ContainsFunc(outputs, func(o *output) bool { return o.since() < silence }) {
				out.reason = fmt.Sprintf("nothing was written for %v", silence)
			}
		case <-deadline:
			out.reason = fmt.Sprintf("not done in %v", timeout)
		}
	}
	terminate(s, pods, out.codes)
	for _, o := range outputs {
		out.output = append(out.output, o.String())
	}
	t.Logf("the Job succeeded: %v: %s; ended before that: %v", out.succeeded, out.reason, out.codes)
	return out
}

// verdict is what the Job controller makes of the Pods that have ended, by their places
// among those of all Jobs: all Jobs must succeed, and the first that fails decides.
func verdict(jobs []*pod.Objects, codes map[int]int) (succeeded bool, reason string) {
	all, first := true, 0
	for _, job := range jobs {
		ended := map[int]int{}
		for i := range int(job.Size()) {
			if code, over := codes[first+i]; over {
				ended[i] = code
			}
		}
		first += int(job.Size())
		ok, why := job.Verdict(ended)
		if !ok && why != "" {
			return false, why
		}
		all, reason = all && ok, why
	}
	if !all {
		return false, ""
	}
	return true, reason
}

// terminate ends the Pods that are left when the Job is over.
func terminate(s *sandbox.Sandbox, pods []*pod.Pod, ended map[int]int) {
	left := 0
	grace := time.Duration(0)
	for i, p := range pods {
		if _, over := ended[i]; !over {
			s.Terminate(i)
			left++
			grace = max(grace, time.Duration(p.GraceSeconds)*time.Second)
		}
	}
	over := time.After(min(grace, longestGrace))
	for ; left > 0; left-- {
		select {
		case <-s.Exits():
		case <-over:
			return
		}
	}
}

// output keeps what a Pod writes, and shows it line by line.
type output struct {
	t      *testing.T
	prefix string

	mu     sync.Mutex
	all    bytes.Buffer
	shown  int
	last   time.Time
	closed bool
}

// since is how long ago something was written.
func (o *output) since() time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	return time.Since(o.last)
}

func (o *output) Write(data []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all.Write(data)
	o.last = time.Now()
	for !o.closed {
		line, _, found := bytes.Cut(o.all.Bytes()[o.shown:], []byte("\n"))
		if !found {
			break
		}
		o.shown += len(line) + 1
		o.t.Logf("%s: %s", o.prefix, line)
	}
	return len(data), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.all.String()
}

func (o *output) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
}

// lines are the lines of a text that match, in their order.
func lines(text, pattern string) []string {
	return regexp.MustCompile("(?m)"+pattern).FindAllString(text, -1)
}
