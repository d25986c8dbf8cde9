package contender

import "testing"

func TestHighest(t *testing.T) {
	log := "START RequestId: 1 Version: $LATEST\n" +
		"REPORT RequestId: 1\tDuration: 2.00 ms\tBilled Duration: 3 ms\tMemory Size: 512 MB\tMax Memory Used: 19 MB\n" +
		`{"message":"Max Memory Used: 99 MB"}` + "\n" +
		"REPORT RequestId: 2\tDuration: 2.00 ms\tBilled Duration: 3 ms\tMemory Size: 512 MB\tMax Memory Used: 23 MB\tInit Duration: 40.00 ms\n" +
		"REPORT RequestId: 3\tDuration: 2.00 ms\tBilled Duration: 3 ms\tMemory Size: 512 MB\tMax Memory Used: 21 MB\n"
	if got := highest([]byte(log)); got != 23<<20 {
		t.Fatalf("got %d", got)
	}
	if got := highest(nil); got != 0 {
		t.Fatalf("got %d of an empty log", got)
	}
}
