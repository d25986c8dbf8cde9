package ledger_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"backfill/internal/ledger"
)

// TestAChangedSchemaHasANewVersion: a database that is at Version already gets no script, so one that changes without a
// new number would reach new databases only. Raise ledger.Version, and write both down here.
func TestAChangedSchemaHasANewVersion(t *testing.T) {
	t.Parallel()
	whole, err := ledger.Schema(0)
	must(t, err)
	sum := sha256.Sum256([]byte(whole))
	const version, script = 18, "aad72a13d401feb8"
	if got := hex.EncodeToString(sum[:8]); ledger.Version != version || got != script {
		t.Fatalf("version %d has the script %s; version %d had %s", ledger.Version, got, version, script)
	}
}

// TestScriptsComeInTheOrderOfTheirVersions, and functions last.
func TestScriptsComeInTheOrderOfTheirVersions(t *testing.T) {
	t.Parallel()
	whole, err := ledger.Schema(1)
	must(t, err)
	before := -1
	for version := 2; version <= ledger.Version; version++ {
		at := strings.Index(whole, fmt.Sprintf("-- Version %d:", version))
		if at <= before {
			t.Fatalf("version %d is at %d, the one before at %d", version, at, before)
		}
		before = at
	}
	if at := strings.Index(whole, "FUNCTION backfill.claim("); at < before {
		t.Fatalf("functions are at %d, the last version at %d", at, before)
	}
}
