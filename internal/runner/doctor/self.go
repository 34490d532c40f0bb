// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// defaultDomain is the DNS domain of most clusters.
const defaultDomain = "cluster.local"

// Self is who this peer is, as far as it can tell.
type Self struct {
	// Hostname is the host name of the Pod.
	Hostname string
	// Job, Service, Namespace and Domain are the parts of a peer's full name,
	// "<Job>-<index>.<Service>.<Namespace>.svc.<Domain>"; "" if that is not known.
	Job, Service, Namespace, Domain string
	// Index is the peer's index, -1 if that is not known, and Size the number of peers, 0
	// if that is not known.
	Index, Size int32
	// FullName is what /etc/hosts calls the Pod, "" if that is only the host name. The
	// kubelet writes a full name if the Pod has a subdomain.
	FullName string
	// InHosts is whether /etc/hosts has the Pod.
	InHosts bool
	// Addresses are those of the Pod.
	Addresses []netip.Addr
}

// Identify finds out who this peer is. hosts is the text of /etc/hosts, and addresses are
// those of the interfaces.
func Identify(hostname, hosts string, getenv func(string) string, resolv Resolv, addresses []netip.Addr) Self {
	short, _, _ := strings.Cut(hostname, ".") // setHostnameAsFQDN
	s := Self{Hostname: hostname, Index: -1, Addresses: addresses}
	for line := range strings.Lines(hosts) {
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		if len(words) < 2 || !slices.Contains(words[1:], short) && !strings.HasPrefix(words[1], short+".") {
			continue
		}
		address, err := netip.ParseAddr(words[0])
		if err != nil || address.IsLoopback() {
			continue
		}
		s.InHosts = true
		if !slices.Contains(s.Addresses, address) {
			s.Addresses = append(s.Addresses, address)
		}
		if parts := strings.SplitN(words[1], ".", 5); len(parts) == 5 && parts[0] == short && parts[3] == "svc" {
			s.FullName, s.Service, s.Namespace, s.Domain = words[1], parts[1], parts[2], parts[4]
		}
	}
	for _, search := range resolv.Search {
		if namespace, domain, found := strings.Cut(search, ".svc."); found && !strings.Contains(namespace, ".") {
			s.Namespace, s.Domain = first(s.Namespace, namespace), first(s.Domain, domain)
		}
	}
	if at := strings.LastIndexByte(short, '-'); at > 0 {
		if index, err := strconv.ParseInt(short[at+1:], 10, 32); err == nil && index >= 0 {
			s.Job, s.Index = short[:at], int32(index)
		}
	}
	s.Job = first(getenv("PEERJOB_NAME"), s.Job)
	s.Service = first(getenv("PEERJOB_SERVICE"), s.Service)
	s.Namespace = first(getenv("PEERJOB_NAMESPACE"), s.Namespace)
	s.Domain = first(s.Domain, defaultDomain)
	if index, err := strconv.ParseInt(getenv("JOB_COMPLETION_INDEX"), 10, 32); err == nil && index >= 0 {
		s.Index = int32(index)
	}
	if size, err := strconv.ParseInt(getenv("PEERJOB_SIZE"), 10, 32); err == nil && size > 0 {
		s.Size = int32(size)
	}
	return s
}

func first(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}

// Unknown says what is missing to name the peers, "" if nothing is.
func (s *Self) Unknown() string {
	switch {
	case s.Job == "":
		return fmt.Sprintf("the host name %q has no index at its end, and PEERJOB_NAME is not set: this is no Pod of an Indexed Job", s.Hostname)
	case s.Service == "":
		return "/etc/hosts has no full name of this Pod, and PEERJOB_SERVICE is not set: the Pod has no subdomain, so DNS has no names for the peers; write subdomain: <name of a headless Service> into the template of the Job"
	case s.Namespace == "":
		return "neither /etc/hosts, nor resolv.conf, nor PEERJOB_NAMESPACE has the namespace; name it with --namespace"
	}
	return ""
}

// ServiceName is the full name of the Service.
func (s *Self) ServiceName() string {
	return s.Service + "." + s.Namespace + ".svc." + s.Domain
}

// ShortName is the name by which the peers call a peer.
func (s *Self) ShortName(index int32) string {
	return fmt.Sprintf("%s-%d.%s", s.Job, index, s.Service)
}

// PeerName is the full name of a peer.
func (s *Self) PeerName(index int32) string {
	return fmt.Sprintf("%s-%d.%s", s.Job, index, s.ServiceName())
}
