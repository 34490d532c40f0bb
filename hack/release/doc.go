// SPDX-License-Identifier: Apache-2.0

// Command release makes what a release of peerjob consists of, and checks it. Nothing
// leaves this machine until "release push".
//
//	release [-out DIR] [-platforms LIST]   write all files of a release into dist/
//	release image PROGRAM -tag TAG         make the image of one program and load it into docker
//	release push DIR REPOSITORY            push the images of dist/ to a registry
//	release check DIR                      compare dist/ with its SHA256SUMS
//	release notes VERSION                  print the section of CHANGELOG.md
//
// The bytes of every file follow from the commit and the version of Go alone: builds are
// static, without paths and without the environment's Go flags, and every time is that of
// the commit (or of SOURCE_DATE_EPOCH). Two builds in two folders are equal.
//
// [write] has the list of the files. The images are made with go-containerregistry and
// without docker, on no base: see [makeImage]. "make image", "make runner-image" and e2e
// use the same code, so what is tested is what is shipped.
package main
