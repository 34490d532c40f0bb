// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"slices"
	"testing"

	"github.com/peerjob/peerjob/barrier/protocol"
)

func TestSpares(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		rules  []string
		spared []int32
		failed []int32
	}{
		{nil, nil, []int32{1, 3, 143}},
		{[]string{"Ignore:In:42,43"}, []int32{42, 43}, []int32{1, 44}},
		{[]string{"Count:NotIn:1"}, []int32{2, 255}, []int32{1}},
		{[]string{"FailJob:In:42", "Ignore:NotIn:3"}, []int32{1, 41}, []int32{42, 3}},
		{[]string{"Ignore:In:42", "FailJob:NotIn:3", "Count:In:3,4"}, []int32{42, 3}, []int32{4, 5}},
	} {
		var rules []exitCodeRule
		for _, text := range test.rules {
			rule, err := parseExitCodeRule(text)
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			rules = append(rules, rule)
		}
		policy := protocol.Policy{Spares: spares(rules)}
		is := func(code int32) bool { return policy.Spares != nil && policy.Spares(code) }
		for _, code := range test.spared {
			if !is(code) {
				t.Errorf("%q: %d fails the group", test.rules, code)
			}
		}
		for _, code := range test.failed {
			if is(code) {
				t.Errorf("%q: %d is spared", test.rules, code)
			}
		}
	}
}

// The kubelet has expanded the command before, and has left what it does not know.
func TestExpand(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]string{
		"--attempt=$(PEERJOB_ATTEMPT)":         "--attempt=7",
		"$(PEERJOB_ATTEMPT)$(PEERJOB_ATTEMPT)": "77",
		"$$(PEERJOB_ATTEMPT)":                  "$(PEERJOB_ATTEMPT)",
		"$(OTHER) $$(OTHER) $PEERJOB_ATTEMPT":  "$(OTHER) $$(OTHER) $PEERJOB_ATTEMPT",
		"$(PEERJOB_ATTEMPT":                    "$(PEERJOB_ATTEMPT",
		"":                                     "",
	} {
		if got := expand([]string{word}, []variable{{attemptVariable, "7"}}); !slices.Equal(got, []string{want}) {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
	environment := []string{"A=b", "PEERJOB_ATTEMPT=9", "PEERJOB_ATTEMPTS=c"}
	if got, want := with(environment, []variable{{attemptVariable, "2"}}), []string{"A=b", "PEERJOB_ATTEMPTS=c", "PEERJOB_ATTEMPT=2"}; !slices.Equal(got, want) {
		t.Errorf("environment %q, want %q", got, want)
	}
	if environment[1] != "PEERJOB_ATTEMPT=9" {
		t.Error("the environment of the process has changed")
	}
}

func TestPolicy_replacement(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		failures, ignored string
		want, fails       bool
	}{
		{"", "", false, false},
		{"0", "", false, false},
		{"0", "0", false, false},
		{"1", "0", true, false},
		{"", "2", true, false},
		{"x", "", false, true},
		{"-1", "", false, true},
	} {
		policy, err := (&policyOptions{}).policy(0, func(name string) string {
			return map[string]string{"PEERJOB_INDEX_FAILURES": test.failures, "PEERJOB_INDEX_IGNORED_FAILURES": test.ignored}[name]
		})
		if policy.Replacement != test.want || (err != nil) != test.fails {
			t.Errorf("%+v: %t, %v", test, policy.Replacement, err)
		}
	}
}
