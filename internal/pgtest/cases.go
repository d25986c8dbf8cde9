package pgtest

import (
	"flag"
	"maps"
	"os"
	"slices"
	"testing"
)

// Whole tells whether the environment asks for all cases of everything, as `make test-whole` does. `make test` has fewer of those that are
// alike, to be done within minutes.
func Whole() bool { return os.Getenv("BACKFILL_TEST_WHOLE") != "" }

// FewCases has each property tried on fewer cases than rapid has by itself (100), where the command line does not say how many: on a server a
// case is some hundred statements, and there are two servers. TestMain calls it, before the command line is read.
func FewCases() {
	checks := "25"
	if Whole() {
		checks = "500"
	}
	if err := flag.Set("rapid.checks", checks); err != nil {
		panic(err) // the package has no property
	}
}

// After is the number of the next of many cases that are alike: where not all are wanted, further away the more there were, a share of n.
func After(n, share int64) int64 {
	if Whole() {
		return n + 1
	}
	return n + 1 + n/share
}

// Deal gives the cases to the servers in turn, so that each meets one version and each version meets many; where all are wanted, each
// server has each.
func Deal[Case any](t *testing.T, cases map[string]Case, test func(t *testing.T, db Database, hand map[string]Case)) {
	t.Helper()
	majors := slices.Sorted(maps.Keys(servers(t)))
	hands := map[string]map[string]Case{}
	for i, name := range slices.Sorted(maps.Keys(cases)) {
		for j, major := range majors {
			if hands[major] == nil {
				hands[major] = map[string]Case{}
			}
			if Whole() || i%len(majors) == j {
				hands[major][name] = cases[name]
			}
		}
	}
	Each(t, func(t *testing.T, db Database) { test(t, db, hands[db.Major]) })
}
