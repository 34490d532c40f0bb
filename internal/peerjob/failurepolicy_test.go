// SPDX-License-Identifier: Apache-2.0

package peerjob

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
)

const (
	failPolicy    = "  failurePolicy: {action: FailPeerJob}"
	restartPolicy = "  failurePolicy: {action: RestartPeerJob, maxRestarts: 3}"
)

// podRules is a podFailurePolicy with these rules.
func podRules(rules string) string { return "\n  podFailurePolicy: {rules: [" + rules + "]}" }

// TestValidate_failurePolicy has everything that can't work with a failure policy, and
// what is like it and can.
func TestValidate_failurePolicy(t *testing.T) {
	const container = "spec.template.spec.containers[0]."
	const disruption = "{action: Ignore, onPodConditions: [{type: DisruptionTarget}]}"
	many := func(n int) string {
		all := make([]string, n)
		for i := range all {
			all[i] = fmt.Sprintf("{action: Count, onExitCodes: {operator: In, values: [%d]}}", i+1)
		}
		return podRules(strings.Join(all, ", "))
	}
	tests := map[string]struct {
		spec, pod string
		// want are the beginnings of the errors, or parts of them behind "...".
		want []string
	}{
		"FailPeerJob":                     {failPolicy, one, nil},
		"RestartPeerJob":                  {restartPolicy, one, nil},
		"no action":                       {"  failurePolicy: {}", one, []string{"spec.failurePolicy.action: Required value: write RestartPeerJob"}},
		"another action":                  {"  failurePolicy: {action: Restart, maxRestarts: 3}", one, []string{`spec.failurePolicy.action: Unsupported value: "Restart": supported values: "FailPeerJob", "RestartPeerJob"`}},
		"no maxRestarts":                  {"  failurePolicy: {action: RestartPeerJob}", one, []string{"spec.failurePolicy.maxRestarts: Required value: "}},
		"the least and the most":          {"  failurePolicy: {action: RestartPeerJob, maxRestarts: 0, backoffSeconds: 0}", one, nil},
		"the most":                        {"  failurePolicy: {action: RestartPeerJob, maxRestarts: 10000, backoffSeconds: 60}", one, nil},
		"out of range":                    {"  failurePolicy: {action: RestartPeerJob, maxRestarts: -1, backoffSeconds: 61}", one, []string{"spec.failurePolicy.maxRestarts: Invalid value: -1: must be between 0 and 10000", "spec.failurePolicy.backoffSeconds: Invalid value: 61: must be between 0 and 60"}},
		"those of the other action":       {"  failurePolicy: {action: FailPeerJob, maxRestarts: 0, backoffSeconds: 1}", one, []string{"spec.failurePolicy.maxRestarts: Forbidden: only RestartPeerJob restarts", "spec.failurePolicy.backoffSeconds: Forbidden: "}},
		"every disruption":                {"  failurePolicy: {action: RestartPeerJob, maxRestarts: 1, onDisruption: Continue}", one, nil},
		"restart on disruption":           {"  failurePolicy: {action: RestartPeerJob, maxRestarts: 1, onDisruption: Restart}", one, nil},
		"fail on disruption":              {"  failurePolicy: {action: FailPeerJob, onDisruption: Fail}", one, nil},
		"continue, and fail else":         {"  failurePolicy: {action: FailPeerJob, onDisruption: Continue}", one, nil},
		"restart on disruption, and fail": {"  failurePolicy: {action: FailPeerJob, onDisruption: Restart}", one, []string{`spec.failurePolicy.onDisruption: Invalid value: "Restart": only RestartPeerJob restarts; write Fail or Continue`}},
		"another disruption":              {"  failurePolicy: {action: FailPeerJob, onDisruption: Ignore}", one, []string{`spec.failurePolicy.onDisruption: Unsupported value: "Ignore": supported values: "Restart", "Fail", "Continue"`}},

		"barriers that are on":      {restartPolicy + "\n  barrier: {start: Enabled, end: Enabled, startTimeoutSeconds: 60}", one, nil},
		"barriers that are off":     {restartPolicy + "\n  barrier: {start: Disabled, end: Disabled}", one, []string{`spec.barrier.start: Invalid value: "Disabled": must be Enabled with failurePolicy.action RestartPeerJob`, `spec.barrier.end: Invalid value: "Disabled": `}},
		"an end timeout":            {restartPolicy + "\n  barrier: {endTimeoutSeconds: 30}", one, []string{"spec.barrier.endTimeoutSeconds: Invalid value: 30: can't be set with failurePolicy.action RestartPeerJob"}},
		"barriers off, FailPeerJob": {failPolicy + "\n  barrier: {start: Disabled, end: Enabled, endTimeoutSeconds: 30}", one, nil},

		"elastic":                           {restartPolicy + "\n  framework: {type: Torchrun, elastic: {minPeers: 1}}", one, []string{"spec.framework.elastic: Forbidden: "}},
		"not elastic":                       {restartPolicy + "\n  framework: {type: Torchrun}", one, nil},
		"limits of the Job":                 {restartPolicy + "\n  backoffLimit: 3\n  backoffLimitPerIndex: 3\n  maxFailedIndexes: 0", one, []string{"spec.backoffLimit: Forbidden: ", "spec.backoffLimitPerIndex: Forbidden: ", "spec.maxFailedIndexes: Forbidden: "}},
		"a limit of the Job, FailPeerJob":   {failPolicy + "\n  backoffLimit: 0", one, nil},
		"a limit of an index, FailPeerJob":  {failPolicy + "\n  backoffLimitPerIndex: 1\n  maxFailedIndexes: 0", one, nil},
		"indexes that may fail":             {failPolicy + "\n  backoffLimitPerIndex: 1\n  maxFailedIndexes: 1", one, []string{"spec.maxFailedIndexes: Invalid value: 1: with spec.failurePolicy and backoffLimitPerIndex"}},
		"indexes that fail without a limit": {failPolicy + "\n  backoffLimitPerIndex: 1", one, []string{"spec.maxFailedIndexes: Required value: "}},
		"replaced when it has failed":       {failPolicy + "\n  podReplacementPolicy: Failed", one, nil},
		"replaced when it ends":             {failPolicy + "\n  podReplacementPolicy: TerminatingOrFailed", one, []string{`spec.podReplacementPolicy: Invalid value: "TerminatingOrFailed": must be Failed with spec.failurePolicy`}},
		"the rest of a Job": {restartPolicy + "\n  suspend: true\n  activeDeadlineSeconds: 7200\n  ttlSecondsAfterFinished: 9\n  successPolicy: {rules: [{succeededIndexes: '0'}]}\n  job: {labels: {kueue.x-k8s.io/queue-name: q}}",
			one, nil},

		"Kueue with fewer peers": {restartPolicy + "\n  job: {annotations: {kueue.x-k8s.io/job-min-parallelism: '1'}}", one, []string{`spec.job.annotations[kueue.x-k8s.io/job-min-parallelism]: Invalid value: "1": Kueue would start fewer peers`}},

		"19 rules, with a leader":    {failPolicy + "\n  successPolicy: {rules: [{succeededIndexes: '0'}]}" + strings.Replace(many(18), "rules: [", "rules: [{action: FailJob, onExitCodes: {operator: In, values: [75, 76]}}, ", 1), one, nil},
		"18 rules":                   {failPolicy + many(18), one, nil},
		"19 rules":                   {failPolicy + many(19), one, []string{"spec.podFailurePolicy.rules: Too many: 19: must have at most 18 items with spec.failurePolicy, which adds 2, and a Job takes no more than 20"}},
		"19 rules, one of which is":  {failPolicy + strings.Replace(many(18), "rules: [", "rules: ["+disruption+", ", 1), one, nil},
		"FailIndex":                  {restartPolicy + podRules("{action: FailIndex, onExitCodes: {operator: In, values: [3]}}"), one, []string{`spec.podFailurePolicy.rules[0].action: Invalid value: "FailIndex": an index can't fail alone`}},
		"other actions":              {restartPolicy + podRules("{action: FailJob, onExitCodes: {operator: In, values: [3]}}, {action: Ignore, onExitCodes: {operator: In, values: [4]}}, {action: Count, onExitCodes: {operator: In, values: [5]}}"), one, nil},
		"76 ignored":                 {restartPolicy + podRules("{action: Ignore, onExitCodes: {operator: In, values: [3, 76]}}"), one, []string{"spec.podFailurePolicy.rules[0].onExitCodes.values: Invalid value: [3, 76]: matches 76, ...; remove 76"}},
		"76 counted":                 {failPolicy + podRules("{action: Count, onExitCodes: {containerName: w, operator: NotIn, values: [3]}}"), one, []string{"spec.podFailurePolicy.rules[0].onExitCodes.values: Invalid value: [3]: ...; add 76 to the values"}},
		"76 of another container":    {failPolicy + podRules("{action: Ignore, onExitCodes: {containerName: s, operator: In, values: [76]}}"), "initContainers: [{name: s, image: x, restartPolicy: Always}], " + one, nil},
		"76 behind a rule about it":  {failPolicy + podRules("{action: FailJob, onExitCodes: {operator: In, values: [76]}}, {action: Count, onExitCodes: {operator: NotIn, values: [3]}}"), one, nil},
		"everything but 76 ignored":  {failPolicy + podRules("{action: Ignore, onExitCodes: {operator: NotIn, values: [76]}}"), one, nil},
		"a disruption that is fatal": {failPolicy + podRules("{action: FailJob, onPodConditions: [{type: DisruptionTarget}]}"), one, nil},

		"OnFailure":                   {failPolicy, "restartPolicy: OnFailure, " + one, []string{`spec.template.spec.restartPolicy: Invalid value: "OnFailure": must be Never with spec.failurePolicy`}},
		"OnFailure of the container":  {failPolicy, with("restartPolicy: OnFailure"), []string{container + `restartPolicy: Invalid value: "OnFailure": must be Never`}},
		"Never, of the container":     {failPolicy, with("restartPolicy: Never"), nil},
		"rules of the container":      {failPolicy, with("restartPolicy: Never, restartPolicyRules: [{action: Restart, exitCodes: {operator: In, values: [3]}}]"), []string{container + "restartPolicyRules: Forbidden: "}},
		"a second container":          {failPolicy, "containers: [{name: w, image: x, command: [a]}, {name: v, image: x}]", []string{`spec.template.spec.containers: Invalid value: [w, v]: must be one container with spec.failurePolicy`}},
		"a second container, named":   {failPolicy + "\n  runner: {container: w}", "containers: [{name: w, image: x, command: [a]}, {name: v, image: x}]", []string{`spec.template.spec.containers: Invalid value: `}},
		"sidecars":                    {restartPolicy, "initContainers: [{name: i, image: x}, {name: s, image: x, restartPolicy: Always}], " + one, nil},
		"no command":                  {failPolicy, "containers: [{name: w, image: x}]", []string{container + "command: Required value: the runner of spec.failurePolicy starts it"}},
		"Windows":                     {failPolicy + "\n  barrier: {end: Enabled}", "os: {name: windows}, " + one, []string{"spec.template.spec.os.name: ...remove spec.barrier and spec.failurePolicy, or"}},
		"no names":                    {failPolicy + "\n  service: {publishNotReadyAddresses: false}", one, []string{"spec.service.publishNotReadyAddresses: Invalid value: false: must be true with spec.failurePolicy: a Pod that is not ready"}},
		"no names for those who wait": {restartPolicy + "\n  service: {publishNotReadyAddresses: false}", one, []string{"spec.service.publishNotReadyAddresses: Invalid value: false: must be true with spec.failurePolicy: a Pod that waits"}},

		"a liveness probe":                   {restartPolicy, with("livenessProbe: {httpGet: {port: 80}}, startupProbe: {httpGet: {port: 80}, failureThreshold: 100}"), []string{container + "livenessProbe: Forbidden: "}},
		"a liveness probe of the runner":     {restartPolicy, with("livenessProbe: {tcpSocket: {port: 7450}}"), nil},
		"a liveness probe, alone":            {restartPolicy, with("livenessProbe: {httpGet: {port: 80}, initialDelaySeconds: 9000}"), []string{container + "livenessProbe: Forbidden: "}},
		"a liveness probe, FailPeerJob":      {failPolicy + "\n  barrier: {end: Enabled}", with("livenessProbe: {httpGet: {port: 80}}"), nil},
		"a startup probe":                    {restartPolicy, with("startupProbe: {httpGet: {port: 80}, failureThreshold: 100}"), nil},
		"a startup probe that is too short":  {restartPolicy, with("startupProbe: {httpGet: {port: 80}, failureThreshold: 3}"), []string{container + "startupProbe.failureThreshold: Invalid value: 3: "}},
		"variables of the runner":            {restartPolicy, with("env: [{name: PEERJOB_ATTEMPT, value: '1'}, {name: PEERJOB_INDEX_FAILURES, value: '1'}, {name: PEERJOB_UID, value: a}]"), []string{container + `env[0].name: Invalid value: "PEERJOB_ATTEMPT": is set by the runner of spec.failurePolicy, with the number of the attempt; remove it`, container + `env[1].name: Invalid value: "PEERJOB_INDEX_FAILURES": is set by peerjob, and read by the runner of spec.failurePolicy; remove it`, container + "env[2].name: "}},
		"variables of the runner, no policy": {bothBarriers, with("env: [{name: PEERJOB_ATTEMPT, value: '1'}, {name: PEERJOB_INDEX_FAILURES, value: '1'}]"), nil},
		"the very variable of the runner":    {restartPolicy, with("env: [{name: PEERJOB_INDEX_FAILURES, valueFrom: {fieldRef: {fieldPath: \"metadata.annotations['batch.kubernetes.io/job-index-failure-count']\"}}}]"), nil},
		"the attempt in a subPathExpr":       {restartPolicy, with("volumeMounts: [{name: v, mountPath: /v, subPathExpr: $(PEERJOB_ATTEMPT)}]"), []string{container + `volumeMounts[0].subPathExpr: Invalid value: "$(PEERJOB_ATTEMPT)": uses $(PEERJOB_ATTEMPT), which no variable sets, ...use it in command or args`}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			errs := Validate(group(t, tt.spec, tt.pod), nil)
			if len(errs) != len(tt.want) {
				t.Fatalf("%d errors, want %d: %v", len(errs), len(tt.want), errs)
			}
			for i, err := range errs {
				start, rest, _ := strings.Cut(tt.want[i], "...")
				if got := err.Error(); !strings.HasPrefix(got, start) || !strings.Contains(got, rest) {
					t.Errorf("error %d is\n%s\nwant\n%s", i, got, tt.want[i])
				}
			}
		})
	}
}

