package planner_test

import (
	"os"
	"testing"

	"backfill/internal/pgtest"
)

func TestMain(m *testing.M) {
	pgtest.FewCases()
	os.Exit(m.Run())
}
