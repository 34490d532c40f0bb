// SPDX-License-Identifier: Apache-2.0

package generate

import (
	"bytes"
	"math/rand/v2"
	"slices"

	"go.yaml.in/yaml/v3"
)

// Object and List are the branches of a tree; its leaves are strings, ints and
// booleans.
type (
	Object = map[string]any
	List   = []any
)

// PeerJob grows the PeerJob of a seed, for a version of Kubernetes such as
// "1.30"; "" leaves spec.kubernetesVersion unset. With mostlyOld, two of three
// have nothing that came after the oldest server, but by mutation: an old server
// refuses most of the others for what it does not know.
func PeerJob(seed uint64, kubernetesVersion string, mostlyOld bool) Object {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 0)), seed: seed, old: mostlyOld && seed%3 != 0}
	g.rate = one(g, 0, 0, 0, 0.005, 0.02)
	// A copy: what several values have in common is not changed with them.
	tree, _ := clone(g.peerJob()).(Object)
	for range one(g, 0, 0, 0, 1, 1, 2) {
		g.mutate(tree)
	}
	if spec, ok := tree["spec"].(Object); ok && kubernetesVersion != "" {
		spec["kubernetesVersion"] = kubernetesVersion
	}
	return tree
}

// Text is a tree as YAML.
func Text(tree Object) ([]byte, error) {
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(tree); err != nil {
		return nil, err
	}
	return out.Bytes(), encoder.Close()
}

// generator makes the choices.
type generator struct {
	*rand.Rand
	seed uint64
	// old is whether the grammar leaves out what is recent.
	old bool
	// rate is the chance that a value goes wrong.
	rate float64
}

func (g *generator) chance(p float64) bool { return g.Float64() < p }

func (g *generator) goesWrong() bool { return g.chance(g.rate) }

// one returns one of the values.
func one[T any](g *generator, values ...T) T { return values[g.IntN(len(values))] }

// choice is what a value may be, and what it may be by mistake.
type choice struct{ right, wrong List }

func right(values ...any) choice { return choice{right: values} }

// recently adds values that came after the oldest server, 1.29.
func (c choice) recently(g *generator, values ...any) choice {
	if !g.old {
		c.right = append(slices.Clone(c.right), values...)
	}
	return c
}

// recent is the chance of a field that came after the oldest server, 1.29.
func (g *generator) recent(chance float64) float64 {
	if g.old {
		return 0
	}
	return chance
}

func (c choice) wrongly(values ...any) choice {
	c.wrong = append(c.wrong, values...)
	return c
}

// field is a field of an object: how likely it is to be set, and to what. The
// value is a choice, a function that makes it, or the value itself.
type field struct {
	name   string
	chance float64
	value  any
}

// always is the chance of a field that must be set.
const always = 1

// object makes an object of the fields.
func (g *generator) object(fields ...field) Object {
	o := Object{}
	for _, f := range fields {
		if f.chance == always && g.goesWrong() && g.chance(0.3) {
			continue
		}
		if g.chance(f.chance) {
			o[f.name] = g.value(f.value)
		}
	}
	return o
}

func (g *generator) value(from any) any {
	switch from := from.(type) {
	case choice:
		if len(from.wrong) > 0 && g.goesWrong() {
			return g.value(one(g, from.wrong...))
		}
		return g.value(one(g, from.right...))
	case func() any:
		return from()
	case func() string:
		return from()
	case func() Object:
		return from()
	case func() List:
		return from()
	}
	return from
}

// list makes a list of low to high values.
func (g *generator) list(low, high int, value any) List {
	l := List{}
	for range low + g.IntN(high-low+1) {
		l = append(l, g.value(value))
	}
	if len(l) > 0 && g.goesWrong() {
		l = one(g, List{}, append(l, l[0]))
	}
	return l
}

// union makes an object with exactly one of the fields, or by mistake with
// another number of them.
func (g *generator) union(members ...field) Object {
	o := Object{}
	n := 1
	if g.goesWrong() {
		n = one(g, 0, 2)
	}
	for range n {
		f := one(g, members...)
		o[f.name] = g.value(f.value)
	}
	return o
}
