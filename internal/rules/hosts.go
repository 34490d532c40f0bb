// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"

	"github.com/peerjob/peerjob/internal/lazyregexp"
)

var (
	// urlBefore matches the scheme of a URL, and maybe a user, at the end of a text.
	urlBefore = lazyregexp.New(`([A-Za-z][A-Za-z0-9+.-]*)://(?:[^\s/@]*@)?$`)
	// store matches the scheme of a URL whose first part is no host: a bucket, a cluster
	// of a file system, an image, a repository.
	store = lazyregexp.New(`(?i)^(?:s3[an]?|gs|gcs|az|adls?|abfss?|wasbs?|oss|cosn?|obs|swift|b2|r2|hdfs|webhdfs|viewfs|dbfs|file|pvc|oci|docker|docker-archive|oras|containers-storage|hf|hub|mlflow-artifacts|models|runs|wandb|memory|data|arn|secret|vault)$`)
	// mailto matches an address of a mail before a name.
	mailto = lazyregexp.New(`(?i)mailto:[^\s:]*$`)
	// mailed matches a flag or a variable for addresses of mails, and a user.
	mailed = of(`e?mails?|mail[-_]?(?:user|to|from)|recipients?|sender`, `(?:[\w.+-]+@)?`)
	// named matches a flag or a variable for what is no host, before its value.
	named = of(`files?|filenames?|paths?|dirs?|directory|folder|out|output|input|logs?|logfile|checkpoints?|ckpt|datasets?|data|bucket|prefix|images?|tags?|experiment|id`, "")
	// handled matches a command or a redirection for files at the end of a text.
	handled = lazyregexp.New(`(?:(?:^|[\s\d&])[<>]{1,2}\s*|(?:^|[\s;|&(!\[])(?:cat|touch|rm|cp|mv|ls|tee|mkdir|rmdir|tail|source|stat|test|-[efdo])\s+(?:-\S+\s+)*)["']?$`)
	// copies matches a command whose arguments are hosts with a path: "train-0.hub:out".
	copies = lazyregexp.New(`(?:^|[\s;|&(!])(?:scp|rsync|sftp)\s[^;\n|&]*$`)
	// nameAfter matches the tag of an image.
	nameAfter = lazyregexp.New(`^:[A-Za-z_]`)
)

// of is like [behind], and takes a key of YAML or JSON, too.
func of(word, more string) *lazyregexp.Regexp {
	return lazyregexp.New(behind(word, more).String() + `|(?i)(?:^|[\s;"'({,])(?:[a-z0-9]+[-_])*(?:` + word + `)["']?\s*:\s*["']?` + more + `$`)
}

// isHost reports whether what is around a name in a text leaves it a name of a host. It
// is none if it is that of a bucket ("s3://train-7.hub/x"), of an image
// ("train-7.hub/x:1"), of a file ("--output train-7.hub"), or of a mailbox.
func (t Text) isHost(start, end int) bool {
	before, after := t.Value[max(0, start-lookBehind):start], t.Value[end:]
	if url := urlBefore.FindStringSubmatch(before); url != nil {
		return !store.MatchString(url[1])
	}
	context := t.context(before)
	switch {
	case strings.HasPrefix(after, "@"), mailto.MatchString(before), mailed.MatchString(context):
		return false
	case strings.HasPrefix(after, "/"):
		// "train-0.hub/x" is also a path, or an image.
		return looksUp.MatchString(context) || likely.MatchString(context)
	case nameAfter.MatchString(after):
		return copies.MatchString(before)
	}
	return !named.MatchString(context) && !handled.MatchString(before)
}
