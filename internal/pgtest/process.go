package pgtest

import (
	"os/exec"
	"runtime"
)

// Launch starts a program that ends with the tests (its Pdeathsig), and closes ended when it has. It waits for the end on the
// thread that started it, since the signal comes when that thread ends.
func Launch(command *exec.Cmd) (ended <-chan struct{}, err error) {
	started, end := make(chan error), make(chan struct{})
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(end)
		err := command.Start()
		started <- err
		if err == nil {
			_ = command.Wait()
		}
	}()
	return end, <-started
}
