package failure_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"backfill/internal/failure"
	"backfill/internal/pgtest"
)

// newer are the conditions that Postgres 15 does not know by their name.
var newer = []string{"invalid_argument_for_xquery", "transaction_timeout", "file_name_too_long"}

// TestConditionsAreThoseOfPostgres: PL/pgSQL catches each code by the name that is listed for it.
func TestConditionsAreThoseOfPostgres(t *testing.T) {
	t.Parallel()
	list, err := os.ReadFile("conditions.txt")
	if err != nil {
		t.Fatal(err)
	}
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		var block strings.Builder
		checked := 0
		for line := range strings.Lines(string(list)) {
			var code, name string
			if _, err := fmt.Sscan(line, &code, &name); err != nil || code == "#" || db.Major < "18" && slices.Contains(newer, name) {
				continue
			}
			if got, want := failure.SQLState(code), fmt.Sprintf("SQLSTATE %s (%s)", code, name); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			fmt.Fprintf(&block, "BEGIN RAISE SQLSTATE '%s'; EXCEPTION WHEN %s THEN NULL; END;\n", code, name)
			checked++
		}
		db.Exec(t, "DO $$ BEGIN\n"+block.String()+"END $$")
		if checked < 240 {
			t.Errorf("only %d conditions", checked)
		}
	})
}

func TestACodeWithoutAName(t *testing.T) {
	t.Parallel()
	for _, code := range []string{failure.StaleFence, "P9999", "#", ""} {
		if got, want := failure.SQLState(code), "SQLSTATE "+code; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