// TestWarn_failurePolicy has what is probably not meant about a failure policy, and about
// the variable that it brings.
func TestWarn_failurePolicy(t *testing.T) {
	const container = "spec.template.spec.containers[0]."
	const values = "spec.podFailurePolicy.rules[0].onExitCodes.values"
	const conditions = "spec.podFailurePolicy.rules[0].onPodConditions"
	rule := func(action, fields string) string {
		return podRules("{action: " + action + ", onExitCodes: {" + fields + "}}")
	}
	const attempt = "args: [--attempt=$(PEERJOB_ATTEMPT)]"
	const leads = "\n  successPolicy: {rules: [{succeededIndexes: '0'}]}"
	tests := map[string]struct {
		spec, pod string
		// want are the fields of the warnings, and parts of them behind "...".
		want []string
	}{
		"a policy alone, with a runner": {failPolicy + "\n  runner: {port: 9000}", one, nil},

		"143 fails the Job":                   {failPolicy + rule("FailJob", "operator: NotIn, values: [3]"), one, []string{values + "...add 143 to the values"}},
		"143 fails the Job, named":            {restartPolicy + rule("FailJob", "operator: In, values: [137, 143]"), one, []string{values + "...remove 143"}},
		"143 is left out":                     {failPolicy + rule("FailJob", "operator: NotIn, values: [0, 143]"), one, nil},
		"143 is counted before it fails":      {failPolicy + podRules("{action: Count, onExitCodes: {operator: In, values: [143]}}, {action: FailJob, onExitCodes: {operator: NotIn, values: [0]}}"), one, nil},
		"143 of another container":            {failPolicy + rule("FailJob", "containerName: s, operator: NotIn, values: [0]"), "initContainers: [{name: s, image: x, restartPolicy: Always}], " + one, nil},
		"143 fails the Job, without a policy": {bothBarriers + rule("FailJob", "operator: NotIn, values: [0]"), one, nil},
		"the attempt":                         {failPolicy, with(attempt), nil},
		"no time for a third Pod":             {restartPolicy + "\n  barrier: {startTimeoutSeconds: 69}", one, []string{"spec.barrier.startTimeoutSeconds...set it to at least 70"}},
		"time for a third Pod":                {restartPolicy + "\n  barrier: {startTimeoutSeconds: 70}", one, nil},
		"no time for a second Pod":            {"  failurePolicy: {action: RestartPeerJob, maxRestarts: 0}\n  barrier: {startTimeoutSeconds: 39}", one, []string{"spec.barrier.startTimeoutSeconds...set it to at least 40"}},
		"time for a second Pod":               {"  failurePolicy: {action: RestartPeerJob, maxRestarts: 1}\n  barrier: {startTimeoutSeconds: 40}", one, nil},
		"time enough for many":                {"  failurePolicy: {action: RestartPeerJob, maxRestarts: 100}\n  barrier: {startTimeoutSeconds: 70}", one, nil},
		"little time, FailPeerJob":            {failPolicy + "\n  barrier: {start: Enabled, startTimeoutSeconds: 5}", one, nil},
		"no limit of the start":               {restartPolicy + "\n  barrier: {startTimeoutSeconds: 0}", "terminationGracePeriodSeconds: 3600, " + one, nil},
		"a long grace":                        {restartPolicy, "terminationGracePeriodSeconds: 3600, " + one, nil},

		"few retries, and a leader":         {failPolicy + leads + "\n  backoffLimit: 0", one, []string{"spec.backoffLimit...is 0: the other peers may crash when those have ended that make the Job succeed, and the Job looks at this limit before it looks for success; remove it, and peerjob sets it to 9, or set it to at least 2"}},
		"enough retries, and a leader":      {failPolicy + leads + "\n  backoffLimit: 2", one, nil},
		"few retries, and no leader":        {failPolicy + "\n  backoffLimit: 0", one, nil},
		"few retries, no policy":            {bothBarriers + leads + "\n  backoffLimit: 0", one, nil},
		"few retries of each, and a leader": {failPolicy + leads + "\n  backoffLimitPerIndex: 0\n  maxFailedIndexes: 0", one, []string{"spec.backoffLimitPerIndex...is 0: the other peers may crash when those have ended that make the Job succeed, and the Job looks at this limit before it looks for success; set it to at least 1"}},
		"a retry of each, few of all":       {failPolicy + leads + "\n  backoffLimitPerIndex: 1\n  maxFailedIndexes: 0\n  backoffLimit: 0", one, []string{"spec.backoffLimit...looks for success; set it to at least 2", "spec.backoffLimit...leave it out"}},
		"no restarts, and a leader":         {"  failurePolicy: {action: RestartPeerJob, maxRestarts: 0}" + leads, one, nil},

		"a condition of every failed Pod":       {restartPolicy + podRules("{action: Ignore, onPodConditions: [{type: Ready, status: 'False'}]}"), one, []string{conditions + "[0]...Ready False is a condition of every failed Pod, and the first rule that matches decides: the Job takes a group that has failed"}},
		"a second one":                          {failPolicy + podRules("{action: Count, onPodConditions: [{type: DisruptionTarget}, {type: PodScheduled}]}"), one, []string{conditions + "[1]...PodScheduled True is a condition of every failed Pod"}},
		"it fails the Job":                      {restartPolicy + podRules("{action: FailJob, onPodConditions: [{type: ContainersReady, status: 'False'}]}"), one, []string{conditions + "[0]...the Job fails with the first Pod that is lost"}},
		"whatever its status":                   {restartPolicy + podRules("{action: Ignore, onPodConditions: [{type: PodReadyToStartContainers, status: 'False'}]}"), one, []string{conditions + "[0]...every failed Pod"}},
		"a status that no failed Pod has":       {restartPolicy + podRules("{action: Ignore, onPodConditions: [{type: Ready}, {type: Initialized, status: 'False'}, {type: PodScheduled, status: 'False'}]}"), one, nil},
		"a condition of some":                   {restartPolicy + podRules("{action: Ignore, onPodConditions: [{type: ConfigIssue, status: 'True'}]}"), one, nil},
		"a condition of every Pod, behind 76":   {restartPolicy + podRules("{action: FailJob, onExitCodes: {operator: In, values: [76]}}, {action: Ignore, onPodConditions: [{type: Ready, status: 'False'}]}"), one, nil},
		"a condition of every Pod, no policy":   {bothBarriers + podRules("{action: Ignore, onPodConditions: [{type: Ready, status: 'False'}]}"), one, nil},
		"a rule against every restart":          {restartPolicy + rule("FailJob", "operator: NotIn, values: [0, 143]"), one, []string{"spec.podFailurePolicy.rules[0].onExitCodes.operator...every exit code but 0 and 143, and"}},
		"a rule against some restarts":          {restartPolicy + rule("FailJob", "operator: In, values: [3]"), one, nil},
		"a rule behind one that ignores others": {restartPolicy + podRules("{action: Ignore, onExitCodes: {operator: NotIn, values: [3, 76]}}, {action: FailJob, onExitCodes: {operator: NotIn, values: [0, 143]}}"), one, nil},
		"a rule against every restart, fails":   {failPolicy + rule("FailJob", "operator: NotIn, values: [0, 143]"), one, nil},

		"a rule about sidecars, too":           {restartPolicy + rule("Ignore", "operator: In, values: [137]"), "initContainers: [{name: s, image: x, restartPolicy: Always}], " + one, []string{`spec.podFailurePolicy.rules[0].onExitCodes...set containerName to "w"`}},
		"a rule about a sidecar":               {failPolicy + rule("Count", "containerName: s, operator: NotIn, values: [0]"), "initContainers: [{name: s, image: x, restartPolicy: Always}], " + one, []string{"spec.podFailurePolicy.rules[0].onExitCodes...remove the rule"}},
		"a rule about the peer alone":          {restartPolicy + rule("Ignore", "containerName: w, operator: In, values: [137]"), "initContainers: [{name: s, image: x, restartPolicy: Always}], " + one, nil},
		"a rule, and no sidecar":               {restartPolicy + rule("Ignore", "operator: In, values: [137]"), "initContainers: [{name: i, image: x}], " + one, nil},
		"the attempt, for a shell":             {restartPolicy, "containers: [{name: w, image: x, command: [sh, -c, 'train $PEERJOB_ATTEMPT']}]", nil},
		"the attempt, misspelt":                {failPolicy, with("args: [$(PEERJOB_ATEMPT)]"), []string{container + "args[0]...did you mean $(PEERJOB_ATTEMPT)?"}},
		"the attempt, without a policy":        {bothBarriers, with(attempt), []string{container + "args[0]...set spec.failurePolicy, or leave it out"}},
		"the attempt, in a script":             {bothBarriers, "containers: [{name: w, image: x, command: [sh, -c, 'train $(PEERJOB_ATTEMPT)']}]", []string{container + "command[2]...set spec.failurePolicy"}},
		"the attempt, in an init container":    {failPolicy, "initContainers: [{name: i, image: x, " + attempt + "}], " + one, []string{`spec.template.spec.initContainers[0].args[0]...only the container with the runner has, "w",`}},
		"the attempt, in a variable":           {failPolicy, with("env: [{name: A, value: $(PEERJOB_ATTEMPT)}]"), []string{container + "env[0].value...only command and args see"}},
		"the attempt, in another field":        {failPolicy, with("workingDir: /work/$(PEERJOB_ATTEMPT)"), []string{container + "workingDir...let the command do it"}},
		"a variable of one's own of that name": {"  peerEnv: Disabled", with("args: [$(PEERJOB_ATTEMPT)], env: [{name: PEERJOB_ATTEMPT, value: a}]"), nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			g := group(t, tt.spec, tt.pod)
			if errs := Validate(g, nil); len(errs) > 0 {
				t.Fatal(errs)
			}
			got := Warn(g, nil)
			if len(got) != len(tt.want) {
				t.Fatalf("%d warnings, want %d: %v", len(got), len(tt.want), got)
			}
			for i, w := range got {
				at, rest, _ := strings.Cut(tt.want[i], "...")
				if w.Field != at || !strings.Contains(w.Message, rest) {
					t.Errorf("warning %d is\n%s: %s\nwant\n%s", i, w.Field, w.Message, tt.want[i])
				}
			}
		})
	}
}

