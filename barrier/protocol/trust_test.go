// SPDX-License-Identifier: Apache-2.0

package protocol

import (
	"bytes"
	"testing"
)

func keys(t *testing.T, seed byte, group string) Keys {
	t.Helper()
	k, err := NewKeys(bytes.NewReader(bytes.Repeat([]byte{seed}, 32)), []byte(group))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// line is one message of an exchange.
type line struct {
	kind Kind
	body string
}

// TestTranscript has a report as index 0 hears it, and the same with one thing
// different. A seal is good for nothing but the exchange that it was made in.
func TestTranscript(t *testing.T) {
	peer, other := keys(t, 1, ""), keys(t, 2, "")
	said := []line{{HelloKind, "to index 0 of uid, number 1"}, {ChallengeKind, "number 2"}, {ReportKind, "ended"}}
	var mine Transcript
	var seal Seal
	for _, l := range said {
		seal = mine.Seal(peer, l.kind, []byte(l.body))
	}
	for name, c := range map[string]struct {
		by    Process
		heard []line
		seal  Seal
		want  bool
	}{
		"as it was said":        {peer.Process(), said, seal, true},
		"another process":       {other.Process(), said, seal, false},
		"no process":            {Process{}, said, seal, false},
		"another number":        {peer.Process(), []line{said[0], {ChallengeKind, "number 3"}, said[2]}, seal, false},
		"to somebody else":      {peer.Process(), []line{{HelloKind, "to index 1 of uid, number 1"}, said[1], said[2]}, seal, false},
		"another body":          {peer.Process(), []line{said[0], said[1], {ReportKind, "running"}}, seal, false},
		"another kind":          {peer.Process(), []line{said[0], said[1], {IdentityKind, "ended"}}, seal, false},
		"the other direction":   {peer.Process(), []line{said[0], said[1], {ReplyKind, "ended"}}, seal, false},
		"without the challenge": {peer.Process(), []line{said[0], said[2]}, seal, false},
		"said twice":            {peer.Process(), []line{said[0], said[1], said[2], said[2]}, seal, false},
		"no seal":               {peer.Process(), said, Seal{}, false},
	} {
		var heard Transcript
		var err error
		for _, l := range c.heard {
			err = heard.Open(other, l.kind, []byte(l.body), c.seal)
		}
		last := c.heard[len(c.heard)-1]
		if err == nil {
			err = heard.Verify(last.kind, c.by, c.seal)
		}
		if (err == nil) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestTranscript_unsigned has messages that nobody signs: they prove nothing about who
// sent them.
func TestTranscript_unsigned(t *testing.T) {
	k := keys(t, 1, "")
	for _, kind := range []Kind{HelloKind, ChallengeKind, PageKind} {
		var mine, heard Transcript
		seal := mine.Seal(k, kind, []byte("x"))
		if err := heard.Open(k, kind, []byte("x"), seal); err != nil {
			t.Errorf("kind %d: %v", kind, err)
		}
		if err := heard.Verify(kind, k.Process(), seal); err == nil {
			t.Errorf("kind %d is verified", kind)
		}
	}
}

// TestTranscript_key has peers with the same key, with different ones, and one
// without. With a key, every message of every kind is sealed by it.
func TestTranscript_key(t *testing.T) {
	for _, c := range []struct {
		sender, receiver string
		want             bool
	}{
		{"", "", true}, {"key", "key", true}, {"key", "", true},
		{"", "key", false}, {"other", "key", false},
	} {
		for kind := HelloKind; kind <= PageKind; kind++ {
			var mine, heard Transcript
			seal := mine.Seal(keys(t, 1, c.sender), kind, []byte("x"))
			if err := heard.Open(keys(t, 2, c.receiver), kind, []byte("x"), seal); (err == nil) != c.want {
				t.Errorf("%q to %q, kind %d: %v", c.sender, c.receiver, kind, err)
			}
		}
	}
}

// FuzzTranscript changes a message, its seal, or its number in the exchange. Whatever
// it changes, the seal is good no more.
func FuzzTranscript(f *testing.F) {
	f.Add([]byte("hello"), []byte("report"), 0, byte(1))
	f.Add([]byte(""), []byte(""), 70, byte(0x80))
	f.Fuzz(func(t *testing.T, first, second []byte, at int, flip byte) {
		k := keys(t, 1, "group")
		var mine, heard Transcript
		firstSeal := mine.Seal(k, HelloKind, first)
		seal := mine.Seal(k, ReportKind, second)
		wire := bytes.Join([][]byte{first, second, firstSeal.Code[:], seal.Signature[:], seal.Code[:]}, nil)
		changed := bytes.Clone(wire)
		changed[uint(at)%uint(len(wire))] ^= flip
		rest := changed
		take := func(n int) []byte { part := rest[:n]; rest = rest[n:]; return part }
		first, second = take(len(first)), take(len(second))
		copy(firstSeal.Code[:], take(len(firstSeal.Code)))
		copy(seal.Signature[:], take(len(seal.Signature)))
		copy(seal.Code[:], take(len(seal.Code)))
		good := heard.Open(k, HelloKind, first, firstSeal) == nil
		good = heard.Open(k, ReportKind, second, seal) == nil && good
		good = heard.Verify(ReportKind, k.Process(), seal) == nil && good
		if good != bytes.Equal(wire, changed) {
			t.Errorf("byte %d changed by %d: good %v", at, flip, good)
		}
	})
}
