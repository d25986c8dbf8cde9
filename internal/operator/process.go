package operator

import (
	"cmp"
	"io"
	"os"
	"os/user"
	"runtime/debug"
	"time"

	"backfill/internal/deadline"

	"golang.org/x/term"
)

// Process is the world of a real process.
func Process(version, commit string) World {
	return World{
		Program: os.Args[0], Args: os.Args[1:], In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
		Getenv: os.Getenv, Width: width, Now: time.Now, Rest: deadline.Rest, By: whoami(), Version: version, Commit: cmp.Or(commit, noted()), Connect: Connect,
	}
}

// width is the number of columns of a terminal.
func width(w io.Writer) (columns int, terminal bool) {
	file, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return 0, false
	}
	columns, _, err := term.GetSize(int(file.Fd()))
	if err != nil || columns < 1 {
		columns = 80
	}
	return columns, true
}

// whoami is user@host, for the reason that a cancelled run keeps.
func whoami() string {
	name := os.Getenv("USER")
	if current, err := user.Current(); err == nil {
		name = current.Username
	}
	host, _ := os.Hostname()
	return cmp.Or(name, "somebody") + "@" + cmp.Or(host, "somewhere")
}

// noted is the commit that Go has noted when it built the program, with + where files were changed since.
func noted() (of string) {
	built, _ := debug.ReadBuildInfo()
	if built == nil {
		return ""
	}
	for _, setting := range built.Settings {
		switch {
		case setting.Key == "vcs.revision":
			of = setting.Value
		case setting.Key == "vcs.modified" && setting.Value == "true" && of != "":
			of += "+"
		}
	}
	return of
}
