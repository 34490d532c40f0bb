// SPDX-License-Identifier: Apache-2.0

// Package explain answers: what is the group of peers that a PeerJob stands for, as
// people think of it?
//
//	explain.go  reads a group and its objects into a Description
//	failure.go  says what the group does when a peer fails
//	table.go    writes Descriptions for people, graph.go as a picture, JSON for programs
//
// # Rules
//
//   - What ties the objects is read off the objects, not computed once more.
//   - Of very many peers, only the first ones and the last one are listed.
//
// # Never
//
// It never judges a PeerJob, and never changes one.
package explain

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/framework"
	"github.com/peerjob/peerjob/internal/origin"
	"github.com/peerjob/peerjob/internal/peerjob"
	"github.com/peerjob/peerjob/internal/rules"
)

// Description is a PeerJob, explained. Its JSON form is what -o json writes.
type Description struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace,omitempty"`
	// Role is the role of the peers, "" in a PeerJob without roles.
	Role string `json:"role,omitempty"`
	// File is the file of the PeerJob, "" if there is none.
	File       string      `json:"file,omitempty"`
	Framework  string      `json:"framework,omitempty"`
	Peers      Peers       `json:"peers"`
	Objects    []Object    `json:"objects"`
	Ties       []Tie       `json:"ties"`
	Ports      []Port      `json:"ports"`
	Containers []Container `json:"containers"`
	NameBudget NameBudget  `json:"nameBudget"`
	// OnFailure are sentences: what the group does when a peer fails.
	OnFailure []string `json:"onFailure"`
	// OnSuccess are sentences: when the group is done before all of its roles are.
	OnSuccess []string `json:"onSuccess,omitempty"`

	serviceName, selector string
	// leads is whether index 0 leads the peers of all roles.
	leads bool
}

// Peers are the peers of a group.
type Peers struct {
	Count int32 `json:"count"`
	// Shown are all peers, or of many the first ones and the last one.
	Shown []Peer `json:"shown"`
}

// Peer is one Pod of the group.
type Peer struct {
	Index int32 `json:"index"`
	// HostName is what the Pod calls itself, Name is what the Pods of the same namespace
	// call it, and FQDN what all others do.
	HostName string `json:"hostName"`
	Name     string `json:"name"`
	FQDN     string `json:"fqdn"`
}

// Object is an object that comes out.
type Object struct {
	Kind    string `json:"kind"`
	Name    string `json:"name"`
	Purpose string `json:"purpose"`
}

// Tie is one value that several fields must agree in.
type Tie struct {
	What  string `json:"what"`
	Value string `json:"value"`
	// Fields are where the value is, From the field of the PeerJob that decides it.
	Fields []string `json:"fields"`
	From   string   `json:"from"`
}

// Port is a port of the Service.
type Port struct {
	Name     string `json:"name"`
	Port     int32  `json:"port"`
	Protocol string `json:"protocol"`
	Source
}

// Container is a container of every peer.
type Container struct {
	Name string `json:"name"`
	// Init is whether it is an init container, Runner whether the runner starts its command.
	Init      bool       `json:"init,omitempty"`
	Runner    bool       `json:"runner,omitempty"`
	Variables []Variable `json:"variables"`
	// EnvFrom are ConfigMaps and Secrets whose entries are variables, too.
	EnvFrom []string `json:"envFrom,omitempty"`
}

// Variable is a variable of a container.
type Variable struct {
	Name string `json:"name"`
	// Value is what the container sees, with <index> for the index of the peer.
	Value string `json:"value"`
	Source
}

// Source is who decides a value.
type Source struct {
	// By is "peerjob", "kubernetes", "framework", "template" or "you".
	By string `json:"by"`
	// Field is the field of the PeerJob that the value comes from, "" if it comes from none.
	Field string `json:"field,omitempty"`
}

// The possible sources of a value.
const (
	byPeerjob    = "peerjob"
	byKubernetes = "kubernetes"
	byFramework  = "framework"
	byTemplate   = "template"
	byYou        = "you"
)

