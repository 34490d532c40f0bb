// SPDX-License-Identifier: Apache-2.0

package generate

import (
	"strconv"
	"strings"
)

var (
	yesOrNo = right(true, false)

	// count is a number that is 0 or more.
	count = right(0, 1, 2, 3, 10, 3600, 2147483647).wrongly(-1, -2147483648)

	// long is a number of 64 bits that is 0 or more.
	long = right(0, 1, 2, 30, 3600, 2147483647, 2147483648, 9223372036854775807).wrongly(-1, -9223372036854775808)

	// positive is a number that is 1 or more.
	positive = right(1, 2, 5, 30, 3600, 2147483647).wrongly(0, -1)

	portNumber = right(1, 22, 80, 443, 8080, 29500, 65535).wrongly(0, -1, 65536, 100000)

	portName = right("http", "p", "grpc", "metrics-8080", "a1-b2-c3", "fifteen-chars-x").
			wrongly("", "sixteen-chars-xx", "HTTP", "a--b", "-a", "80", "a_b", "a.b")

	// anyPort is a port by its number or its name.
	anyPort = right(1, 80, 8080, 65535, "http", "p", "grpc").wrongly(0, -1, 65536, "", "80", "sixteen-chars-xx", "A B", "--")

	address = right("10.0.0.1", "127.0.0.1", "::1", "fd00::1", "192.168.255.254", "0.0.0.0").
		wrongly("10.0.0", "10.0.0.256", "010.0.0.1", "host", "", "fd00::g", "::ffff:1.2.3.4", "1.2.3.4/8")

	absolutePath = right("/data", "/", "/a/b/c", "/with space", "/a.b").wrongly("", "data", "../x", "/a/../b", "/a:b")

	relativePath = right("x", "a/b", "config.yaml", "..data", "a b").wrongly("", "/x", "../x", "a/../b", "..", "a:b")

	mode = right(0, 256, 292, 420, 511).wrongly(512, -1, 777)

	key = right("k", "config.yaml", "a.b-c_d", "KEY", "..x").wrongly("", "a b", "a/b", "..", ".", strings.Repeat("k", 254))

	quantity = right("1", "100m", "1Gi", "1.5", "2k", "0", 1, 2, "1e3", "0.001", "128974848", "1Ei", "1E", "1e18", "9223372036854775807", "0.5Ki", "1u", "100n").
			wrongly("-1", "1gb", "", "1 Gi", "1e", "NaN", "1m5", "0.0001", "-0.5Gi", "1e100", "1e-100", "99999999999999999999", ".5", "5.", "+1", "0x1")

	storageSize = right("1Gi", "500M", 1, "1e6").wrongly("0", "-1Gi", "1gb", "10m")

	// topologyKey is the key of a label on nodes.
	topologyKey = right("kubernetes.io/hostname", "topology.kubernetes.io/zone", "rack").wrongly("", "a b", "/x", "a/b/c")

	signerName = right("example.com/signer", "kubernetes.io/kube-apiserver-client").wrongly("", "signer", "a b/c", "Example.com/x")

	text = right("", "x", "hello world", "$(PEERJOB_NAME)", "a: b # c", "line\nline\n", "  padded  ", "äöü ✓", "0x10", "yes", "null", "1e3", "'\"\\", "tab\there", "\u0085next", "a\r\nb",
		"~", "- x", "? y", "%d", "@at", "`tick`", "{{ x }}", "#", "&a *b", "!tag", "|", ">", "key:", "1_000", "12:30:45", "0o7", ".inf", "2024-01-01", "=", "<<", "\n", "\n\nx", "  x\ny", "x\n  y\n\n",
		"\x00", "\x1b[0m", "\x7f", "\u2028", "\ufeff", "\u00a0", "\U0001F600", "\ue000", strings.Repeat("long words ", 30), strings.Repeat("y", 300))

	command = right("sh", "-c", "echo $(JOB_COMPLETION_INDEX)", "", "$$(X)", "true", "no", "0755", "multi\nline")
)

// label is a DNS label.
func (g *generator) label() any {
	return g.value(right("a", "train", "my-job", "w0", "x-1-y", "nccl-tests", g.longLabel(63), g.longLabel(40), "7", "0day").
		wrongly("", "Train", "my_job", "-a", "a-", "a b", "ä", g.longLabel(64), "a..b", "a.b"))
}

// longLabel is a label of n characters.
func (g *generator) longLabel(n int) string {
	return "l" + strings.Repeat(strconv.Itoa(g.IntN(10)), n-2) + "z"
}

