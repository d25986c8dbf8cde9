package worker_test

import (
	"testing"

	"backfill/internal/change"

	"github.com/jackc/pgx/v5"
)

// tally counts what happened.
type tally struct{ writes, changes, restored, conflicts int }

func (s *tally) add(more tally) {
	s.writes += more.writes
	s.changes += more.changes
	s.restored += more.restored
	s.conflicts += more.conflicts
}

// histories is the table.
type histories map[int64]*history

// begin is the table before anything happens.
func begin(present map[int64]value, kind change.Kind) histories {
	all := histories{}
	for id, held := range present {
		all[id] = &history{kind: kind, now: held, absent: held.gone}
	}
	return all
}

// follow replays what users wrote beside a run, or beside its rollback, up to what the table holds then. It tells how
// many of their writes were of the column that the run writes.
func (all histories) follow(t *testing.T, users []*user, present map[int64]value, back bool) (changes int) {
	t.Helper()
	for _, u := range users {
		for _, w := range u.journal {
			h := all[w.id]
			if err := h.sees(w.before, back); err != nil {
				t.Fatalf("row %d %v", w.id, err)
			}
			h.now, h.absent = w.after, h.absent || !back && w.after.gone
		}
		changes += len(u.journal)
	}
	for id, now := range present {
		if err := all[id].sees(now, back); err != nil {
			t.Fatalf("row %d at the end %v: a user's write is lost", id, err)
		}
	}
	return changes
}

// expectApplied demands that a run wrote each row that was there all the time, and counted those that it wrote.
func (b *bundle) expectApplied(t *testing.T, all histories) {
	t.Helper()
	applied, affected := 0, 0
	for id, h := range all {
		if h.applied {
			applied++
		} else if !h.absent {
			t.Errorf("row %d was there all the time, the run has not written it", id)
		}
	}
	must(t, b.conn.QueryRow(t.Context(), "SELECT sum(affected) FROM backfill.ledger").Scan(&affected))
	if affected != applied {
		t.Fatalf("the run wrote %d rows, the ledger says %d", applied, affected)
	}
}

// expectNamed demands that each row that a run wrote is restored, or named as a conflict.
func (b *bundle) expectNamed(t *testing.T, all histories) (sum tally) {
	t.Helper()
	named := b.conflicting(t)
	for id, h := range all {
		if h.applied && h.restored == named[id] || !h.applied && named[id] {
			t.Errorf("row %d: applied %v, restored %v, named as a conflict %v", id, h.applied, h.restored, named[id])
		}
		if h.restored {
			sum.restored++
		}
	}
	sum.conflicts = len(named)
	var restored, conflicts int
	must(t, b.conn.QueryRow(t.Context(), "SELECT sum(restored), sum(conflicts) FROM backfill.ledger").Scan(&restored, &conflicts))
	if restored != sum.restored || conflicts != sum.conflicts {
		t.Fatalf("%d rows restored, the ledger says %d; %d conflicts, the ledger says %d", sum.restored, restored, sum.conflicts, conflicts)
	}
	return sum
}

// present is the table; a row that is gone is said to be.
func (b *bundle) present(t *testing.T) map[int64]value {
	t.Helper()
	present := map[int64]value{}
	for id := int64(1); id <= rows; id++ {
		present[id] = value{gone: true}
	}
	found, err := b.conn.Query(t.Context(), "SELECT id, n FROM counters")
	must(t, err)
	var id, n int64
	_, err = pgx.ForEachRow(found, []any{&id, &n}, func() error { present[id] = value{n: n}; return nil })
	must(t, err)
	return present
}

func (b *bundle) conflicting(t *testing.T) map[int64]bool {
	t.Helper()
	named := map[int64]bool{}
	found, err := b.conn.Query(t.Context(), "SELECT key[1]::bigint FROM backfill.conflicts WHERE found_at IS NOT NULL")
	must(t, err)
	var id int64
	_, err = pgx.ForEachRow(found, []any{&id}, func() error { named[id] = true; return nil })
	must(t, err)
	return named
}
