package operator

import (
	"regexp"
	"strconv"
	"strings"

	"backfill/internal/definition"
	"backfill/internal/failure"
	"backfill/internal/run"
)

// sqlstates finds the SQLSTATEs in a reason.
var sqlstates = regexp.MustCompile(`SQLSTATE ([0-9A-Z]{5})\b`)

// blames tells whether a chunk failed because of rows: as long as they are what they are, it fails again. Spared: an error budget may pass over them.
func blames(reason string) (rows, spared bool) {
	for _, found := range sqlstates.FindAllStringSubmatch(reason, -1) {
		switch code := found[1]; {
		case code == failure.BudgetSpent, code == failure.RowRefused, failure.FromSQLState(code) == failure.Data:
			return true, true
		}
	}
	return strings.Contains(reason, "1 row within "), false
}

// mending is what comes before chunks that failed because of their rows are tried again: nothing where none did.
func (s *session) mending(status run.Status) (steps []step) {
	rows, spared := false, false
	for _, f := range status.Failures {
		r, s := blames(f.Reason)
		rows, spared = rows || r, spared || s
	}
	if !rows || status.Chunks.Failed == 0 {
		return nil
	}
	see := step{s.suggest("chunks", status.Run, "--state", "failed"), "see which rows do not allow their change, and mend them"}
	if backward(status) { // rows that cannot be restored are passed over by no budget
		see.purpose = "see which rows cannot be restored, and mend what stands in the way"
		return []step{see}
	}
	budget, set := status.Rows.Rejected+status.Chunks.Failed, status.Throttle.Limits.ErrorBudget
	if spared && set != nil && *set >= budget { // somebody has done that
		return nil
	}
	steps = []step{see}
	if spared && budget <= definition.MaxErrorBudget {
		steps = append(steps, step{s.suggest("tune", status.Run, "--error-budget", strconv.FormatInt(budget, 10)), "pass over as many rows in all instead"})
	}
	return steps
}
