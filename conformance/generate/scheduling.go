// SPDX-License-Identifier: Apache-2.0

package generate

func (p *pod) affinity() Object {
	return p.object(
		field{"nodeAffinity", 0.5, p.nodeAffinity},
		field{"podAffinity", 0.4, p.podAffinity},
		field{"podAntiAffinity", 0.4, p.podAffinity},
	)
}

const (
	required  = "requiredDuringSchedulingIgnoredDuringExecution"
	preferred = "preferredDuringSchedulingIgnoredDuringExecution"
)

// weight is the weight of what is preferred.
var weight = right(1, 50, 100).wrongly(0, 101, -1)

func (p *pod) nodeAffinity() Object {
	return p.object(
		field{required, 0.6, func() any {
			return p.object(field{"nodeSelectorTerms", always, func() any { return p.list(1, 2, p.nodeTerm) }})
		}},
		field{preferred, 0.5, func() any {
			return p.list(1, 2, func() any {
				return p.object(field{"weight", always, weight}, field{"preference", always, p.nodeTerm})
			})
		}},
	)
}

func (p *pod) nodeTerm() Object {
	return p.object(
		field{"matchExpressions", 0.8, func() any {
			return p.list(1, 2, func() any { return p.requirement("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt") })
		}},
		field{"matchFields", 0.15, func() any { return p.list(1, 1, p.nodeField) }},
	)
}

func (p *pod) nodeField() any {
	return p.object(
		field{"key", always, right("metadata.name").wrongly("metadata.namespace", "", "spec.x")},
		field{"operator", always, right("In", "NotIn").wrongly("Exists", "Gt", "")},
		field{"values", always, right(List{"node-1"}).wrongly(List{}, List{"a", "b"}, List{"Node"})},
	)
}

func (p *pod) podAffinity() Object {
	return p.object(
		field{required, 0.6, func() any { return p.list(1, 2, p.podTerm) }},
		field{preferred, 0.5, func() any {
			return p.list(1, 2, func() any {
				return p.object(field{"weight", always, weight}, field{"podAffinityTerm", always, p.podTerm})
			})
		}},
	)
}

func (p *pod) podTerm() Object {
	o := p.object(
		field{"topologyKey", always, topologyKey},
		field{"labelSelector", 0.8, p.labelSelector},
		field{"namespaces", 0.15, func() any { return p.list(1, 2, p.label) }},
		field{"namespaceSelector", 0.15, p.labelSelector},
	)
	if o["labelSelector"] != nil || p.goesWrong() {
		if p.chance(p.recent(0.1)) {
			o["matchLabelKeys"] = p.list(1, 2, right("job-name", "batch.kubernetes.io/job-name", "x.y/z").wrongly("", "a b", "app"))
		}
		if p.chance(p.recent(0.1)) {
			o["mismatchLabelKeys"] = p.list(1, 1, right("tenant", "x.y/w").wrongly("", "a b", "job-name"))
		}
	}
	return o
}

func (p *pod) toleration() any {
	o := p.object(
		field{"key", 0.8, p.qualifiedName},
		field{"effect", 0.6, right("NoSchedule", "PreferNoSchedule", "NoExecute").wrongly("noschedule", "", "NoAdmit")},
	)
	if o["key"] == nil && !p.goesWrong() {
		o["operator"] = "Exists"
		return o
	}
	if p.chance(0.6) {
		o["operator"] = p.value(right("Equal", "Exists", "Equal", "Exists").recently(p.generator, "Lt", "Gt").wrongly("", "In"))
	}
	switch {
	case (o["operator"] == "Lt" || o["operator"] == "Gt") && !p.goesWrong():
		o["value"] = p.value(right("1", "0", "-5", "9223372036854775807").wrongly("01", "x", "1.5", ""))
	case o["operator"] != "Exists" || p.goesWrong():
		o["value"] = p.labelValue()
	}
	if o["effect"] == "NoExecute" || p.goesWrong() {
		o["tolerationSeconds"] = one(p.generator, 0, 300, -1)
	}
	return o
}

