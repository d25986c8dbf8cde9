package bill

import (
	"fmt"

	"backfill/internal/figure"
)

// What the tables assume, beside the template's defaults: a worker's speed and WAL are those of docs/performance.md with undo,
// rounded down and up.
const (
	workers       = 2
	rowsPerSecond = 50_000. // of a worker
	walPerRow     = 500.    // bytes
	million       = 1_000_000
)

// AtWAL is a run that writes so many bytes of WAL a second, and no more, as `backfill tune --database --wal` has it. It is taken that one
// worker is there all the time, and waits.
func AtWAL(rows int64, bytesPerSecond float64) Run {
	r := At(rows, workers, rowsPerSecond)
	r.Seconds = max(r.Seconds, float64(rows)*walPerRow/bytesPerSecond)
	r.WorkerSeconds = max(r.WorkerSeconds, r.Seconds)
	return r
}

// Sizes is the table of what runs of three sizes ask and cost.
func Sizes() []string {
	lines := []string{
		"| rows | time | chunks | AWS calls, a chunk | executions, longest history | Lambda | DynamoDB | SQS | Step Functions | logs, traces | $ |",
		"|---|---|---|---|---|---|---|---|---|---|---|",
	}
	for _, rows := range []int64{million, 100 * million, 10_000 * million} {
		r := At(rows, workers, rowsPerSecond)
		d, calls := r.Dollars(), r.Calls().Sum()
		lines = append(lines, fmt.Sprintf("| %s | %s | %s | %s, %.1f | %d, %s | %s | %s | %s | %s | %s | %s |", short(rows), duration(r.Seconds),
			figure.Count(r.Chunks()), figure.Count(calls), float64(calls)/float64(r.Chunks()), r.Segments()+1, figure.Count(r.History()),
			dollars(d.Lambda), dollars(d.DynamoDB), dollars(d.SQS), dollars(d.StepFunctions), dollars(d.LogsAndTraces), dollars(d.Sum())))
	}
	return lines
}

// Budgets is the table of 10 billion rows at several rates of WAL.
func Budgets() []string {
	lines := []string{"| WAL, MB/s | rows/s | days | executions | AWS calls | $ |", "|---|---|---|---|---|---|"}
	for _, megabytes := range []float64{5, 10, 20, 50} {
		r := AtWAL(10_000*million, megabytes*million)
		lines = append(lines, fmt.Sprintf("| %.0f | %s | %.1f | %d | %s | %s |", megabytes, figure.Count(int64(float64(r.Rows)/r.Seconds)),
			r.Seconds/86_400, r.Segments()+1, figure.Count(r.Calls().Sum()), dollars(r.Dollars().Sum())))
	}
	return lines
}

func short(rows int64) string {
	if rows >= 1_000*million {
		return fmt.Sprintf("%d B", rows/(1_000*million))
	}
	return fmt.Sprintf("%d M", rows/million)
}

func duration(seconds float64) string {
	switch {
	case seconds < 120:
		return fmt.Sprintf("%.0f s", seconds)
	case seconds < 7200:
		return fmt.Sprintf("%.0f min", seconds/60)
	}
	return fmt.Sprintf("%.1f h", seconds/3600)
}

func dollars(amount float64) string {
	if amount < 1 {
		return fmt.Sprintf("%.4f", amount)
	}
	return fmt.Sprintf("%.2f", amount)
}
