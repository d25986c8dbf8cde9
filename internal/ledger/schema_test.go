package ledger_test

import (
	"crypto/sha256"
	"encoding/hex"
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
	const version, script = 8, "7ac1133ecb50df37"
	if got := hex.EncodeToString(sum[:8]); ledger.Version != version || got != script {
		t.Fatalf("version %d has the script %s; version %d had %s", ledger.Version, got, version, script)
	}
}