// spread is a list of constraints, mostly without two of a kind.
func (p *pod) spread() any {
	var constraints List
	for i := range 1 + p.IntN(2) {
		when := p.value(right("DoNotSchedule", "ScheduleAnyway").wrongly("", "Never"))
		o := p.object(
			field{"maxSkew", always, right(1, 2, 100).wrongly(0, -1)},
			field{"topologyKey", always, p.value(right([]any{"kubernetes.io/hostname", "rack"}[i]).wrongly("", "a b", "kubernetes.io/hostname"))},
			field{"whenUnsatisfiable", always, when},
			field{"labelSelector", 0.8, p.labelSelector},
			field{"nodeAffinityPolicy", 0.1, right("Honor", "Ignore").wrongly("", "honor")},
			field{"nodeTaintsPolicy", 0.1, right("Honor", "Ignore").wrongly("", "honor")},
		)
		if when == "DoNotSchedule" && p.chance(0.2) || p.goesWrong() {
			o["minDomains"] = p.value(positive)
		}
		if o["labelSelector"] != nil && p.chance(0.1) || p.goesWrong() {
			o["matchLabelKeys"] = p.list(1, 2, right("job-name", "x.y/z").wrongly("", "a b", "app"))
		}
		constraints = append(constraints, o)
	}
	if p.goesWrong() {
		constraints = append(constraints, constraints[0])
	}
	return constraints
}

// resourceList is an amount of each of some resources.
func (g *generator) resourceList() Object {
	o := g.object(field{"cpu", 0.7, quantity}, field{"memory", 0.7, quantity}, field{"ephemeral-storage", 0.1, quantity})
	if g.goesWrong() {
		o[one(g, "", "gpu", "Example.com/gpu", "a b", "storage", "pods", "requests.cpu", "kubernetes.io/x", "hugepages-", "hugepages-2Mi", "requests.example.com/gpu")] = g.value(quantity)
	}
	return o
}

// resources is what a container wants: its requests are no more than its
// limits, mostly.
func (p *pod) resources() Object {
	limits, requests := Object{}, Object{}
	for _, r := range []struct {
		name      string
		chance    float64
		low, high choice
	}{
		{"cpu", 0.6, right("100m", "0.5", 1), right(1, "2", "4000m")},
		{"memory", 0.6, right("64Mi", "1e6", 128974848), right("1Gi", "1G", "4Gi")},
		{"ephemeral-storage", 0.1, right("1Mi"), right("1Gi")},
	} {
		if !p.chance(r.chance) {
			continue
		}
		if p.chance(0.7) {
			limits[r.name] = p.value(r.high.wrongly(quantity, "1m"))
		}
		if p.chance(0.7) {
			requests[r.name] = p.value(r.low.wrongly(quantity, "8Ti"))
		}
	}
	if p.chance(0.1) {
		name := one(p.generator, "example.com/gpu", "nvidia.com/gpu")
		limits[name] = p.value(right(1, "8").wrongly("0.5", "-1", "1500m"))
		if p.chance(0.3) {
			requests[name] = p.value(right(limits[name]).wrongly(2, "3"))
		}
	}
	if p.chance(0.05) && limits["memory"] != nil || p.goesWrong() {
		limits["hugepages-2Mi"] = p.value(right("4Mi", "2Mi").wrongly("3Mi", "1"))
		if p.goesWrong() {
			requests["hugepages-2Mi"] = "2Mi"
		}
	}
	if p.goesWrong() {
		for name, amount := range p.resourceList() {
			limits[name] = amount
		}
	}
	o := p.object(field{"limits", 0.9, limits}, field{"requests", 0.8, requests})
	if len(p.claims) > 0 && p.chance(0.5) || p.goesWrong() {
		o["claims"] = p.list(1, 1, func() any {
			return p.object(
				field{"name", always, func() any { return p.reference(p.claims) }},
				field{"request", 0.3, p.label},
			)
		})
	}
	return o
}
