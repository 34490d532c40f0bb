// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"slices"
	"testing"
	"time"
)

func TestSpares(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		rules []string
		// fatal are codes with which the Job fails at once; the others count as failures.
		spared, fatal, failed []int32
	}{
		{nil, nil, nil, []int32{1, 3, 143}},
		{[]string{"Ignore:In:42,43"}, []int32{42, 43}, nil, []int32{1, 44}},
		{[]string{"Count:NotIn:1"}, []int32{2, 255}, nil, []int32{1}},
		{[]string{"FailJob:In:42", "Ignore:NotIn:3"}, []int32{1, 41}, []int32{42}, []int32{3}},
		{[]string{"Ignore:In:42", "FailJob:NotIn:3", "Count:In:3,4"}, []int32{42, 3}, []int32{4, 5}, nil},
	} {
		var rules []exitCodeRule
		for _, text := range test.rules {
			rule, err := parseExitCodeRule(text)
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			rules = append(rules, rule)
		}
		options := policyOptions{rules: rules}
		policy, err := options.policy(time.Second, func(string) string { return "" })
		if err != nil {
			t.Fatal(err)
		}
		is := func(f func(int32) bool, code int32) bool { return f != nil && f(code) }
		for _, codes := range []struct {
			codes         []int32
			spared, fatal bool
		}{{test.spared, true, false}, {test.fatal, false, true}, {test.failed, false, false}} {
			for _, code := range codes.codes {
				if spared, fatal := is(policy.Spares, code), is(policy.Fatal, code); spared != codes.spared || fatal != codes.fatal {
					t.Errorf("%q: %d is spared: %v, fatal: %v; want %v, %v", test.rules, code, spared, fatal, codes.spared, codes.fatal)
				}
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
