// SPDX-License-Identifier: Apache-2.0

package fn

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
)

// TestAdvisedNames holds that the name which an error advises is taken in its place: the
// oracle is peerjob with that name, and so the validation of Kubernetes.
func TestAdvisedNames(t *testing.T) {
	const alphabet = "aZ1.-/_ é:"
	forms := map[string]string{
		"metadata.name":      "metadata: {name: %q}\nspec:\n  peers: 2\n",
		"spec.service.name":  "metadata: {name: train}\nspec:\n  peers: 2\n  service: {name: %q}\n",
		"spec.roles[0].name": "metadata: {name: train}\nspec:\n  roles:\n  - name: %q\n    peers: 2\n    template: {spec: {containers: [{name: w, image: x}]}}\n",
	}
	advised := 0
	random := rand.New(rand.NewPCG(1, 2))
	for field, form := range forms {
		if !strings.Contains(form, "roles") {
			form += "  template: {spec: {containers: [{name: w, image: x}]}}\n"
		}
		errorsOf := func(name string) string {
			var said bytes.Buffer
			_ = Expand([]File{{Name: "x.yaml", Content: []byte("apiVersion: peerjob.dev/v1alpha1\nkind: PeerJob\n" + fmt.Sprintf(form, name))}}, &bytes.Buffer{}, &said, ExpandOptions{})
			var errs strings.Builder
			for line := range strings.Lines(said.String()) {
				if !strings.HasPrefix(line, "peerjob: warning: ") {
					errs.WriteString(line)
				}
			}
			return errs.String()
		}
		advice := regexp.MustCompile(regexp.QuoteMeta(field) + `: Invalid value: .*; write "(.*)"`)
		for _, name := range hardNames(random, alphabet, 400) {
			found := advice.FindStringSubmatch(errorsOf(name))
			if found == nil {
				continue
			}
			advised++
			if said := errorsOf(found[1]); said != "" {
				t.Errorf("%s: %q is advised instead of %q, and then:\n%s", field, found[1], name, said)
			}
		}
	}
	if advised < 100 {
		t.Errorf("only %d names had advice", advised)
	}
}

// hardNames returns random texts of up to eight letters, and some that are known to be hard.
func hardNames(random *rand.Rand, alphabet string, count int) []string {
	all := []string{"a.", ".a", "x/y.z", "...", "a..b", "A.b", "1.a", "a-.b"}
	letters := []rune(alphabet)
	for range count {
		var name []rune
		for range 1 + random.IntN(8) {
			name = append(name, letters[random.IntN(len(letters))])
		}
		all = append(all, string(name))
	}
	return all
}
