// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const head = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\n"

// hostile are texts that look like something else. Each is held to yaml/v3.
var hostile = []string{
	"", "\n", "items:", "kind: ResourceList\nitems:\n- a\n", "---\n" + head + "items:\n- a: b\n", head + "items:\n- a: b\n---\n", head + "items:\n- a: b\n...\n",
	"\ufeff" + head + "items:\n- a: b\n", head + "items:\n- a: \ufeffb\n", head + "items:\n- a: b\x00\n", head + "# \x00\nitems:\n- a: b\n", head + "items:\n- a: b\n# \x01",
	head + "items:\n- a: \xff\n", head + "items:\n- a: b\u0085- c: d\n", head + "items:\n- a: b\u2028- c\n", head + "items:\n- a: b\r- c: d\n", head + "items:\r\n- a: b\r\n- c: |\r\n    d\r\n",
	head + "items:\n- a: |\n    - apiVersion: v1\n    ---\n  b: c\n- d: >-\n    - e\n\n    ---\n", head + "items:\n- a: \"\n- apiVersion: v1\n  kind: A\"\n- b: c\n",
	head + "items:\n- a: '\n- b: c\n'\n- d: e\n", head + "items:\n- a: [\n- b\n]\n", head + "items:\n- a: {\n- b: c\n}\n", head + "items:\n- a: [x,\n- b]\n- c: d\n",
	head + "items:\n- a: '# no\n# comment'\n# comment\n- b: c\n", head + "items:\n- a: \"x\n\n  # y\"\n- b: c\n", head + "items:\n- a\n  b\n- c: d\n  e\n- f\n",
	head + "items:\n- a: b\n c: d\n", head + "items:\n- a: b\n   c: d\n", head + "items:\n- a:\n  - b\n  - c\n  d:\n  - e: f\n    g: h\n", head + "items:\n- a:\n  b:\n    c:\n   d: e\n",
	head + "items:\n- a: &x b\n- c: *x\n", head + "items:\n- a: &x b\n  c: *x\n", head + "items:\n- &x {a: b}\n- *x\n", head + "items:\n- a: &x [*x]\n", head + "items: &i\n- a: b\nfunctionConfig: *i\n",
	head + "items:\n- !!binary aGk=\n- !x {a: b}\n", head + "items:\n- ? a\n  : b\n", head + "items:\n- ? |\n    a\n  : b\n- c: d\n", head + "items:\n- <<: {a: b}\n  c: d\n",
	head + "items:\n- a: b\n  a: c\n  kind: A\n  kind: B\n", head + "items:\n- kind: A\n  \"kind\": B\n", head + "items:\n- {kind: A, metadata: {name: x}}\n- [a, b]\n", head + "items: [{kind: A}]\n",
	head + "items:\n- a:\tb\n", head + "items:\n-\ta: b\n", head + "items:\n- a: b\t\n", head + "items:\n- a: |\n  \tb\n", head + "items:\n- a: |\n    b\n   \tc\n", head + "items:\n- a: |\n\t\n    b\n",
	head + "items:\n- a: |\n        \n    b\n", head + "items:\n- a: |\n      \n\n- b: c\n", head + "items:\n- a: |2\n     b\n", head + "items:\n- a: |+\n    b\n\n\n- c: d\n", head + "items:\n- a: |+\n    b\n\n# c\n\n- d: e\n",
	head + "items:\n- a: |\n    b", head + "items:\n- a: |+\n    b\n\n", head + "items:\n- a: b", head + "items:\n- a: >\n    b\n   # c\n  d: e\n", head + "items:\n- a: | # c\n    b\n  # d\n- c: d\n",
	head + "items:\n- a: " + strings.Repeat("x", 5000) + "\n", head + "items:\n- " + strings.Repeat("x", 1100) + ": b\n", head + "items:\n- \"" + strings.Repeat("x", 1030) + "\": b\n",
	head + "items:\n" + strings.Repeat("- ", 200) + "a\n", head + "items:\n- " + strings.Repeat("[", 50) + strings.Repeat("]", 50) + "\n",
	head + "items:\n  - a: b\n    c: |\n      d\n\n  # e\n  - f: g\nresults:\n  - message: x\n", head + "items:\n  - a: b\n  c: d\n", head + "items:\n  - a: b\n - c: d\n", head + "items:\n-\n  a: b\n-\n- c:\n",
	head + "# one\nitems: # two\n\n# three\n\n- a: b # four\n  # five\n# six\n\n# seven\n- c: d\n# eight\nresults: []\n# nine\n", head + "items: []\n", head + "items: [] # none\nfunctionConfig: {}\n", head + "items:\n", head + "items: null\n",
	head + "results:\n- message: x\nitems:\n- a: b\nfunctionConfig:\n  kind: A\n", head + "items:\n- a: b\nfunctionConfig:\n  data: |\n    x", head + "items:\n- a: b\nfunctionConfig: \"\nitems:\n- c\"\n", head + "items:\n- a: b\nitems:\n- c: d\n",
	head + "items:\n- a: b\nother: c\n", head + "items:\n- a: b\nfunctionConfig:\n- c\n- d\n", head + "items:\n- a: \"\\x41\\u00e9\\ud800\"\n", head + "items:\n- a: \"\\q\"\n", head + "items:\n- kind: \"A\\n\"\n- kind: 'it''s'\n- kind: ~\n- kind: \"null\"\n",
	head + "items:\n- metadata:\n    name: |-\n      x\n    annotations:\n      a: |\n        b\n\n          c\n\n      d: >\n        e\n      f:\n      g: [h]\n      i: 'j'\n", head + "items:\n- metadata:\n  - name: x\n- metadata: x\n- metadata:\n    annotations:\n    - x\n",
	head + "items:\n- a: b:\n- c: d: e\n- f :g\n- h:i\n- j:  k  # l\n- m: n#o\n- p: q #\n- #r\n", head + "items:\n- a: -\n- b: - c\n- d: -e\n- - - f\n  - g\n- -h: i\n", head + "items:\n- a: [b, \"c\", 'd', -e, {f: g}, [], {}, h, ]\n- {i: j, k: {l: []}}\n- [m: n]\n- {o}\n- {\"p\":1}\n- [,]\n- {q: }\n",
	head + "items:\n- a: @b\n", head + "items:\n- a: `b`\n", head + "items:\n- a: %b\n", head + "items:\n- a: 'b' c\n", head + "items:\n- a: [b] c\n", head + "items:\n- 'a': b\n  \"c\" : d\n", head + "items:\n- a: b\n  # c\n    d\n", head + "items:\n- a: .\n- b: ..\n- c: $\n- d: =\n- e: <<\n- <<: {}\n",
	"apiVersion: |\n  x\nkind: ResourceList\nitems:\n- a\n", "apiVersion: x\nkind: \"ResourceList\" # c\nitems:\n- a\n", "apiVersion: x\nkind: ResourceList\n  y\nitems:\n- a\n", "# c\n\napiVersion: x # d\n# e\nkind: ResourceList\nitems:\n- a: b\n",
	head + "items:\n- a: b\n\n\n", head + "items:\n- a: b\n  \n \n# c\n  # d\n- e: f\n", head + "items:\n- a:\n# b\n    c: d\n", head + "items:\n# only\n", head + "items:\n- kind: A\n  metadata: {name: x}\n", head + "items:\n- metadata:\n    name: 1\n    namespace: 2001-01-01\n    name: y\n",
}

