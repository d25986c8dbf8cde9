package operator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"backfill/internal/change"
	"backfill/internal/failure"
	"backfill/internal/skeleton"

	"github.com/spf13/cobra"
)

// newFiles is the answer of new.
type newFiles struct {
	Backfill string   `json:"backfill"`
	Kind     string   `json:"kind"`
	Files    []string `json:"files"`
}

func newCommand(s *session) *cobra.Command {
	var kind, folder string
	command := &cobra.Command{
		Use:   "new NAME",
		Short: "Make the files of a new backfill, to be filled in",
		Long: `Makes the files of a new backfill, in internal/backfills of a checkout of this repository or another folder: its definition, and for
--kind transform a Go file and its test. They are valid, compile and pass as they are made; what is to be filled in is marked TODO. Nothing is overwritten.

  set        columns are written, from the row itself
  join       the same, from rows of other tables
  transform  the same, by values that a Go function gives
  copy       rows are copied into another table
  move       the same, and deleted where they were
  delete     rows are deleted
  archive    the same, and put into another table`,
		Example: `  backfill new users-phone-hash --kind transform
  backfill new users-country --kind join
  backfill new users-closed --kind move --folder ../our-backfills`,
		Args: one("NAME", "lower case letters, digits and hyphens"),
	}
	command.Flags().StringVar(&kind, "kind", "", "`KIND` of the change: "+strings.Join(skeleton.Kinds(), ", "))
	command.Flags().StringVar(&folder, "folder", filepath.Join("internal", "backfills"), "`FOLDER` of the files")
	command.RunE = runs(func(_ context.Context, args []string) error {
		if kind == "" {
			return misused(command, errors.New("--kind is missing: "+strings.Join(skeleton.Kinds(), ", ")))
		}
		files, err := skeleton.Files(args[0], change.Kind(kind))
		made := newFiles{Backfill: args[0], Kind: kind}
		if err == nil {
			made.Files, err = writeNew(folder, files)
		}
		if failure.Is(err, failure.Invalid) {
			return misused(command, err)
		}
		if err != nil {
			return err
		}
		answer, err := json.Marshal(made)
		if err != nil {
			return fmt.Errorf("write the names of the files: %w", err)
		}
		return s.print(answer, func(w io.Writer) { s.made(w, made) })
	})
	return command
}

func (s *session) made(w io.Writer, made newFiles) {
	for _, name := range made.Files {
		fmt.Fprintln(w, printable(name))
	}
	if made.Kind == string(change.Transform) {
		fmt.Fprintln(w, "  go test ./internal/backfills    try the function")
	}
	fmt.Fprintf(w, "  %s    check it against a database, once it is deployed\n", s.suggest("validate", made.Backfill))
}

// writeNew writes all files, or none: where one is there already nothing is written.
func writeNew(folder string, files []skeleton.File) (names []string, err error) {
	if info, err := os.Stat(folder); err != nil || !info.IsDir() {
		return nil, failure.New(failure.Invalid, "there is no folder %s here: change to a checkout of the repository, or give --folder", folder)
	}
	for _, file := range files {
		name := filepath.Join(folder, file.Name)
		if _, err := os.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
			return nil, failure.New(failure.Invalid, "%s is there already, and nothing is overwritten", name)
		}
		names = append(names, name)
	}
	for i, file := range files {
		if err := writeOnce(names[i], file.Text); err != nil {
			for _, written := range names[:i] {
				err = errors.Join(err, os.Remove(written))
			}
			return nil, err
		}
	}
	return names, nil
}

// writeOnce never overwrites: somebody may have made the file since it was looked for.
func writeOnce(name, text string) error {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return fmt.Errorf("make %s: %w", name, err)
	}
	_, err = io.WriteString(file, text)
	if closing := file.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", name, err), os.Remove(name))
	}
	return nil
}
