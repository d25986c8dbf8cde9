package rehearsal_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"backfill/internal/pgtest"

	"github.com/jackc/pgx/v5"
)

// TestATransactionThatKeepsDeadRowsIsTold: passes would not pay beside it.
func TestATransactionThatKeepsDeadRowsIsTold(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Newest(t), users)
	holder := b.db.Connect(t)
	tx, err := holder.BeginTx(t.Context(), pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
	must(t, err)
	_, err = tx.Exec(t.Context(), "SELECT 1 FROM users LIMIT 1")
	must(t, err)
	const what = "keeps dead rows"
	if notes := b.rehearse(t, lower, 0).Notes; tells(notes, what) {
		t.Errorf("at once: %v", notes)
	}
	pgtest.WaitUntil(t, b.conn, fmt.Sprintf("SELECT clock_timestamp() > xact_start + interval '6 s' FROM pg_stat_activity WHERE pid = %d", holder.PgConn().PID()))
	if notes := b.rehearse(t, lower, 0).Notes; !tells(notes, what) {
		t.Errorf("later: %v", notes)
	}
	must(t, tx.Rollback(t.Context()))
	if notes := b.rehearse(t, lower, 0).Notes; tells(notes, what) {
		t.Errorf("afterwards: %v", notes)
	}
}

// TestWindowsAreTold where a run would wait for one.
func TestWindowsAreTold(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Newest(t), users)
	tomorrow := strings.ToLower(time.Now().UTC().Add(36 * time.Hour).Format("Mon"))
	for days, want := range map[string]bool{tomorrow: true, "mon-sun": false} {
		notes := b.rehearse(t, lower+"windows: {days: "+days+"}\n", 0).Notes
		if tells(notes, "outside of its windows a run waits: the next one opens at 20") != want {
			t.Errorf("%s: %v", days, notes)
		}
	}
}