// subdomain is a DNS subdomain.
func (g *generator) subdomain() any {
	if g.chance(0.7) {
		return g.label()
	}
	return g.value(right("a.b", "example.com", "x-1.y-2.z", strings.Repeat("a.", 126)+"a").
		wrongly("a..b", ".a", "a.", "A.b", strings.Repeat("a.", 127)+"a", "a_b.c"))
}

// domain is a domain of a cluster or a network.
func (g *generator) domain() any {
	return g.value(right("cluster.local", "example.com", "svc.cluster.local", "a", "x.y.z").
		wrongly("", "Cluster.Local", "a_b", "cluster.local.", "-x", "a b", "."))
}

// qualifiedName is the key of a label or an annotation, or a name like it.
func (g *generator) qualifiedName() any {
	return g.value(right("app", "team", "example.com/x", "a.b/c_d.E-f", "app.kubernetes.io/name", "K", g.longLabel(63)).
		wrongly("", "/", "a/", "/a", "a/b/c", "-a", "a b", "ä", g.longLabel(64), "A.b/c", "example..com/x"))
}

func (g *generator) labelValue() any {
	return g.value(right("", "a", "A-b_c.d", "1", "true", "null", "1e3", g.longLabel(63)).
		wrongly("a b", "-a", "a-", "ä", g.longLabel(64), "a/b", "a:b"))
}

func (g *generator) labels() Object {
	o := Object{}
	for range g.IntN(4) {
		key, _ := g.qualifiedName().(string)
		o[key] = g.labelValue()
	}
	if g.chance(0.1) {
		key := one(g, "config.kubernetes.io/path", "internal.config.kubernetes.io/index", "kueue.x-k8s.io/queue-name", "app.kubernetes.io/instance")
		o[key] = g.labelValue()
	}
	if g.goesWrong() {
		key := one(g, "job-name", "controller-uid", "batch.kubernetes.io/job-name", "peerjob.dev/owner", "batch.kubernetes.io/controller-uid")
		o[key] = g.labelValue()
	}
	return o
}

func (g *generator) annotations() Object {
	o := Object{}
	for range g.IntN(3) {
		key, _ := g.qualifiedName().(string)
		o[key] = g.value(text)
	}
	if g.chance(0.05) {
		key := one(g, "config.kubernetes.io/depends-on", "config.kubernetes.io/local-config", "argocd.argoproj.io/sync-wave", "kubectl.kubernetes.io/default-container")
		o[key] = g.value(text)
	}
	if g.chance(0.05) {
		o["Example.com/Case"] = "an annotation's key may have capitals"
	}
	if g.goesWrong() {
		o["large"] = strings.Repeat("x", one(g, 262100, 262144, 262145))
	}
	if g.goesWrong() {
		key := one(g,
			"batch.kubernetes.io/job-completion-index", "service.kubernetes.io/topology-mode", "service.kubernetes.io/topology-aware-hints",
			"container.apparmor.security.beta.kubernetes.io/main", "seccomp.security.alpha.kubernetes.io/pod",
			"scheduler.alpha.kubernetes.io/tolerations", "kubernetes.io/config.mirror", "controller.kubernetes.io/pod-deletion-cost",
			"service.alpha.kubernetes.io/tolerate-unready-endpoints", "batch.kubernetes.io/cronjob-scheduled-timestamp")
		o[key] = one(g, "", "x", "true", "runtime/default", "localhost/p", "10", "[{}]", "2024-01-01T00:00:00Z", "Auto", "Disabled")
	}
	return o
}

// labelSelector is a selector of API objects.
func (g *generator) labelSelector() Object {
	return g.object(
		field{"matchLabels", 0.7, g.labels},
		field{"matchExpressions", 0.4, func() any {
			return g.list(1, 2, func() any { return g.requirement("In", "NotIn", "Exists", "DoesNotExist") })
		}},
	)
}

// requirement is an expression of a selector.
func (g *generator) requirement(operators ...string) Object {
	operator := one(g, operators...)
	if g.goesWrong() {
		operator = one(g, "", "in", "Equals", "Gt", "Exists")
	}
	o := g.object(field{"key", always, g.qualifiedName}, field{"operator", always, operator})
	switch operator {
	case "In", "NotIn":
		o["values"] = g.list(1, 3, g.labelValue)
	case "Gt", "Lt":
		o["values"] = List{g.value(right("1", "0", "-5").wrongly("x", "", "1.5"))}
	}
	if g.goesWrong() {
		o["values"] = one(g, List{}, List{"a", "b"}, List{""})
	}
	return o
}
