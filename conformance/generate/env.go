// SPDX-License-Identifier: Apache-2.0

package generate

func (p *pod) env() List {
	names := right("A", "MASTER_ADDR", "NCCL_DEBUG", "with.dot", "a-b", "_", "lower").
		recently(p.generator, "SPACE X", "1ST").
		wrongly("", "A=B", "ä", "PEERJOB_NAME", "JOB_COMPLETION_INDEX", "new\nline", "..")
	return p.list(1, 4, func() any {
		o := p.object(field{"name", always, names})
		switch {
		case p.chance(0.5):
			o["value"] = p.value(text)
		case p.chance(0.95):
			o["valueFrom"] = p.valueFrom()
		}
		if p.goesWrong() {
			o["value"] = "both"
		}
		return o
	})
}

func (p *pod) valueFrom() Object {
	members := []field{
		{"fieldRef", always, p.fieldRef},
		{"resourceFieldRef", always, func() any { return p.resourceFieldRef(false) }},
		{"configMapKeyRef", always, p.keyRef},
		{"secretKeyRef", always, p.keyRef},
	}
	if len(p.emptyDirs) > 0 && !p.old || p.goesWrong() {
		members = append(members, field{"fileKeyRef", always, p.fileKeyRef})
	}
	return p.union(members...)
}

func (p *pod) fieldRef() Object {
	return p.object(
		field{"fieldPath", always, right(
			"metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName",
			"status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs",
			"metadata.labels['job-name']", "metadata.annotations['batch.kubernetes.io/job-completion-index']",
		).wrongly("", "spec.hostname", "metadata.labels", "metadata.annotations", "metadata.labels['a b']", "metadata.name['x']", "status.phase", "Metadata.name", "metadata.labels[x]")},
		field{"apiVersion", 0.1, right("v1").wrongly("v2", "", "batch/v1")},
	)
}

// resourceFieldRef names a resource of a container; in a volume it has to say
// of which.
func (p *pod) resourceFieldRef(inVolume bool) Object {
	o := p.object(
		field{"resource", always, right("limits.cpu", "limits.memory", "requests.cpu", "requests.memory", "limits.ephemeral-storage", "requests.hugepages-2Mi").
			wrongly("", "limits.gpu", "cpu", "limits.example.com/gpu", "limits.hugepages-")},
		field{"divisor", 0.3, right("1", 1, "0").wrongly("1m", "1Mi", "2", "1k", "x", "-1", "1Ei")},
	)
	if inVolume != p.goesWrong() {
		o["containerName"] = p.value(right("main", "w").wrongly("", "missing"))
	}
	return o
}

func (p *pod) keyRef() Object {
	return p.object(
		field{"name", always, p.subdomain},
		field{"key", always, key},
		field{"optional", 0.2, yesOrNo},
	)
}

func (p *pod) fileKeyRef() Object {
	return p.object(
		field{"volumeName", always, func() any { return p.reference(p.emptyDirs) }},
		field{"path", always, relativePath},
		field{"key", always, right("K", "a_b").wrongly("", "a b", "=")},
		field{"optional", 0.2, yesOrNo},
	)
}

func (p *pod) envFrom() any {
	o := p.union(
		field{"configMapRef", always, p.optionalReference},
		field{"secretRef", always, p.optionalReference},
	)
	if p.chance(0.3) {
		o["prefix"] = p.value(right("P_", "a.b-", "").recently(p.generator, "1", "1 a").wrongly("a=b", "ä"))
	}
	return o
}

func (p *pod) optionalReference() Object {
	return p.object(field{"name", always, p.subdomain}, field{"optional", 0.2, yesOrNo})
}