// NameBudget is how much room the names leave.
type NameBudget struct {
	// Characters is how many more metadata.name may have with this number of peers, of
	// all roles. Peers is how many peers there may be with this name, of this role.
	Characters int   `json:"characters"`
	Peers      int32 `json:"peers"`
	// Longest is the name that reaches its limit first.
	Longest string `json:"longest"`
	Limit   int    `json:"limit"`
	// Role is the role that the longest name is of, "" in a PeerJob without roles.
	Role string `json:"role,omitempty"`
}

const (
	// shownAll is the largest number of peers that are all listed, and shownFirst how many
	// of more than that are listed before the last one.
	shownAll, shownFirst = 8, 3
	// unknownNamespace and anyIndex stand for what is known only later.
	unknownNamespace, anyIndex = "<namespace>", "<index>"
)

// Describe describes a group by what it stands for: one role of a PeerJob with roles, with
// its own Job and what all roles share. isRendered reports whether the value
// of a field of the PeerJob comes from a template.
func Describe(g *peerjob.Group, objects []origin.Object, isRendered func(field string) bool) Description {
	d := Description{
		Name: g.PeerJob.Name, Namespace: g.PeerJob.Namespace, Role: g.RoleName(), leads: g == g.All()[0],
		Peers: peers(g), NameBudget: nameBudget(g), OnFailure: []string{}, OnSuccess: onSuccess(g),
		Ports: []Port{}, Containers: []Container{},
	}
	if g.PeerJob.Spec.Framework != nil {
		d.Framework = g.PeerJob.Spec.Framework.Type
	}
	source := sources{g, isRendered}
	var service, job origin.Object
	for _, o := range objects {
		if _, isJob := o.Object.(*batchv1.Job); isJob && o.GetName() != g.JobName {
			continue // of another role
		}
		d.Objects = append(d.Objects, object(g, o))
		switch typed := o.Object.(type) {
		case *corev1.Service:
			service = o
			for i, port := range typed.Spec.Ports {
				from := o.Origins.Of(field.NewPath("spec", "ports").Index(i).Child("port").String(), nil)
				d.Ports = append(d.Ports, Port{port.Name, port.Port, cmp.Or(string(port.Protocol), "TCP"), source.of(from)})
			}
		case *batchv1.Job:
			job = o
			d.Containers = containers(g, typed, o.Origins, source)
			d.OnFailure = onFailure(g, &typed.Spec, func(path string) string { return o.Origins.Of(path, nil) })
		}
	}
	d.tie(service, job)
	if g.HasRoles() && len(d.Ties) > 1 {
		d.Ties[1].Fields = []string{"Service spec.selector", "Job spec.template.metadata.labels of every role"}
	}
	return d
}

// peers lists the peers.
func peers(g *peerjob.Group) Peers {
	all := Peers{Count: g.Peers(), Shown: []Peer{}}
	domain := g.SearchDomain(cmp.Or(g.PeerJob.Namespace, unknownNamespace))
	for index := range g.Peers() {
		if g.Peers() > shownAll && index >= shownFirst {
			index = g.LastIndex()
		}
		name := g.PeerName(index)
		all.Shown = append(all.Shown, Peer{index, rules.Hostname(g.JobName, index), name, name + "." + domain})
		if index == g.LastIndex() {
			break
		}
	}
	return all
}

// isLeftOut reports whether there are peers between the last two that are shown.
func (p Peers) isLeftOut() bool { return int(p.Count) > len(p.Shown) }

func object(g *peerjob.Group, o origin.Object) Object {
	shown := Object{Kind: o.GetObjectKind().GroupVersionKind().Kind, Name: o.GetName()}
	switch typed := o.Object.(type) {
	case *corev1.Service:
		shown.Purpose = "headless: gives every peer its name in DNS"
		if !typed.Spec.PublishNotReadyAddresses {
			shown.Purpose += ", once it is ready"
		}
	case *batchv1.Job:
		shown.Purpose = "Indexed: runs 1 peer"
		if g.Peers() > 1 {
			shown.Purpose = fmt.Sprintf("Indexed: runs the %d peers at the same time", g.Peers())
		}
	case *networkingv1.NetworkPolicy:
		shown.Purpose = "lets only the peers open connections to the peers"
	case *corev1.ConfigMap:
		shown.Purpose = "immutable: " + diag.Count(len(typed.Data)+len(typed.BinaryData), "file") + " for the peers"
	}
	return shown
}

