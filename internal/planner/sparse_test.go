package planner_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"backfill/internal/chunk"
	"backfill/internal/completion"
	"backfill/internal/ledger"
	"backfill/internal/pgtest"
	"backfill/internal/postgres"
	"backfill/internal/run"
	"backfill/internal/runtest"
	"backfill/internal/turn"

	"pgregory.net/rapid"
)

const (
	sparse    = "name: sparse\ntable: counters\nset: {n: n + 1}\nwhere: state = 'old'\nchunk_rows: 1000\n"
	onKey     = "ALTER TABLE counters ADD PRIMARY KEY (id);"
	partial   = onKey + "CREATE INDEX ON counters (id) WHERE state = 'old'"
	thousands = "id IN (2500, 2501, 15000)" // of twenty chunks of 1,000 keys, the third and the fifteenth have a row in scope
)

// scattered is a table of the keys 1 to rows, in tenants of 4,000 rows each, of which some are old.
func scattered(t *testing.T, db pgtest.Database, rows int, old, ddl string) *bundle {
	t.Helper()
	b := &bundle{Bench: runtest.On(t, db)}
	db.Exec(t, fmt.Sprintf(`CREATE TABLE counters (tenant text NOT NULL, id bigint NOT NULL, n int NOT NULL, state text NOT NULL, note text);
		INSERT INTO counters SELECT chr(97 + id / 4000), id, id, CASE WHEN %s THEN 'old' ELSE 'new' END, repeat('x', 300)
		FROM generate_series(1, %d) id; %s; ANALYZE counters`, old, rows, ddl))
	b.planner = b.another(t, b.DB.URL, 100)
	return b
}

// begun starts a run to the end of its plan, and gives what was sent.
func (b *bundle) begun(t *testing.T, definition string) []chunk.Message {
	t.Helper()
	got, err := b.planner.Handle(t.Context(), startOf(runtest.ID, definition))
	must(t, err)
	if plan := b.Record(t).Plan; got.State != run.Running || !plan.Closed {
		t.Fatalf("%+v, %+v", got, plan)
	}
	return b.Queue.Take()
}

// split tells which chunks were sent and which were skipped. Each is one of both, and one with a row in scope is sent.
func (b *bundle) split(t *testing.T, id, where string, sent []chunk.Message) (arrived, skipped []int64) {
	t.Helper()
	planned := b.planned(t, id)
	for _, m := range sent {
		if c := planned[m.Chunk-1]; m.Run != id || !m.Lo.Same(c.Range.Lo) || !m.Hi.Same(c.Range.Hi) {
			t.Fatalf("%+v was sent, planned is %+v", m, c.Range)
		}
		arrived = append(arrived, m.Chunk)
	}
	entries, err := b.Ledger.Page(t.Context(), id, 0, 1000)
	must(t, err)
	for _, e := range entries {
		c := planned[e.Chunk-1]
		if e.State != chunk.Completed || !e.Range.Lo.Same(c.Range.Lo) || !e.Range.Hi.Same(c.Range.Hi) || e.Fence != 0 || e.Reason == "" {
			t.Fatalf("chunk %d is %+v in the ledger, planned is %+v", e.Chunk, e, c.Range)
		}
		skipped = append(skipped, e.Chunk)
	}
	for _, c := range planned {
		if !slices.Contains(arrived, c.Chunk) && !slices.Contains(skipped, c.Chunk) {
			t.Errorf("chunk %d was neither sent nor skipped", c.Chunk)
		}
		hi := c.Range.Hi[len(c.Range.Hi)-1] // ids grow with tenants
		lo := "0"
		if c.Range.Lo != nil {
			lo = c.Range.Lo[len(c.Range.Lo)-1]
		}
		rows := b.Number(t, "SELECT count(*) FROM counters WHERE ("+where+") AND id > $1::text::bigint AND id <= $2::text::bigint", lo, hi)
		if rows > 0 && (slices.Contains(skipped, c.Chunk) || !slices.Contains(arrived, c.Chunk)) {
			t.Errorf("chunk %d has %d rows in scope; sent: %v, skipped: %v", c.Chunk, rows, arrived, skipped)
		}
	}
	return arrived, skipped
}

// finish has workers do what was sent, and the run completed.
func (b *bundle) finish(t *testing.T, id string, sent []chunk.Message) {
	t.Helper()
	for _, m := range sent {
		claim, err := b.Ledger.Claim(t.Context(), m, "worker")
		must(t, err)
		if claim.Verdict == ledger.Done {
			continue
		}
		sql, args := claim.Advance(ledger.Step{Keys: 1000, Reached: m.Hi, Done: true, Timeout: time.Minute})
		_, err = b.Conn.Exec(t.Context(), sql, args...)
		must(t, postgres.Classify(err))
	}
	record, err := b.Records.Run(t.Context(), id)
	must(t, err)
	complete, err := completion.New(b.Ledger, b.Records).Complete(t.Context(), id, record.Plan.Planned)
	if err != nil || !complete {
		t.Fatalf("complete: %v, %v", complete, err)
	}
}

