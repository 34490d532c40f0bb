// SPDX-License-Identifier: Apache-2.0

package generate

import "fmt"

// role is what a container is in its Pod.
type role int

const (
	mainContainer role = iota
	initContainer
	sidecar
)

func (p *pod) setContainers(o Object) {
	names := []string{"main", "w", p.longLabel(63), "log-shipper", "0"}
	p.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	next := func() string {
		name := names[0]
		names = names[1:]
		p.containers = append(p.containers, name)
		return name
	}
	inits := List{}
	if p.chance(0.3) {
		for range 1 + p.IntN(2) {
			inits = append(inits, p.container(next(), one(p.generator, initContainer, sidecar)))
		}
	}
	containers := List{p.container(next(), mainContainer)}
	if p.chance(0.25) {
		containers = append(containers, p.container(next(), mainContainer))
	}
	if p.goesWrong() {
		containers = one(p.generator, List{}, append(containers, containers[0]), append(containers, inits...))
	}
	if len(inits) > 0 {
		o["initContainers"] = inits
	}
	o["containers"] = containers
	if p.chance(p.recent(0.05)) {
		limits := right(Object{"cpu": "64", "memory": "1Ti"}, Object{"cpu": "64", "memory": "1Ti", "hugepages-2Mi": "1Gi"})
		o["resources"] = p.object(field{"limits", 0.8, limits}, field{"requests", 0.5, p.resourceList})
	}
}

func (p *pod) container(name string, role role) Object {
	o := p.object(
		field{"name", always, p.value(right(name).wrongly("", "Main", "a.b", p.longLabel(64), "main"))},
		field{"image", always, right("busybox", "registry.example/a/b:1.2", "x@sha256:"+fmt.Sprintf("%064x", 7)).wrongly("", " x", "x ", "A B")},
		field{"command", 0.3, func() any { return p.list(1, 3, command) }},
		field{"args", 0.3, func() any { return p.list(1, 3, command) }},
		field{"workingDir", 0.1, absolutePath},
		field{"envFrom", 0.15, func() any { return p.list(1, 2, p.envFrom) }},
		field{"env", 0.4, func() any { return p.env() }},
		field{"resources", 0.3, p.resources},
		field{"resizePolicy", p.recent(0.05), p.resizePolicy},
		field{"volumeMounts", 0.7, p.mounts},
		field{"volumeDevices", 0.4, p.devicePaths},
		field{"terminationMessagePath", 0.1, right("/dev/termination-log", "relative")},
		field{"terminationMessagePolicy", 0.1, right("File", "FallbackToLogsOnError").wrongly("file", "")},
		field{"imagePullPolicy", 0.2, right("Always", "Never", "IfNotPresent").wrongly("always", "")},
		field{"securityContext", 0.25, p.security},
		field{"stdin", 0.05, yesOrNo},
		field{"stdinOnce", 0.05, yesOrNo},
		field{"tty", 0.05, yesOrNo},
		field{"ports", 0.3, p.containerPorts},
	)
	p.setRestart(o, role)
	if role != initContainer || p.goesWrong() {
		p.setProbes(o)
	}
	for _, name := range []string{"volumeMounts", "volumeDevices"} {
		if l, ok := o[name].(List); ok && len(l) == 0 {
			delete(o, name)
		}
	}
	return o
}

// setRestart sets the policy of a single container.
func (p *pod) setRestart(o Object, role role) {
	policies := right("Always", "OnFailure", "Never")
	switch {
	case role == sidecar:
		o["restartPolicy"] = p.value(right("Always").wrongly("always", "OnFailure", ""))
		return
	case role == initContainer:
		policies = right("OnFailure", "Never")
	}
	if p.chance(p.recent(0.07)) {
		o["restartPolicy"] = p.value(policies.wrongly("always", ""))
		if p.chance(0.6) || p.goesWrong() {
			o["restartPolicyRules"] = p.list(1, 2, p.restartRule)
		}
	} else if p.goesWrong() && p.chance(0.3) {
		o["restartPolicyRules"] = p.list(1, 2, p.restartRule)
	}
}

func (p *pod) restartRule() any {
	return p.object(
		field{"action", always, right("Restart", "Restart", "RestartAllContainers").wrongly("restart", "")},
		field{"exitCodes", always, func() any {
			return p.object(
				field{"operator", always, right("In", "NotIn").wrongly("in", "")},
				field{"values", always, right(List{42}, List{0}, List{1, 2}).wrongly(List{}, List{-1}, List{1, 1}, List{256}, List{2, 1})},
			)
		}},
	)
}

func (p *pod) setProbes(o Object) {
	for _, name := range []string{"livenessProbe", "readinessProbe", "startupProbe"} {
		if p.chance(0.1) {
			o[name] = p.probe(name == "readinessProbe")
		}
	}
	if p.chance(0.15) {
		o["lifecycle"] = p.object(field{"postStart", 0.5, p.handler}, field{"preStop", 0.7, p.handler})
	}
	if p.osSet && p.chance(p.recent(0.2)) || p.goesWrong() {
		signals := right("SIGTERM", "SIGKILL")
		if !p.windows {
			signals.right = append(signals.right, "SIGUSR1", "SIGRTMIN+1")
		}
		o["lifecycle"] = Object{"stopSignal": p.value(signals.wrongly("TERM", "", "SIGUSR2"))}
	}
}

