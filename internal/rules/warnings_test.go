// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/kubernetes/third_party/forked/golang/expansion"
	"sigs.k8s.io/yaml"

	"github.com/peerjob/peerjob/internal/diag"
)

// templateOf returns a Pod template of one container, and of an init container where
// the text has one, from YAML in the place of the container's fields.
func templateOf(t *testing.T, container string) *corev1.PodTemplateSpec {
	t.Helper()
	c := corev1.Container{Name: "w"}
	if err := yaml.UnmarshalStrict([]byte(container), &c); err != nil {
		t.Fatalf("%v\n%s", err, container)
	}
	template := &corev1.PodTemplateSpec{}
	template.Spec.EnableServiceLinks = new(false)
	template.Spec.Containers = []corev1.Container{c}
	return template
}

func jobOf(peers int32) *batchv1.Job {
	return &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: "train"}, Spec: batchv1.JobSpec{Completions: &peers}}
}

// said returns warnings as "field: message", without what is the same in all.
func said(w []diag.Warning) []string {
	var lines []string
	for _, one := range w {
		lines = append(lines, strings.TrimPrefix(one.Field, "template.spec.containers[0].")+": "+one.Message)
	}
	return lines
}

var templatePath = field.NewPath("template")

// compare holds findings to the beginnings of what is wanted.
func compare(t *testing.T, got, want []string) {
	t.Helper()
	short := make([]string, len(got))
	for i := range got {
		short[i] = got[i]
		if i < len(want) && strings.HasPrefix(got[i], want[i]) {
			short[i] = want[i]
		}
	}
	if diff := cmp.Diff(want, short); diff != "" && len(want)+len(got) > 0 {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPeerNames_Stale(t *testing.T) {
	names := PeerNames{Job: "dev-train", Service: "dev-hub", Peers: 4, EarlierJobs: []string{"train", "dev-train"}, EarlierServices: []string{"hub", "dev-hub"}}
	for text, want := range map[string][]string{
		"train-0.hub":                            {"train-0.hub"},
		"--join=train-0.hub:7000":                {"train-0.hub"},
		"tcp://train-3.hub.team.svc":             {"train-3.hub"},
		"a=train-0.hub,b=train-1.hub":            {"train-0.hub", "train-1.hub"},
		"train-0.dev-hub":                        {"train-0.dev-hub"},
		"dev-train-0.hub":                        {"dev-train-0.hub"},
		"train-$(JOB_COMPLETION_INDEX).hub":      {"train-$(JOB_COMPLETION_INDEX).hub"},
		"ping train-${i}.hub; ping train-$i.hub": {"train-${i}.hub", "train-$i.hub"},
		"train-{0..3}.hub":                       {"train-{0..3}.hub"},
		"train-9.hub":                            {"train-9.hub"}, // earlier, whatever its index
		"dev-train-4.dev-hub":                    {"dev-train-4.dev-hub"},
		"dev-train-99999999999999999999.dev-hub": nil, // no index of any Job
		"dev-train-3.dev-hub":                    nil,
		"dev-train-$(X).dev-hub":                 nil,
		"train-0":                                nil, // a bare name may be a StatefulSet's
		"train.hub":                              nil,
		"my-train-0.hub":                         nil,
		"x.train-0.hub":                          nil,
		"train-0.hubs":                           nil,
		"train-0.hub_x":                          nil,
		"train-9.hub.log":                        nil, // a file
		"/data/train-0.hub":                      nil,
		"s3://bucket/train-7.hub/x":              nil,
		"http://train-0.hub/x":                   {"train-0.hub"},
		"ask train-0.hub.":                       {"train-0.hub"},
		"train-0.other":                          nil,
		"other-0.hub":                            nil, // may be of another tool's Service
		"other-0.dev-hub:22":                     {"other-0.dev-hub"},
		"dev-train-workers-0-1.dev-hub slots=8":  {"dev-train-workers-0-1.dev-hub"},
		`{"host": "trian-${i}.dev-hub"}`:         {"trian-${i}.dev-hub"},
		"master-0.dev-hub, worker-1.dev-hub":     {"master-0.dev-hub", "worker-1.dev-hub"},
		"wikitext-2.dev-hub --eval=part-0.dev-hub shard-0.dev-hub": nil, // files
		"tcp://other-0.dev-hub.team.svc":                           {"other-0.dev-hub"},
		"$job-0.dev-hub ${x}job-0.dev-hub":                         nil, // a variable
		"printf %s-0.dev-hub <job>-0.dev-hub":                      nil,
		"other-0.dev-hub.yaml /x/other-0.dev-hub":                  nil,
		"": nil,
	} {
		var got []string
		for _, stale := range names.Stale(Text{Value: text}) {
			got = append(got, stale.Name)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
}

// TestText_isHost has a peer that is not there, "train-7.train" of four, where a host can be,
// and where it is the name of something else.
func TestText_isHost(t *testing.T) {
	names := PeerNames{Job: "train", Service: "train", Peers: 4}
	network := Network{Job: "train", Service: "train", Peers: 4, IsOther: func(string) bool { return false }, IsService: func(string) bool { return false }}
	text := func(value string) Text { return Text{Value: value} }
	flag := func(flag, value string) Text { return Text{Value: value, Previous: flag} }
	variable := func(name, value string) Text { return Text{Value: value, Variable: name} }
	for _, tt := range []struct {
		text Text
		want bool
	}{
		{text("train-7.train"), true},
		{text("--join=train-7.train"), true},
		{text("tcp://train-7.train"), true},
		{text("http://train-7.train/x"), true},
		{text("redis://user:secret@train-7.train/0"), true},
		{text("ssh root@train-7.train"), true},
		{text("curl train-7.train/health"), true},
		{text("--master=train-7.train/x"), true},
		{text("train-7.train:29500"), true},
		{text("train-7.train:$PORT"), true},
		{text("scp -r out train-7.train:out"), true},
		{text("train-7.train slots=8"), true},
		{flag("--leader", "train-7.train"), true},
		{variable("PEERS", "train-7.train"), true},
		{text(`{"host": "train-7.train"}`), true},

		// stores
		{text("s3://train-7.train/x"), false},
		{text("S3A://train-7.train"), false},
		{text("gs://train-7.train/x"), false},
		{text("hdfs://train-7.train/x"), false},
		{text("abfss://container@train-7.train/x"), false},
		{text("oci://train-7.train/x"), false},
		{text("docker://train-7.train/x:1"), false},
		{text("file://train-7.train"), false},
		{text("--out=s3://train-7.train/x"), false},
		// mailboxes
		{text("train-7.train@example.com"), false},
		{text("mailto:me@train-7.train"), false},
		{text("--mail-user=me@train-7.train"), false},
		{flag("--email", "me@train-7.train"), false},
		{variable("ALERT_EMAIL", "me@train-7.train"), false},
		// images
		{text("train-7.train/x:1"), false},
		{text("train-7.train:latest"), false},
		{text("train-7.train@sha256:abc"), false},
		{text("--image=train-7.train"), false},
		{variable("IMAGE", "train-7.train"), false},
		{text("image: train-7.train"), false},
		// files
		{text("--output=train-7.train"), false},
		{flag("--checkpoint-dir", "train-7.train"), false},
		{variable("LOG_FILE", "train-7.train"), false},
		{text("train-7.train/checkpoint"), false},
		{text("./train-7.train"), false},
		{text("run > train-7.train"), false},
		{text("run 2>>train-7.train"), false},
		{text("cat train-7.train"), false},
		{text("rm -f train-7.train"), false},
		{text("[ -f train-7.train ]"), false},
		{text(`{"path": "train-7.train"}`), false},
		{text("train-7.train.log"), false},
	} {
		if got := len(names.Stale(tt.text)) > 0; got != tt.want {
			t.Errorf("%+v: the names of a PeerJob: %v", tt.text, got)
		}
		said := false
		for _, a := range Addresses(tt.text) {
			wrong, _, _ := network.Judge(a)
			said = said || wrong == BeyondLast
		}
		if said && !tt.want {
			t.Errorf("%+v: the addresses of a Job that lint reads", tt.text)
		}
	}
}

func TestPeerNamesIn(t *testing.T) {
	names := PeerNames{Job: "dev-train", Service: "dev-train", Peers: 4, EarlierJobs: []string{"train"}, EarlierServices: []string{"train"}}
	template := templateOf(t, `
command: [sh, -c, "echo train-0.train"]
args: [--peer=train-1.train, --last=dev-train-4.dev-train, --main=master-0.dev-train]
env: [{name: A, value: train-0.train}, {name: B, value: b}]
`)
	compare(t, said(PeerNamesIn(template, names, true, templatePath)), []string{
		"command[2]: names the peer train-0.train by an earlier name; its name is now dev-train-0.dev-train; write $(PEERJOB_LEADER)",
		"args[0]: names the peer train-1.train by an earlier name; its name is now dev-train-1.dev-train; write $(PEERJOB_NAME)-1.$(PEERJOB_SERVICE)",
		"args[1]: names the peer dev-train-4.dev-train, and there are 4 peers, from index 0 to 3; name one of them, or change the number of peers",
		"args[2]: names master-0.dev-train, and the Service dev-train has no such host; if a peer is meant, its name is dev-train-0.dev-train; write $(PEERJOB_LEADER)",
		"env[0].value: names the peer train-0.train by an earlier name; its name is now dev-train-0.dev-train; write $(PEERJOB_LEADER)",
	})
}

// TestPeerNamesIn_asLint has addresses that lint judges and that are no stale names.
func TestPeerNamesIn_asLint(t *testing.T) {
	is := func(names ...string) func(string) bool {
		return func(name string) bool { return slices.Contains(names, name) }
	}
	plain := PeerNames{Job: "shop-trainer", Service: "shop-trainer", Peers: 2, EarlierJobs: []string{"shop-trainer"}, EarlierServices: []string{"shop-trainer"}}
	hashed := plain
	hashed.Job, hashed.Service = "shop-trainer-0123456789", "shop-trainer-0123456789"
	placed, crowded, role := plain, plain, plain
	placed.Namespace = "ml"
	crowded.IsWorkload, crowded.IsOther = is("trainer", "shop-trainer"), is("api")
	role.Siblings, role.Sibling = []string{"shop-other"}, true
	const fqdn = "shop-trainer-0.shop-trainer.other.svc.cluster.local"
	for _, tt := range []struct {
		name      string
		names     PeerNames
		variables bool
		text      string
		want      []string
	}{
		{"another Service", plain, true, "--a=shop-trainer-0.shop-trainr", []string{"names the peer shop-trainer-0.shop-trainr under shop-trainr, and the Service of the peers is shop-trainer; write $(PEERJOB_LEADER)"}},
		{"a part of its name", plain, true, "--a=shop-trainer-1.shop", []string{"names the peer shop-trainer-1.shop under shop, and the Service of the peers is shop-trainer; write $(PEERJOB_NAME)-1.$(PEERJOB_SERVICE)"}},
		{"another one with a port", plain, false, "shop-trainer-0.api:7000", []string{"names the peer shop-trainer-0.api under api, and the Service of the peers is shop-trainer; write shop-trainer-0.shop-trainer"}},
		{"without the prefix", plain, true, "--a=trainer-0.trainer", []string{"names trainer-0.trainer, and the peers are shop-trainer-0.shop-trainer; write $(PEERJOB_LEADER), if they are meant"}},
		{"without the prefix, no variables", plain, false, "--a=trainer-0.trainer", []string{"names trainer-0.trainer, and the peers are shop-trainer-0.shop-trainer; write that, if they are meant"}},
		{"another namespace", placed, false, fqdn, []string{"names the peer " + fqdn + " in the namespace other, and the Job is in ml; write shop-trainer-0.shop-trainer"}},
		{"a list that is too long", plain, true, "shop-trainer-{0..3}.shop-trainer", []string{"names the peers shop-trainer-{0..3}.shop-trainer up to index 3, and there are 2 peers, from index 0 to 1; change the list, or the number of peers"}},
		{"misspelled, with the hash", hashed, true, "--a=shop-trainr-0.shop-trainer", []string{"names shop-trainr-0.shop-trainer, and the Service shop-trainer-0123456789 has no such host; if a peer is meant, its name is shop-trainer-0123456789-0.shop-trainer-0123456789; write $(PEERJOB_LEADER)"}},
		{"another Service, with the hash", hashed, true, "--a=shop-trainer-0.shop-trainr", []string{"names the peer shop-trainer-0.shop-trainr under shop-trainr, and the Service of the peers is shop-trainer-0123456789; write $(PEERJOB_LEADER)"}},
		{"without the prefix, with the hash", hashed, true, "--a=trainer-0.trainer", []string{"names trainer-0.trainer, and the peers are shop-trainer-0123456789-0.shop-trainer-0123456789; write $(PEERJOB_LEADER), if they are meant"}},
		{"each once", plain, true, "shop-trainer-0.shop-trainr shop-trainer-0.shop-trainr", []string{"names the peer shop-trainer-0.shop-trainr under shop-trainr, and the Service of the peers is shop-trainer; write $(PEERJOB_LEADER)"}},
		// What is right, or of others.
		{"a peer", plain, true, "shop-trainer-0.shop-trainer shop-trainer-1.shop-trainer.ml.svc:80", nil},
		{"any namespace, as long as nobody knows", plain, true, fqdn, nil},
		{"outside of the cluster", plain, true, "https://shop-trainer-0.example.com:443 shop-trainer-0.shop-trainer.example.com:80", nil},
		{"files", plain, true, "--out=shop-trainer-0.log /data/shop-trainer-0.shop shop-trainer-0.tar.gz", nil},
		{"a StatefulSet of the list", crowded, true, "trainer-0.trainer shop-trainer-0.api:80", nil},
		{"a known server", PeerNames{Job: "load-redis", Service: "load-redis", Peers: 2}, true, "redis-0.redis:6379 kafka-0.kafka", nil},
		{"another role's peer", role, true, "shop-other-0.shop", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := Text{Value: tt.text}.At(field.NewPath("args"))
			var got []string
			for _, w := range tt.names.In(text, func(stale StaleName) string { return tt.names.Cure(stale, tt.variables) }) {
				got = append(got, w.Message)
			}
			compare(t, got, tt.want)
		})
	}
}

// TestImages_misnamed has names with all parts that the kubelet does not take, and such that
// it takes.
func TestImages_misnamed(t *testing.T) {
	for image, cure := range map[string]string{
		"ghcr.io/Foo/bar:v1": "write the repository in lower case, ghcr.io/foo/bar:v1",
		"Foo/Bar":            "write the repository in lower case, foo/bar",
		"foo: 1":             "write [HOST/]NAME[:TAG], in letters, digits and . _ -",
		"foo:1:2":            "write [HOST/]NAME[:TAG], in letters, digits and . _ -",
		"foo:v1+build":       "write [HOST/]NAME[:TAG], in letters, digits and . _ -",
		"busybox":            "",
		"library/a__b-c.d:T": "",
		"localhost/a":        "",
		"Host:5000/a/b:1":    "",
		"foo:$(VERSION)":     "",
		"ghcr.io/a@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef": "",
	} {
		var want []string
		if cure != "" {
			want = []string{"image: " + fmt.Sprintf("%q", image) + " is no name of an image, and the kubelet takes no such image (InvalidImageName); " + cure}
		}
		compare(t, said(Images(templateOf(t, "image: "+fmt.Sprintf("%q", image)), templatePath)), want)
	}
}

// TestImages has names that the kubelet does not take, by
// https://pkg.go.dev/github.com/distribution/reference, because a part is empty.
func TestImages(t *testing.T) {
	for image, wrong := range map[string]bool{
		"example.com/train:": true, ":1.0": true, "/train:1.0": true, "example.com//train": true, "example.com/train@": true,
		"example.com/:1.0": true, "train::1": true, "@sha256:0": true, ":": true, "example.com/train:@sha256:0": true,
		"train": false, "train:1.0": false, "example.com:5000/a/train:1.0": false, "example.com/a_b/c--d:x@sha256:" + strings.Repeat("0", 64): false,
		"localhost/x": false, "IMAGE": false, "": false,
	} {
		var want []string
		if wrong {
			want = []string{"image: " + fmt.Sprintf("%q", image) + " has an empty part, and the kubelet takes no such image (InvalidImageName); write <name>:<tag>, and look for a value that is missing"}
		}
		compare(t, said(Images(templateOf(t, "image: "+fmt.Sprintf("%q", image)), templatePath)), want)
	}
	template := templateOf(t, "image: x")
	template.Spec.Volumes = []corev1.Volume{{Name: "m", VolumeSource: corev1.VolumeSource{Image: &corev1.ImageVolumeSource{Reference: "models:"}}}}
	if got := said(Images(template, templatePath)); len(got) != 1 || !strings.Contains(got[0], "volumes[0].image.reference") {
		t.Errorf("a volume: %q", got)
	}
}

// TestGroupSize has groups of YuniKorn for four peers. Fewer are an elastic group.
func TestGroupSize(t *testing.T) {
	const (
		own    = "yunikorn.apache.org/task-group-name"
		groups = "yunikorn.apache.org/task-groups"
		two    = `[{"name": "driver", "minMember": 1}, {"name": "w", "minMember": %, "minResource": {"cpu": 1}}]`
	)
	of := func(n string) string { return strings.Replace(two, "%", n, 1) }
	for name, tt := range map[string]struct {
		values map[string]string
		want   []string
	}{
		"more": {map[string]string{own: "w", groups: of("5")}, []string{
			"template[yunikorn.apache.org/task-groups]: YuniKorn holds room for 5 Pods of the group w, and there are 4 peers: they wait until there is room for all, and the rest stays unused; write minMember 4 or less, or change the number of peers"}},
		"as many":           {map[string]string{own: "w", groups: of("4")}, nil},
		"fewer":             {map[string]string{own: "w", groups: of("2")}, nil},
		"another group":     {map[string]string{own: "driver", groups: of("5")}, nil},
		"a group not there": {map[string]string{own: "x", groups: of("5")}, nil},
		"no group":          {map[string]string{groups: of("5")}, nil},
		"no JSON":           {map[string]string{own: "w", groups: "minMember: 5"}, nil},
		"a key of others":   {map[string]string{"example.com/min-available": "5"}, []string{"template[example.com/min-available]: a scheduler waits for 5 Pods"}},
	} {
		t.Run(name, func(t *testing.T) { compare(t, said(GroupSize(tt.values, 4, templatePath)), tt.want) })
	}
	if got := GroupSize(nil, -4, templatePath); len(got) > 0 {
		t.Errorf("no group, and a number of peers that is wrong: %v", got)
	}
}

// TestCountsOfRoles: a number may be that of any roles together.
func TestCountsOfRoles(t *testing.T) {
	for nodes, wrong := range map[int]bool{1: false, 2: false, 3: false, 4: false, 5: false, 6: false, 7: false, 8: false, 9: false, 10: true, 11: false, 12: true} {
		container := fmt.Sprintf("args: [--nnodes=%d]", nodes)
		got := said(CountsOfRoles(templateOf(t, container), jobOf(4), 0, "4", []int32{4, 2, 3, 2}, templatePath))
		if (len(got) > 0) != wrong {
			t.Errorf("%d of 4, 2, 3 and 2: %q", nodes, got)
		}
	}
	many := make([]int32, 16)
	for i := range many {
		many[i] = 1 << i
	}
	container := "args: [--nnodes=3]"
	if got := said(CountsOfRoles(templateOf(t, container), jobOf(4), 0, "4", many, templatePath)); len(got) != 1 {
		t.Errorf("3 of 16 roles: %q", got)
	}
}

// TestCountsOfContainers: a container may count other roles than the one beside it.
func TestCountsOfContainers(t *testing.T) {
	template := templateOf(t, "args: [--nnodes=5]")
	second := template.Spec.Containers[0]
	second.Name = "other"
	template.Spec.Containers = append(template.Spec.Containers, second)
	for name, tt := range map[string]struct {
		roles []int32
		want  []string
	}{
		"the Job alone": {[]int32{4}, []string{"args[0]: --nnodes is 5, and there are 4 peers; write $(PEERJOB_SIZE), or change the number of peers"}},
		"its roles":     {[]int32{4, 2}, []string{"args[0]: --nnodes is 5, and there are 6 peers of mine; write 6, or change the number of peers"}},
		"one sum":       {[]int32{6}, []string{"args[0]: --nnodes is 5, and there are 6 peers of mine; write 6, or change the number of peers"}},
		"the right sum": {[]int32{5}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			rolesOf := func(container string) ([]int32, string) {
				if container == second.Name {
					return []int32{4, 1}, " in all roles"
				}
				return tt.roles, " of mine"
			}
			compare(t, said(CountsOfContainers(template, jobOf(4), 0, "$(PEERJOB_SIZE)", rolesOf, templatePath)), tt.want)
		})
	}
}

func TestCounts(t *testing.T) {
	for name, tt := range map[string]struct {
		container string
		perPeer   int32
		want      []string
	}{
		"world size":                {`env: [{name: WORLD_SIZE, value: "8"}]`, 0, []string{"env[0].value: WORLD_SIZE is 8, and there are 4 peers; write $(PEERJOB_SIZE)"}},
		"it agrees":                 {`env: [{name: WORLD_SIZE, value: "4"}]`, 0, nil},
		"only shown":                {`{command: [sh, -c, "echo use --nnodes=8; cat <<EOF\n--nnodes=9\nEOF\na"]}`, 0, nil},
		"a script that is written":  {`{command: [sh, -c, "cat > a.sh <<EOF\ntorchrun --nnodes=8\nEOF\nsh a.sh"]}`, 0, []string{"command[2]: --nnodes is 8, and there are 4 peers"}},
		"by processesPerPeer":       {`env: [{name: WORLD_SIZE, value: "8"}]`, 2, nil},
		"by --nproc":                {`{env: [{name: WORLD_SIZE, value: "8"}], args: [--nproc_per_node=2]}`, 0, nil},
		"by --nproc, apart":         {`{env: [{name: WORLD_SIZE, value: "8"}], args: [--nproc-per-node, "2"]}`, 0, nil},
		"by a number not known":     {`{env: [{name: WORLD_SIZE, value: "8"}], args: ["--nproc_per_node=$NGPU"]}`, 0, nil},
		"no multiple of the peers":  {`{env: [{name: WORLD_SIZE, value: "9"}], args: ["--nproc_per_node=$NGPU"]}`, 0, []string{"env[0].value: WORLD_SIZE is 9, and there are 4 peers"}},
		"by GPUs":                   {`{env: [{name: WORLD_SIZE, value: "32"}], resources: {limits: {nvidia.com/gpu: 8}}}`, 0, nil},
		"not by GPUs":               {`{env: [{name: WORLD_SIZE, value: "16"}], resources: {limits: {nvidia.com/gpu: 8}}}`, 0, []string{"env[0].value: WORLD_SIZE is 16, and there are 4 peers of 8 processes; write 32"}},
		"nodes":                     {`args: [--nnodes=8]`, 0, []string{"args[0]: --nnodes is 8, and there are 4 peers; write $(PEERJOB_SIZE)"}},
		"nodes, apart":              {`args: [--nnodes, "8"]`, 0, []string{"args[0]: --nnodes is 8"}},
		"nodes in a script":         {`command: [sh, -c, "torchrun --nnodes 8 --nproc_per_node 2 train.py"]`, 0, []string{"command[2]: --nnodes is 8"}},
		"machines":                  {`args: [--num_machines=2, --num_processes=16, --num-processes=2]`, 0, []string{"args[0]: --num_machines is 2", "args[1]: --num_processes is 16", "args[2]: --num-processes is 2"}},
		"both, by a condition":      {`command: [sh, -c, "if a; then torchrun --nnodes=4; else torchrun --nnodes=8; fi"]`, 0, nil},
		"a range is elastic":        {`args: ["--nnodes=1:8"]`, 0, nil},
		"one, on their own":         {`{args: [--nnodes=1], env: [{name: WORLD_SIZE, value: "1"}]}`, 0, nil},
		"a variable":                {`args: ["--nnodes=$(PEERJOB_SIZE)", "--nnodes=$NNODES"]`, 0, nil},
		"another variable":          {`env: [{name: NUM_WORKERS, value: "8"}, {name: BATCH, value: "8"}]`, 0, nil},
		"no number":                 {`env: [{name: WORLD_SIZE, value: many}]`, 0, nil},
		"an empty one":              {`{args: [--nnodes], env: [{name: NNODES}]}`, 0, nil},
		"not the flag of the world": {`args: [--nnodesx=8]`, 0, nil},
	} {
		t.Run(name, func(t *testing.T) {
			compare(t, said(CountsOfRoles(templateOf(t, tt.container), jobOf(4), tt.perPeer, "$(PEERJOB_SIZE)", nil, templatePath)), tt.want)
		})
	}
}

func TestGPUProcesses(t *testing.T) {
	const eight = `resources: {limits: {nvidia.com/gpu: 8}}`
	for name, tt := range map[string]struct {
		container string
		framework bool
		perPeer   int32
		want      []string
	}{
		"idle":                    {`{` + eight + `}`, true, 0, []string{"spec.framework.processesPerPeer: torchrun starts one process in each Pod, and the container w has 8 GPUs: 7 are idle; set it to 8"}},
		"idle without framework":  {`{` + eight + `, command: [torchrun, --nnodes=2, train.py]}`, false, 0, []string{"resources.limits: torchrun starts one process in each Pod, and there are 8 GPUs: 7 are idle; write --nproc-per-node=8"}},
		"one GPU":                 {`{resources: {limits: {nvidia.com/gpu: 1}}}`, true, 0, nil},
		"no GPU":                  {`{command: [torchrun]}`, true, 0, nil},
		"torchrun only shown":     {`{` + eight + `, command: [sh, -c, "echo torchrun --nproc-per-node=4; python train.py"]}`, false, 0, nil},
		"no torchrun":             {`{` + eight + `, command: [python, train.py]}`, false, 0, nil},
		"said in args":            {`{` + eight + `, args: [--nproc_per_node=8]}`, true, 0, nil},
		"said in a variable":      {`{` + eight + `, env: [{name: PET_NPROC_PER_NODE, value: gpu}]}`, true, 0, nil},
		"said in a script":        {`{` + eight + `, command: [sh, -c, "torchrun --nproc-per-node $N train.py"]}`, true, 0, nil},
		"a secret may say it":     {`{` + eight + `, envFrom: [{configMapRef: {name: a}}]}`, true, 0, nil},
		"enough":                  {`{` + eight + `}`, true, 8, nil},
		"one for all":             {`{` + eight + `}`, true, 1, nil},
		"too few":                 {`{` + eight + `}`, true, 4, []string{"spec.framework.processesPerPeer: 4 processes start in each Pod, and the container w has 8 GPUs; write 8"}},
		"too many":                {`{` + eight + `, command: [torchrun, --nproc-per-node=16]}`, false, 0, []string{"command[1]: starts 16 processes, and the container has 8 GPUs; write 8"}},
		"too many, apart":         {`{` + eight + `, command: [torchrun, --nproc-per-node, "16"]}`, false, 0, []string{"command[1]: starts 16 processes"}},
		"requests alone":          {`{resources: {requests: {amd.com/gpu: 4}}}`, true, 0, []string{"spec.framework.processesPerPeer: torchrun starts one process in each Pod, and the container w has 4 GPUs: 3 are idle"}},
		"by the module's name":    {`{` + eight + `, command: [python, -m, torch.distributed.run]}`, false, 0, []string{"resources.limits: torchrun starts"}},
		"a path of another thing": {`{` + eight + `, command: [mytorchrunner]}`, false, 0, nil},
	} {
		t.Run(name, func(t *testing.T) {
			runs := func(string) bool { return tt.framework }
			compare(t, said(GPUProcesses(templateOf(t, tt.container), runs, tt.perPeer, field.NewPath("spec", "framework", "processesPerPeer"), templatePath)), tt.want)
		})
	}
}

// peerVariables are those of a PeerJob with its variables.
var peerVariables = Variables{
	Before: func(*corev1.Container) []corev1.EnvVar {
		fromField := &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.name"}}
		return []corev1.EnvVar{
			{Name: "JOB_COMPLETION_INDEX", ValueFrom: fromField}, {Name: "PEERJOB_NAME", ValueFrom: fromField},
			{Name: "PEERJOB_SIZE", Value: "4"}, {Name: "PEERJOB_LEADER", Value: "$(PEERJOB_NAME)-0.hub"},
		}
	},
	After: []string{"JOB_COMPLETION_INDEX"},
	Peers: []string{"JOB_COMPLETION_INDEX", "PEERJOB_NAME", "PEERJOB_SIZE", "PEERJOB_LEADER"},
}

// withoutPeers are those of one without.
var withoutPeers = Variables{Before: func(*corev1.Container) []corev1.EnvVar { return nil }, After: peerVariables.After, Peers: peerVariables.Peers}

func TestReferences(t *testing.T) {
	for name, tt := range map[string]struct {
		container string
		variables Variables
		want      []string
	}{
		"right":                       {`{command: ["$(PEERJOB_NAME)"], args: ["$(A)"], env: [{name: A, value: a}, {name: B, value: "$(A)"}]}`, peerVariables, nil},
		"misspelt in args":            {`args: ["$(PEERJOB_LEDER)"]`, peerVariables, []string{"args[0]: uses $(PEERJOB_LEDER), which no variable sets; did you mean $(PEERJOB_LEADER)?"}},
		"misspelt in command":         {`command: ["$(PEERJOB_LEDER)"]`, peerVariables, []string{"command[0]: uses $(PEERJOB_LEDER)"}},
		"misspelt in a script":        {`command: [sh, -c, "echo $(PEERJOB_LEDER)"]`, peerVariables, []string{"command[2]: uses $(PEERJOB_LEDER)"}},
		"misspelt beside envFrom":     {`{args: ["$(PEERJOB_LEDER)"], envFrom: [{secretRef: {name: a}}]}`, peerVariables, []string{"args[0]: uses $(PEERJOB_LEDER)"}},
		"misspelt for a shell":        {`command: [sh, -c, "echo $PEERJOB_LEDER ${PEERJOB_NAM}"]`, peerVariables, []string{"command[2]: uses $PEERJOB_LEDER, which no variable sets; did you mean $PEERJOB_LEADER?", "command[2]: uses $PEERJOB_NAM"}},
		"set by the script":           {`command: [sh, -c, "PEERJOB_LEDER=x; echo $PEERJOB_LEDER"]`, peerVariables, nil},
		"set by the user":             {`{env: [{name: PEERJOB_LEDER, value: a}], args: ["$(PEERJOB_LEDER)"]}`, peerVariables, nil},
		"as a shell has it":           {`command: [train, "--leader=$PEERJOB_LEADER:1", "${PEERJOB_LEADER}"]`, peerVariables, []string{"command[1]: uses $PEERJOB_LEADER, and no shell reads it here; write $(PEERJOB_LEADER)", "command[2]: uses $PEERJOB_LEADER, and no shell reads it here; write $(PEERJOB_LEADER)"}},
		"own, as a shell has it":      {`{command: [train], args: ["$A"], env: [{name: A, value: a}]}`, peerVariables, []string{"args[0]: uses $A, and no shell reads it here; write $(A)"}},
		"of a shell":                  {`command: [/bin/bash, -c, "train $PEERJOB_LEADER"]`, peerVariables, nil},
		"of a shell behind a program": {`command: [mpirun, "/bin/sh", -lc, "train $PEERJOB_LEADER"]`, peerVariables, nil},
		"of a script":                 {`command: [/run.sh, "$PEERJOB_LEADER"]`, peerVariables, nil},
		"of an image":                 {`args: ["$PEERJOB_LEADER"]`, peerVariables, nil},
		"of Python's program":         {`command: [python3, -c, "print('$PEERJOB_LEADER')"]`, peerVariables, nil},
		"unknown to a shell":          {`command: [train, "$HOME", "$$PEERJOB_LEADER"]`, peerVariables, nil},
		"host name":                   {`args: ["--name=$(HOSTNAME)"]`, peerVariables, []string{"args[0]: uses $(HOSTNAME), which no variable sets, and it stays in the value as it is; write $(PEERJOB_NAME)-$(JOB_COMPLETION_INDEX), which is the host name"}},
		"unset":                       {`args: ["--x=$(NOTHING)"]`, peerVariables, []string{"args[0]: uses $(NOTHING), which no variable sets, and it stays in the value as it is; write $$(NOTHING)"}},
		"unset in a script":           {`command: [bash, -ec, "echo $(hostname)"]`, peerVariables, nil},
		"unset in a script of args":   {`{command: [/bin/sh], args: [-c, "echo $(hostname)"]}`, peerVariables, nil},
		"unset in lines":              {`args: ["set -e\necho $(hostname)\n"]`, peerVariables, nil},
		"a command with arguments":    {`args: ["--x=$(cat /etc/x)"]`, peerVariables, nil},
		"unset beside envFrom":        {`{args: ["$(NOTHING)"], envFrom: [{secretRef: {name: a}}]}`, peerVariables, nil},
		"escaped":                     {`args: ["$$(NOTHING)"]`, peerVariables, nil},
		"of the cluster":              {`args: ["$(KUBERNETES_SERVICE_HOST)"]`, peerVariables, nil},
		"one that comes later":        {`env: [{name: B, value: "$(A)"}, {name: A, value: a}]`, peerVariables, []string{"env[0].value: uses $(A), and it sees only the variables before it; move env[1] up"}},
		"a later one in args":         {`{args: ["$(A)"], env: [{name: A, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]}`, peerVariables, nil},
		"one of the image":            {`env: [{name: PATH, value: "/opt/x:$(PATH)"}]`, peerVariables, []string{"env[0].value: uses $(PATH) in its own value, and no variable before it sets it; a variable of the image is not visible here, so set it in the command with a shell"}},
		"twice in one text":           {`args: ["$(NOTHING) $(NOTHING)"]`, peerVariables, []string{"args[0]: uses $(NOTHING)"}},
		"without the peers' own":      {`args: ["$(PEERJOB_LEADER)"]`, withoutPeers, []string{"args[0]: uses $(PEERJOB_LEADER), which is not set, and stays in the value as it is; set spec.peerEnv to Enabled"}},
		"the controller's index":      {`args: ["$(JOB_COMPLETION_INDEX)"]`, withoutPeers, nil},
		"the controller's, too early": {`env: [{name: A, value: "$(JOB_COMPLETION_INDEX)"}]`, withoutPeers, []string{"env[0].value: uses $(JOB_COMPLETION_INDEX)"}},
	} {
		t.Run(name, func(t *testing.T) {
			compare(t, said(References(templateOf(t, tt.container), tt.variables, templatePath)), tt.want)
		})
	}
}

func TestSubPathExpressions(t *testing.T) {
	mount := func(expression string) string {
		return `{volumeMounts: [{name: v, mountPath: /v, subPathExpr: "` + expression + `"}], env: [{name: A, value: a}]}`
	}
	withValue := func(value, expression string) string {
		return `{volumeMounts: [{name: v, mountPath: /v, subPathExpr: "` + expression + `"}], env: [{name: A, value: "` + value + `"}]}`
	}
	for name, tt := range map[string]struct {
		container string
		variables Variables
		// want is the beginning of the first error.
		want string
	}{
		"own":            {mount("$(A)"), peerVariables, ""},
		"peers'":         {mount("$(PEERJOB_NAME)"), peerVariables, ""},
		"controller's":   {mount("$(JOB_COMPLETION_INDEX)"), withoutPeers, ""},
		"escaped":        {mount("$$(NOTHING)"), peerVariables, ""},
		"unset":          {mount("x-$(NOTHING)"), peerVariables, `template.spec.containers[0].volumeMounts[0].subPathExpr: Invalid value: "x-$(NOTHING)": uses $(NOTHING), which no variable sets, and the container never starts; set it in env`},
		"misspelt":       {mount("$(PEERJOB_NAM)"), peerVariables, `template.spec.containers[0].volumeMounts[0].subPathExpr: Invalid value: "$(PEERJOB_NAM)": uses $(PEERJOB_NAM), which no variable sets, and the container never starts; did you mean $(PEERJOB_NAME)?`},
		"peers' not set": {mount("$(PEERJOB_NAME)"), withoutPeers, `template.spec.containers[0].volumeMounts[0].subPathExpr: Invalid value: "$(PEERJOB_NAME)": uses $(PEERJOB_NAME), which no variable sets, and the container never starts; set spec.peerEnv to Enabled`},
		"empty":          {`{volumeMounts: [{name: v, mountPath: /v, subPathExpr: $(A)}], env: [{name: A}]}`, peerVariables, `template.spec.containers[0].volumeMounts[0].subPathExpr: Invalid value: "$(A)": uses $(A), which is empty, and the container never starts; give it a value`},
		"twice empty":    {`{volumeMounts: [{name: v, mountPath: /v, subPathExpr: $(B)}], env: [{name: A}, {name: B, value: $(A)}]}`, peerVariables, `template.spec.containers[0].volumeMounts[0].subPathExpr: Invalid value: "$(B)": uses $(B), which is empty, and the container never starts; give it a value`},
		"absolute":       {withValue("/data", "$(A)/x"), peerVariables, `template.spec.containers[0].volumeMounts[0].subPathExpr: Invalid value: "$(A)/x": becomes "/data/x", and the container never starts with an absolute path or with ".." here; leave the first "/" out of the value`},
		"in the middle":  {withValue("/data", "x/$(A)"), peerVariables, ""},
		"above":          {withValue("../data", "x/$(A)"), peerVariables, `template.spec.containers[0].volumeMounts[0].subPathExpr: Invalid value: "x/$(A)": becomes "x/../data", and the container never starts with an absolute path or with ".." here; name a directory of the volume`},
		"dots":           {withValue("..", "$(A)data"), peerVariables, ""},
		"two halves":     {withValue(".", "$(A)$(A)/x"), peerVariables, `template.spec.containers[0].volumeMounts[0].subPathExpr: Invalid value: "$(A)$(A)/x": becomes "../x"`},
		"of another":     {`{volumeMounts: [{name: v, mountPath: /v, subPathExpr: $(B)}], env: [{name: A, value: /a}, {name: B, value: $(A)/b}]}`, peerVariables, `template.spec.containers[0].volumeMounts[0].subPathExpr: Invalid value: "$(B)": becomes "/a/b"`},
		"set later":      {`{volumeMounts: [{name: v, mountPath: /v, subPathExpr: $(B)}], env: [{name: B, value: $(A)/b}, {name: A, value: /a}]}`, peerVariables, ""},
		"set twice":      {`{volumeMounts: [{name: v, mountPath: /v, subPathExpr: $(A)}], env: [{name: A, value: /a}, {name: A, value: b}]}`, peerVariables, ""},
		"not known":      {`{volumeMounts: [{name: v, mountPath: /v, subPathExpr: $(A)/b}], env: [{name: A, value: /a}, {name: A, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]}`, peerVariables, ""},
		"from elsewhere": {`{volumeMounts: [{name: v, mountPath: /v, subPathExpr: $(NOTHING)}], envFrom: [{secretRef: {name: a}}]}`, peerVariables, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := ""
			if errs := SubPathExpressions(templateOf(t, tt.container), tt.variables, templatePath); len(errs) > 0 {
				got = errs[0].Error()
			}
			if !strings.HasPrefix(got, tt.want) || tt.want == "" && got != "" {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// TestExpand compares expand with what the kubelet does.
func TestExpand_asTheKubelet(t *testing.T) {
	values := map[string]string{"A": "a", "EMPTY": "", "NESTED": "$(A)"}
	for _, text := range []string{
		"", "$", "a$", "$$", "$$$", "$(A)", "$$(A)", "$$$(A)", "x$(A)y$(A)", "$(B)", "$(EMPTY)", "$(NESTED)", "$(A", "$(A$(A)", "$()", "$(A b)", "$A", "$a$(A)", "$ü$(A)", "$(ü)", "$((A))", "$(A)$", "a)$(A)(",
	} {
		want := expansion.Expand(text, expansion.MappingFuncFor(values))
		got := expand(text, func(name string) string {
			if value, found := values[name]; found {
				return value
			}
			return "$(" + name + ")"
		})
		if got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// TestReferences_serviceLinks has variables that a Service of the namespace may set.
func TestReferences_serviceLinks(t *testing.T) {
	template := templateOf(t, `{command: [train, "$(HUB_SERVICE_HOST)", "$(HUB_PORT_80_TCP_ADDR)", "$(HUB_PORT)", "$(HUB)"]}`)
	template.Spec.EnableServiceLinks = nil
	compare(t, said(References(template, peerVariables, templatePath)), []string{"command[4]: uses $(HUB), which no variable sets"})
}

// TestReferences_values has values of variables in which only a shell would read "$NAME".
func TestReferences_values(t *testing.T) {
	const env = `env: [{name: A, value: a}, {name: B, value: "%"}, {name: C, value: c}]`
	for name, tt := range map[string]struct {
		fields, value string
		want          []string
	}{
		"one word":         {"", "${PEERJOB_LEADER}:29500", []string{"env[1].value: uses $PEERJOB_LEADER, and no shell reads it here; write $(PEERJOB_LEADER)"}},
		"own":              {"", "x$A", []string{"env[1].value: uses $A, and no shell reads it here; write $(A)"}},
		"behind":           {"", "x$C", nil},
		"unknown":          {"", "$PATH:x", nil},
		"a script":         {"", "echo $A", nil},
		"escaped":          {"", "$$A", nil},
		"read by envsubst": {`command: [sh, -c, "envsubst < /a > /b"], `, "$A", nil},
		"read by eval":     {`command: [sh, -c, "eval echo $B"], `, "$A", nil},
	} {
		t.Run(name, func(t *testing.T) {
			compare(t, said(References(templateOf(t, "{"+tt.fields+strings.Replace(env, "%", tt.value, 1)+"}"), peerVariables, templatePath)), tt.want)
		})
	}
}

func TestOneWord(t *testing.T) {
	for container, want := range map[string][]string{
		`command: [python, a b]`:                                nil,
		`command: ["python train.py"]`:                          {"command[0]: has a program and its arguments in one word, and Linux starts no program of this name; write each as an element of its own: [python, train.py]"},
		`command: ["a | b"]`:                                    {"command[0]: has a program and its arguments in one word, and Linux starts no program of this name; write each as an element of its own, or a script behind sh and -c"},
		`args: ["python train.py"]`:                             nil, // the image's program reads it
		`livenessProbe: {exec: {command: ["cat /a"]}}`:          {"livenessProbe.exec.command[0]: has a program"},
		`lifecycle: {preStop: {exec: {command: ["ray stop"]}}}`: {"lifecycle.preStop.exec.command[0]: has a program"},
	} {
		compare(t, said(OneWord(templateOf(t, container), templatePath)), want)
	}
}

func TestStringLengths_directory(t *testing.T) {
	for directory, want := range map[string]bool{"": true, "/": true, "/app": true, "app": false, "./app": false, "~/app": false, `C:\app`: true, "$(HOME)/app": true} {
		template := &corev1.PodTemplateSpec{Spec: corev1.PodSpec{Containers: []corev1.Container{{WorkingDir: directory}}}}
		if errs := StringLengths(template, nil, noFields, templatePath); (len(errs) == 0) != want {
			t.Errorf("%q: %v", directory, errs)
		}
	}
}

func TestMetadataFields(t *testing.T) {
	template := templateOf(t, `env: [
  {name: A, valueFrom: {fieldRef: {fieldPath: "metadata.labels['app']"}}},
  {name: B, valueFrom: {fieldRef: {fieldPath: "metadata.labels['shard']"}}},
  {name: C, valueFrom: {fieldRef: {fieldPath: "metadata.annotations['app']"}}},
  {name: D, valueFrom: {fieldRef: {fieldPath: "metadata.labels['job-name']"}}},
  {name: E, valueFrom: {fieldRef: {fieldPath: "metadata.labels['apps.kubernetes.io/pod-index']"}}},
  {name: F, valueFrom: {fieldRef: {fieldPath: "metadata.labels['topology.kubernetes.io/zone']"}}},
  {name: G, valueFrom: {fieldRef: {fieldPath: "metadata.annotations['jobset.sigs.k8s.io/jobset-name']"}}},
  {name: H, valueFrom: {fieldRef: {fieldPath: metadata.labels}}},
  {name: I, valueFrom: {fieldRef: {fieldPath: "metadata.labels['ap']"}}}]`)
	template.Labels = map[string]string{"app": "x", "app.kubernetes.io/name": "y"}
	template.Spec.Volumes = []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{DownwardAPI: &corev1.DownwardAPIVolumeSource{Items: []corev1.DownwardAPIVolumeFile{
		{Path: "a", FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.labels['app.kubernetes.io/part-of']"}},
		{Path: "b", FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.labels['app.kubernetes.io/name']"}},
	}}}}}
	compare(t, said(MetadataFields(template, templatePath)), []string{
		"env[1].valueFrom.fieldRef.fieldPath: reads the label shard, which the metadata of the Pod template does not have: the value is empty; set it there",
		"env[2].valueFrom.fieldRef.fieldPath: reads the annotation app, which the metadata of the Pod template does not have",
		"env[4].valueFrom.fieldRef.fieldPath: reads the label apps.kubernetes.io/pod-index, which only the Pods of a StatefulSet have: the value is empty; the index of a Pod of a Job is in JOB_COMPLETION_INDEX",
		"env[6].valueFrom.fieldRef.fieldPath: reads the annotation jobset.sigs.k8s.io/jobset-name, which only the Pods of a JobSet have: the value is empty; read something else",
		"env[8].valueFrom.fieldRef.fieldPath: reads the label ap, which the metadata of the Pod template does not have: the value is empty; did you mean app?",
		"template.spec.volumes[0].downwardAPI.items[0].fieldRef.fieldPath: reads the label app.kubernetes.io/part-of",
	})
}

func TestUnexpanded(t *testing.T) {
	const env = `env: [{name: A, value: a}, {name: B, value: "$(A)"}, {name: C, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]`
	probe := func(words string) string {
		return `{` + env + `, readinessProbe: {exec: {command: ` + words + `}}}`
	}
	hook := func(words string) string {
		return `{` + env + `, lifecycle: {preStop: {exec: {command: ` + words + `}}}}`
	}
	for name, tt := range map[string]struct {
		container string
		variables Variables
		want      []string
	}{
		"where it is expanded":          {`{` + env + `, command: ["$(A)"], args: ["$(PEERJOB_LEADER)"], volumeMounts: [{name: v, mountPath: /v, subPathExpr: $(A)}]}`, peerVariables, nil},
		"a value in a probe":            {probe(`[test, "$(A)", "$(PEERJOB_SIZE)"]`), peerVariables, nil},
		"a value of a value in a probe": {probe(`[nc, "$(PEERJOB_LEADER)"]`), peerVariables, []string{`readinessProbe.exec.command[1]: uses $(PEERJOB_LEADER), and in a probe the kubelet leaves the variables in its value, "$(PEERJOB_NAME)-0.hub", as they are; run it with sh -c, and write "$PEERJOB_LEADER"`}},
		"own value of a value":          {probe(`[nc, "$(B)"]`), peerVariables, []string{`readinessProbe.exec.command[1]: uses $(B), and in a probe`}},
		"from a field in a probe":       {probe(`[nc, "$(PEERJOB_NAME)", "$(C)"]`), peerVariables, []string{`readinessProbe.exec.command[1]: uses $(PEERJOB_NAME), which is empty in a probe`, `readinessProbe.exec.command[2]: uses $(C), which is empty in a probe`}},
		"in the script of a probe":      {probe(`[sh, -c, "nc $(PEERJOB_LEADER) 80; $(hostname)"]`), peerVariables, []string{`readinessProbe.exec.command[2]: uses $(PEERJOB_LEADER), and in a probe the kubelet leaves the variables in its value, "$(PEERJOB_NAME)-0.hub", as they are; write "$PEERJOB_LEADER"`}},
		"by the shell of a probe":       {probe(`[sh, -c, 'nc "$PEERJOB_LEADER" 80']`), peerVariables, nil},
		"the controller's in a probe":   {probe(`[test, "$(JOB_COMPLETION_INDEX)"]`), withoutPeers, []string{`readinessProbe.exec.command[1]: uses $(JOB_COMPLETION_INDEX), which is empty`}},
		"not set in a probe":            {probe(`[test, "$(PEERJOB_NAME)"]`), withoutPeers, []string{`readinessProbe.exec.command[1]: uses $(PEERJOB_NAME), which env does not have`}},
		"misspelt in a probe":           {probe(`[test, "$(PEERJOB_NAM)"]`), peerVariables, []string{`readinessProbe.exec.command[1]: uses $(PEERJOB_NAM), which no variable sets; did you mean $PEERJOB_NAME?`}},
		"misspelt for a probe's shell":  {probe(`[sh, -c, "nc $PEERJOB_LEDER 80"]`), peerVariables, []string{`readinessProbe.exec.command[2]: uses $PEERJOB_LEDER, which no variable sets; did you mean $PEERJOB_LEADER?`}},
		"unknown in a probe":            {probe(`[test, "$(NOTHING)"]`), peerVariables, []string{`readinessProbe.exec.command[1]: uses $(NOTHING), which env does not have, and the kubelet leaves it as it is in a probe; run it with sh -c, and write "$NOTHING"`}},
		"unknown in a hook":             {hook(`[test, "$(NOTHING)"]`), peerVariables, []string{`lifecycle.preStop.exec.command[1]: uses $(NOTHING), which env does not have, and the kubelet leaves it as it is in a hook; run it with sh -c, and write "$NOTHING"`}},
		"a command in a script":         {probe(`[sh, -c, "test $(NOTHING) = $(date +%s)"]`), peerVariables, nil},
		"a command for a shell":         {hook(`[bash, /run.sh, "$(NOTHING)", "$A"]`), peerVariables, nil},
		"no name in a probe":            {probe(`[test, "$(date -u)"]`), peerVariables, nil},
		"for a shell, in a probe":       {probe(`[cat, "/work/$PEERJOB_NAME", "${A}", "$NOTHING"]`), peerVariables, []string{`readinessProbe.exec.command[1]: uses $PEERJOB_NAME, and no shell reads it here; run it with sh -c, and write "$PEERJOB_NAME"`, `readinessProbe.exec.command[2]: uses $A, and no shell`}},
		"for a shell, in a hook":        {hook(`[touch, "/work/$A"]`), peerVariables, []string{`lifecycle.preStop.exec.command[1]: uses $A, and no shell reads it here`}},
		"unknown in a request":          {`{readinessProbe: {tcpSocket: {host: $(HOST_IP), port: 1}}, livenessProbe: {grpc: {port: 1, service: $(S)}}, startupProbe: {httpGet: {path: "/$(X)?a=$(b c)", port: 80, httpHeaders: [{name: A, value: $(X)}]}}, lifecycle: {postStart: {httpGet: {host: $(HOST_IP), port: 80}}}}`, peerVariables, []string{"livenessProbe.grpc.service: uses the variable S", "readinessProbe.tcpSocket.host: uses the variable HOST_IP, and the kubelet expands no variables in this field", "startupProbe.httpGet.path: uses the variable X", "startupProbe.httpGet.httpHeaders[0].value: uses the variable X", "lifecycle.postStart.httpGet.host: uses the variable HOST_IP"}},
		"escaped in a probe":            {probe(`[test, "$$(C)"]`), peerVariables, nil},
		"the second of one name":        {`{env: [{name: A, value: a}, {name: A, valueFrom: {fieldRef: {fieldPath: metadata.name}}}], livenessProbe: {exec: {command: ["$(A)"]}}}`, peerVariables, []string{`livenessProbe.exec.command[0]: uses $(A), which is empty`}},
		"in a hook":                     {hook(`[echo, "$(A)"]`), peerVariables, []string{`lifecycle.preStop.exec.command[1]: uses $(A), and the kubelet expands no variables in a hook; run it with sh -c, and write "$A"`}},
		"in the script of a hook":       {hook(`[sh, -c, "echo $(PEERJOB_NAME) $(hostname)"]`), peerVariables, []string{`lifecycle.preStop.exec.command[2]: uses $(PEERJOB_NAME), and the kubelet expands no variables in a hook; write "$PEERJOB_NAME"`}},
		"a program and a variable":      {`{env: [{name: hostname, value: a}], lifecycle: {postStart: {exec: {command: [sh, -c, "echo $(hostname)"]}}}}`, peerVariables, nil},
		"working directory":             {`{` + env + `, workingDir: "/work/$(A)"}`, peerVariables, []string{`workingDir: uses the variable A, and the kubelet expands no variables in this field; let the command do it: sh -c 'cd "/work/$A" && …'`}},
		"working directory, as a shell": {`workingDir: /work/${PEERJOB_NAME}`, peerVariables, []string{`workingDir: uses the variable PEERJOB_NAME`}},
		"working directory, unknown":    {`workingDir: "/work/$(X)$Y"`, peerVariables, nil},
		"sub-path":                      {`volumeMounts: [{name: v, mountPath: /v, subPath: $(JOB_COMPLETION_INDEX)}]`, peerVariables, []string{`volumeMounts[0].subPath: uses the variable JOB_COMPLETION_INDEX, and the kubelet expands no variables in this field; write $(JOB_COMPLETION_INDEX) in subPathExpr instead`}},
		"mount path":                    {`volumeMounts: [{name: v, mountPath: "/$(PEERJOB_NAME)"}]`, peerVariables, []string{`volumeMounts[0].mountPath: uses the variable PEERJOB_NAME`}},
		"image":                         {`{` + env + `, image: "x:$(A)"}`, peerVariables, []string{`image: uses the variable A, and the kubelet expands no variables in this field; write the value itself`}},
		"a host of a probe":             {`livenessProbe: {httpGet: {host: $(PEERJOB_LEADER), path: "/$(PEERJOB_NAME)", port: 80, httpHeaders: [{name: A, value: $(PEERJOB_NAME)}]}}`, peerVariables, []string{`livenessProbe.httpGet.path: uses the variable PEERJOB_NAME, and the kubelet expands no variables in this field; use exec with sh -c and "$PEERJOB_NAME", or write the value itself`, "livenessProbe.httpGet.host: uses the variable PEERJOB_LEADER", "livenessProbe.httpGet.httpHeaders[0].value: uses the variable PEERJOB_NAME"}},
		"a key of a ConfigMap":          {`env: [{name: A, valueFrom: {configMapKeyRef: {name: $(PEERJOB_NAME), key: a}}}]`, peerVariables, []string{`env[0].valueFrom.configMapKeyRef.name: uses the variable PEERJOB_NAME`}},
	} {
		t.Run(name, func(t *testing.T) {
			compare(t, said(Unexpanded(templateOf(t, tt.container), tt.variables, templatePath)), tt.want)
		})
	}
}

// TestUnexpanded_volumes has fields of the Pod, where a variable of any container may
// have been meant.
func TestUnexpanded_volumes(t *testing.T) {
	template := templateOf(t, `env: [{name: A, value: a}]`)
	const volumes = `
- {name: a, nfs: {server: x, path: "/$(JOB_COMPLETION_INDEX)"}}
- {name: b, hostPath: {path: "/$(A)"}}
- {name: c, hostPath: {path: "/$(NOTHING)"}}
- {name: d, csi: {driver: x, volumeAttributes: {path: "$(A)"}}}
- {name: e, secret: {secretName: "$(PEERJOB_NAME)"}}
`
	if err := yaml.UnmarshalStrict([]byte(volumes), &template.Spec.Volumes); err != nil {
		t.Fatal(err)
	}
	compare(t, said(Unexpanded(template, peerVariables, templatePath)), []string{
		"template.spec.volumes[0].nfs.path: uses the variable JOB_COMPLETION_INDEX, and the kubelet expands no variables in this field; write the value itself",
		"template.spec.volumes[1].hostPath.path: uses the variable A",
		"template.spec.volumes[4].secret.secretName: uses the variable PEERJOB_NAME",
	})
}

// TestSelfSelectors has selectors of the peers by their Job's name.
func TestSelfSelectors(t *testing.T) {
	names := PeerNames{Job: "train-0123456789", EarlierJobs: []string{"train"}}
	const spread = "topologySpreadConstraints: [{labelSelector: %}]"
	for name, tt := range map[string]struct {
		pod   string
		other bool
		want  []string
	}{
		"spread":            {strings.Replace(spread, "%", "{matchLabels: {job-name: train}}", 1), false, []string{"template.spec.topologySpreadConstraints[0].labelSelector.matchLabels[job-name]: selects the Pods of the Job train, and the Job is train-0123456789 now: it matches none of them; select a label of the template instead, or, from Kubernetes 1.31 on, write matchLabelKeys: [job-name] beside labelSelector: {}"}},
		"expression":        {strings.Replace(spread, "%", "{matchExpressions: [{key: batch.kubernetes.io/job-name, operator: In, values: [train]}]}", 1), false, []string{"template.spec.topologySpreadConstraints[0].labelSelector.matchExpressions[0]: selects the Pods of the Job train"}},
		"required":          {"affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{labelSelector: {matchLabels: {job-name: train}}}]}}", false, []string{"template.spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector.matchLabels[job-name]: selects"}},
		"preferred":         {"affinity: {podAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{podAffinityTerm: {labelSelector: {matchLabels: {job-name: train}}}}]}}", false, []string{"template.spec.affinity.podAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm.labelSelector.matchLabels[job-name]: selects"}},
		"left out":          {"affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{labelSelector: {matchExpressions: [{key: job-name, operator: NotIn, values: [train]}]}}]}}", false, []string{"template.spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector.matchExpressions[0]: leaves out the Pods of the Job train, and the Job is train-0123456789 now: it leaves out none of them; leave out a label of the template instead, or, in an affinity from Kubernetes 1.31 on, write mismatchLabelKeys: [job-name] beside labelSelector: {}"}},
		"any Job":           {strings.Replace(spread, "%", "{matchExpressions: [{key: job-name, operator: Exists}]}", 1), false, nil},
		"its name of today": {strings.Replace(spread, "%", "{matchLabels: {job-name: train-0123456789}}", 1), false, nil},
		"both names":        {strings.Replace(spread, "%", "{matchExpressions: [{key: job-name, operator: In, values: [train, train-0123456789]}]}", 1), false, nil},
		"another Job":       {strings.Replace(spread, "%", "{matchLabels: {job-name: train}}", 1), true, nil},
		"an unknown Job":    {strings.Replace(spread, "%", "{matchLabels: {job-name: serve}}", 1), false, nil},
		"another label":     {strings.Replace(spread, "%", "{matchLabels: {app: train}}", 1), false, nil},
		"another namespace": {"affinity: {podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{namespaces: [other], labelSelector: {matchLabels: {job-name: train}}}]}}", false, nil},
		"any namespace":     {"affinity: {podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{namespaceSelector: {}, labelSelector: {matchLabels: {job-name: train}}}]}}", false, nil},
		"by the key":        {"topologySpreadConstraints: [{labelSelector: {}, matchLabelKeys: [job-name]}]", false, nil},
	} {
		t.Run(name, func(t *testing.T) {
			template := &corev1.PodTemplateSpec{}
			if err := yaml.UnmarshalStrict([]byte(tt.pod), &template.Spec); err != nil {
				t.Fatal(err)
			}
			compare(t, said(SelfSelectors(template, names, func(string) bool { return tt.other }, templatePath)), tt.want)
		})
	}
}

// TestHostNetwork has ports of the node, for which two peers do not share one.
func TestHostNetwork(t *testing.T) {
	const (
		port  = "containers: [{name: w, ports: [{containerPort: 80, hostPort: 8080}]}]"
		plain = "containers: [{name: w, ports: [{containerPort: 80}]}]"
		apart = ", affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: kubernetes.io/hostname}]}}"
	)
	for name, tt := range map[string]struct {
		pod   string
		peers int32
		want  []string
	}{
		"a host port":                        {port, 2, []string{"ports[0].hostPort: 8080 is a port of the node, so two peers on one node collide: a peer without a node of its own stays Pending; remove it, because peers reach each other's containerPort, or say so"}},
		"a host port of one peer":            {port, 1, nil},
		"a host port of peers apart":         {port + apart, 2, nil},
		"a container port":                   {plain, 2, nil},
		"a container port on the host":       {"hostNetwork: true, " + plain, 2, []string{"template.spec.hostNetwork: the container ports are ports of the node"}},
		"a container port on the host apart": {"hostNetwork: true, " + plain + apart, 2, nil},
	} {
		t.Run(name, func(t *testing.T) {
			template := &corev1.PodTemplateSpec{}
			if err := yaml.UnmarshalStrict([]byte("{"+tt.pod+"}"), &template.Spec); err != nil {
				t.Fatal(err)
			}
			compare(t, said(HostNetwork(template, jobOf(tt.peers), ContainerPorts(template, templatePath), nil, templatePath)), tt.want)
		})
	}
}

// TestUnexpanded_exported has a variable that only the shell of the command sets, in what the
// kubelet runs beside it.
func TestUnexpanded_exported(t *testing.T) {
	variables := Variables{
		Before:   func(*corev1.Container) []corev1.EnvVar { return nil },
		Exported: func(*corev1.Container) []corev1.EnvVar { return []corev1.EnvVar{{Name: "RANK", Value: "$((I + 2))"}} },
	}
	const message = "uses RANK, which a shell sets for the command of the container alone, and a %s does not have; compute it there: sh -c 'RANK=$((I + 2)); …'"
	for text, wrong := range map[string]bool{
		"[check, $(RANK)]": true, "[check, $RANK]": true, "[sh, -c, 'check $RANK ${RANK}']": true, "[sh, -c, 'check $(RANK)']": true,
		"[sh, -c, 'RANK=$((I + 2)); check $RANK']": false, "[sh, -c, 'export RANK=1; check $RANK']": false,
		"[sh, -c, 'check ${RANK:-0}']": false, "[sh, -c, 'check $RANKS']": false, "[check, RANK]": false,
	} {
		var words []string
		if err := yaml.Unmarshal([]byte(text), &words); err != nil {
			t.Fatal(err)
		}
		exec := corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: words}}
		template := &corev1.PodTemplateSpec{Spec: corev1.PodSpec{EnableServiceLinks: new(false), Containers: []corev1.Container{{
			ReadinessProbe: &corev1.Probe{ProbeHandler: exec},
			Lifecycle:      &corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{Exec: exec.Exec}},
		}}}}
		var got, want []string
		for _, w := range Unexpanded(template, variables, templatePath) {
			got = append(got, w.Message)
		}
		if wrong {
			want = []string{fmt.Sprintf(message, "probe"), fmt.Sprintf(message, "hook")}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
		template.Spec.Containers[0].Env = []corev1.EnvVar{{Name: "RANK", Value: "7"}}
		for _, w := range Unexpanded(template, variables, templatePath) {
			if strings.Contains(w.Message, "compute it there") {
				t.Errorf("%s, with a RANK of its own: %s", text, w.Message)
			}
		}
	}
}
