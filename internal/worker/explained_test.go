package worker_test

import (
	"testing"

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

// expectExplained replays the journals against what the table and the list of conflicts hold.
func (b *bundle) expectExplained(t *testing.T, before map[int64]value, users []*user) tally {
	t.Helper()
	all := map[int64]*history{}
	for id, held := range before {
		all[id] = &history{now: held, absent: held.gone}
	}
	var sum tally
	for _, u := range users {
		for _, w := range u.journal {
			sum.changes++
			if err := all[w.id].sees(w.before); err != nil {
				t.Fatalf("row %d %v", w.id, err)
			}
			all[w.id].now, all[w.id].touched = w.after, true
			all[w.id].absent = all[w.id].absent || w.after.gone
		}
	}
	for id, now := range b.present(t) {
		if err := all[id].sees(now); err != nil {
			t.Fatalf("row %d at the end %v: a user's write is lost", id, err)
		}
	}
	b.expectNamed(t, all, &sum)
	return sum
}

// expectNamed demands that each row that the run wrote is restored, or named as a conflict.
func (b *bundle) expectNamed(t *testing.T, all map[int64]*history, sum *tally) {
	t.Helper()
	conflicts, unseen := b.conflicting(t), 0
	for id, h := range all {
		if h.applied && h.restored == conflicts[id] || !h.applied && conflicts[id] {
			t.Errorf("row %d: applied %v, restored %v, named as a conflict %v", id, h.applied, h.restored, conflicts[id])
		}
		switch {
		case h.restored, !h.touched && !h.now.gone: // both effects came and went between two looks
			sum.restored++
		case h.applied:
			sum.conflicts++
		case h.touched:
			unseen++ // so may they have here, between two writes
		}
	}
	var affected, restored, conflicting, absent int
	must(t, b.conn.QueryRow(t.Context(), "SELECT sum(affected), sum(restored), sum(conflicts) FROM backfill.ledger").Scan(
		&affected, &restored, &conflicting))
	for _, h := range all {
		if h.absent {
			absent++
		}
	}
	if affected < len(all)-absent {
		t.Fatalf("%d rows were there all the time, the run wrote %d", len(all)-absent, affected)
	}
	if restored < sum.restored || restored > sum.restored+unseen || conflicting != sum.conflicts {
		t.Fatalf("%d to %d rows restored, the ledger says %d; %d conflicts, the ledger says %d",
			sum.restored, sum.restored+unseen, restored, sum.conflicts, conflicting)
	}
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
