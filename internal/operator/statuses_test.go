package operator

import (
	"slices"
	"time"

	"backfill/internal/change"
	"backfill/internal/run"
	"backfill/internal/signal"
)

func planning() run.Status {
	return run.Status{Run: "email-1", State: run.Planning, Table: "public.users", Rows: run.Rows{Estimated: 1_000_000}, StartedAt: noon, UpdatedAt: noon}
}

func refusedRun() run.Status {
	return run.Status{Run: "email-1", State: run.Failed, StartedAt: noon, Reason: "2 problems:\n1:1: one\n2:1: two"}
}

// still is a run whose figures stay the same for as many looks.
func still(looks int, status run.Status) []any {
	return append(slices.Repeat([]any{status}, looks), after(run.Completed, ""))
}

// idle is a run at which nobody works.
func idle() run.Status {
	status := working()
	status.Chunks.Pending, status.Chunks.Processing, status.Concurrency, status.Rate, status.ETA = 6, 0, 0, 0, nil
	return status
}

// throttled is a run whose speed gets a new reason, and then the first one again.
func throttled() []any {
	statuses := slices.Repeat([]any{working()}, 4)
	for _, reason := range []string{"users wait for locks", "at most 4 workers at a time"} {
		status := statuses[len(statuses)-1].(run.Status)
		status.Rows.Scanned += 50_000
		status.Throttle.Reason = reason
		statuses = append(statuses, slices.Repeat([]any{status}, 4)...)
	}
	return append(statuses, after(run.Completed, ""))
}

// measured is a run that is slowed down.
func measured() run.Status {
	status, rate := working(), 4000.0
	waiters, lag := 12.0, 1.5
	first, _ := signal.Limits{}.Read(signal.LockWaiters, "", &waiters)
	second, _ := signal.Limits{}.Read(signal.ReplicaTime, "standby-1", &lag)
	third, _ := signal.Limits{}.Read(signal.IOWaits, "", nil)
	status.Average, status.ETASpread = 55_000, &run.Spread{From: noon.Add(9 * time.Second), To: *status.ETA}
	third.Missing = "the role may not read it: GRANT pg_read_all_stats"
	status.Throttle = run.Throttle{Reason: "slowed to 4,000 rows/s: " + first.String(), Rate: &rate,
		Workers: run.Workers{Most: 2, Reason: "the rate has no use for more"}, Signals: []signal.Reading{first, second, third}}
	return status
}

// watched is a run of which all signals are read, with many troubles, and everything else that a status can have.
func watched(troubles int) run.Status {
	status := measured()
	status.Throttle.Signals = nil
	for i, name := range signal.Names() {
		value := 0.0
		r, _ := signal.Limits{}.Read(name, "", &value)
		if i < troubles && r.Limit != nil {
			value = *r.Limit * (1 + float64(i)/10)
		}
		status.Throttle.Signals = append(status.Throttle.Signals, r)
	}
	if troubles == 0 {
		return status
	}
	for i, name := range []signal.Name{signal.ReplicaBytes, signal.ReplicaTime, signal.SlotBytes, signal.IOWaits, "queue_depth"} {
		reason := "the role may not read it: GRANT pg_read_all_stats"
		if i == 4 {
			reason = "its query gives NULL"
		}
		status.Throttle.Signals = append(status.Throttle.Signals, signal.Reading{Name: name, Missing: reason})
	}
	status.Undo.Bytes, status.Striping.Reason = 1<<20, "striped"
	status.Rows.Rejected, status.Rows.Conflicts = 1, 1
	for range 9 {
		status.Changes = append(status.Changes, run.Change{At: noon, By: "ann", Detail: "the rate"})
	}
	return status
}

// tuned is the answer to tune; 0 is no limit.
func tuned(rate, database float64) run.Limits {
	limits := run.Limits{Weight: 1}
	if rate > 0 {
		limits.Rate = &rate
	}
	if database > 0 {
		limits.Database = &database
	}
	return limits
}

// tunedEach is the answer to tune of each of two databases.
func tunedEach() any {
	var answer tunedAnswer
	for _, name := range []string{"default", "orders"} {
		answer.Several = append(answer.Several, tunedOne{Name: name, Limits: tuned(0, 20000)})
	}
	return answer
}

// elsewhere is a run of a database that is not the stack's own.
func elsewhere() run.Status {
	status := working()
	status.Run, status.Database = "orders-1", "orders"
	return status
}

func deleting() run.Status {
	status := after(run.Completed, "")
	status.Kind, status.Table = string(change.Delete), "public.sessions"
	return status
}

func copied() run.Status {
	status := after(run.Completed, "")
	status.Kind, status.Table = string(change.Copy), "shop.orders"
	return status
}

func cancelling() run.Status {
	status := working()
	status.State, status.Reason = run.Cancelling, "cancelled by ann@laptop"
	return status
}

func silent() run.Status {
	status := working()
	status.UpdatedAt, status.ETA = noon.Add(-2*silence), nil
	return status
}

func hostile() run.Status {
	status := working()
	status.Table = "public.\x1b[2J\u202eusers"
	return status
}

func several() map[string]any {
	refused := refusedRun()
	refused.Run = "users-country-20261124-115950"
	return map[string]any{"runs": []run.Status{working(), refused, after(run.Completed, "")}}
}

// slotted is the answer to tune where workers are limited.
func slotted() run.Limits {
	one, three := int64(1), int64(3)
	return run.Limits{Weight: 1, Workers: &one, DatabaseWorkers: &three}
}

// overridden is the answer to tune where limits are set in place of the definition's.
func overridden() run.Limits {
	budget := int64(50)
	return run.Limits{Weight: 1, Signals: signal.Limits{signal.LockWaiters: 4, signal.IOWaits: signal.Off}, ErrorBudget: &budget}
}

// tunedRun is a run with them.
func tunedRun() run.Status {
	status := working()
	status.Throttle.Limits = overridden()
	return status
}

// walled is the answer to tune where WAL is limited.
func walled() run.Limits {
	wal := float64(3 << 19)
	return run.Limits{Weight: 1, DatabaseWAL: &wal}
}
