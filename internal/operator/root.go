package operator

import (
	"cmp"
	"context"

	"github.com/spf13/cobra"
)

// commands is every command, in the order of the help. Each is one file.
var commands = []func(*session) *cobra.Command{
	startCommand, statusCommand, watchCommand, listCommand, tuneCommand, pauseCommand, approveCommand, cancelCommand, resumeCommand, retryCommand, rollbackCommand,
	verifyCommand, certificateCommand, deviationsCommand, reportCommand, chunksCommand, rejectsCommand, conflictsCommand, rebuildCommand, validateCommand, newCommand, registerCommand, definitionsCommand,
	schemaCommand, doctorCommand, versionCommand,
}

const overview = `Changes the data of a live Postgres table, as a serverless pipeline in your own AWS account.

Exit codes:
    0  done as asked
    1  the run, its rollback or its verification failed or was cancelled; another run holds the table; a dry run found what stands in
       the way; a check of doctor failed; the answer was Backfill.Permanent; or the run was not as asked any more, as at a cancel after its end
    2  the command or its input is wrong; every problem is printed
    3  not reachable: AWS, credentials, the stack, its functions or its database
  130  stopped by Ctrl-C; the run goes on`

func newRoot(s *session) *cobra.Command {
	root := &cobra.Command{
		Use: "backfill", Short: "Changes the data of a live Postgres table", Long: overview,
		Example: `  backfill validate users.yaml
  backfill start -f users.yaml --wait
  backfill list`,
		SilenceErrors: true, SilenceUsage: true,
	}
	root.SetFlagErrorFunc(func(at *cobra.Command, err error) error { return misused(at, err) })
	flags := root.PersistentFlags()
	flags.StringVarP(&s.format, "output", "o", textFormat, "`FORMAT`: text, or json, which is one document on stdout, progress goes to stderr")
	flags.StringVar(&s.place.Stack, "stack", cmp.Or(s.Getenv("BACKFILL_STACK"), "backfill"), "`NAME` of the CloudFormation stack; env BACKFILL_STACK")
	flags.StringVar(&s.place.Profile, "profile", "", "`NAME` of a profile of the AWS configuration; env AWS_PROFILE")
	flags.StringVar(&s.place.Region, "region", "", "AWS `REGION`; env AWS_REGION")
	root.PersistentPreRunE = func(at *cobra.Command, _ []string) error { return s.begin(at) }
	for _, command := range commands {
		root.AddCommand(command(s))
	}
	s.complete(root)
	return root
}

// Root is the command without a world, for its manual.
func Root() *cobra.Command {
	return newRoot(&session{World: World{Getenv: func(string) string { return "" }}})
}

// runs makes a function the body of a command. Its errors leave with an exit code.
func runs(body func(ctx context.Context, args []string) error) func(*cobra.Command, []string) error {
	return func(at *cobra.Command, args []string) error {
		if err := body(at.Context(), args); err != nil {
			return asFault(at.Context(), err)
		}
		return nil
	}
}
