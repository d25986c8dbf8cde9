package operator

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"backfill/internal/chunk"
	"backfill/internal/figure"
	"backfill/internal/keyset"

	"github.com/spf13/cobra"
)

// chunkPage is the input of chunks.
type chunkPage struct {
	Action string `json:"action"`
	Run    string `json:"run"`
	State  string `json:"state,omitempty"`
	Limit  int64  `json:"limit"`
	After  int64  `json:"after,omitempty"`
}

// chunkList is the part of the answer that people read.
type chunkList struct {
	Chunks []struct {
		keyset.Range // nil where nobody knows it any more
		Chunk        int64
		State        string
		Scanned      int64
		Affected     int64
		Restored     int64
		Conflicts    int64
		Rejected     int64
		Fence        int64
		Retries      int64
		Passes       int64 // 0: not decided yet
		Reason       string
		UpdatedAt    *time.Time `json:"updated_at"` // nil: no worker has claimed it
		NotBefore    *time.Time `json:"not_before"` // it backs off until then
	} `json:"chunks"`
	Next int64 `json:"next"` // 0: none follows
}

func chunksCommand(s *session) *cobra.Command {
	asked := chunkPage{Action: "chunks", Limit: 100}
	command := &cobra.Command{
		Use:   "chunks RUN",
		Short: "List the chunks of a run, in their order",
		Long: `Lists the chunks of a run in the order of the keys, with order: descending from the greatest key down: number, state, the keys (after, up to],
when its worker was heard of last, what was done to its rows, and below why a chunk is not done, until when it waits, or why it was done without a worker. The numbers are those that rollback --chunks takes.`,
		Example: `  backfill chunks email-1 --state failed
  backfill chunks email-1 --limit 1000 -o json | jq -r '.chunks[] | select(.retries > 3) | .chunk'`,
		Args: oneRun(),
	}
	command.Flags().StringVar(&asked.State, "state", "", "only those in that `STATE`: pending, processing, completed, failed, rolled_back")
	command.Flags().Int64Var(&asked.Limit, "limit", asked.Limit, "how many at most, 1 to 1000; less where keys are long")
	command.Flags().Int64Var(&asked.After, "after", 0, "the `NUMBER` of the chunk after which the list begins")
	command.RunE = runs(func(ctx context.Context, args []string) error {
		asked.Run, asked.State = args[0], strings.ToUpper(asked.State)
		if err := asked.check(command); err != nil {
			return err
		}
		var found chunkList
		answer, err := s.fetch(ctx, asked.Run, "chunks", asked, &found)
		if err != nil {
			return err
		}
		return s.print(answer, func(w io.Writer) { s.chunks(w, asked, found) })
	})
	return command
}

// check finds what control would refuse as well.
func (p chunkPage) check(at *cobra.Command) error {
	if p.State != "" && !slices.Contains(chunk.States(), chunk.State(p.State)) {
		return misused(at, fmt.Errorf("--state %s is no state of a chunk", strings.ToLower(p.State)))
	}
	return within(at, p.Limit, p.After)
}

// chunks shows chunks, a line each, the reasons below, and the way to those that follow.
func (s *session) chunks(w io.Writer, asked chunkPage, found chunkList) {
	if len(found.Chunks) == 0 {
		fmt.Fprintln(w, noChunk(asked))
		return
	}
	t, now := table{}, s.Now()
	var rejected []string // a column for the few runs that have some
	if found.rejected() {
		rejected = []string{"REJECTED"}
	}
	t.head(slices.Concat([]string{"CHUNK", "STATE", "KEYS", "UPDATED", "READ", "CHANGED"}, rejected, []string{"RETRIES", "PASSES", "FENCE", "RESTORED", "CONFLICTS"})...)
	for _, c := range found.Chunks {
		keys, updated, passes := "not known", "", ""
		if c.Hi != nil {
			keys = c.Text()
		}
		if c.UpdatedAt != nil {
			updated = age(now.Sub(*c.UpdatedAt))
		}
		if c.Passes > 0 {
			passes = figure.Count(c.Passes)
		}
		if rejected != nil {
			rejected[0] = figure.Count(c.Rejected)
		}
		t.row(slices.Concat([]string{strconv.FormatInt(c.Chunk, 10), c.State, keys, updated, figure.Count(c.Scanned), figure.Count(c.Affected)}, rejected,
			[]string{figure.Count(c.Retries), passes, strconv.FormatInt(c.Fence, 10), figure.Count(c.Restored), figure.Count(c.Conflicts)})...)
	}
	if columns, terminal := s.Width(w); terminal {
		t.fit(columns)
	}
	t.write(w, func(_ int, cell string) string { return cell })
	found.reasons(w, now)
	if found.Next > 0 {
		offer(w, step{s.suggest(asked.following(found.Next)...), "see those that follow"})
	}
}

// rejected tells whether rows of any of the chunks are rejected.
func (l chunkList) rejected() bool {
	for _, c := range l.Chunks {
		if c.Rejected > 0 {
			return true
		}
	}
	return false
}

// reason is why a chunk is not done, and until when it waits.
func (l chunkList) reason(i int, now time.Time) string {
	reason := l.Chunks[i].Reason
	if until := l.Chunks[i].NotBefore; reason != "" && until != nil {
		reason += "; until " + moment(until, now)
	}
	return reason
}

// reasons prints the reason of each chunk that has one; neighbours that share it have one line.
func (l chunkList) reasons(w io.Writer, now time.Time) {
	for i := 0; i < len(l.Chunks); {
		last, reason := i, l.reason(i, now)
		for last+1 < len(l.Chunks) && l.reason(last+1, now) == reason && l.Chunks[last+1].Chunk == l.Chunks[last].Chunk+1 {
			last++
		}
		which := fmt.Sprintf("chunk %d", l.Chunks[i].Chunk)
		if last > i {
			which = fmt.Sprintf("chunks %d to %d", l.Chunks[i].Chunk, l.Chunks[last].Chunk)
		}
		if reason != "" {
			fmt.Fprintf(w, "  %s: %s\n", which, printable(reason))
		}
		i = last + 1
	}
}

// following are the words that ask for the next page.
func (p chunkPage) following(after int64) []string {
	words := []string{"chunks", p.Run}
	if p.State != "" {
		words = append(words, "--state", strings.ToLower(p.State))
	}
	return append(words, "--limit", strconv.FormatInt(p.Limit, 10), "--after", strconv.FormatInt(after, 10))
}

func noChunk(asked chunkPage) string {
	text := "run " + asked.Run + " has no chunk"
	if asked.State != "" {
		text += " that is " + asked.State
	}
	if asked.After > 0 {
		text += " after chunk " + strconv.FormatInt(asked.After, 10)
	}
	return text
}
