// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/google/go-cmp/cmp"
	"github.com/peerjob/peerjob/e2e/cluster"
	"github.com/peerjob/peerjob/e2e/render"
)

// program is what runs in a Pod twice: as process 1 of its container, and behind the
// runner.
type program struct {
	name string
	// script is for bash. command is in place of it.
	script, command string
	// container and pod are further fields, in YAML's form on one line.
	container, pod string
	// restricted enforces that level of Pod Security.
	restricted bool
	// act is what happens to the Pod when every program has printed "ready".
	act func(ctx context.Context, pod *corev1.Pod) error
	// codes are the exit codes of a plain Pod, one for each peer.
	codes []int32
	// runner are those behind the runner where they differ on purpose, and why says why.
	runner []int32
	why    string
}

// outcome is what Kubernetes says of a container that has ended.
type outcome struct {
	Code            int32
	Reason, Message string
	Log             string
}

var exitCodes = []int32{0, 1, 2, 3, 42, 64, 75, 76, 77, 125, 126, 127, 128, 129, 130, 137, 139, 143, 254, 255}

// stateScript prints what a process is given, and leaves out what differs in any two
// Pods, and what docs/runner.md says the runner adds. What bash changes while it runs is
// asked of its children.
const stateScript = `p=/proc/$$
grep -Ev '^(Name|Tgid|Ngid|Pid|PPid|TracerPid|NStgid|NSpid|NSpgid|NSsid|Vm.*|Rss.*|State|Hugetlb.*|Threads|SigQ|Cpus_.*|Mems_.*|.*voluntary_.*|FDSize|Speculation.*)' /proc/self/status
cat $p/limits $p/oom_score_adj
echo terminal, priority, nice, real time:
cut -d' ' -f7,18,19,40,41 $p/stat
tr '\0' '\n' < $p/environ | grep -v '^PEERJOB_' | sort
pwd; readlink $p/cwd $p/root $p/exe
cut -d' ' -f5,6 $p/mountinfo | grep -v '^/peerjob ' | sort
for fd in 0 1 2 3 4 5 6 7 8 9; do readlink /proc/self/fd/$fd; done
id
exit 9
`

// pipeNumber matches the name of a pipe, which has a number of its own.
var pipeNumber = regexp.MustCompile(`pipe:\[\d+\]`)

// waiting ends a script that is to be interrupted.
const waiting = "echo ready\nwhile :; do sleep 0.1; done\n"

// deleted deletes the Pod.
func deleted(grace int64) func(ctx context.Context, pod *corev1.Pod) error {
	return func(ctx context.Context, pod *corev1.Pod) error {
		return kubernetes.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, metav1.DeleteOptions{GracePeriodSeconds: &grace})
	}
}

// typed gives the container its stdin.
func typed(tty bool, text string) func(ctx context.Context, pod *corev1.Pod) error {
	return func(ctx context.Context, pod *corev1.Pod) error {
		var stdin io.Reader = strings.NewReader(text)
		if tty {
			// Whoever has a terminal does not close it.
			read, write := io.Pipe()
			go func() { _, _ = io.WriteString(write, text) }() // an error is one of Attach, too
			stdin = read
		}
		return kubernetes.Attach(ctx, pod, "peer", tty, stdin)
	}
}

const (
	unhandled   = "the kernel drops a signal that process 1 does not handle; behind the runner it ends the command, as everywhere else"
	unstartable = "the runtime can't create the container (StartError, 128); the runner ends with a shell's code and says why"
)

