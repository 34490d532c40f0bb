// SPDX-License-Identifier: Apache-2.0

package generate

import "strings"

// pod grows a Pod's spec and remembers what its parts may refer to.
type pod struct {
	*generator
	restartPolicy          string
	hostNetwork, hostUsers bool
	windows                bool
	osSet                  bool
	containers             List
	volumes, devices       List
	emptyDirs              List
	claims                 List
	ports                  int
}

// reference names one of the things that are there, or by mistake another.
func (g *generator) reference(names List) any {
	return g.value(choice{append(List{}, names...), List{"missing", "", "Not Valid"}}.or("missing"))
}

// or gives a choice that has nothing right to choose from one value.
func (c choice) or(value any) choice {
	if len(c.right) == 0 {
		c.right = List{value}
	}
	return c
}

func (p *pod) spec() Object {
	p.decide()
	o := p.object(
		field{"terminationGracePeriodSeconds", 0.2, long},
		field{"activeDeadlineSeconds", 0.1, positive.wrongly(2147483648)},
		field{"nodeSelector", 0.1, p.labels},
		field{"serviceAccountName", 0.1, p.subdomain},
		field{"automountServiceAccountToken", 0.1, yesOrNo},
		field{"nodeName", 0.03, p.subdomain},
		field{"shareProcessNamespace", 0.05, yesOrNo},
		field{"imagePullSecrets", 0.1, func() any { return p.list(0, 2, p.localReference) }},
		field{"affinity", 0.15, p.affinity},
		field{"schedulerName", 0.05, p.subdomain},
		field{"tolerations", 0.15, func() any { return p.list(1, 3, p.toleration) }},
		field{"hostAliases", 0.1, func() any { return p.list(1, 2, p.hostAlias) }},
		field{"priorityClassName", 0.1, right("high", "system-node-critical", "a.b").wrongly("", "High", "a_b")},
		field{"priority", 0.05, right(0, 1000, -1, 2000000000)},
		field{"preemptionPolicy", 0.1, right("Never", "PreemptLowerPriority").wrongly("never", "")},
		field{"runtimeClassName", 0.1, right("gvisor", "a.b").wrongly("", "Gvisor", "a_b")},
		field{"overhead", 0.05, p.resourceList},
		field{"readinessGates", 0.05, func() any { return p.list(1, 2, p.readinessGate) }},
		field{"enableServiceLinks", 0.1, yesOrNo},
		field{"topologySpreadConstraints", 0.15, p.spread},
		field{"setHostnameAsFQDN", 0.03, yesOrNo},
		field{"schedulingGates", 0.1, p.schedulingGates},
		field{"securityContext", 0.2, p.podSecurity},
	)
	p.setDecided(o)
	p.setDNS(o)
	p.setClaims(o)
	p.setVolumes(o)
	p.setContainers(o)
	p.setMistakes(o)
	return o
}

// decide makes the choices that others depend on.
func (p *pod) decide() {
	p.restartPolicy = one(p.generator, "Never", "Never", "Never", "OnFailure")
	p.hostNetwork = p.chance(0.1)
	p.hostUsers = p.hostNetwork || !p.chance(p.recent(0.1))
	p.osSet = p.chance(0.15)
	p.windows = p.osSet && !p.hostNetwork && p.hostUsers && p.chance(0.15)
}

func (p *pod) setDecided(o Object) {
	if p.restartPolicy != "Never" || p.chance(0.2) {
		o["restartPolicy"] = p.value(right(p.restartPolicy).wrongly("Always", "never", ""))
	}
	if p.hostNetwork {
		o["hostNetwork"] = true
	}
	if !p.hostUsers {
		o["hostUsers"] = false
	} else if p.chance(p.recent(0.05)) {
		o["hostUsers"] = true
	}
	if p.hostUsers && !p.windows || p.goesWrong() {
		for _, name := range []string{"hostPID", "hostIPC"} {
			if p.chance(0.03) {
				o[name] = true
			}
		}
	}
	if p.osSet {
		name := "linux"
		if p.windows {
			name = "windows"
			delete(o, "securityContext")
			delete(o, "shareProcessNamespace")
		}
		o["os"] = p.object(field{"name", always, right(name).wrongly("Linux", "", "darwin", "windows")})
	}
}

// setMistakes sets what never belongs into the template of a PeerJob.
func (p *pod) setMistakes(o Object) {
	for _, f := range []field{
		{"hostname", 0.3, "x"},
		{"hostnameOverride", 0.3, "x.y"},
		{"subdomain", 0.3, "other"},
		{"serviceAccount", 0.3, "other"},
		{"ephemeralContainers", 0.5, List{Object{"name": "debug", "image": "busybox"}}},
		{"schedulingGroup", 0.5, Object{"podGroupName": "g"}},
	} {
		if p.goesWrong() && p.chance(f.chance) {
			o[f.name] = f.value
		}
	}
}

func (p *pod) setDNS(o Object) {
	policies := right("ClusterFirst", "ClusterFirstWithHostNet")
	if p.hostNetwork {
		policies = right("ClusterFirstWithHostNet")
	}
	if p.chance(0.15) {
		o["dnsPolicy"] = p.value(policies.wrongly("Default", "None", "clusterfirst", ""))
	}
	if p.chance(0.15) {
		o["dnsConfig"] = p.object(
			field{"nameservers", 0.5, func() any { return p.list(1, 3, address) }},
			field{"searches", 0.5, p.searches},
			field{"options", 0.5, func() any { return p.list(1, 2, p.dnsOption) }},
		)
		if p.goesWrong() {
			o["dnsConfig"] = Object{"nameservers": List{"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"}}
		}
	}
}

