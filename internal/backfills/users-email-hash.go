package backfills

import (
	"context"
	"crypto/sha256"
	"errors"
	"strings"

	"backfill/internal/transform"
)

// The version is raised with each edit that gives rows other values.
func init() { transform.Register("email-hash", "1", transform.Each(emailHash)) }

// emailHash hashes the address without stray spaces and capitals. What is no address has no hash.
func emailHash(_ context.Context, row transform.Row) (transform.Change, error) {
	email, _ := row.Text("email") // not NULL, by where
	address := strings.ToLower(strings.TrimSpace(email))
	if !strings.Contains(address, "@") {
		return transform.Change{}, errors.New("the address has no @")
	}
	hash := sha256.Sum256([]byte(address))
	return row.Change().Set("email_hash", transform.Bytes(hash[:])), nil
}
