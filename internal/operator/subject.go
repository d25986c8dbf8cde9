package operator

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

// largest is what Step Functions takes as an execution's input.
const largest = 256 << 10

// subject is what a command is about: the name of a definition that the stack has, or a file's text.
type subject struct {
	name   string // of the definition
	file   string // "" where the stack has the definition
	text   string
	params map[string]any
}

// naming are the flags and the argument that name a subject.
type naming struct {
	file   string
	params []string
}

func (n *naming) flags(at *cobra.Command) {
	at.Flags().StringVarP(&n.file, "file", "f", "", "`FILE` with a definition, - for stdin; the stack has to allow it")
	at.Flags().StringArrayVarP(&n.params, "param", "p", nil, "a parameter of the definition, `key=value`; can be repeated")
}

// read finds the subject. An argument that looks like a file is one where files are taken as arguments; elsewhere it was
// meant as one, and would be refused as a name after it has spent the id of a run.
func (n *naming) read(s *session, at *cobra.Command, args []string, filesToo bool) (subject, error) {
	params, err := parameters(at, n.params)
	if err != nil {
		return subject{}, err
	}
	if (len(args) == 1) == (n.file != "") {
		return subject{}, misused(at, errors.New("give either the NAME of a definition or -f FILE"))
	}
	if n.file == "" && isFile(args[0]) {
		if !filesToo {
			return subject{}, &Fault{Exit: exitInvalid, Message: fmt.Sprintf("%s looks like a file, and a file is given by -f", args[0]),
				Next: s.suggest(slices.Concat([]string{at.Name(), "-f", args[0]}, flagsOf(at))...)}
		}
		n.file = args[0]
	}
	if n.file == "" {
		return subject{name: args[0], params: params}, nil
	}
	text, err := s.contents(n.file)
	if err != nil {
		return subject{}, &Fault{Exit: exitInvalid, Message: fmt.Sprintf("read the definition %s: %v", n.file, err), Next: "give a file with a definition, in UTF-8"}
	}
	return subject{name: nameOf(text, n.file), file: n.file, text: text, params: params}, nil
}

// isFile tells a path from a name: names have neither separators nor dots. What could be both is a file if it is there and
// holds a definition.
func isFile(argument string) bool {
	if argument == "-" || strings.ContainsAny(argument, `./\`) {
		return true
	}
	info, err := os.Stat(argument)
	if err != nil || !info.Mode().IsRegular() || info.Size() > largest {
		return false
	}
	text, err := os.ReadFile(argument)
	return err == nil && nameLine.Match(text)
}

func (s *session) contents(file string) (string, error) {
	in := s.In
	if file != "-" {
		opened, err := os.Open(file)
		if err != nil {
			var path *os.PathError
			errors.As(err, &path)
			return "", path.Err
		}
		defer func() { _ = opened.Close() }()
		in = opened
	}
	text, err := io.ReadAll(io.LimitReader(in, largest+1))
	switch {
	case err != nil:
	case len(text) > largest:
		err = fmt.Errorf("it is larger than %d KiB", largest>>10)
	case !utf8.Valid(text): // JSON would put other characters in the place of those bytes
		err = errors.New("it is not UTF-8")
	}
	return string(text), err
}

// nameLine finds the name in a definition of which nobody knows yet whether it can be read at all.
var nameLine = regexp.MustCompile(`(?m)^name:\s*["']?([a-z0-9][a-z0-9-]*)`)

// nameOf is the name in a definition, for the run's id, else the file's.
func nameOf(text, file string) string {
	if found := nameLine.FindStringSubmatch(text); found != nil {
		return found[1]
	}
	return strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
}

// lined is a problem that has a place in the file.
var lined = regexp.MustCompile(`^\d+:\d+: `)

// locate puts the file's name before problems that have a place in it, so that editors find it.
func (s subject) locate(fault *Fault) {
	if s.file == "" {
		return
	}
	for i, problem := range fault.Problems {
		fault.Problems[i] = s.place(problem)
	}
	fault.Message = s.place(fault.Message)
}

func (s subject) place(problem string) string {
	if !lined.MatchString(problem) {
		return problem
	}
	return s.shown() + ":" + problem
}

// shown is the file's name for people.
func (s subject) shown() string {
	if s.file == "-" {
		return "stdin"
	}
	return s.file
}
