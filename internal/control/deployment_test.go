package control_test

import (
	"testing"

	"backfill/internal/run"
)

// TestARunThatIsPausedOutlivesADeployment: whoever acts on it is of a later version than the schema.
func TestARunThatIsPausedOutlivesADeployment(t *testing.T) {
	t.Parallel()
	for action, state := range map[string]run.State{"resume": run.Running, "cancel": run.Cancelled, "pause": run.Paused} {
		t.Run(action, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.answer(t, `{"action":"pause","run":"run-1"}`)
			b.Exec(t, "ALTER TABLE backfill.ledger DROP COLUMN advanced_at")
			b.Exec(t, "DROP FUNCTION backfill.note")
			b.Exec(t, "UPDATE backfill.version SET version = 7")
			b.answer(t, `{"action":"`+action+`","run":"run-1"}`)
			if n := b.Number(t, "SELECT count(*) FROM backfill.runs WHERE state = $1", state); n != 1 {
				t.Errorf("the run is not %s", state)
			}
		})
	}
}

// TestALookIsAnsweredAfterADeployment, though it comes before any beat; "status" looks into Postgres where there is no record.
func TestALookIsAnsweredAfterADeployment(t *testing.T) {
	t.Parallel()
	for _, action := range []string{"chunks", "conflicts", "rejects", "status"} {
		t.Run(action, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.lose(t)
			b.Exec(t, "ALTER TABLE backfill.conflicts DROP COLUMN why")
			b.Exec(t, "ALTER TABLE backfill.runs DROP COLUMN resumed_at")
			b.Exec(t, "UPDATE backfill.version SET version = 1")
			_, err := b.ask(t, "read", `{"action":"`+action+`","run":"run-1"}`)
			must(t, err)
		})
	}
}

// TestNothingIsMadeWhereNoRunHasBegun: an action makes no schema, nor does a look.
func TestNothingIsMadeWhereNoRunHasBegun(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Exec(t, "DROP SCHEMA backfill CASCADE")
	b.answer(t, `{"action":"pause","all":true}`)
	for _, action := range []string{"chunks", "conflicts", "rejects", "status"} {
		b.refused(t, "read", `{"action":"`+action+`","run":"run-2"}`)
	}
	if n := b.Number(t, "SELECT count(*) FROM pg_namespace WHERE nspname = 'backfill'"); n != 0 {
		t.Error("it is there")
	}
}