var processPrograms = []program{
	{name: "exit codes", script: "codes=(" + strings.Trim(fmt.Sprint(exitCodes), "[]") + ")\nexit ${codes[JOB_COMPLETION_INDEX]}", codes: exitCodes},
	{name: "termination message", script: "echo bye > /dev/termination-log; exit 3", codes: []int32{3}},
	{name: "termination message at another path, and the log's end", script: "[ $JOB_COMPLETION_INDEX = 1 ] || echo bye > /tmp/last; echo printed; exit 3",
		container: "terminationMessagePath: /tmp/last, terminationMessagePolicy: FallbackToLogsOnError", codes: []int32{3, 3}},

	// Signals of the process itself and of the kernel.
	{name: "faults", script: "ulimit -c 0; f() { f; }; f", codes: []int32{139}},
	{name: "has too little memory", script: "x=$(seq 100000000)", container: "resources: {limits: {memory: 60Mi}}", codes: []int32{137}},
	{name: "has too much CPU time", script: "ulimit -St 1; ulimit -Ht 2; while :; do :; done", codes: []int32{137}, runner: []int32{152}, why: unhandled},
	{name: "handles a signal of its own", script: "trap 'echo got it; exit 9' USR1; kill -USR1 $$; sleep 1", codes: []int32{9}},
	{name: "ends itself with a signal", script: "kill -TERM $$; echo survived", codes: []int32{0}, runner: []int32{143}, why: unhandled},
	{name: "kills a child", script: "sleep 100 & kill -KILL $!; wait $! 2> /dev/null; echo $?", codes: []int32{0}},

	// The Pod is deleted.
	{name: "handles SIGTERM", script: "trap 'echo got it; exit 7' TERM\n" + waiting, act: deleted(20), codes: []int32{7}},
	{name: "handles SIGTERM slowly", script: "trap 'echo got it; sleep 3; echo done; exit 0' TERM\n" + waiting, act: deleted(20), codes: []int32{0}},
	{name: "ignores SIGTERM until the grace is over", script: "trap '' TERM\n" + waiting, act: deleted(3), codes: []int32{137}},
	{name: "does not handle SIGTERM", script: "echo ready; exec sleep 100", act: deleted(3), codes: []int32{137}, runner: []int32{143}, why: unhandled},
	{name: "has a child that handles SIGTERM", script: "trap 'echo got it; exit 7' TERM\n(trap 'echo the child got it; exit' TERM; for ((i = 0; i < 50; i++)); do sleep 0.1; done) &\n" + waiting, act: deleted(20), codes: []int32{7}},
	{name: "has a preStop hook", script: "trap 'cat /tmp/hook; exit 7' TERM\n" + waiting, container: "lifecycle: {preStop: {exec: {command: [bash, -c, 'echo hook > /tmp/hook']}}}", act: deleted(20), codes: []int32{7}},
	{name: "has a stop signal from its image", script: "trap 'echo got it; exit 8' RTMIN+3; trap 'exit 7' TERM\n" + waiting, container: "image: " + toolsImage, act: deleted(20), codes: []int32{8}},
	{name: "has a stop signal from its Pod", script: "trap 'echo got it; exit 8' USR1; trap 'exit 7' TERM\n" + waiting, container: "lifecycle: {stopSignal: SIGUSR1}", pod: "os: {name: linux}", act: deleted(20), codes: []int32{8}},

	// Processes.
	{name: "leaves children", script: "sleep 100 & sleep 100 & exit 3", codes: []int32{3}},
	{name: "leaves a daemon", script: "(setsid sleep 100 &); exit 0", codes: []int32{0}},
	{name: "adopts orphans", script: "for i in {1..50}; do (sleep 0.2 &); done; sleep 2\ngrep -l '^State:.Z' /proc/[0-9]*/status; exit 0", codes: []int32{0}},

	// Input and output.
	{name: "has no stdin", script: "readlink /proc/$$/fd/0; read -r line; echo \"$? [$line]\"", codes: []int32{0}},
	{name: "reads stdin", script: "echo ready; cat; echo the end", container: "stdin: true, stdinOnce: true", act: typed(false, "one\ntwo\n"), codes: []int32{0}},
	{name: "has a terminal", script: "tty; test -t 0 && test -t 1 && test -t 2 && stty -a | tail -n +2; echo ready; read -r line; echo \"got $line\"; exit 5",
		container: "stdin: true, tty: true", act: typed(true, "hello\r"), codes: []int32{5}},
	{name: "has a terminal and gets Ctrl-C", script: "trap 'echo interrupted; exit 4' INT\n" + waiting, container: "stdin: true, tty: true", act: typed(true, "\x03"), codes: []int32{4}},
	{name: "prints much", script: "seq 150000; printf 'no newline'", codes: []int32{0}},
	{name: "prints much to stderr", script: "seq 100000 >&2", codes: []int32{0}},
	{name: "closes its output", script: "exec >&- 2>&-; echo lost; exit $?", codes: []int32{1}},

	// What can't be run.
	{name: "is not there", command: "[/nonexistent]", codes: []int32{128}, runner: []int32{127}, why: unstartable},
	{name: "is not in PATH", command: "[nonexistent]", codes: []int32{128}, runner: []int32{127}, why: unstartable},
	{name: "is a directory", command: "[/tmp]", codes: []int32{128}, runner: []int32{126}, why: unstartable},
	{name: "is not executable", command: "[/etc/passwd]", codes: []int32{128}, runner: []int32{126}, why: unstartable},

	// What a process is given.
	{name: "state", script: stateScript, codes: []int32{9}},
	{name: "state, read-only root", script: "touch /file\n" + stateScript, container: "securityContext: {readOnlyRootFilesystem: true}", codes: []int32{9}},
	{name: "state, user without a name", script: stateScript, pod: "securityContext: {runAsUser: 12345, runAsGroup: 54321, fsGroup: 7, supplementalGroups: [8, 9]}", codes: []int32{9}},
	{name: "state, no capabilities", script: stateScript, container: "securityContext: {capabilities: {drop: [ALL]}}", codes: []int32{9}},
	{name: "state, more capabilities", script: stateScript, container: "securityContext: {capabilities: {add: [NET_ADMIN, SYS_PTRACE]}}", codes: []int32{9}},
	{name: "state, restricted", script: stateScript, restricted: true, codes: []int32{9},
		pod:       "securityContext: {runAsNonRoot: true, runAsUser: 65534, seccompProfile: {type: RuntimeDefault}}",
		container: "securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}"},
	{name: "state, shared process namespace", script: stateScript, pod: "shareProcessNamespace: true", codes: []int32{9}},
	{name: "state, variables", script: stateScript, container: `env: [{name: EMPTY}, {name: A, value: "one\ntwo = $(EMPTY) $$(A)"}, {name: not-a.name, value: x}, {name: GOGC, value: "off"}, {name: GOMAXPROCS, value: "1"}, {name: PATH, value: /usr/bin}]`, codes: []int32{9}},
	{name: "state, working directory", script: stateScript, container: "workingDir: /usr/bin", codes: []int32{9}},
	{name: "state, resources", script: stateScript, container: "resources: {limits: {cpu: 500m, memory: 200Mi}}", codes: []int32{9}},
	{name: "state, terminal", script: stateScript, container: "tty: true", codes: []int32{9}},
	{name: "state, ulimits of the program's own", script: "ulimit -n 300; ulimit -Ss 4096; umask 027\n" + stateScript, codes: []int32{9}},
}

