package main

import (
	"fmt"
	"io"
	"strings"
)

// check is one thing that was looked at.
type check struct {
	what, expected, found string
	ok                    bool
	skipped               string // why it was not looked at
}

func (c check) String() string {
	if c.skipped != "" {
		return fmt.Sprintf("not checked here: %s: %s", c.what, c.skipped)
	}
	verdict := "FAILED"
	if c.ok {
		verdict = "ok"
	}
	return fmt.Sprintf("%s: %s: expected %s; found %s", verdict, c.what, c.expected, c.found)
}

// broken is what could not be looked at, though it should have been.
func broken(what string, err error) check {
	return check{what: what, expected: "an answer", found: strings.Join(strings.Fields(err.Error()), " ")}
}

// sheet prints checks as they come, and keeps what is needed for the end.
type sheet struct {
	out                 io.Writer
	passed, failed, not int
}

func (s *sheet) add(checks ...check) {
	for _, c := range checks {
		switch {
		case c.skipped != "":
			s.not++
		case c.ok:
			s.passed++
		default:
			s.failed++
		}
		fmt.Fprintln(s.out, c)
	}
}

// end sums up and gives the exit code. Where nothing was looked at, nothing was shown.
func (s *sheet) end() int {
	fmt.Fprintf(s.out, "%d ok, %d failed, %d not checked here\n", s.passed, s.failed, s.not)
	if s.failed > 0 || s.passed == 0 {
		return 1
	}
	return 0
}
