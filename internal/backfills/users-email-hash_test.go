package backfills_test

import "testing"

func TestUsersEmailHash(t *testing.T) {
	t.Parallel()
	types := map[string]string{"id": "bigint", "email": "text", "email_hash": "bytea"}
	got := try(t, "users-email-hash", types,
		map[string]string{"id": "1", "email": " Ann@Example.com"},
		map[string]string{"id": "2", "email": "ann@example.com"},
		map[string]string{"id": "3", "email": "ann"})
	const hash = `\x71d4f55f72fa128dfb468a1a3901507c804b74316488744d769d7f4b16696476`
	for _, ann := range got[:2] {
		if ann.values["email_hash"] != hash {
			t.Errorf("the hash is %s", ann.values["email_hash"])
		}
	}
	if got[2].refused == nil {
		t.Error("what is no address has a hash")
	}
}
