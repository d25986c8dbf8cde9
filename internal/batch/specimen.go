package batch

import (
	"slices"
	"time"

	"backfill/internal/change"
	"backfill/internal/chunk"
	"backfill/internal/keyset"
	"backfill/internal/ledger"
	"backfill/internal/statement"

	"github.com/jackc/pgx/v5"
)

// Specimen is a statement that a run would send, and what it is for.
type Specimen struct {
	Purpose string
	statement.Query
}

// Specimens are the statements of one batch over a span, and of one pass over a chunk, as a worker sends them to a server of that
// version. Nothing is sent.
func Specimens(c change.Change, major int, span statement.Span, passes int) []Specimen {
	r := Runner{Change: c, Timeout: time.Minute}
	claim := ledger.Claim{Message: chunk.Message{Run: "RUN", Chunk: 1, Lo: span.Lo, Hi: span.Hi}, Owner: "WORKER", Fence: 1, Seq: 1,
		Lease: time.Minute, Stale: time.Minute}
	form := statement.FormFor(c, major)
	if c.Kind == change.Transform {
		return r.computed(claim, span, form)
	}
	target := Target{span: span, last: span.Hi, Keys: 1}
	updates := r.updates(claim, target, form)
	specimens := named(r.pipeline(claim, target, 1, form, nil, updates), func(i int) string {
		switch {
		case i == 0:
			return "the ledger takes the batch, or refuses it"
		case i == 1:
			return "settings of the batch; limits of the run"
		case i < 2+len(updates):
			return "the change" + keeping(form) + ", counted in the ledger"
		}
		return "where the next batch ends"
	})
	if passes > 1 {
		specimens = append(specimens, r.passes(claim, span, passes, form)...)
	}
	return specimens
}

// computed are the statements of a batch whose values a function gives. With passes they differ in the order of the keys.
func (r Runner) computed(claim ledger.Claim, span statement.Span, form statement.Form) []Specimen {
	given := statement.Computed{Keys: []keyset.Point{span.Hi}, Versions: []string{"3"}, Places: []string{"(0,1)"},
		Writes: [][]*string{make([]*string, len(r.Change.Function.Writes))}}
	t := Transformed{Runner: r}
	list := []Specimen{{"rows are read for the function, without a lock", statement.Read(r.Change, span.Lo, span.Hi, 1)}}
	return append(list, named(t.pipeline(claim, stretch{entries: make([]entry, 1), end: span.Hi}, given, form), func(i int) string {
		return []string{"the ledger takes the batch, or refuses it", "settings of the batch; limits of the run", "settings: the plan goes by the key",
			"the change" + keeping(form) + ", counted in the ledger"}[i]
	})...)
}

// passes are the statements of a chunk that is gone over in passes.
func (r Runner) passes(claim ledger.Claim, span statement.Span, passes int, form statement.Form) []Specimen {
	s := Striped{Runner: r, Window: statement.Window{Keys: 1, Passes: passes, Batches: 1}}
	open := statement.Open(r.Change, claim.Message.Run, claim.Message.Chunk, keyset.Range{Lo: span.Lo, Hi: span.Hi}, s.Window)
	next := stripes{stripe: statement.Stripe{Run: claim.Message.Run, Chunk: claim.Message.Chunk, Rows: 2, Take: 1, Within: span.Range}, left: 2}
	before := s.before(next.stripe, form)
	list := []Specimen{{"passes: the keys of a window are listed", open}}
	purposes := []string{"passes: the ledger takes the batch, or refuses it", "passes: settings; limits of the run", "passes: HOT updates so far",
		"passes: the change" + keeping(form) + ", counted in the ledger", "passes: HOT updates are counted", "passes: the keys are used up",
		"passes: which keys are next"}
	for range before {
		purposes = slices.Insert(purposes, 2, "passes: settings: the plan goes by the key")
	}
	return append(list, named(s.pipeline(claim, next, form, before), func(i int) string { return purposes[i] })...)
}

func keeping(form statement.Form) string {
	if form == statement.Forget {
		return ""
	}
	return " and its undo"
}

func named(pipeline *pgx.Batch, purpose func(i int) string) []Specimen {
	specimens := make([]Specimen, len(pipeline.QueuedQueries))
	for i, queued := range pipeline.QueuedQueries {
		specimens[i] = Specimen{purpose(i), statement.Query{SQL: queued.SQL, Args: queued.Arguments}}
	}
	return specimens
}