func TestChunksWithoutARowInScopeAreSkipped(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		definition, ddl string
		skips           bool
	}{
		"a partial index on the key":    {sparse, partial, true},
		"an index on a column of where": {sparse, onKey + "CREATE INDEX ON counters (state)", true},
		"a composite key": {sparse, `ALTER TABLE counters ADD PRIMARY KEY (tenant, id);
			CREATE INDEX ON counters (tenant, id) WHERE state = 'old'`, true},
		"no index":         {sparse, onKey, false},
		"a volatile where": {strings.ReplaceAll(sparse, "'old'", "'old' AND random() < 2"), partial, false},
		"an error":         {strings.ReplaceAll(sparse, "'old'", "'old' AND 1 / (id - 2501) < 5"), partial, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
				b := scattered(t, db, 20_000, thousands, c.ddl)
				sent := b.begun(t, c.definition)
				arrived, skipped := b.split(t, runtest.ID, "state = 'old'", sent)
				for n := int64(1); n <= 20; n++ {
					// The first page is small, so that it may not pay to ask.
					empty := n != 3 && n != 15
					if slices.Contains(skipped, n) != (c.skips && empty) && n > 2 || slices.Contains(skipped, n) && slices.Contains(arrived, n) {
						t.Errorf("sent: %v, skipped: %v", arrived, skipped)
						break
					}
				}
				for _, planned := range b.planned(t, runtest.ID) {
					done := planned.State == chunk.Completed && planned.Scanned == 1000 && planned.Reason == "no row matched where when it was planned"
					if done != slices.Contains(skipped, planned.Chunk) {
						t.Errorf("the record of chunk %d: %+v", planned.Chunk, planned)
					}
				}
				b.finish(t, runtest.ID, sent)
				if n := b.Number(t, "SELECT sum(scanned) FROM backfill.ledger"); n != 20_000 {
					t.Errorf("%d keys were scanned", n)
				}
			})
		})
	}
}

// TestATableWithoutARowInScopeEndsWell: nothing is sent, the plan comes to its end at once, and the run completes; so
// does its rollback.
func TestATableWithoutARowInScopeEndsWell(t *testing.T) {
	t.Parallel()
	b := scattered(t, pgtest.Newest(t), 20_500, "false", partial)
	b.planner.LookAhead = 5 // what is skipped does not wait
	sent := b.begun(t, sparse)
	if arrived, skipped := b.split(t, runtest.ID, "state = 'old'", sent); len(arrived) > 0 || len(skipped) != 21 {
		t.Fatalf("sent: %v, skipped: %v", arrived, skipped)
	}
	if n := b.Number(t, "SELECT scanned FROM backfill.ledger WHERE chunk = 21"); n != 500 {
		t.Errorf("the last chunk has 500 keys, scanned are %d", n)
	}
	if left, err := b.Records.Outbox(t.Context(), runtest.ID); err != nil || len(left) > 0 {
		t.Fatalf("%v, %v", left, err)
	}
	b.finish(t, runtest.ID, nil)
	b.Expect(t, run.Completed, "")
	b.RollBack(t)
	done, err := completion.New(b.Ledger, b.Records).RolledBack(t.Context(), runtest.ID)
	if err != nil || !done {
		t.Fatalf("rolled back: %v, %v", done, err)
	}
}

// TestAPlannerThatSkipsDiesAtEachMoment: the same start again leaves no chunk with a row in scope unsent, and a run that
// can be completed.
func TestAPlannerThatSkipsDiesAtEachMoment(t *testing.T) {
	t.Parallel()
	b := scattered(t, pgtest.Newest(t), 6000, thousands, partial)
	n := 1
	for ; b.dies(t, n, sparse); n++ {
		id := fmt.Sprintf("run-%d", n)
		_, err := b.planner.Handle(t.Context(), startOf(id, sparse))
		must(t, err)
		sent := b.Queue.Take()
		b.split(t, id, "state = 'old'", sent)
		b.finish(t, id, sent)
	}
	if n < 30 {
		t.Fatalf("a start has only %d moments", n)
	}
}

// TestAPlannerThatSkipsSurvivesEveryLostAnswer of Postgres.
func TestAPlannerThatSkipsSurvivesEveryLostAnswer(t *testing.T) {
	t.Parallel()
	b := scattered(t, pgtest.Newest(t), 6000, thousands, partial)
	cuts := b.lose(t, sparse, func(id string, _ turn.Turn) {
		sent := b.Queue.Take()
		b.split(t, id, "state = 'old'", sent)
		b.finish(t, id, sent)
	})
	if cuts < 20 {
		t.Fatalf("a start has only %d answers after its review", cuts)
	}
}

