// SPDX-License-Identifier: Apache-2.0

package images

import (
	"slices"
	"testing"
)

func TestDependencies(t *testing.T) {
	const installed = `app	installed		, lib (>= 1), mta | exim, python3:any
lib	installed	lib-abi (= 2)	libc
libc	installed		
exim	installed	mail-transport-agent	
python3	installed		libc
gone	config-files		, libc
`
	for _, test := range []struct {
		names, want []string
	}{
		{[]string{"app"}, []string{"app", "lib", "exim", "python3", "libc"}},
		{[]string{"lib-abi"}, []string{"lib", "libc"}},
		{[]string{"gone"}, nil},
		{[]string{"unknown"}, nil},
	} {
		got, err := dependencies(installed, test.names)
		if !slices.Equal(got, test.want) || (err != nil) != (test.want == nil) {
			t.Errorf("%v: %v, %v; want %v", test.names, got, err, test.want)
		}
	}
}
