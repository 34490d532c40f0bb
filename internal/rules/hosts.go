// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"

	"github.com/peerjob/peerjob/internal/lazyregexp"
)

var (
	// store matches the scheme of a URL whose first part is no host: a bucket, a cluster
	// of a file system, an image, a repository.
	store = lazyregexp.New(`(?i)^(?:s3[an]?|gs|gcs|az|adls?|abfss?|wasbs?|oss|cosn?|obs|swift|b2|r2|hdfs|webhdfs|viewfs|dbfs|file|pvc|oci|docker|docker-archive|oras|containers-storage|hf|hub|mlflow-artifacts|models|runs|wandb|memory|data|arn|secret|vault)$`)
	// mailed matches a flag or a variable for addresses of mails.
	mailed = keyEnding(`e?mails?|mail[-_]?(?:user|to|from)|recipients?|sender`)
	// named matches a flag or a variable for what is no host.
	named = keyEnding(`files?|filenames?|paths?|dirs?|directory|folder|out|output|input|logs?|logfile|checkpoints?|ckpt|datasets?|data|bucket|prefix|images?|tags?|experiment|id`)
	// handled matches a command or a redirection for files at the end of a text.
	handled = lazyregexp.New(`(?:(?:^|[\s\d&])[<>]{1,2}\s*|(?:^|[\s;|&(!\[])(?:cat|touch|rm|cp|mv|ls|tee|mkdir|rmdir|tail|source|stat|test|-[efdo])\s+(?:-\S+\s+)*)["']?$`)
	// copies matches a command whose arguments are hosts with a path: "train-0.hub:out".
	copies = lazyregexp.New(`(?:^|[\s;|&(!])(?:scp|rsync|sftp)\s[^;\n|&]*$`)
	// nameAfter matches the tag of an image.
	nameAfter = lazyregexp.New(`^:[A-Za-z_]`)
)

// isHost reports whether what is around a name in a text leaves it a name of a host. It
// is none if it is that of a bucket ("s3://train-7.hub/x"), of an image
// ("train-7.hub/x:1"), of a file ("--output train-7.hub"), or of a mailbox.
func (t Text) isHost(start, end int) bool {
	before, after := t.Value[max(0, start-lookBehind):start], t.Value[end:]
	if scheme := schemeBefore(before); scheme != "" {
		return !store.MatchString(scheme)
	}
	context := t.context(before)
	switch {
	case strings.HasPrefix(after, "@"), isMailedTo(before), mailed.MatchString(keyBefore(withoutUser(context))):
		return false
	case strings.HasPrefix(after, "/"):
		// "train-0.hub/x" is also a path, or an image.
		return isLookedUp(context) || likely.MatchString(flagBefore(context))
	case nameAfter.MatchString(after):
		return copies.MatchString(before)
	}
	return !named.MatchString(keyBefore(context)) && !isHandled(before)
}

// schemeBefore returns the scheme of a URL whose host begins at the end of a text, "" if
// there is none: "http://", or "ssh://root@".
func schemeBefore(text string) string {
	head, user, ok := cutLast(text, "://")
	if !ok || user != "" && strings.IndexByte(user, '@') != len(user)-1 || strings.ContainsAny(user, "/"+spaces) {
		return ""
	}
	scheme := head[len(strings.TrimRightFunc(head, isSchemeRune)):]
	return strings.TrimLeftFunc(scheme, func(r rune) bool { return !isLetter(r) })
}

// isMailedTo reports whether a text ends within the address of a "mailto:".
func isMailedTo(before string) bool {
	const scheme = "mailto"
	head, mailbox, ok := cutLast(before, ":")
	return ok && len(head) >= len(scheme) && strings.EqualFold(head[len(head)-len(scheme):], scheme) && !strings.ContainsAny(mailbox, spaces)
}

// isHandled reports whether a text ends with a command or a redirection for files.
func isHandled(before string) bool {
	return (endsWithSpace(before) || strings.HasSuffix(trimQuote(before), "<") || strings.HasSuffix(trimQuote(before), ">")) && handled.MatchString(before)
}

// isLookedUp reports whether a text ends with a command that looks up or calls a host.
func isLookedUp(before string) bool { return endsWithSpace(before) && looksUp.MatchString(before) }
