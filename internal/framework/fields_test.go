// SPDX-License-Identifier: Apache-2.0

package framework_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/expand"
	"github.com/peerjob/peerjob/internal/framework"
)

// settings are fields of spec.framework, by name.
type settings map[string]string

func (s settings) text() string {
	var parts []string
	for name, value := range s {
		if value != "" {
			parts = append(parts, name+": "+value)
		}
	}
	return strings.Join(parts, ", ")
}

// TestFields sets each field of spec.framework for each framework, and finds what it does:
// other objects, or an error or a warning that names it. Nothing is dropped in silence.
func TestFields(t *testing.T) {
	// values are other values of each field than those that are set, and no defaults.
	values := map[string][]string{
		"type":             {"Other"},
		"port":             {"4321"},
		"processesPerPeer": {"3", "gpu", "0"},
		"containers":       {"[side]", "[w, side]", "[none]"},
		"roles":            {"[{name: worker}]", "[{name: worker}, {name: chief}]", "[{name: chief}, {name: worker, processesPerPeer: 3}]", "[{name: chief, processesPerPeer: 3}, {name: worker}]", "[{name: worker, processesPerPeer: 3}]"},
		"leader":           {"{command: [b]}", "{command: [a], args: [b]}", "{args: [b]}"},
		"elastic":          {"{}", "{minPeers: 1}", "{maxRestarts: 3}"},
		"sshSecretName":    {"other"},
	}
	for i := range reflect.TypeFor[v1alpha1.Framework]().NumField() {
		name, _, _ := strings.Cut(reflect.TypeFor[v1alpha1.Framework]().Field(i).Tag.Get("json"), ",")
		if len(values[name]) == 0 {
			t.Errorf("spec.framework.%s has no value here; add one", name)
		}
	}
	for _, entry := range framework.Entries() {
		for _, command := range []string{"", ", command: [run]"} {
			for _, shape := range []string{"no roles", "one role", "two roles"} {
				base := settings{"type": entry.Type, "containers": "[w]"}
				if entry.SSH {
					base["sshSecretName"] = "keys"
				}
				if entry.Leader != nil && shape != "two roles" {
					base["leader"] = "{command: [a]}"
				}
				containers := "template: {spec: {containers: [{name: w, image: x" + command + "}, {name: side, image: y, command: [serve]}]}}"
				rest := "peers: 2, " + containers
				switch shape {
				case "one role":
					base["roles"] = "[{name: worker}]"
					rest = "roles: [{name: worker, peers: 2, " + containers + "}, {name: chief, peers: 1, " + containers + "}]"
				case "two roles":
					if entry.OneRole != "" {
						continue // an error of its own
					}
					base["roles"] = "[{name: chief}, {name: worker}]"
					// A leader needs a command, and a rank behind others, too.
					led := strings.Replace(containers, "image: x"+command, "image: x, command: [lead]", 1)
					others := containers
					if entry.Leader == nil {
						others = led
					}
					rest = "successRoles: [chief], failurePolicy: {action: FailPeerJob}, roles: [{name: chief, peers: 1, " + led + "}, {name: worker, peers: 2, " + others + "}]"
				}
				name := entry.Type + ", " + shape + command
				plain, wrong := fieldsOf(t, base, rest)
				if len(wrong) > 0 {
					t.Errorf("%s: %v", name, wrong)
					continue
				}
				for field, others := range values {
					for _, value := range others {
						if value == base[field] {
							continue
						}
						changed := settings{field: value}
						for other, set := range base {
							if other != field {
								changed[other] = set
							}
						}
						objects, found := fieldsOf(t, changed, rest)
						if objects == plain && !strings.Contains(strings.Join(found, "\n"), "spec.framework."+field) {
							t.Errorf("%s: nothing reads %s: %s, and nobody says so: %q", name, field, value, found)
						}
					}
				}
			}
		}
	}
}

// fieldsOf are the objects of a PeerJob with these settings of spec.framework, and what is
// said of the settings.
func fieldsOf(t *testing.T, framed settings, rest string) (objects string, found []string) {
	t.Helper()
	g := parse(t, "metadata: {name: train}\nspec: {framework: {"+framed.text()+"}, "+rest+"}")
	for _, err := range framework.Validate(g) {
		if strings.HasPrefix(err.Field, "spec.framework") {
			found = append(found, err.Error())
		}
	}
	for _, w := range framework.Warn(g) {
		if strings.HasPrefix(w.Field, "spec.framework") {
			found = append(found, w.Field+": "+w.Message)
		}
	}
	for _, object := range expand.Group(g) {
		text, err := json.Marshal(object.Object)
		if err != nil {
			t.Fatal(err)
		}
		objects += fmt.Sprintln(string(text))
	}
	return objects, found
}
