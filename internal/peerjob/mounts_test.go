// SPDX-License-Identifier: Apache-2.0

package peerjob

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// spec puts fields into the spec of the PeerJob.
func spec(fields string) func(string) string { return swap("peers: 3", "peers: 3\n  "+fields) }

// container puts fields into the container.
func container(fields string) func(string) string { return swap("image: x", "image: x, "+fields) }

// both makes one change after the other.
func both(changes ...func(string) string) func(string) string {
	return func(s string) string {
		for _, change := range changes {
			s = change(s)
		}
		return s
	}
}

// findings returns errors, and warnings with "warning: " before them.
func findings(g *Group, brings Brings) []string {
	var lines []string
	for _, err := range Validate(g, brings) {
		lines = append(lines, err.Error())
	}
	for _, w := range Warn(g, brings) {
		lines = append(lines, "warning: "+w.Field+": "+w.Message)
	}
	return lines
}

const volumes = `volumes: [{name: v, emptyDir: {}}, {name: cm, configMap: {name: c}}, {name: x, configMap: {name: c, defaultMode: 0755}}, {name: items, secret: {secretName: s, items: [{key: a, path: bin/run, mode: 0500}, {key: b, path: bin/plain}, {key: c, path: a}]}},
        {name: all, projected: {sources: [{serviceAccountToken: {path: token}}, {configMap: {name: c, items: [{key: a, path: run.sh}]}}]}}, {name: pvc, persistentVolumeClaim: {claimName: c, readOnly: true}}, {name: csi, csi: {driver: d, readOnly: true}}, {name: open, csi: {driver: d, readOnly: false}}, {name: nfs, nfs: {server: s, path: /p, readOnly: true}}]`

func TestFilePlaces(t *testing.T) {
	file := func(path string) func(string) string { return spec("files: [{path: " + path + "}]") }
	mounted := func(volume string) func(string) string {
		return both(file("/data/x"), pod(volumes), container("volumeMounts: [{name: "+volume+", mountPath: /data}]"))
	}
	const (
		at    = "spec.files[0].path: "
		token = "the token of the ServiceAccount is mounted "
	)
	for name, tt := range map[string]struct {
		change func(string) string
		want   []string
	}{
		"a path like any":               {file("/app/x"), nil},
		"shared memory":                 {file("/dev/shm/x"), nil},
		"the devices":                   {file("/dev"), []string{at + `Invalid value: "/dev": must not be a directory that the runtime makes`}},
		"shared memory itself":          {file("/dev/shm"), []string{at + `Invalid value: "/dev/shm": must not be a directory that the runtime makes`}},
		"a device":                      {file("/dev/x"), []string{"warning: " + at + "/dev/x is among the devices"}},
		"a directory of images":         {file("/usr/bin"), []string{"warning: " + at + "/usr/bin is a directory of most images"}},
		"the hosts":                     {file("/etc/hosts"), []string{"warning: " + at + "it takes the place of what the kubelet writes, with localhost"}},
		"the host name":                 {file("/etc/hostname"), []string{"warning: " + at + "it takes the place of what the runtime writes"}},
		"the resolver's":                {file("/etc/resolv.conf"), []string{"warning: " + at + "it takes the place of what the kubelet writes, and peer names"}},
		"below the hosts":               {file("/etc/hosts/x"), []string{at + `Invalid value: "/etc/hosts/x": must not be below /etc/hosts`}},
		"the termination message":       {file("/dev/termination-log"), []string{at + `Invalid value: "/dev/termination-log": must not be at or below /dev/termination-log, where the kubelet mounts an empty file for the termination message of the container w`}},
		"a termination message":         {both(file("/x/log"), container("terminationMessagePath: x/log")), []string{at + `Invalid value: "/x/log": must not be at or below /x/log`}},
		"below a termination message":   {both(file("/x/log/y"), container("terminationMessagePath: /x/log")), []string{at + `Invalid value: "/x/log/y": must not be at or below /x/log`}},
		"above a termination message":   {both(file("/x"), container("terminationMessagePath: /x/log")), []string{at + `Invalid value: "/x": must not be above /x/log`}},
		"beside a termination message":  {both(file("/x/log2"), container("terminationMessagePath: /x/log")), nil},
		"another's termination message": {both(swap("containers: [", "containers: [{name: v, image: y}, "), container("terminationMessagePath: /x/log"), spec("files: [{path: /x/log, containers: [v]}]")), nil},
		"the working directory":         {both(file("/work"), container("workingDir: /work")), []string{at + `Invalid value: "/work": must not be at or above /work, the workingDir of the container w`}},
		"above the working directory":   {both(file("/work"), container("workingDir: /work/a/")), []string{at + `Invalid value: "/work": must not be at or above /work/a/`}},
		"in the working directory":      {both(file("/work/a"), container("workingDir: /work")), nil},
		"beside the token":              {file("/var/run/secrets/kubernetes.io/serviceaccount/x"), []string{"warning: " + at + token + "read-only at /var/run/secrets/kubernetes.io/serviceaccount: the container never starts"}},
		"beside the token, by the link": {file("/run/secrets/kubernetes.io/serviceaccount/x"), []string{"warning: " + at + token + "read-only"}},
		"in the token's place":          {file("/var/run/secrets/kubernetes.io/serviceaccount"), []string{"warning: " + at + "it takes the place of the token"}},
		"above the token":               {file("/var/run/secrets"), []string{"warning: " + at + token + "at /var/run"}},
		"another secret":                {file("/var/run/secrets/mine"), nil},
		"without a token":               {both(file("/var/run/secrets/kubernetes.io/serviceaccount/x"), pod("automountServiceAccountToken: false")), nil},
		"a writable volume":             {mounted("v"), nil},
		"a ConfigMap":                   {mounted("cm"), []string{"warning: " + at + "the container w mounts the volume cm read-only at /data: it never starts unless the volume has a file x"}},
		"a read-only claim":             {mounted("pvc"), []string{"warning: " + at + "the container w mounts the volume pvc read-only"}},
		"a read-only driver":            {mounted("csi"), []string{"warning: " + at + "the container w mounts the volume csi read-only"}},
		"another driver":                {mounted("open"), nil},
		"read-only NFS":                 {mounted("nfs"), []string{"warning: " + at + "the container w mounts the volume nfs read-only"}},
	} {
		t.Run(name, func(t *testing.T) { compareFindings(t, decodeValid(t, tt.change), tt.want) })
	}
}

