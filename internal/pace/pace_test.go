package pace

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestPaceSettlesAtTheTarget(t *testing.T) {
	perRow := 40 * time.Microsecond // 25,000 rows/s: 1,875 rows in 75 ms
	var pace Pace
	for range 20 {
		pace.Observe(pace.Rows(), time.Duration(pace.Rows())*perRow, 0)
	}
	if rows := pace.Rows(); rows < 1_800 || rows > 1_900 {
		t.Fatalf("settled at %d rows, want about 1,875", rows)
	}
}

func TestPaceBoundsAStepUp(t *testing.T) {
	var pace Pace
	pace.Observe(Start, time.Microsecond, 0)
	if rows := pace.Rows(); rows != Start*3/2 {
		t.Fatalf("one quick batch led to %d rows, want %d", rows, Start*3/2)
	}
}

func TestPaceIgnoresAShortLastBatch(t *testing.T) {
	var pace Pace
	pace.Observe(10, 30*time.Millisecond, 0)
	if rows := pace.Rows(); rows != Start {
		t.Fatalf("a batch of 10 rows moved the size to %d", rows)
	}
}

func TestPaceStaysWithinItsBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var pace Pace
		for range rapid.IntRange(1, 60).Draw(t, "batches") {
			switch rapid.IntRange(0, 2).Draw(t, "what it meets") {
			case 0:
				pace.Shrink()
			case 1:
				pace.Overrun()
			default:
				took := time.Duration(rapid.Int64Range(0, int64(time.Minute)).Draw(t, "took"))
				pace.Observe(rapid.Int64Range(0, Most).Draw(t, "rows"), took, rapid.Int64Range(0, 1<<40).Draw(t, "bytes"))
			}
			if rows := pace.Rows(); rows < Fewest || rows > Most {
				t.Fatalf("%d rows is outside of [%d, %d]", rows, Fewest, Most)
			}
		}
	})
}

func TestPaceKeepsBatchesOfWideRowsSmall(t *testing.T) {
	const megabyte = 1 << 20
	pace := New(megabyte)
	if rows := pace.Rows(); rows != MostBytes/megabyte {
		t.Fatalf("begins with %d rows of 1 MB", rows)
	}
	pace = Pace{} // rows that are much wider than the catalog knew
	pace.Observe(Start, time.Millisecond, Start*megabyte)
	if rows := pace.Rows(); rows != MostBytes/megabyte {
		t.Fatalf("goes on with %d rows of 1 MB", rows)
	}
	pace.Shrink()
	if rows := pace.Rows(); rows != MostBytes/megabyte {
		t.Fatalf("a lock made the least size %d rows", rows)
	}
	pace.Observe(4, 75*time.Millisecond, 4000)
	if rows := pace.Rows(); rows != 4 {
		t.Fatalf("at the target it moved to %d rows", rows)
	}
}

// TestPaceEndsAtFewWhereABatchTakesTooLong: locks alone never lead there.
func TestPaceEndsAtFewWhereABatchTakesTooLong(t *testing.T) {
	var locked, late Pace
	for range 20 {
		locked.Shrink()
		late.Overrun()
	}
	if locked.Rows() != Least || late.Rows() != Fewest {
		t.Fatalf("%d rows after locks, %d after timeouts", locked.Rows(), late.Rows())
	}
}