func TestRead_hostile(t *testing.T) {
	for _, text := range hostile {
		t.Run("", func(t *testing.T) { checkRead(t, []byte(text)) })
	}
}

// tests are lists and the items that Read finds, as "kind namespace/name", or
// why it declines.
var tests = map[string]struct {
	text string
	want []string
	err  string
}{
	"as kustomize writes it": {
		text: head + "items:\n- apiVersion: v1\n  kind: Service\n  metadata:\n    name: a\n    annotations:\n      config.kubernetes.io/index: '0'\n- apiVersion: apps/v1\n  kind: Deployment\n  metadata:\n    namespace: n\n    name: b\nfunctionConfig:\n  kind: ConfigMap\n",
		want: []string{"Service /a", "Deployment n/b"},
	},
	"indented":               {text: head + "items:\n  - kind: A\n    metadata:\n      name: a\n  - kind: B\n", want: []string{"A /a", "B /"}},
	"text like items":        {text: head + "items:\n- kind: A\n  text: |\n    - kind: B\n    ---\n- kind: C\n", want: []string{"A /", "C /"}},
	"quotes over lines":      {text: head + "items:\n- kind: A\n  text: \"x\n\n    - kind: B\"\n- kind: C\n", want: []string{"A /", "C /"}},
	"brackets over lines":    {text: head + "items:\n- kind: A\n  list: [\n    a]\n", want: []string{"A /"}},
	"anchors in one item":    {text: head + "items:\n- kind: &k A\n  other: *k\n  metadata: {name: *k}\n", want: []string{"A /A"}},
	"Windows":                {text: strings.ReplaceAll(head+"items:\n- kind: A\n  text: |\n    x\n- kind: B\n", "\n", "\r\n"), want: []string{"A /", "B /"}},
	"no last line end":       {text: head + "items:\n- kind: A\n- kind: B", want: []string{"A /", "B /"}},
	"an empty list":          {text: head + "items: []\n", want: nil},
	"JSON":                   {text: `{"apiVersion": "v1", "kind": "ResourceList", "items": []}`, err: "offset 0: no key of a list, or one that was there before"},
	"several documents":      {text: head + "items:\n- kind: A\n---\nkind: B\n", err: "offset 72: no key of a list, or one that was there before"},
	"brackets":               {text: head + "items: [{kind: A}]\n", err: "items: are not in block style"},
	"an anchor for two":      {text: head + "items:\n- kind: &k A\n- kind: *k\n", err: "items: [1]: yaml: unknown anchor 'k' referenced"},
	"quotes over two items":  {text: head + "items:\n- kind: \"A\n- kind: B\"\n", err: "items: [0]: yaml: line 2: found unexpected end of stream"},
	"no items":               {text: head, err: "has no items"},
	"null items":             {text: head + "items:\n", err: "items: are null"},
	"another kind":           {text: "apiVersion: v1\nkind: List\nitems:\n- kind: A\n", err: "kind: is no plain ResourceList"},
	"another key":            {text: head + "items:\n- kind: A\nmetadata: {}\n", err: "offset 72: no key of a list, or one that was there before"},
	"a key twice":            {text: head + "items:\n- kind: A\nkind: ResourceList\n", err: "offset 72: no key of a list, or one that was there before"},
	"a block without an end": {text: head + "items:\n- kind: A\n  text: |\n    x", err: "items: [0]: ends without a line end"},
	"a byte that is no text": {text: head + "items:\n- kind: A\x00\n", err: "items: [0]: has a line break or a byte that is no text"},
}

