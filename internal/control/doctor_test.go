package control_test

import (
	"encoding/json"
	"testing"

	"backfill/internal/checkup"
	"backfill/internal/failure"
)

// TestDoctorIsServedByWhoOnlyLooks, and a run that was lost in DynamoDB is none of its concerns.
func TestDoctorIsServedByWhoOnlyLooks(t *testing.T) {
	t.Parallel()
	b := setup(t)
	answer, err := b.control.Handle(t.Context(), "read", json.RawMessage(`{"action":"doctor"}`))
	must(t, err)
	report := answer.(checkup.Report)
	if len(report.Checks) < 8 || report.Checks[0].Name != "records" {
		t.Errorf("%+v", report)
	}
	for _, check := range report.Checks {
		if check.State == checkup.Fail {
			t.Errorf("%+v", check)
		}
	}
	if _, err := b.control.Handle(t.Context(), "read", json.RawMessage(`{"action":"doctor","run":"one"}`)); !failure.Is(err, failure.Invalid) {
		t.Errorf("a key that is not known: %v", err)
	}
}
