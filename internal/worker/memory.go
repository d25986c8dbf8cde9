package worker

import "runtime/debug"

// How much garbage there may be: five times what is in use, but no more than leaves the process below 64 MiB.
const (
	garbagePercent = 400
	mostHeap       = 48 << 20
)

// CollectSeldom has Go look for garbage less often than it does by itself. A transform makes much of it, and what is in use is little: its worker
// takes half of the processor's time.
func CollectSeldom() {
	debug.SetGCPercent(garbagePercent)
	debug.SetMemoryLimit(mostHeap)
}
