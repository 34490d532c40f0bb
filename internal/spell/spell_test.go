// SPDX-License-Identifier: Apache-2.0

package spell

import (
	"strings"
	"testing"
)

func TestNearest(t *testing.T) {
	names := []string{"image", "peers", "port", "ports", "suspend"}
	for word, want := range map[string]string{
		"imgae":                   "image", // neighbours swapped
		"Image":                   "image",
		"prots":                   "ports",
		"por":                     "port",
		"supsned":                 "suspend",
		"x":                       "",
		"nodeSelector":            "",
		"":                        "",
		strings.Repeat("p", 1000): "",
	} {
		if got := Nearest(word, names); got != want {
			t.Errorf("%.20q: got %q, want %q", word, got, want)
		}
	}
}

func TestNearest_fieldNames(t *testing.T) {
	names := []string{"env", "envFrom", "image", "imagePullPolicy", "name"}
	for give, want := range map[string]string{
		"imgae": "image", "Image": "image", "images": "image", "nmae": "name", "evn": "env", "envfrom": "envFrom", "xyz": "", "e": "", "imagepullpolicy": "imagePullPolicy", "": "",
	} {
		if got := Nearest(give, names); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", give, got, want)
		}
	}
}

func TestSlip(t *testing.T) {
	names := []string{"verbose", "port", "image", "nodeSelector", "tag"}
	for word, want := range map[string]string{
		"verbsoe": "verbose", "nodeSelecter": "nodeSelector", "prot": "port", "Port": "port",
		"host": "", "ports": "port", "tg": "", "": "", "imagine": "image", "pod": "",
	} {
		if got := Slip(word, names); got != want {
			t.Errorf("Slip(%q) = %q, want %q", word, got, want)
		}
	}
}

func TestPart(t *testing.T) {
	names := []string{"FailPeerJob", "RestartPeerJob", "InitContainer", "Never"}
	for word, want := range map[string]string{
		"Restart": "RestartPeerJob", "restart": "RestartPeerJob", "fail": "FailPeerJob", "never": "Never", "Container": "InitContainer",
		"PeerJob": "", "In": "", "": "", "Ignore": "",
	} {
		if got := Part(word, names); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}

func TestYesOrNo(t *testing.T) {
	for word, want := range map[string][2]bool{"y": {true, true}, "Yes": {true, true}, "ON": {true, true}, "n": {false, true}, "no": {false, true}, "oFF": {false, true}, "": {}, "true": {}, "null": {}, "yess": {}} {
		if yes, known := YesOrNo(word); yes != want[0] || known != want[1] {
			t.Errorf("YesOrNo(%q) is %t, %t", word, yes, known)
		}
	}
}