func (p *pod) probe(readiness bool) Object {
	o := p.union(
		field{"exec", always, p.execute},
		field{"httpGet", always, p.httpGet},
		field{"tcpSocket", always, p.tcpSocket},
		field{"grpc", always, p.grpc},
	)
	for _, name := range []string{"initialDelaySeconds", "timeoutSeconds", "periodSeconds", "failureThreshold"} {
		if p.chance(0.3) {
			o[name] = p.value(right(0, 1, 5, 300).wrongly(-1))
		}
	}
	if p.chance(0.3) {
		o["successThreshold"] = p.value(right(0, 1).wrongly(-1, 2))
		if readiness {
			o["successThreshold"] = p.value(right(1, 3).wrongly(-1))
		}
	}
	if p.chance(0.1) && !readiness || p.goesWrong() {
		o["terminationGracePeriodSeconds"] = p.value(positive)
	}
	return o
}

func (p *pod) handler() Object {
	handlers := []field{
		{"exec", always, p.execute},
		{"httpGet", always, p.httpGet},
		{"tcpSocket", always, p.tcpSocket},
	}
	if !p.old {
		handlers = append(handlers, field{"sleep", always, func() any {
			return p.object(field{"seconds", always, right(0, 1).wrongly(-1, 100000)})
		}})
	}
	return p.union(handlers...)
}

func (p *pod) execute() Object {
	return p.object(field{"command", always, func() any { return p.list(1, 2, command) }})
}

func (p *pod) httpGet() Object {
	return p.object(
		field{"port", always, anyPort},
		field{"path", 0.6, right("/", "/healthz", "healthz", "/a?b=c", "")},
		field{"scheme", 0.3, right("HTTP", "HTTPS").wrongly("http", "", "GRPC")},
		field{"host", 0.1, right("localhost", "10.0.0.1", "")},
		field{"httpHeaders", 0.1, func() any {
			return p.list(1, 2, func() any {
				return p.object(field{"name", always, right("X-A", "host").wrongly("", "a b", "ä")}, field{"value", 0.8, text})
			})
		}},
	)
}

func (p *pod) tcpSocket() Object {
	return p.object(field{"port", always, anyPort}, field{"host", 0.1, right("localhost", "")})
}

func (p *pod) grpc() Object {
	return p.object(field{"port", always, portNumber}, field{"service", 0.3, right("", "s", "grpc.health.v1.Health")})
}

// containerPorts differ from those of the Pod's other containers, mostly.
func (p *pod) containerPorts() any {
	var ports List
	for range 1 + p.IntN(2) {
		p.ports++
		number := 1000*p.ports + p.IntN(1000)
		port := p.object(
			field{"containerPort", always, p.value(right(number).wrongly(portNumber, 1000))},
			field{"name", 0.6, p.value(right(fmt.Sprintf("p%d", p.ports), "p"+fmt.Sprint(number)).wrongly(portName, "p1"))},
			field{"protocol", 0.4, right("TCP", "UDP", "SCTP").wrongly("tcp", "", "HTTP")},
			field{"hostIP", 0.05, address},
		)
		if p.hostNetwork {
			if p.chance(0.3) {
				port["hostPort"] = p.value(right(port["containerPort"]).wrongly(portNumber, 1))
			}
		} else if p.chance(0.1) {
			port["hostPort"] = p.value(right(number).wrongly(portNumber, 1000))
		}
		ports = append(ports, port)
	}
	if p.goesWrong() {
		ports = append(ports, ports[0])
	}
	return ports
}

func (p *pod) resizePolicy() any {
	policy := p.value(right("NotRequired").wrongly("RestartContainer", "", "Never"))
	policies := List{Object{"resourceName": p.value(right("cpu").wrongly("gpu", "", "storage")), "restartPolicy": policy}}
	if p.chance(0.5) {
		policies = append(policies, Object{"resourceName": p.value(right("memory").wrongly("cpu")), "restartPolicy": "NotRequired"})
	}
	return policies
}

// procMount is Unmasked only where the Pod has a user namespace of its own.
func (p *pod) procMount() any {
	types := right("Default").wrongly("Unmasked", "default", "")
	if !p.hostUsers {
		types.right = append(types.right, "Unmasked")
	}
	return p.value(types)
}

// security is the securityContext of a container.
func (p *pod) security() Object {
	if p.windows && !p.goesWrong() {
		return Object{"windowsOptions": p.windowsOptions()}
	}
	o := p.object(
		field{"runAsUser", 0.3, right(0, 1000, 2147483647).wrongly(-1, 2147483648)},
		field{"runAsGroup", 0.2, right(0, 1000).wrongly(-1)},
		field{"runAsNonRoot", 0.2, yesOrNo},
		field{"readOnlyRootFilesystem", 0.2, yesOrNo},
		field{"capabilities", 0.2, func() any {
			return p.object(
				field{"add", 0.7, func() any { return p.list(1, 2, right("NET_ADMIN", "IPC_LOCK", "SYS_PTRACE", "CAP_SYS_ADMIN", "ALL")) }},
				field{"drop", 0.5, right(List{"ALL"}, List{})},
			)
		}},
		field{"privileged", 0.15, yesOrNo},
		field{"seLinuxOptions", 0.05, p.seLinux},
		field{"seccompProfile", 0.15, p.profile},
		field{"appArmorProfile", p.recent(0.1), p.profile},
		field{"procMount", 0.05, p.procMount},
	)
	if p.chance(0.2) {
		o["allowPrivilegeEscalation"] = p.value(right(true).wrongly(false))
	}
	if p.goesWrong() {
		o["windowsOptions"] = p.windowsOptions()
	}
	return o
}