// compareFindings holds findings to their beginnings.
func compareFindings(t *testing.T, g *Group, want []string) {
	t.Helper()
	got := findings(g, nil)
	for i := range got {
		if i < len(want) && strings.HasPrefix(got[i], want[i]) {
			got[i] = want[i]
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWarnMounts(t *testing.T) {
	mounts := func(mounts string) func(string) string {
		return both(pod(volumes), container("volumeMounts: ["+mounts+"]"))
	}
	const at = "warning: spec.template.spec.containers[0].volumeMounts[1].mountPath: "
	for name, tt := range map[string]struct {
		change func(string) string
		want   []string
	}{
		"beside":               {mounts("{name: cm, mountPath: /etc/app}, {name: v, mountPath: /etc/app2}"), nil},
		"below a ConfigMap":    {mounts("{name: cm, mountPath: /etc/app/}, {name: v, mountPath: /etc/app/tmp/x}"), []string{at + "is below /etc/app/, where the volume cm is mounted read-only: the container never starts unless the volume has tmp/x; choose a path outside of it"}},
		"one file of another":  {mounts("{name: all, mountPath: /etc/app}, {name: cm, mountPath: /etc/app/a, subPath: a}"), []string{at + "is below /etc/app, where the volume all"}},
		"above it":             {mounts("{name: v, mountPath: /etc}, {name: cm, mountPath: /etc/app}"), nil},
		"below a writable one": {mounts("{name: cm, mountPath: /etc}, {name: v, mountPath: /etc/app}, {name: v, mountPath: /etc/app/tmp}"), []string{at + "is below /etc, "}},
		"a directory of it":    {mounts("{name: items, mountPath: /etc/app}, {name: v, mountPath: /etc/app/bin}"), nil},
		"a file of it":         {mounts("{name: items, mountPath: /etc/app}, {name: v, mountPath: /etc/app/a, subPath: a}"), nil},
		"below a claim":        {mounts("{name: pvc, mountPath: /data}, {name: v, mountPath: /data/tmp}"), nil}, // it may have one
		"below the token":      {mounts("{name: v, mountPath: /x}, {name: v, mountPath: /var/run/secrets/kubernetes.io/serviceaccount/x}"), []string{at + "is below the directory where the token"}},
		"in the token's place": {mounts("{name: v, mountPath: /x}, {name: all, mountPath: /var/run/secrets/kubernetes.io/serviceaccount}"), nil},
	} {
		t.Run(name, func(t *testing.T) { compareFindings(t, decodeValid(t, tt.change), tt.want) })
	}
}

func TestPrograms(t *testing.T) {
	file := spec("files: [{path: /app/run.sh}, {path: /init/run.sh, containers: [i]}]")
	mounts := func(mounts, fields string) func(string) string {
		return both(pod(volumes), container("volumeMounts: ["+mounts+"], "+fields))
	}
	const at = "spec.template.spec.containers[0]."
	for name, tt := range map[string]struct {
		change func(string) string
		want   []string
	}{
		"a file":                {both(file, pod("initContainers: [{name: i}]"), container("command: [/app/run.sh]")), []string{at + `command[0]: Invalid value: "/app/run.sh": is not executable: it is spec.files[0], with the mode 0644; write its interpreter before it, such as sh or python`}},
		"with an interpreter":   {both(file, pod("initContainers: [{name: i}]"), container("command: [bash, /app/run.sh], args: [/app/run.sh]")), nil},
		"of an init container":  {both(file, pod("initContainers: [{name: i, command: [/init/run.sh]}]"), container("command: [/init/run.sh]")), []string{`spec.template.spec.initContainers[0].command[0]: Invalid value`}},
		"of a probe and a hook": {both(file, pod("initContainers: [{name: i}]"), container("livenessProbe: {exec: {command: [/app/run.sh]}}, lifecycle: {preStop: {exec: {command: [/app/run.sh]}}}")), []string{at + "livenessProbe.exec.command[0]: Invalid value", at + "lifecycle.preStop.exec.command[0]: Invalid value"}},
		"in a script":           {both(file, pod("initContainers: [{name: i}]"), container(`command: [sh, -c, 'set -e; A=b exec /app/run.sh x && sh /app/run.sh; cat /app/run.sh > /app/run.sh']`)), []string{"warning: " + at + "command[2]: /app/run.sh is not executable: it is spec.files[0]"}},
		"of a ConfigMap":        {mounts("{name: cm, mountPath: /app}", "command: [/app/run.sh]"), []string{at + `command[0]: Invalid value: "/app/run.sh": is not executable: it is in the volume cm, with the mode 0644; set the volume's defaultMode to 0755, or write its interpreter before it, such as sh or python`}},
		"with a mode":           {mounts("{name: x, mountPath: /app}", "command: [/app/run.sh]"), nil},
		"with a mode of one":    {mounts("{name: items, mountPath: /app}", "command: [/app/bin/run]"), nil},
		"with no mode of one":   {mounts("{name: items, mountPath: /app/}", "command: [/app/bin/plain]"), []string{at + `command[0]: Invalid value: "/app/bin/plain": is not executable: it is in the volume items`}},
		"a sub-path":            {mounts("{name: items, mountPath: /usr/bin/run, subPath: bin/plain}", "command: [/usr/bin/run]"), []string{at + "command[0]: Invalid value"}},
		"a sub-path, with mode": {mounts("{name: items, mountPath: /usr/bin/run, subPath: bin/run}", "command: [/usr/bin/run]"), nil},
		"not there":             {mounts("{name: items, mountPath: /app}", "command: [/app/other]"), nil},
		"a volume of another":   {mounts("{name: v, mountPath: /app}", "command: [/app/run.sh]"), nil},
		"covered":               {mounts("{name: cm, mountPath: /app}, {name: v, mountPath: /app/bin}", "command: [/app/bin/run.sh]"), []string{"warning: " + at + "volumeMounts[1].mountPath: is below /app"}},
		"of several sources":    {mounts("{name: all, mountPath: /app}", "command: [/app/run.sh]"), []string{at + "command[0]: Invalid value"}},
		"of the image":          {mounts("{name: cm, mountPath: /app}", "command: [/bin/run.sh]"), nil},
	} {
		t.Run(name, func(t *testing.T) { compareFindings(t, decodeValid(t, tt.change), tt.want) })
	}
	brought := func(*Group) Brought { return Brought{Command: func(string) bool { return true }} }
	if got := findings(decodeValid(t, both(spec("files: [{path: /app/run.sh}]"), container("command: [/app/run.sh]"))), brought); len(got) > 0 {
		t.Errorf("a command that the framework writes: %q", got)
	}
}

func TestWarnPod(t *testing.T) {
	const (
		pods    = "warning: spec.template.spec."
		barrier = "barrier: {start: Enabled, startTimeoutSeconds: 60}\n  runner: {image: 'r:v1'}"
	)
	for name, tt := range map[string]struct {
		change func(string) string
		want   []string
	}{
		"aliases of peers":             {pod("hostAliases: [{ip: 10.0.0.1, hostnames: [storage, train-0, train-1.train, train-2.train.ml.svc.cluster.local]}]"), []string{pods + "hostAliases[0].hostnames[1]: gives the peer train-0 the address 10.0.0.1 in every Pod, and DNS is not asked for it; remove it", pods + "hostAliases[0].hostnames[2]: ", pods + "hostAliases[0].hostnames[3]: "}},
		"aliases of others":            {pod("hostAliases: [{ip: 10.0.0.1, hostnames: [train, train-x, train-0.other, my-train-0, train-0.train-x]}]"), nil},
		"one dot":                      {pod("dnsConfig: {options: [{name: edns0}, {name: ndots, value: '1'}]}"), []string{pods + "dnsConfig.options[1].value: with ndots 1, peers' names, which have one dot, are first looked up without the search domains"}},
		"no dot":                       {pod("dnsConfig: {options: [{name: ndots, value: '0'}]}"), []string{pods + "dnsConfig.options[0].value: with ndots 0"}},
		"two dots":                     {pod("dnsConfig: {options: [{name: ndots, value: '2'}, {name: timeout, value: '1'}]}"), nil},
		"dots without a number":        {pod("dnsConfig: {options: [{name: ndots}]}"), nil},
		"a deadline of the Pod":        {both(spec(barrier), pod("activeDeadlineSeconds: 59"), container("command: [a]")), []string{pods + "activeDeadlineSeconds: ends a Pod after 59 s, before the peers that wait stop and name those that are missing (spec.barrier.startTimeoutSeconds is 60); set that lower"}},
		"a longer deadline":            {both(spec(barrier), pod("activeDeadlineSeconds: 60"), container("command: [a]")), nil},
		"a deadline without a barrier": {pod("activeDeadlineSeconds: 1"), nil},
		"few failures of all":          {spec("backoffLimit: 3\n  backoffLimitPerIndex: 3"), []string{"warning: spec.backoffLimit: counts the failures of all peers together, and ends the Job after 4 of them, before a peer can have failed more often than spec.backoffLimitPerIndex says (3); leave it out"}},
		"no failure of all":            {spec("backoffLimit: 0\n  backoffLimitPerIndex: 0"), []string{"warning: spec.backoffLimit: counts the failures of all peers together, and ends the Job after the first one"}},
		"more failures of all":         {spec("backoffLimit: 4\n  backoffLimitPerIndex: 3"), nil},
		"a bare name as an address":    {container("env: [{name: MASTER_ADDR, value: train-0}], args: ['spark://train-0:7077', train-1.train, train-1]"), []string{"warning: spec.template.spec.containers[0].args[0]: names the peer train-0 without its Service, and DNS has no such name; write train-0.train", "warning: spec.template.spec.containers[0].env[0].value: names the peer train-0"}},
		"a bare name of others":        {container("env: [{name: MASTER_ADDR, value: serve-0}]"), nil},
		"a bare name that is found":    {both(pod("dnsConfig: {searches: [train.ml.svc.cluster.local]}"), container("env: [{name: MASTER_ADDR, value: train-0}]")), nil},
		"a spread of others":           {pod("topologySpreadConstraints: [{maxSkew: 1, topologyKey: z, whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {app: a}}}]"), []string{pods + "topologySpreadConstraints[0].labelSelector: selects none of the peers, so they are not spread; write a label of the Pod template's metadata"}},
		"a spread of nothing":          {pod("topologySpreadConstraints: [{maxSkew: 1, topologyKey: z, whenUnsatisfiable: DoNotSchedule}]"), []string{pods + "topologySpreadConstraints[0].labelSelector: selects none"}},
		"a spread of the peers":        {both(swap("    spec:", "    metadata: {labels: {app: a}}\n    spec:"), pod("topologySpreadConstraints: [{maxSkew: 1, topologyKey: z, whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {app: a}}}, {maxSkew: 1, topologyKey: y, whenUnsatisfiable: DoNotSchedule, labelSelector: {}, matchLabelKeys: [job-name]}]")), nil},
		"a spread by the controller":   {pod("topologySpreadConstraints: [{maxSkew: 1, topologyKey: z, whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {job-name: train}}}, {maxSkew: 1, topologyKey: y, whenUnsatisfiable: DoNotSchedule, labelSelector: {matchExpressions: [{key: x.io/y, operator: Exists}]}}]"), nil},
		"failures of all alone":        {spec("backoffLimit: 0"), nil},
	} {
		t.Run(name, func(t *testing.T) { compareFindings(t, decodeValid(t, tt.change), tt.want) })
	}
}

func TestContainers(t *testing.T) {
	const at = "spec.template.spec.containers[0]."
	for name, tt := range map[string]struct {
		change func(string) string
		want   []string
	}{
		"root, and not":              {container("securityContext: {runAsNonRoot: true, runAsUser: 0}"), []string{at + "securityContext.runAsUser: Invalid value: 0: is root, and runAsNonRoot is true: the container w never starts"}},
		"root of the Pod":            {both(pod("securityContext: {runAsUser: 0}"), container("securityContext: {runAsNonRoot: true}")), []string{"spec.template.spec.securityContext.runAsUser: Invalid value: 0"}},
		"not root of the Pod":        {both(pod("securityContext: {runAsNonRoot: true}"), container("securityContext: {runAsUser: 0}")), []string{at + "securityContext.runAsUser: Invalid value: 0"}},
		"root after all":             {both(pod("securityContext: {runAsNonRoot: true}"), container("securityContext: {runAsUser: 0, runAsNonRoot: false}")), nil},
		"another user":               {both(pod("securityContext: {runAsNonRoot: true, runAsUser: 0}"), container("securityContext: {runAsUser: 1}")), nil},
		"a port without ports":       {container("livenessProbe: {httpGet: {port: web}}, readinessProbe: {tcpSocket: {port: '80'}}"), []string{at + `livenessProbe.httpGet.port: Invalid value: "web": must be a number, or the name of a port of the container w, which has none with a name`}},
		"a port of others":           {container("ports: [{containerPort: 80, name: http}], startupProbe: {tcpSocket: {port: web}}, lifecycle: {postStart: {httpGet: {port: web}}, preStop: {httpGet: {port: http}}}"), []string{at + `startupProbe.tcpSocket.port: Unsupported value: "web": supported values: "http"`, at + "lifecycle.postStart.httpGet.port: Unsupported value"}},
		"a shell without a script":   {container("command: [sh, -c]"), []string{"warning: " + at + "command[1]: is for a script, and there is none"}},
		"a script of one word":       {container("command: [bash, -ec, python, train.py]"), []string{"warning: " + at + "command[2]: is the whole script, and the shell runs it without the words behind it; write them all in one string, or leave out bash and -ec"}},
		"a script in args":           {container("command: [/bin/sh, -c], args: [python, train.py]"), []string{"warning: " + at + "args[0]: is the whole script"}},
		"a script with parameters":   {container(`command: [sh, -c, 'exec "$@"', sh, train.py]`), nil},
		"parameters of one word":     {container(`command: [sh, -c, '$0', train.py]`), nil},
		"a script behind options":    {container("command: [bash, -c, --], args: [train x]"), nil},
		"one word behind options":    {container("command: [bash, -c, -e, --, python, train.py]"), []string{"warning: " + at + "command[4]: is the whole script"}},
		"options and no script":      {container("command: [bash, -c, --]"), []string{"warning: " + at + "command[1]: is for a script"}},
		"a script alone":             {container("command: [sh, -c, train]"), nil},
		"a script of several words":  {container("command: [sh, -c, train x, --]"), nil},
		"a script file":              {container("command: [sh, train.sh, -c, x]"), nil},
		"memory without a unit":      {container("resources: {limits: {memory: 4, cpu: 2}, requests: {memory: 512k}}"), []string{"warning: " + at + "resources.requests[memory]: 512k is in bytes, and no container starts with so few; write a unit, such as 512Gi or 512Mi", "warning: " + at + "resources.limits[memory]: 4 is in bytes"}},
		"no memory":                  {container("resources: {requests: {memory: 0}, limits: {memory: 1Mi}}"), nil},
		"thousandths without a unit": {container("resources: {requests: {cpu: 2000}}"), []string{"warning: " + at + "resources.requests[cpu]: 2k is in cores, and no node has so many: the Pods stay Pending; for thousandths of a core, write 2000m"}},
		"many cores":                 {container("resources: {requests: {cpu: 999, nvidia.com/gpu: 4000}}"), nil},
	} {
		t.Run(name, func(t *testing.T) { compareFindings(t, decodeValid(t, tt.change), tt.want) })
	}
}