// TestARunThatIsCancelledSkipsNothing: between the page's commit and the skip.
func TestARunThatIsCancelledSkipsNothing(t *testing.T) {
	t.Parallel()
	b := scattered(t, pgtest.Newest(t), 6000, "false", partial)
	b.Wire.After = func(operation string) {
		if operation == "TransactWriteItems" {
			b.Exec(t, "UPDATE backfill.runs SET state = 'CANCELLING', closes_as = 'CANCELLED'")
		}
	}
	_, err := b.planner.Handle(t.Context(), startOf(runtest.ID, sparse))
	must(t, err)
	if n := b.Number(t, "SELECT count(*) FROM backfill.ledger"); n != 0 {
		t.Fatalf("%d chunks were skipped", n)
	}
	if sent := b.Queue.Numbers(); len(sent) != 2 {
		t.Fatalf("sent: %v", sent)
	}
}

// TestAWorkerThatIsQuickerThanTheSkip keeps its chunk: somebody has sent the page from the outbox.
func TestAWorkerThatIsQuickerThanTheSkip(t *testing.T) {
	t.Parallel()
	b := scattered(t, pgtest.Newest(t), 6000, "false", partial)
	other := ledger.New(runtest.Session(t, b.DB.URL), runtest.Terms)
	b.Wire.After = func(operation string) {
		if operation != "TransactWriteItems" || b.Number(t, "SELECT count(*) FROM backfill.ledger") > 0 {
			return
		}
		page, err := b.Records.Chunks(t.Context(), runtest.ID, []int64{2})
		must(t, err)
		claim, err := other.Claim(t.Context(), chunk.Chunk{Run: runtest.ID, Number: 2, Range: page[0].Range}.Message(1), "worker")
		if err != nil || claim.Verdict != ledger.Claimed {
			t.Errorf("%+v, %v", claim, err)
		}
	}
	_, err := b.planner.Handle(t.Context(), startOf(runtest.ID, sparse))
	must(t, err)
	if n := b.Number(t, "SELECT count(*) FROM backfill.ledger WHERE chunk = 2 AND state = 'PROCESSING' AND fence = 1 AND reason = ''"); n != 1 {
		t.Error("the chunk was taken from its worker")
	}
	if sent := b.Queue.Numbers(); len(sent) != 1 || sent[0][0] != 2 {
		t.Errorf("sent: %v", sent)
	}
}

// TestARowInScopeIsNeverSkipped, whatever rows match, by whatever index, and also where a row begins to match after its
// page was cut and before anybody asked.
func TestARowInScopeIsNeverSkipped(t *testing.T) {
	t.Parallel()
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		b := scattered(t, db, 8000, "false", onKey+"CREATE INDEX aside ON counters (state)")
		runs, skips := 0, 0
		rapid.Check(t, func(r *rapid.T) {
			runs++
			id := fmt.Sprintf("run-%d", runs)
			b.Exec(t, "TRUNCATE backfill.runs, backfill.ledger")
			where := rapid.SampledFrom([]string{"state = 'old'", "state = 'old' AND n % 2 = 0", "state IN ('old', 'older')", "state <> 'new'"}).Draw(r, "where")
			b.Exec(t, "DROP INDEX IF EXISTS aside")
			b.Exec(t, "CREATE INDEX aside ON counters "+rapid.SampledFrom([]string{"(id) WHERE state = 'old'", "(state)", "(state, id)", "(n) WHERE state <> 'new'"}).Draw(r, "index"))
			ids := rapid.SliceOfN(rapid.Int64Range(1, 8000), 0, 6)
			b.Exec(t, "UPDATE counters SET state = CASE WHEN id = ANY ($1) THEN 'old' WHEN id = ANY ($2) THEN 'older' ELSE 'new' END WHERE state <> 'new' OR id = ANY ($1) OR id = ANY ($2)",
				ids.Draw(r, "old"), ids.Draw(r, "older"))
			b.Exec(t, "ANALYZE counters")
			late := ids.Draw(r, "late")
			b.Wire.After = func(operation string) {
				if operation == "TransactWriteItems" && late != nil {
					b.Exec(t, "UPDATE counters SET state = 'old' WHERE id = ANY ($1)", late)
					late = nil
				}
			}
			_, err := b.planner.Handle(t.Context(), startOf(id, strings.Replace(sparse, "state = 'old'", "\""+where+"\"", 1)))
			must(t, err)
			b.Wire.After = nil
			_, skipped := b.split(t, id, where, b.Queue.Take())
			skips += len(skipped)
		})
		if skips == 0 { // what takes longer than a second is sent, so a busy machine skips less
			t.Errorf("no chunk was skipped in %d runs: nothing was tried", runs)
		}
	})
}
