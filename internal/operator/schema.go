package operator

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"backfill/internal/definition"

	"github.com/spf13/cobra"
)

func schemaCommand(s *session) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of definitions, for editors",
		Long: `Prints the JSON Schema of definitions, by which editors complete keys and tell what is wrong. The first line of a definition
says where it is:
  # yaml-language-server: $schema=./definition.schema.json`,
		Example: "  backfill schema > definition.schema.json",
		Args:    none,
		RunE: runs(func(context.Context, []string) error {
			text := bytes.TrimSpace(definition.Schema())
			return s.print(text, func(w io.Writer) { fmt.Fprintln(w, string(text)) })
		}),
	}
}
