// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"strconv"
	"strings"
)

// Resolv is what /etc/resolv.conf says.
type Resolv struct {
	Nameservers []string
	Search      []string
	// Ndots is how many dots a name needs so that a program looks it up as it is first.
	Ndots int
}

// maxNdots is the most that the C library takes.
const maxNdots = 15

// ParseResolv reads the text of /etc/resolv.conf.
// See resolv.conf(5).
func ParseResolv(text string) Resolv {
	r := Resolv{Ndots: 1}
	for line := range strings.Lines(text) {
		if at := strings.IndexAny(line, "#;"); at >= 0 {
			line = line[:at]
		}
		words := strings.Fields(line)
		if len(words) < 2 {
			continue
		}
		switch words[0] {
		case "nameserver":
			r.Nameservers = append(r.Nameservers, words[1])
		case "domain":
			r.Search = []string{trimDot(words[1])}
		case "search":
			r.Search = nil
			for _, domain := range words[1:] {
				r.Search = append(r.Search, trimDot(domain))
			}
		case "options":
			for _, option := range words[1:] {
				if value, found := strings.CutPrefix(option, "ndots:"); found {
					if n, err := strconv.Atoi(value); err == nil && n >= 0 {
						r.Ndots = min(n, maxNdots)
					}
				}
			}
		}
	}
	return r
}

func trimDot(name string) string { return strings.TrimSuffix(name, ".") }
