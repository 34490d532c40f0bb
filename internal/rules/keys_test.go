// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"regexp"
	"strings"
	"testing"
)

// FuzzKeyBefore compares the readers of keys.go and hosts.go with one expression for each
// question.
func FuzzKeyBefore(f *testing.F) {
	const words = `addr|hosts?|mail[-_]?to`
	flag := func(more string) string {
		const name = `(?:[a-z0-9]+[-_])*(?:` + words + `)`
		return `(?i)(?:^|[\s;"'(])(?:-{1,2}` + name + `(?:=|\s+)|` + name + `=)["']?(?:[\w$.(){}:-]+,)*` + more + `$`
	}
	key := func(more string) string {
		return flag(more) + `|(?i)(?:^|[\s;"'({,])(?:[a-z0-9]+[-_])*(?:` + words + `)["']?\s*:\s*["']?` + more + `$`
	}
	ending, url := keyEnding(words), regexp.MustCompile(`([A-Za-z][A-Za-z0-9+.-]*)://(?:[^\s/@]*@)?$`)
	tests := map[string]struct {
		reader func(string) bool
		oracle *regexp.Regexp
	}{
		"a flag":           {func(text string) bool { return ending.MatchString(flagBefore(text)) }, regexp.MustCompile(flag(""))},
		"a key":            {func(text string) bool { return ending.MatchString(keyBefore(text)) }, regexp.MustCompile(key(""))},
		"a key and a user": {func(text string) bool { return ending.MatchString(keyBefore(withoutUser(text))) }, regexp.MustCompile(key(`(?:[\w.+-]+@)?`))},
		"mailto":           {isMailedTo, regexp.MustCompile(`(?i)mailto:[^\s:]*$`)},
		"a file":           {isHandled, regexp.MustCompile(handled.String())},
		"a look-up":        {isLookedUp, regexp.MustCompile(looksUp.String())},
	}
	for _, text := range []string{
		"", "x", "addr=", "--addr ", "-addr=", "---addr=", "--addr a:1,b:1,", "addr a,", "ADDRS=", "x-addr='", "x--addr=", "-x-addr\t\"", "{addr: ", `"addr": "`,
		"a=b, hosts : '", "mail-to=bob@", "mail_to: bob.x+y@", "http://", "1+http://x@", "+://", "a://b://", "a://b@c@", "a:///", "mailto:x", "mailto: x", "MailTo:", "xmailto:@", "cat ", "cat -n \"", "tee -a '", "xcat ", "2> ", "< ", "a >\"", "curl -s ", "getent hosts '", "ping6 ", "=addr ", "addr=,a,", "addr=a,,", "addr=(a,", "--addr={a},$x,",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		text = text[max(0, len(text)-2*lookBehind):]
		if strings.ContainsFunc(text, func(r rune) bool { return r >= 0x80 }) {
			t.Skip("(?i) has letters beyond ASCII")
		}
		scheme := ""
		if url := url.FindStringSubmatch(text); url != nil {
			scheme = url[1]
		}
		if got := schemeBefore(text); got != scheme {
			t.Errorf("the scheme before the end of %q: got %q, want %q", text, got, scheme)
		}
		for name, test := range tests {
			if got, want := test.reader(text), test.oracle.MatchString(text); got != want {
				t.Errorf("%s before the end of %q: got %t, want %t", name, text, got, want)
			}
		}
	})
}
