// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"errors"
	"flag"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/peerjob/peerjob/barrier/protocol"
)

const (
	// rankVariable and worldSizeVariable have the number of a peer among those of all roles,
	// and how many they are, for the command of a group with roles.
	rankVariable      = "PEERJOB_RANK"
	worldSizeVariable = "PEERJOB_WORLD_SIZE"
)

// roleOptions are the flags of the roles.
type roleOptions struct {
	// all are the roles of the group in their order; none without roles.
	all []protocol.Role
	// afterStarted and afterComplete are for which roles this peer's role waits, and success
	// those that decide when the group is done.
	afterStarted, afterComplete, success []string
}

func roleFlags(flags *flag.FlagSet, o *roleOptions) {
	flags.Func("role", "one of the group's roles in their order, as `NAME:SIZE`; may be repeated", func(text string) error {
		name, number, _ := strings.Cut(text, ":")
		size, err := strconv.ParseInt(number, 10, 32)
		if name == "" || err != nil || size < 1 || size > mostPeers {
			return fmt.Errorf("must be NAME:SIZE with a size from 1 to %d, such as worker:4", mostPeers)
		}
		o.all = append(o.all, protocol.Role{Name: name, Size: int32(size)})
		return nil
	})
	flags.Func("depends-on", "start the command when every command of another role runs, as `NAME:Started`, or has ended with 0, as NAME:Complete; may be repeated", func(text string) error {
		name, status, _ := strings.Cut(text, ":")
		switch {
		case name != "" && status == "Started":
			o.afterStarted = append(o.afterStarted, name)
		case name != "" && status == "Complete":
			o.afterComplete = append(o.afterComplete, name)
		default:
			return errors.New("must be NAME:Started or NAME:Complete")
		}
		return nil
	})
	flags.Func("success-role", "the group is done when every command of this `role` has ended with 0, and the peers of all others are told to end (default all roles); may be repeated", func(name string) error {
		o.success = append(o.success, name)
		return nil
	})
}

// isSet reports whether the group has roles.
func (o *roleOptions) isSet() bool { return len(o.all) > 0 }

// needGroup reports whether the peer must take part in its group because of its roles.
func (o *roleOptions) needGroup() bool {
	return len(o.afterStarted)+len(o.afterComplete)+len(o.success) > 0
}

// check is an error if the flags do not fit together.
func (o *roleOptions) check(run *runOptions) error {
	if !o.isSet() {
		if o.needGroup() {
			return errors.New("--depends-on and --success-role need --role")
		}
		return nil
	}
	total := int64(0)
	for i, role := range o.all {
		total += int64(role.Size)
		if slices.ContainsFunc(o.all[:i], func(r protocol.Role) bool { return r.Name == role.Name }) {
			return fmt.Errorf("--role=%s is there twice", role.Name)
		}
	}
	for _, name := range slices.Concat(o.afterStarted, o.afterComplete, o.success) {
		if o.place(name) < 0 {
			return fmt.Errorf("there is no --role=%s:SIZE for a role that --depends-on or --success-role names", name)
		}
	}
	switch {
	case len(o.all) > protocol.MaxRoles:
		return fmt.Errorf("%d roles; at most %d can be", len(o.all), protocol.MaxRoles)
	case total > mostPeers:
		return fmt.Errorf("the roles have %d peers; at most %d can be", total, mostPeers)
	case len(run.until) > 0:
		return errors.New("--until is for the indexes of one Job's successPolicy, and a group with --role has several Jobs; write --success-role=NAME in its place")
	case run.port == 0 && o.needGroup():
		return errors.New("--depends-on and --success-role need --port")
	}
	return nil
}

// place is the place of a role among all, -1 if it is not there.
func (o *roleOptions) place(name string) int {
	return slices.IndexFunc(o.all, func(r protocol.Role) bool { return r.Name == name })
}

func (o *roleOptions) set(names []string) (set protocol.RoleSet) {
	for _, name := range names {
		set = set.With(o.place(name))
	}
	return set
}

// nameVariable has the name of the Job of a role.
func nameVariable(role string) string {
	return "PEERJOB_" + strings.ReplaceAll(strings.ToUpper(role), "-", "_") + "_NAME"
}

// peerConfig reads who this peer is from the variables of the Pod of a PeerJob with roles.
func (o *roleOptions) peerConfig(getenv func(string) string) (protocol.Config, error) {
	needed := []string{"PEERJOB_ROLE", "PEERJOB_SERVICE", "PEERJOB_UID"}
	for _, role := range o.all {
		needed = append(needed, nameVariable(role.Name))
	}
	for _, name := range needed {
		if getenv(name) == "" {
			return protocol.Config{}, fmt.Errorf("%s is not set; peerjob sets it in the containers of a PeerJob with roles", name)
		}
	}
	own := o.place(getenv("PEERJOB_ROLE"))
	if own < 0 {
		return protocol.Config{}, fmt.Errorf("PEERJOB_ROLE is %q, and there is no --role=%[1]s:SIZE", getenv("PEERJOB_ROLE"))
	}
	size := o.all[own].Size
	index, err := strconv.ParseInt(getenv("JOB_COMPLETION_INDEX"), 10, 32)
	if err != nil || index < 0 || index >= int64(size) {
		return protocol.Config{}, fmt.Errorf("JOB_COMPLETION_INDEX is %q, and must be from 0 to %d in role %s", getenv("JOB_COMPLETION_INDEX"), size-1, o.all[own].Name)
	}
	c := protocol.Config{
		Job: getenv("PEERJOB_UID"), Index: int32(index), Roles: o.all,
		AfterStarted: o.set(o.afterStarted), AfterComplete: o.set(o.afterComplete), Success: o.set(o.success),
	}
	for i, role := range o.all {
		c.Size += role.Size
		if i < own {
			c.Index += role.Size
		}
	}
	c.Name = func(rank int32) string {
		for _, role := range o.all {
			if rank < role.Size {
				return fmt.Sprintf("%s-%d.%s", getenv(nameVariable(role.Name)), rank, getenv("PEERJOB_SERVICE"))
			}
			rank -= role.Size
		}
		return ""
	}
	return c, nil
}

// variable is one that the runner sets for the command.
type variable struct{ name, value string }

// expand replaces $(NAME) in a command. The kubelet has expanded it before, and has left
// this as it was written because the Pod has no such variable. It has made $( of each $$(,
// so $$$$(PEERJOB_ATTEMPT) in a manifest is what is left as $(PEERJOB_ATTEMPT).
func expand(command []string, variables []variable) []string {
	var pairs []string
	for _, v := range variables {
		reference := "$(" + v.name + ")"
		pairs = append(pairs, "$"+reference, reference, reference, v.value)
	}
	replacer := strings.NewReplacer(pairs...)
	expanded := make([]string, len(command))
	for i, word := range command {
		expanded[i] = replacer.Replace(word)
	}
	return expanded
}

// with returns an environment with these variables in place of any of the same names.
func with(environment []string, variables []variable) []string {
	environment = slices.DeleteFunc(slices.Clone(environment), func(have string) bool {
		return slices.ContainsFunc(variables, func(v variable) bool { return strings.HasPrefix(have, v.name+"=") })
	})
	for _, v := range variables {
		environment = append(environment, v.name+"="+v.value)
	}
	return environment
}