// tie says what the objects must agree in.
func (d *Description) tie(service, job origin.Object) {
	s, isService := service.Object.(*corev1.Service)
	j, isJob := job.Object.(*batchv1.Job)
	if !isService || !isJob {
		return
	}
	var selector []string
	for _, key := range slices.Sorted(maps.Keys(s.Spec.Selector)) {
		selector = append(selector, key+"="+s.Spec.Selector[key])
	}
	d.serviceName, d.selector = s.Name, strings.Join(selector, ",")
	completions := fmt.Sprint(*cmp.Or(j.Spec.Completions, new(int32(0))))
	d.Ties = []Tie{
		{"domain of the peers", s.Name, []string{"Service metadata.name", "Job spec.template.spec.subdomain"}, service.Origins.Of("metadata.name", nil)},
		{"Pods of the Service", d.selector, []string{"Service spec.selector", "Job metadata.name", "the label that the Job controller gives to its Pods"}, service.Origins.Of("spec.selector", nil)},
		{"namespace", cmp.Or(s.Namespace, unknownNamespace), []string{"Service metadata.namespace", "Job metadata.namespace"}, "metadata.namespace"},
		{"number of peers", completions, []string{"Job spec.completions", "Job spec.parallelism"}, job.Origins.Of("spec.completions", nil)},
	}
}

// sources tells who decides a value.
type sources struct {
	group      *peerjob.Group
	isRendered func(field string) bool
}

// of is the source of what comes from a field of the PeerJob.
func (s sources) of(path string) Source {
	switch {
	case isAt(path, peerjob.FrameworkPath):
		return Source{byFramework, path}
	case s.isRendered(path):
		return Source{byTemplate, path}
	case isAt(path, field.NewPath("spec", "service")), slices.ContainsFunc(s.group.All(), func(g *peerjob.Group) bool { return isAt(path, g.TemplatePath()) }):
		return Source{byYou, path}
	}
	return Source{byPeerjob, path}
}

