// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// newFlags returns a set of flags that prints nothing by itself.
func newFlags(name string) *flag.FlagSet {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.Usage = func() {}
	return flags
}

// help returns what --help prints.
func help(usage string, flags *flag.FlagSet) string {
	var text strings.Builder
	text.WriteString(usage + "\n\nFlags:\n")
	flags.SetOutput(&text)
	flags.PrintDefaults()
	return text.String()
}

func portFlag(flags *flag.FlagSet, to *uint16) {
	flags.Func("port", "the `port` of the runners, the same in every peer", func(text string) error {
		port, err := strconv.ParseUint(text, 10, 16)
		if err != nil || port == 0 {
			return errors.New("must be from 1 to 65535")
		}
		*to = uint16(port)
		return nil
	})
}

// durationFlag makes a flag that is nil if it is not set.
func durationFlag(flags *flag.FlagSet, name, usage string, to **time.Duration, least time.Duration) {
	flags.Func(name, usage, func(text string) error {
		d, err := time.ParseDuration(text)
		if err != nil || d < least {
			return fmt.Errorf("must be a duration of %v or more, such as 600s", least)
		}
		*to = &d
		return nil
	})
}