// TestProcess runs the same programs in a plain Pod and behind the runner: Kubernetes
// must see the same exit codes, reasons, termination messages and output.
func TestProcess(t *testing.T) {
	t.Parallel()
	type row struct{ plain, runner map[string]outcome }
	rows := make([]row, len(processPrograms))
	t.Run("all", func(t *testing.T) {
		for i, p := range processPrograms {
			t.Run(p.name, func(t *testing.T) {
				t.Parallel()
				var both sync.WaitGroup
				both.Go(func() { rows[i].plain = p.run(t) })
				both.Go(func() { rows[i].runner = p.run(t, barrier) })
				both.Wait()
				if !t.Failed() {
					p.compare(t, rows[i].plain, rows[i].runner)
				}
			})
		}
	})
	var table strings.Builder
	for i, p := range processPrograms {
		note := "the same"
		if p.why != "" {
			note = "differs: " + p.why
		}
		fmt.Fprintf(&table, "%-52s %-26s %-26s %s\n", p.name, codesOf(rows[i].plain), codesOf(rows[i].runner), note)
	}
	t.Logf("%-52s %-26s %s\n%s", "", "plain Pod", "behind the runner", table.String())
}

// codesOf are the exit codes in the order of the peers.
func codesOf(outcomes map[string]outcome) string {
	var codes []string
	for i := range len(outcomes) {
		codes = append(codes, fmt.Sprint(outcomes[fmt.Sprint(i)].Code))
	}
	if len(codes) > 5 {
		codes = append(codes[:4], "…", codes[len(codes)-1])
	}
	return strings.Join(codes, " ")
}

func (p program) compare(t *testing.T, plain, runner map[string]outcome) {
	t.Helper()
	for i, code := range p.codes {
		index := fmt.Sprint(i)
		want := code
		if p.runner != nil {
			want = p.runner[i]
		}
		if plain[index].Code != code || runner[index].Code != want {
			t.Errorf("peer %d: exit codes %d in a plain Pod and %d behind the runner, want %d and %d\n%+v\n%+v",
				i, plain[index].Code, runner[index].Code, code, want, plain[index], runner[index])
		}
	}
	if p.runner != nil {
		t.Logf("plain %+v\nrunner %+v", plain, runner)
		return
	}
	if diff := cmp.Diff(plain, runner); diff != "" {
		t.Errorf("(-plain +runner):\n%s", diff)
	}
	for index, o := range plain {
		t.Logf("peer %s: %d %s %q\n%.2000s", index, o.Code, o.Reason, o.Message, o.Log)
	}
}

