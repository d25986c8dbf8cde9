package operator

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"backfill/internal/report"

	"github.com/spf13/cobra"
)

const (
	htmlFormat = "html"
	// stdout as the name of a file.
	stdout = "-"
)

// destination is what a report was written to, and as what.
type destination struct {
	file, format string
}

func reportCommand(s *session) *cobra.Command {
	var to destination
	command := &cobra.Command{
		Use:   "report RUN",
		Short: "Write what became of a run into one file: HTML, or JSON",
		Long: `Writes what became of a run: how it went over time, what was decided, its chunks, failures and rejects, its cost, and what was
foretold. The page is one file that refers to nothing outside of it. No value of a row is in it; boundaries of chunks, and the
keys of rows that failed, are. How it went over time is kept as long as its undo.`,
		Example: `  backfill report email-1 -o report.html
  backfill report email-1 -o report.json
  backfill report email-1 -o json | jq .cost`,
		Args: oneRun(),
	}
	// It takes the place of the flag for all commands: json alone is JSON on stdout here, too.
	command.Flags().StringVarP(&to.file, "output", "o", "", "`FILE`, whose end says as what: .html or .json; - is stdout; json alone is JSON on stdout")
	command.Flags().StringVar(&to.format, "format", "", "`FORMAT`: html or json, whatever the file is called")
	command.RunE = runs(func(ctx context.Context, args []string) error {
		if err := to.settle(); err != nil {
			return misused(command, err)
		}
		if to == (destination{stdout, jsonFormat}) { // an error is a document, too
			s.format = jsonFormat
		}
		var found report.Report
		answer, err := s.fetch(ctx, args[0], "report", named{Action: "report", Run: args[0]}, &found)
		if err != nil {
			return err
		}
		return s.writeReport(to, found, answer)
	})
	return command
}

// settle finds out what is to be written, and where.
func (w *destination) settle() error {
	switch {
	case w.file == jsonFormat && w.format == "":
		w.file, w.format = stdout, jsonFormat
	case w.file == "":
		return errors.New("say where to: -o report.html, or -o - for stdout")
	case w.format == "" && strings.HasSuffix(w.file, ".json"):
		w.format = jsonFormat
	case w.format == "" && (w.file == stdout || strings.HasSuffix(w.file, ".html") || strings.HasSuffix(w.file, ".htm")):
		w.format = htmlFormat
	}
	if w.format != htmlFormat && w.format != jsonFormat {
		return fmt.Errorf("as what is %s to be written? Its name ends in .html or .json, or --format is one of the two", printable(w.file))
	}
	return nil
}

func (s *session) writeReport(to destination, found report.Report, answer json.RawMessage) error {
	var text bytes.Buffer
	err := json.Indent(&text, answer, "", "  ")
	text.WriteByte('\n')
	if to.format == htmlFormat {
		text.Reset()
		err = report.HTML(&text, found)
	}
	if err != nil {
		return fmt.Errorf("write the report of run %s: %w", found.Run, err)
	}
	if to.file == stdout {
		_, err = io.Copy(s.Out, &text)
		return err
	}
	if err := os.WriteFile(to.file, text.Bytes(), 0o644); err != nil {
		return &Fault{Exit: exitInvalid, Message: "write the report: " + err.Error(), Next: "give -o a file that can be written"}
	}
	fmt.Fprintln(s.Out, printable(to.file))
	return nil
}
