package batch_test

import (
	"context"
	"slices"
	"testing"

	"backfill/internal/batch"
	"backfill/internal/change"
	"backfill/internal/keyset"
	"backfill/internal/pgtest"
	"backfill/internal/postgres"
	"backfill/internal/statement"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
)

// wire remembers the statements that are sent in pipelines.
type wire struct{ sent []string }

func (*wire) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return ctx
}
func (w *wire) TraceBatchQuery(_ context.Context, _ *pgx.Conn, data pgx.TraceBatchQueryData) {
	w.sent = append(w.sent, data.SQL)
}
func (*wire) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}
func (*wire) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	return ctx
}
func (*wire) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// TestSpecimensAreWhatAWorkerSends: a batch in the order of keys that is not the last, the keys of a window, and a batch of a pass.
func TestSpecimensAreWhatAWorkerSends(t *testing.T) {
	t.Parallel()
	undo := counters
	undo.Undo, undo.Where = true, "n >= 0"
	gone := change.Change{Kind: change.Delete, Table: counters.Table, Key: counters.Key, Where: "id < 1000", Undo: true, ChunkRows: rows,
		Row: []change.Column{{Name: "n", Type: "integer", Base: "integer"}, {Name: "friend", Type: "bigint", Base: "bigint"}}}
	for name, c := range map[string]change.Change{"without undo": counters, "with undo": undo, "deleted": gone} {
		pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
			b, seen := setup(t, db, c), &wire{}
			config, err := pgx.ParseConfig(db.URL)
			must(t, err)
			config.Tracer = seen
			b.conn, err = pgx.ConnectConfig(t.Context(), config)
			must(t, err)
			t.Cleanup(func() { _ = b.conn.Close(context.Background()) })
			passes := 4
			if c.Kind == change.Delete {
				passes = 1
			}
			b.apply(t, b.find(t, 10), 10)
			b.apply(t, b.find(t, 10), 10) // not from the beginning: there is a lower end
			want := slices.Clone(seen.sent[len(seen.sent)/2:])
			if passes > 1 {
				seen.sent = nil
				striped := batch.Striped{Runner: b.runner, Window: statement.Window{Keys: 100, Passes: passes, Batches: 2}}
				for range 2 { // the window is opened; a batch of its first stripe
					_, err := striped.Step(t.Context(), b.conn, &b.claim, 5)
					must(t, err)
				}
				// Opening begins and ends as a batch does: what is its own is the list of the keys.
				want = append(want, seen.sent[2])
				want = append(want, seen.sent[4:]...)
			}
			span := statement.Span{Range: keyset.Range{Lo: keyset.Point{"10"}, Hi: keyset.Point{"20"}}}
			var got []string
			for _, s := range batch.Specimens(c, postgres.Major(b.conn), span, passes) {
				got = append(got, s.SQL)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-sent +shown):\n%s", name, diff)
			}
		})
	}
}