func TestRead(t *testing.T) {
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			checkRead(t, []byte(tt.text))
			list, err := Read([]byte(tt.text), wanted)
			if tt.err != "" {
				if err == nil || err.Error() != tt.err {
					t.Errorf("declines with %v, want %s", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, item := range list.Items {
				got = append(got, item.Kind+" "+item.Namespace+"/"+item.Name)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("items (-want +got):\n%s", diff)
			}
		})
	}
}

// TestScan_isSure has forms that are in every package: they must be known
// without yaml/v3, or reading is not fast.
func TestScan_isSure(t *testing.T) {
	for name, item := range map[string]string{
		"a Deployment":       "- apiVersion: apps/v1\n  kind: Deployment\n  metadata:\n    name: a\n    labels: {app: a}\n  spec:\n    template:\n      spec:\n        containers:\n        - name: a\n          args: [\"--x=y\", -v, '3']\n          resources: {}\n          env:\n          - name: A\n            value: \"a: b\"\n        - image: b:1.0 # the second\n",
		"a script":           "- kind: ConfigMap\n  data:\n    run.sh: |\n      #!/bin/sh\n      \techo \"$(A)\"\n\n      - x\n    other: >-\n      a\n",
		"kustomize's own":    "- kind: A\n  metadata:\n    annotations:\n      kustomize.config.k8s.io/id: |\n        kind: A\n        name: a\n      config.kubernetes.io/index: '0'\n",
		"quoted keys":        "- kind: ConfigMap\n  data:\n    \"n\": 'on'\n    'y': \"no\"\n",
		"Unicode":            "- kind: ConfigMap\n  data:\n    a: Grüße, 世界 😀\n",
		"lists in lists":     "- - a\n  - - b\n    - c: d\n      e: f\n",
		"odd indentation":    "-    kind: A\n     spec:\n              a: b\n              list:\n               - x\n     other:\n      - y\n",
		"comments":           "# above\n- kind: A # beside\n\n  # between\n  spec: # beside\n    # in it\n    a: b\n  # behind\n",
		"JSON in one line":   "- kind: A\n  spec: {\"a\": [\"\\u003cx\\u003e\", 1]}\n",
		"a dash of its own":  "-\n  kind: A\n",
		"values not there":   "- kind: A\n  a:\n  b:\n    c:\n  d: ~\n",
		"text with a colon":  "- a: http://example.com:80/x?y=z\n- b: 12:30\n",
		"Windows line ends":  "- kind: A\r\n  text: |\r\n    x\r\n",
		"what looks like it": "- a: |\n    - kind: B\n    items:\n    ---\n",
	} {
		t.Run(name, func(t *testing.T) {
			s := scanner{wanted: wanted, names: map[string]string{}, item: &Item{}}
			for _, one := range strings.SplitAfter(item, "\n- b") {
				if !s.scan([]byte(strings.TrimSuffix(one, "\n- b")), 0) && !strings.HasPrefix(one, ":") {
					t.Errorf("is not sure of\n%s", one)
				}
			}
		})
	}
}

