// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/peerjob/peerjob/barrier/protocol"
)

const (
	// attemptVariable has the number of the attempt, from 1, for the command of a group
	// with a failure policy.
	attemptVariable = "PEERJOB_ATTEMPT"
	// backoffDefault is the pause before the first restart.
	backoffDefault = time.Second
	// maxRestarts is the largest --max-restarts.
	maxRestarts = 1_000_000
)

// policyOptions are the flags of the failure policy.
type policyOptions struct {
	action     protocol.Action
	restarts   *int32
	backoff    *time.Duration
	disruption protocol.Disruption
	rules      []exitCodeRule
}

func policyFlags(flags *flag.FlagSet, o *policyOptions) {
	wordFlag(flags, "on-failure", "when a peer fails, stop all others (`FailPeerJob`), or stop and start all again (RestartPeerJob)", &o.action, map[string]protocol.Action{
		"FailPeerJob": protocol.FailPeerJob, "RestartPeerJob": protocol.RestartPeerJob,
	})
	flags.Func("max-restarts", "with RestartPeerJob, start again at most this `number` of times", func(text string) error {
		n, err := strconv.ParseInt(text, 10, 32)
		if err != nil || n < 0 || n > maxRestarts {
			return fmt.Errorf("must be from 0 to %d", maxRestarts)
		}
		restarts := int32(n)
		o.restarts = &restarts
		return nil
	})
	durationFlag(flags, "backoff", "with RestartPeerJob, wait this `time` before the first restart, and twice as long before each next one, up to 60s (default 1s)", &o.backoff, 0)
	wordFlag(flags, "on-disruption", "when a Pod is told to end and replaced: `Restart`, Fail or Continue (default Restart with RestartPeerJob, Fail with FailPeerJob)", &o.disruption, map[string]protocol.Disruption{
		"Restart": protocol.RestartOnDisruption, "Fail": protocol.FailOnDisruption, "Continue": protocol.ContinueOnDisruption,
	})
	flags.Func("exit-code-rule", "what an exit code of the command means for the group, as `ACTION:OPERATOR:CODES`; may be repeated, and the first that matches counts", func(text string) error {
		rule, err := parseExitCodeRule(text)
		o.rules = append(o.rules, rule)
		return err
	})
}

// wordFlag makes a flag whose value is one of some words.
func wordFlag[T any](flags *flag.FlagSet, name, usage string, to *T, words map[string]T) {
	flags.Func(name, usage, func(text string) error {
		value, found := words[text]
		if !found {
			var all []string
			for word := range words {
				all = append(all, word)
			}
			slices.Sort(all)
			return fmt.Errorf("must be one of %s", strings.Join(all, ", "))
		}
		*to = value
		return nil
	})
}

// check is an error if the flags do not fit together.
func (run *runOptions) check() error {
	o := run.policy
	restarts := o.action == protocol.RestartPeerJob
	switch {
	case o.action == protocol.EachForItself && (o.restarts != nil || o.backoff != nil || o.disruption != protocol.DefaultDisruption || o.rules != nil):
		return errors.New("--max-restarts, --backoff, --on-disruption and --exit-code-rule need --on-failure")
	case run.end != nil && *run.end < time.Second && (!restarts || *run.end != 0):
		return errors.New("--end-timeout must be 1s or more; only --on-failure=RestartPeerJob has 0s, no limit")
	case run.port == 0 && (run.start != nil || run.end != nil):
		return errors.New("--start-timeout and --end-timeout need --port")
	case o.action == protocol.EachForItself:
		return nil
	case run.port == 0:
		return errors.New("--on-failure needs --port")
	case !restarts && (o.restarts != nil || o.backoff != nil):
		return errors.New("--max-restarts and --backoff need --on-failure=RestartPeerJob")
	case !restarts && o.disruption == protocol.RestartOnDisruption:
		return errors.New("--on-disruption=Restart needs --on-failure=RestartPeerJob")
	case restarts && (o.restarts == nil || run.start == nil || run.end == nil || *run.end != 0):
		return errors.New("--on-failure=RestartPeerJob needs --max-restarts, --start-timeout and --end-timeout=0s")
	}
	return nil
}

// policy is the failure policy of the group.
func (o *policyOptions) policy(grace time.Duration, getenv func(string) string) (protocol.Policy, error) {
	p := protocol.Policy{Action: o.action, OnDisruption: o.disruption, Grace: grace, Backoff: backoffDefault, Spares: decides(o.rules, false), Fatal: decides(o.rules, true)}
	if o.restarts != nil {
		p.MaxRestarts = *o.restarts
	}
	if o.backoff != nil {
		p.Backoff = *o.backoff
	}
	// The Job controller counts in annotations how often it has replaced a Pod.
	for _, name := range []string{"PEERJOB_INDEX_FAILURES", "PEERJOB_INDEX_IGNORED_FAILURES"} {
		text := getenv(name)
		if text == "" {
			continue
		}
		count, err := strconv.ParseUint(text, 10, 31)
		if err != nil {
			return p, fmt.Errorf("%s is %q, and must be a number, or empty", name, text)
		}
		p.Replacement = p.Replacement || count > 0
	}
	return p, nil
}

// exitCodeRule is what a rule of the Job's podFailurePolicy says about exit codes.
type exitCodeRule struct {
	fails bool // the group fails with such a code
	in    bool // the codes are those in the list, not the others
	codes []int32
}

// parseExitCodeRule reads "ACTION:OPERATOR:CODES", such as "Ignore:In:42,43".
func parseExitCodeRule(text string) (exitCodeRule, error) {
	parts := strings.Split(text, ":")
	if len(parts) != 3 {
		return exitCodeRule{}, errors.New("must be ACTION:OPERATOR:CODES, such as Ignore:In:42,43")
	}
	action, operator := parts[0], parts[1]
	if !slices.Contains([]string{"FailJob", "Ignore", "Count"}, action) {
		return exitCodeRule{}, errors.New("the action must be FailJob, Ignore or Count")
	}
	if operator != "In" && operator != "NotIn" {
		return exitCodeRule{}, errors.New("the operator must be In or NotIn")
	}
	rule := exitCodeRule{fails: action == "FailJob", in: operator == "In"}
	for code := range strings.SplitSeq(parts[2], ",") {
		n, err := strconv.ParseInt(code, 10, 32)
		if err != nil {
			return exitCodeRule{}, fmt.Errorf("%q is no exit code", code)
		}
		rule.codes = append(rule.codes, int32(n))
	}
	return rule, nil
}

// decides is [protocol.Policy.Fatal] for these rules, or [protocol.Policy.Spares]: whether the
// first one that matches a code says that the group fails with it, or that it does not.
func decides(rules []exitCodeRule, fails bool) func(int32) bool {
	if len(rules) == 0 {
		return nil
	}
	return func(code int32) bool {
		for _, rule := range rules {
			if slices.Contains(rule.codes, code) == rule.in {
				return rule.fails == fails
			}
		}
		return false
	}
}

// commandOf is the command of an attempt, and its environment.
func (r *runner) commandOf(attempt int) (command, environment []string) {
	var variables []variable
	if r.hasPolicy() {
		variables = append(variables, variable{attemptVariable, strconv.Itoa(attempt)})
	}
	if r.options.roles.isSet() {
		variables = append(variables, variable{rankVariable, strconv.Itoa(int(r.rank))}, variable{worldSizeVariable, strconv.Itoa(int(r.worldSize))})
	}
	if len(variables) == 0 {
		return r.options.command, os.Environ()
	}
	return expand(r.options.command, variables), with(os.Environ(), variables)
}
