// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"fmt"
	"strings"
	"time"
)

// manyRows is how many peers without a problem the table has, and how many with one.
const manyRows = 20

// Text is the report for people.
func (o *Observation) Text(findings []Finding) string {
	var out strings.Builder
	s := &o.Self
	line := func(name, format string, arguments ...any) {
		fmt.Fprintf(&out, "%-12s %s\n", name, fmt.Sprintf(format, arguments...))
	}
	line("this peer", "index %s of %s, in %s", number(s.Index), peers(len(o.Peers)), s.ServiceName())
	line("host name", "%s", s.Hostname)
	own := first(s.FullName, "no full name in /etc/hosts")
	if addresses := list(s.Addresses); addresses != "" {
		own += ", " + addresses
	}
	line("own name", "%s", own)
	for _, a := range o.Servers {
		switch a.Code {
		case NoAnswer, ServerFailed:
			line("nameserver", "%s: %s", a.Server, a.Problem)
		case NotAsked:
			line("nameserver", "%s: was not asked", a.Server)
		default:
			line("nameserver", "%s answers in %s", a.Server, short(a.Took))
		}
	}
	line("search list", "%s; ndots %d", first(strings.Join(o.Resolv.Search, " "), "empty"), o.Resolv.Ndots)
	line("Service", "%s", o.Service.says())
	fmt.Fprintf(&out, "\n%-6s %-40s %s\n", "peer", "DNS", fmt.Sprintf("port %d", o.Port))
	fine, bad, left := 0, 0, 0
	for _, peer := range o.Peers {
		isFine := peer.Answer.Code == Found && (peer.Connection == Open || peer.Connection == Refused)
		if isFine {
			fine++
		} else {
			bad++
		}
		if isFine && fine > manyRows || !isFine && bad > manyRows {
			left++
			continue
		}
		fmt.Fprintf(&out, "%-6d %-40s %s\n", peer.Index, peer.Answer.says(), peer.says())
	}
	if left > 0 {
		fmt.Fprintf(&out, "and %d more\n", left)
	}
	fmt.Fprintf(&out, "\n%d of %s resolve and are reachable\n", fine, peers(len(o.Peers)))
	for _, f := range findings {
		severity := "warning"
		if f.IsError {
			severity = "error"
		}
		fmt.Fprintf(&out, "%s: %s\n    %s\n", severity, f.Is, f.Do)
	}
	return out.String()
}

func number(index int32) string {
	if index < 0 {
		return "?"
	}
	return fmt.Sprint(index)
}

// manyAddresses is how many addresses of a name the report has.
const manyAddresses = 2

func (a *Answer) says() string {
	switch a.Code {
	case Found:
		if len(a.Addresses) > manyAddresses {
			return fmt.Sprintf("%d addresses, %s", len(a.Addresses), short(a.Took))
		}
		return fmt.Sprintf("%s, %s", list(a.Addresses), short(a.Took))
	case NoAddress:
		return "no address"
	case NoName:
		return "no such name"
	case ServerFailed, NoAnswer:
		return a.Problem
	}
	return "was not asked"
}

func (p *Peer) says() string {
	switch p.Connection {
	case Open:
		return "open, " + short(p.Took)
	case Refused:
		return "reachable, nothing listens"
	case TimedOut:
		return "no answer"
	case Unreachable:
		return "unreachable"
	}
	return "-"
}

// short is a time as people read it.
func short(d time.Duration) string {
	if d < time.Millisecond {
		return "under 1 ms"
	}
	return fmt.Sprintf("%d ms", d.Milliseconds())
}

// peers is a number of peers: "1 peer", "3 peers".
func peers(n int) string {
	if n == 1 {
		return "1 peer"
	}
	return fmt.Sprintf("%d peers", n)
}