// layer is the program as a PeerJob.
func (p program) layer(t *testing.T, spec ...string) render.Layer {
	t.Helper()
	// Kubernetes takes two dollars in a command for one.
	container, pod := map[string]any{"name": "peer", "image": bashImage, "command": []string{"bash", "-c", strings.ReplaceAll(p.script, "$$", "$$$$")}}, map[string]any{}
	for text, to := range map[string]map[string]any{"{" + p.container + "}": container, "{" + p.pod + "}": pod} {
		if err := yaml.Unmarshal([]byte(text), &to); err != nil {
			t.Fatal(err)
		}
	}
	if p.command != "" {
		var command []string
		if err := yaml.Unmarshal([]byte(p.command), &command); err != nil {
			t.Fatal(err)
		}
		container["command"] = command
	}
	pod["containers"] = []any{container}
	// A peer that fails is no reason to end the others, and is not tried again.
	text, err := yaml.Marshal(map[string]any{"backoffLimitPerIndex": 0, "template": map[string]any{"spec": pod}})
	if err != nil {
		t.Fatal(err)
	}
	return peers(len(p.codes), "", append(spec, string(text))...).Layer
}

// run returns what became of each peer, by index.
func (p program) run(t *testing.T, spec ...string) map[string]outcome {
	t.Helper()
	labels := map[string]string{}
	if p.restricted {
		labels["pod-security.kubernetes.io/enforce"] = "restricted"
	}
	manifest := build(t, newNamespace(t, labels), p.layer(t, spec...))
	job := jobOf(t, manifest)
	if err := kubernetes.Apply(interrupted, job.Namespace, manifest); err != nil {
		t.Errorf("%v\n%s", err, manifest)
		return nil
	}
	ctx := within(t, patience)
	pods, err := kubernetes.WaitForPods(ctx, job.Namespace, job.Name, func(pods []corev1.Pod) bool {
		return len(pods) == len(p.codes) && !slices.ContainsFunc(pods, func(p corev1.Pod) bool { return !started(&p) })
	})
	if err != nil {
		t.Error(err)
		return nil
	}
	outcomes := map[string]outcome{}
	var mutex sync.Mutex
	var all sync.WaitGroup
	for _, pod := range pods {
		all.Go(func() {
			o, err := p.follow(ctx, job, &pod)
			mutex.Lock()
			defer mutex.Unlock()
			outcomes[cluster.Index(&pod)] = o
			if err != nil {
				t.Errorf("%s: %v: %+v", pod.Name, err, o)
			}
		})
	}
	all.Wait()
	return outcomes
}

// started reports whether the container "peer" has run, or could not.
func started(pod *corev1.Pod) bool {
	for _, status := range pod.Status.ContainerStatuses {
		if status.State.Running != nil || status.State.Terminated != nil {
			return true
		}
	}
	return false
}

// follow does to one Pod what is to be done, and returns how its container ended.
func (p program) follow(ctx context.Context, job *batchv1.Job, pod *corev1.Pod) (outcome, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	log := make(chan string, 1)
	go func() {
		// A container that could not be created has no log, which the outcome shows.
		text, _ := kubernetes.FollowLog(ctx, pod, "peer")
		log <- text
	}()
	// An attachment ends with the container, and its error says no more than the outcome.
	acting := make(chan error, 1)
	if p.act != nil {
		if _, err := kubernetes.WaitForLog(ctx, pod, "peer", "ready"); err != nil {
			return outcome{}, err
		}
		go func() { acting <- p.act(ctx, pod) }()
	} else {
		acting <- nil
	}
	last, err := kubernetes.WaitForPod(ctx, job.Namespace, pod.Name, func(pod *corev1.Pod) bool {
		return len(pod.Status.ContainerStatuses) > 0 && pod.Status.ContainerStatuses[0].State.Terminated != nil
	})
	if err != nil {
		cancel()
		return outcome{}, errors.Join(err, <-acting)
	}
	ended := last.Status.ContainerStatuses[0].State.Terminated
	o := outcome{Code: ended.ExitCode, Reason: ended.Reason, Message: withoutRunner(ended.Message)}
	select {
	case text := <-log:
		o.Log = pipeNumber.ReplaceAllString(withoutRunner(text), "pipe:[N]")
	case <-time.After(time.Minute):
		return o, errors.New("the log has no end")
	}
	return o, nil
}
