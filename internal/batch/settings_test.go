package batch_test

import (
	"testing"
	"time"

	"backfill/internal/batch"
	"backfill/internal/pgtest"
	"backfill/internal/statement"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
)

// watched notes for each batch whether its commit waits for the disk.
const watched = numbered + `; CREATE TABLE waits (n serial, wait text);
	CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
		$$ BEGIN INSERT INTO waits (wait) VALUES (current_setting('synchronous_commit')); RETURN NULL; END $$;
	CREATE TRIGGER note AFTER UPDATE ON t FOR EACH STATEMENT EXECUTE FUNCTION note()`

// TestOnlyTheLastCommitWaits: what a crash takes back is done again, and nothing of it is told before the last commit.
// Where the value would be another the second time, each waits.
func TestOnlyTheLastCommitWaits(t *testing.T) {
	t.Parallel()
	early, never := []string{"off", "off", "on"}, []string{"on", "on", "on"}
	for name, c := range map[string]struct {
		set    string
		passes bool
		there  []string
	}{
		"in order":            {"n: n + 1", false, early},
		"in passes":           {"n: n + 1", true, []string{"off", "off", "off", "on"}}, // the last of each window of 60 keys ends a pass
		"volatile":            {"n: (random() * 1000)::int", false, never},
		"volatile, in passes": {"n: (random() * 1000)::int", true, []string{"on", "on", "on", "on"}},
	} {
		t.Run(name, func(t *testing.T) {
			pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
				b := reversible(t, db, watched, "table: t\nset: {"+c.set+"}\n")
				runner := batch.Runner{Change: b.change, Timeout: time.Minute}
				if c.passes {
					b.walk(t, &batch.Striped{Runner: runner, Window: statement.Window{Keys: 60, Passes: 2, Batches: 1}}, 40)
				} else {
					b.walk(t, &batch.Forward{Runner: runner}, 40)
				}
				b.expectWaits(t, "there", c.there)
				b.exec(t, "UPDATE backfill.runs SET state = 'COMPLETED', ended_at = clock_timestamp()")
				b.back(t, 40)
				b.expectWaits(t, "back", append(make([]string, 0), slowest(len(c.there))...))
			})
		})
	}
}

// slowest is a way of so many batches of which the last alone waits.
func slowest(batches int) []string {
	all := make([]string, batches)
	for i := range all {
		all[i] = "off"
	}
	all[batches-1] = "on"
	return all
}

// expectWaits reads the notes, and forgets them.
func (b *reversal) expectWaits(t *testing.T, way string, want []string) {
	t.Helper()
	found, err := b.beside.Query(t.Context(), "SELECT wait FROM waits ORDER BY n")
	must(t, err)
	waits, err := pgx.CollectRows(found, pgx.RowTo[string])
	must(t, err)
	if diff := cmp.Diff(want, waits); diff != "" {
		t.Errorf("%s (-want +got):\n%s", way, diff)
	}
	b.exec(t, "TRUNCATE waits")
}
