// SPDX-License-Identifier: Apache-2.0

package protocol

import (
	"fmt"
	"strings"
	"time"
)

const (
	// summaryAge is how old a summary may be: making one looks at every record,
	// and every peer asks for one.
	summaryAge = time.Second
	// shownPeers is how many peers a summary names one by one.
	shownPeers = 20
)

// summary says for whom everyone waits.
type summary struct {
	due  time.Duration // when it is to be made again
	said string
}

func (s *summary) text(now time.Duration, l *leader) string {
	if now >= s.due {
		s.due, s.said = now+summaryAge, l.summarize(now)
	}
	return s.said
}

// summarize names those who are not there while anyone waits to start, and else
// those who are not at their end.
func (l *leader) summarize(now time.Duration) string {
	var parts []string
	var count int32
	for i := range l.records {
		r := &l.records[i]
		missing := ""
		switch {
		case l.starting && l.gaveUp && r.gaveUp:
			continue // it came, and has heard that the time is over
		case l.isAtRest(int32(i)):
			continue
		case l.starting && !l.fresh(now, r), !l.starting && !l.isDone(now, r):
			missing = l.state(now, int32(i))
		default:
			continue
		}
		if count++; len(parts) < shownPeers {
			parts = append(parts, fmt.Sprintf("%s (%s)", l.config.Label(int32(i)), missing))
		}
	}
	switch {
	case count > 0:
	case l.starting && l.mixed >= 0:
		return fmt.Sprintf("the Pods of an earlier Job of role %s to end", l.config.Roles[l.mixed].Name)
	case l.starting && l.attempt > max(1, l.opened) && now < l.notBefore:
		return "the pause before the restart"
	case l.starting && (l.paused || l.attempt > max(1, l.opened)):
		return "all commands of the attempt before to have stopped"
	default:
		return ""
	}
	text := fmt.Sprintf("%d of %d peers: %s", count, l.config.Size, strings.Join(parts, ", "))
	if more := count - int32(len(parts)); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return Printable(text, maxText)
}

// state is what is known of one peer, in words.
func (l *leader) state(now time.Duration, index int32) string {
	r := &l.records[index]
	name := "its name"
	if l.config.hasRoles() {
		name = l.config.Name(index)
	}
	switch {
	case l.fresh(now, r) && r.phase == Starting && r.granted && !l.isFree(index):
		return "waiting for other roles"
	case l.fresh(now, r):
		return r.phase.String()
	case r.known() && r.phase == Left && r.gaveUp:
		return "gave up"
	case r.known() && r.phase == Left && r.failed() && r.terminating:
		return "was told to end; its new Pod has not come"
	case r.known() && r.phase == Left && r.failed():
		return fmt.Sprintf("failed with code %d; its new Pod has not come", r.code)
	case r.known() && r.phase == Left:
		return "has left"
	case r.known():
		return fmt.Sprintf("not heard of for %s", (now - r.heard).Round(time.Second))
	case !r.wanted && r.problem == 0:
		return "never heard of"
	}
	switch r.problem {
	case NoName:
		return fmt.Sprintf("reports, but %s does not resolve", name)
	case NoAnswer:
		return fmt.Sprintf("reports, but does not answer under %s", name)
	case WrongAnswer:
		return fmt.Sprintf("reports, but somebody else answers under %s", name)
	}
	return "reports, and is being called back"
}
