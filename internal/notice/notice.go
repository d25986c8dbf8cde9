// Package notice puts into words what people are told of a run without having asked: how it ended, or that it waits for them, and what to
// do next.
//
// It owns the words. It leaves when to tell to governor, planner and control, and the sending to the state machine. Invariants: each notice has the run,
// its definition, the state, the reason and a command; whoever gets it may know the reason and the figures, so no value of a row is in it.
package notice

import (
	"fmt"
	"strings"

	"backfill/internal/figure"
	"backfill/internal/run"
)

// verify is the action of a run that was looked at once more.
const verify = "verify"

// Of is what people are told of a run as it stands; "": nothing, as it goes on by itself.
func Of(s run.Status) string {
	what, next := told(s)
	if next == "" {
		return ""
	}
	lines := []string{strings.TrimSpace(subject(s) + " " + what + ".")}
	if s.Reason != "" {
		lines = append(lines, "Reason: "+run.Brief(s.Reason))
	}
	if rows := rows(s.Rows); rows != "" {
		lines = append(lines, "Rows: "+rows)
	}
	return strings.Join(append(lines, "Next: "+strings.ReplaceAll(next, "RUN", s.Run)), "\n")
}

func subject(s run.Status) string {
	of := s.Backfill
	if of != "" && s.Table != "" {
		of += ", table " + s.Table
	}
	if of == "" {
		return "Run " + s.Run
	}
	return fmt.Sprintf("Run %s (%s)", s.Run, of)
}

// told is what has become of a run, and what is to be done.
func told(s run.Status) (what, next string) {
	if s.State.Pauses() {
		return paused(s.Pause)
	}
	if s.Action == verify && (s.State == run.Completed || s.State == run.Failed || s.State == run.Cancelled) {
		return verified(s)
	}
	switch s.State {
	case run.Completed:
		return "has COMPLETED", "`backfill status RUN` has its figures, `backfill verify RUN` looks at every row once more, `backfill rollback RUN` takes it back"
	case run.RolledBack:
		return "is ROLLED_BACK", "`backfill conflicts RUN` lists rows that no longer held what the run had written, and were left alone"
	case run.Cancelled:
		return "was CANCELLED; what it had committed stays", "`backfill resume RUN` goes on, `backfill rollback RUN` takes it back, `backfill status RUN` says how far it came"
	case run.Failed:
		return "has FAILED; what it had committed, if anything, stays",
			"`backfill status RUN` says how far it came; mend the reason, then `backfill resume RUN` goes on, `backfill retry RUN` tries failed chunks and rejected rows, `backfill rollback RUN` takes it back"
	default:
		return "", ""
	}
}

// verified tells of a verification. The run itself is COMPLETED whatever was found.
func verified(s run.Status) (what, next string) {
	switch {
	case s.State == run.Completed:
		return "was verified, and holds", "`backfill certificate RUN` has what was looked at"
	case s.State == run.Failed && s.Certificate != nil:
		return "was verified, and does not hold: FAILED", "`backfill certificate RUN` says what deviates"
	}
	return fmt.Sprintf("is COMPLETED as before; its verification is %s", s.State), "`backfill verify RUN` begins it anew"
}

// paused tells of a pause. One for a window ends by itself, so nobody is told.
func paused(p *run.Pause) (what, next string) {
	if p == nil {
		return "is PAUSED", "`backfill status RUN` says why, `backfill resume RUN` lets it go on"
	}
	switch p.For {
	case run.ForWindow:
		return "", ""
	case run.ForFailure:
		return "is PAUSED, since a chunk failed", "`backfill chunks RUN --state failed` lists what failed; mend it, then `backfill resume RUN` goes on and tries it again, `backfill cancel RUN` ends the run"
	case run.ForCanary:
		return "is PAUSED: its canary is done, and it waits for an approval", "`backfill status RUN` has the forecast, `backfill approve RUN` lets it go on with the rest, `backfill rollback RUN` takes the canary back"
	case run.ForAll:
		return "is PAUSED, as all runs are" + by(p.By), "`backfill resume --all` lets them go on"
	case run.ForRun:
	}
	return "is PAUSED" + by(p.By), "`backfill resume RUN` lets it go on, `backfill cancel RUN` ends it"
}

func by(who string) string {
	if who == "" {
		return ""
	}
	return ", by " + run.Brief(who)
}

func rows(r run.Rows) string {
	var told []string
	for _, one := range []struct {
		n    int64
		what string
	}{
		{r.Scanned, "looked at"}, {r.Affected, "written"}, {r.Rejected, "rejected"}, {r.Restored, "restored"},
		{r.Conflicts, "conflicts"}, {r.Verified, "verified"}, {r.Deviating, "deviating"},
	} {
		if one.n > 0 {
			told = append(told, figure.Count(one.n)+" "+one.what)
		}
	}
	return strings.Join(told, ", ")
}