// TestFailureRules has the rules that a policy adds, and those of the user's that say the
// same.
func TestFailureRules(t *testing.T) {
	const disrupted, on76, others = "Ignore DisruptionTarget=True", "FailJob w In [76]", "FailJob w NotIn [0 143]"
	tests := map[string]struct {
		spec    string
		success bool
		want    []string
	}{
		"success":                       {failPolicy, true, []string{disrupted, "FailJob w In [75 76]"}},
		"success, RestartPeerJob":       {restartPolicy, true, []string{disrupted, on76}},
		"no policy":                     {bothBarriers, false, nil},
		"FailPeerJob":                   {failPolicy, false, []string{disrupted, others}},
		"RestartPeerJob":                {restartPolicy, false, []string{disrupted, on76}},
		"others of the user's":          {restartPolicy + podRules("{action: FailJob, onExitCodes: {operator: In, values: [3]}}, {action: Ignore, onPodConditions: [{type: Ready}]}"), false, []string{disrupted, on76}},
		"the same condition":            {restartPolicy + podRules("{action: Ignore, onPodConditions: [{type: DisruptionTarget, status: 'True'}]}"), false, []string{on76}},
		"the same, by default":          {restartPolicy + podRules("{action: Ignore, onPodConditions: [{type: DisruptionTarget}]}"), false, []string{on76}},
		"the condition, untrue":         {restartPolicy + podRules("{action: Ignore, onPodConditions: [{type: DisruptionTarget, status: 'False'}]}"), false, []string{disrupted, on76}},
		"the condition, and another":    {restartPolicy + podRules("{action: Ignore, onPodConditions: [{type: DisruptionTarget}, {type: Ready}]}"), false, []string{disrupted, on76}},
		"the condition, counted":        {restartPolicy + podRules("{action: Count, onPodConditions: [{type: DisruptionTarget}]}"), false, []string{disrupted, on76}},
		"the same code":                 {restartPolicy + podRules("{action: FailJob, onExitCodes: {containerName: w, operator: In, values: [76]}}"), false, []string{disrupted}},
		"the same code of any":          {restartPolicy + podRules("{action: FailJob, onExitCodes: {operator: In, values: [76]}}"), false, []string{disrupted}},
		"the same code of another":      {restartPolicy + podRules("{action: FailJob, onExitCodes: {containerName: s, operator: In, values: [76]}}"), false, []string{disrupted, on76}},
		"the same codes, without 0":     {failPolicy + podRules("{action: FailJob, onExitCodes: {operator: NotIn, values: [143]}}"), false, []string{disrupted}},
		"the same codes, and one more":  {failPolicy + podRules("{action: FailJob, onExitCodes: {operator: NotIn, values: [0, 3, 143]}}"), false, []string{disrupted, others}},
		"76, which FailPeerJob has too": {failPolicy + podRules("{action: FailJob, onExitCodes: {operator: In, values: [76]}}"), false, []string{disrupted, others}},
		"both":                          {restartPolicy + podRules("{action: Ignore, onPodConditions: [{type: DisruptionTarget}]}, {action: FailJob, onExitCodes: {operator: In, values: [76]}}"), false, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, rule := range group(t, tt.spec, one).FailureRules(tt.success) {
				got = append(got, ruleText(rule))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	// Nobody else says that a group of one has failed.
	if got := ruleText(group(t, failPolicy, one).WithPeers(1).FailureRules(true)[1]); got != others {
		t.Errorf("one peer: %s, want %s", got, others)
	}
}

func ruleText(rule batchv1.PodFailurePolicyRule) string {
	text := string(rule.Action)
	for _, condition := range rule.OnPodConditions {
		text += fmt.Sprintf(" %s=%s", condition.Type, condition.Status)
	}
	if codes := rule.OnExitCodes; codes != nil {
		text += fmt.Sprintf(" %s %s %v", *codes.ContainerName, codes.Operator, codes.Values)
	}
	return text
}
