package operator

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"runtime"

	"github.com/spf13/cobra"
)

func versionCommand(s *session) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Tell the version of this command, and its commit",
		Example: "  backfill version -o json",
		Args:    none,
		RunE: runs(func(context.Context, []string) error {
			platform := runtime.GOOS + "/" + runtime.GOARCH
			answer, err := json.Marshal(map[string]string{"version": s.Version, "commit": s.Commit, "go": runtime.Version(), "platform": platform})
			if err != nil {
				return fmt.Errorf("write the version: %w", err)
			}
			return s.print(answer, func(w io.Writer) {
				built := ""
				if s.Commit != "" {
					built = "commit " + s.Commit + ", "
				}
				fmt.Fprintf(w, "backfill %s (%s%s, %s)\n", s.Version, built, runtime.Version(), platform)
			})
		}),
	}
}