func (p *pod) searches() any {
	n := p.value(right(1, 2, 32).wrongly(33)).(int)
	searches := p.list(n, n, p.searchDomain)
	if p.goesWrong() {
		searches = append(searches, strings.Repeat("abcdefg.", 31)+"abc")
	}
	return searches
}

// searchDomain is also a name that no DNS zone has, but that resolvers take.
func (p *pod) searchDomain() any {
	if p.old || p.chance(0.9) {
		return p.domain()
	}
	return p.value(right(".", "a_b.example.com", "_tcp.example.com", "example.com.").wrongly("..", "a_b..c"))
}

func (p *pod) dnsOption() any {
	return p.object(field{"name", always, right("ndots", "edns0").wrongly("")}, field{"value", 0.5, text})
}

func (p *pod) setClaims(o Object) {
	if !p.chance(p.recent(0.08)) {
		return
	}
	p.claims = List{"gpu", "nic"}[:1+p.IntN(2)]
	var claims List
	for _, name := range p.claims {
		claim := p.union(
			field{"resourceClaimName", always, p.subdomain},
			field{"resourceClaimTemplateName", always, p.subdomain},
		)
		claim["name"] = p.value(right(name).wrongly("", "Gpu", "gpu"))
		claims = append(claims, claim)
	}
	o["resourceClaims"] = claims
}

func (p *pod) localReference() any {
	return p.object(field{"name", always, p.subdomain})
}

func (p *pod) hostAlias() any {
	return p.object(
		field{"ip", always, address},
		field{"hostnames", 0.9, func() any { return p.list(1, 2, p.subdomain) }},
	)
}

func (p *pod) readinessGate() any {
	return p.object(field{"conditionType", always, p.qualifiedName})
}

func (p *pod) schedulingGates() any {
	gates := List{Object{"name": p.qualifiedName()}}
	if p.chance(0.3) {
		gates = append(gates, Object{"name": p.value(right("example.com/second").wrongly("", "a b"))})
	}
	if p.goesWrong() {
		gates = append(gates, gates[0])
	}
	return gates
}

// podSecurity is the securityContext of all containers.
func (p *pod) podSecurity() Object {
	o := p.object(
		field{"runAsUser", 0.3, right(0, 1000, 2147483647).wrongly(-1, 2147483648)},
		field{"runAsGroup", 0.2, right(0, 1000).wrongly(-1, 2147483648)},
		field{"runAsNonRoot", 0.2, yesOrNo},
		field{"supplementalGroups", 0.2, func() any { return p.list(1, 2, right(1, 1000).wrongly(-1, 2147483648)) }},
		field{"supplementalGroupsPolicy", p.recent(0.1), right("Merge", "Strict").wrongly("merge", "")},
		field{"fsGroup", 0.2, right(0, 1000).wrongly(-1)},
		field{"fsGroupChangePolicy", 0.1, right("OnRootMismatch", "Always").wrongly("Never", "")},
		field{"sysctls", 0.15, func() any { return p.list(1, 2, p.sysctl) }},
		field{"seLinuxOptions", 0.1, p.seLinux},
		field{"seLinuxChangePolicy", p.recent(0.05), right("Recursive", "MountOption").wrongly("recursive", "")},
		field{"seccompProfile", 0.2, p.profile},
		field{"appArmorProfile", p.recent(0.1), p.profile},
	)
	if p.goesWrong() {
		o["windowsOptions"] = p.windowsOptions()
	}
	return o
}

// sysctl is one that goes with the host's namespaces in use, mostly.
func (p *pod) sysctl() any {
	names := right("vm.max_map_count", "kernel/shm_rmid_forced", "fs.file-max")
	if !p.hostNetwork {
		names.right = append(names.right, "net.core.somaxconn", "net.ipv4.ip_unprivileged_port_start")
	}
	return p.object(
		field{"name", always, names.wrongly("", "NET.x", "a..b", "net.core.somaxconn", "kernel.shmmax", strings.Repeat("a", 254))},
		field{"value", always, right("1", "", "1024 65535")},
	)
}

func (p *pod) seLinux() Object {
	return p.object(field{"level", 0.8, right("s0:c123,c456", "")}, field{"type", 0.3, right("spc_t")}, field{"user", 0.1, right("u")}, field{"role", 0.1, right("r")})
}

// profile is a seccomp or an AppArmor profile.
func (p *pod) profile() Object {
	kind := p.value(right("RuntimeDefault", "Unconfined", "Localhost").wrongly("", "runtime/default", "Local"))
	o := Object{"type": kind}
	if kind == "Localhost" != p.goesWrong() {
		o["localhostProfile"] = p.value(right("p.json", "a/b.json").wrongly("", "../x", "/x", " p "))
	}
	return o
}

func (p *pod) windowsOptions() Object {
	return p.object(
		field{"runAsUserName", 0.5, right("ContainerUser", `NT AUTHORITY\SYSTEM`).wrongly("", `a\b\c`, "user:name")},
		field{"gmsaCredentialSpecName", 0.3, p.subdomain},
		field{"gmsaCredentialSpec", 0.2, right("{}").wrongly("")},
		field{"hostProcess", 0.2, yesOrNo},
	)
}