// isAt reports whether a path is another one, or below it.
func isAt(path string, above *field.Path) bool {
	rest, found := strings.CutPrefix(path, above.String())
	return found && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

func containers(g *peerjob.Group, job *batchv1.Job, from *origin.Map, source sources) []Container {
	all := []Container{}
	template := &job.Spec.Template
	fields := rules.PodFields(template, job.Name, cmp.Or(job.Namespace, unknownNamespace), anyIndex)
	known := func(path string) (string, bool) {
		if path == "metadata.labels['"+v1alpha1.UIDLabel+"']" {
			return "<UID of the Job>", true
		}
		return fields(path)
	}
	ran := g.RunnerContainer()
	rules.EachContainer(template, field.NewPath("spec", "template"), func(c *corev1.Container, path *field.Path) {
		container := Container{Name: c.Name, Init: strings.Contains(path.String(), ".initContainers["), Variables: []Variable{}}
		container.Runner = !container.Init && ran >= 0 && ran < len(template.Spec.Containers) && template.Spec.Containers[ran].Name == c.Name
		values := rules.Resolve(c.Env, known)
		hasIndex := false
		for i, variable := range c.Env {
			hasIndex = hasIndex || variable.Name == v1alpha1.EnvIndex
			at := path.Child("env").Index(i)
			if variable.ValueFrom == nil {
				at = at.Child("value")
			}
			container.Variables = append(container.Variables, Variable{variable.Name, values.List[i], source.of(from.Of(at.String(), nil))})
		}
		if !hasIndex && c.Name != v1alpha1.RunnerInstall {
			container.Variables = append(container.Variables, Variable{v1alpha1.EnvIndex, anyIndex, Source{By: byKubernetes}})
		}
		if exported := framework.Brings(g).Exported; exported != nil && !container.Init {
			for _, v := range exported(c.Name) {
				container.Variables = append(container.Variables, Variable{v.Name, computed(v.Value), Source{byFramework, peerjob.FrameworkPath.String()}})
			}
		}
		if container.Runner {
			container.Variables = append(container.Variables, commandVariables(g)...)
		}
		for _, all := range c.EnvFrom {
			switch {
			case all.ConfigMapRef != nil:
				container.EnvFrom = append(container.EnvFrom, "ConfigMap "+all.ConfigMapRef.Name)
			case all.SecretRef != nil:
				container.EnvFrom = append(container.EnvFrom, "Secret "+all.SecretRef.Name)
			}
		}
		all = append(all, container)
	})
	return all
}

// computed is what a shell adds up, as people write it: "<index + 2>" for
// "$((JOB_COMPLETION_INDEX + 2))".
func computed(value string) string {
	sum, found := strings.CutPrefix(value, "$((")
	if !found {
		return value
	}
	return "<" + strings.Replace(strings.TrimSuffix(sum, "))"), v1alpha1.EnvIndex, "index", 1) + ">"
}

// commandVariables are the variables that the runner gives the command.
func commandVariables(g *peerjob.Group) []Variable {
	var all []Variable
	for _, name := range g.CommandEnvNames() {
		v := Variable{Name: name, Value: "<attempt, from 1>", Source: Source{byPeerjob, peerjob.FailurePolicyPath.String()}}
		switch name {
		case v1alpha1.EnvRank:
			before := int64(0)
			for _, role := range g.All() {
				if role == g {
					break
				}
				before += int64(role.Peers())
			}
			switch {
			case g.Peers() == 1:
				v.Value = strconv.FormatInt(before, 10)
			case before == 0:
				v.Value = anyIndex
			default:
				v.Value = fmt.Sprintf("<index + %d>", before)
			}
			v.Field = peerjob.RolesPath.String()
		case v1alpha1.EnvWorldSize:
			v.Value, v.Field = strconv.FormatInt(g.Total(), 10), peerjob.RolesPath.String()
		}
		all = append(all, v)
	}
	return all
}

// nameBudget says how much room the names leave, those of the role with the longest ones.
func nameBudget(g *peerjob.Group) NameBudget {
	budget := NameBudget{}
	for i, role := range g.All() {
		own := roleBudget(role)
		if i == 0 || own.Characters < budget.Characters {
			budget.Characters, budget.Longest, budget.Limit, budget.Role = own.Characters, own.Longest, own.Limit, role.RoleName()
		}
		if role == g {
			// All roles share the largest number of peers.
			budget.Peers = min(own.Peers, max(v1alpha1.MaxPeers-int32(g.Total())+g.Peers(), g.Peers()))
		}
	}
	return budget
}

// roleBudget says how much room the names of one role leave.
func roleBudget(g *peerjob.Group) NameBudget {
	service, job := &corev1.Service{}, &batchv1.Job{}
	service.Name, job.Name, job.Namespace = g.ServiceName(), g.JobName, g.PeerJob.Namespace
	// room is how many characters metadata.name may still have with n peers.
	room := func(n int32) NameBudget {
		job.Spec.Completions = &n
		host := NameBudget{Characters: rules.HostnameRoom(job), Longest: rules.Hostname(job.Name, n-1), Limit: rules.MaxHostnameLength}
		if own := g.Template().Spec.SetHostnameAsFQDN; own == nil || !*own {
			return host
		}
		left := rules.FQDNRoom(service, job, g.PeerJob.Spec.ClusterDomain)
		if g.PeerJob.Spec.Service.Name == "" && left > 0 {
			left /= 2 // the Service has the name, too
		}
		if left >= host.Characters {
			return host
		}
		name := rules.PeerName(job.Name, service.Name, n-1) + "." + g.SearchDomain(cmp.Or(job.Namespace, unknownNamespace))
		return NameBudget{Characters: left, Longest: name, Limit: rules.MaxFQDNLength}
	}
	budget := room(max(g.Peers(), 1))
	// Names get longer only where an index gets another digit.
	for n := int32(10); n <= v1alpha1.MaxPeers; n *= 10 {
		if room(n).Characters >= 0 {
			budget.Peers = n
		}
	}
	if budget.Peers == 0 {
		budget.Peers = max(g.Peers(), 1)
	}
	return budget
}