func TestItem_Annotate(t *testing.T) {
	for name, tt := range map[string]struct{ item, want string }{
		"no annotations": {
			"# a\n- kind: A # b\n  metadata: # c\n    # d\n    name: x # e\n\n    # f\n  spec: {}\n",
			"# a\n- kind: A # b\n  metadata: # c\n    # d\n    name: x # e\n    annotations:\n      k: \"v\"\n\n    # f\n  spec: {}\n",
		},
		"annotations": {
			"- metadata:\n      annotations:\n          a: |\n              b\n\n      name: x\n  kind: A\n",
			"- metadata:\n      annotations:\n          a: |\n              b\n          k: \"v\"\n\n      name: x\n  kind: A\n",
		},
		"text that keeps its empty lines": {
			"- metadata:\n    annotations:\n      a: |+\n        b\n\n  kind: A\n",
			"- metadata:\n    annotations:\n      a: |+\n        b\n\n      k: \"v\"\n  kind: A\n",
		},
		"Windows":                 {"- metadata:\r\n    name: x\r\n", "- metadata:\r\n    name: x\r\n    annotations:\r\n      k: \"v\"\r\n"},
		"metadata in brackets":    {"- metadata: {name: x}\n", ""},
		"annotations in brackets": {"- metadata:\n    annotations: {}\n    name: x\n", ""},
		"annotations not there":   {"- metadata:\n    annotations:\n    name: x\n", ""},
		"no line end":             {"- metadata:\n    name: x", ""},
		"no metadata":             {"- kind: A\n", ""},
		"an anchor":               {"- metadata:\n    name: &x x\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			list, err := Read([]byte(head+"items:\n"+tt.item), func(string) bool { return false })
			if err != nil {
				t.Fatal(err)
			}
			got, ok := list.Items[0].Annotate("k", `"v"`)
			if diff := cmp.Diff(tt.want, string(got)); diff != "" || ok != (tt.want != "") {
				t.Errorf("%v (-want +got):\n%s", ok, diff)
			}
		})
	}
}

// uglyLists are the lists of testdata/ugly.
func uglyLists(t testing.TB) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "ugly", "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no lists in testdata/ugly: %v", err)
	}
	lists := map[string][]byte{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		lists[filepath.Base(file)] = text
	}
	return lists
}

// TestRead_ugly reads lists as people and programs write them. None of them
// may be declined, and each must go out as it came in.
func TestRead_ugly(t *testing.T) {
	for name, text := range uglyLists(t) {
		t.Run(name, func(t *testing.T) {
			if _, err := Read(text, wanted); err != nil {
				t.Errorf("declines: %v", err)
			}
			checkRead(t, text)
		})
	}
}
