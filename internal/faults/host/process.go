package host

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

const (
	stopSignal     = syscall.SIGSTOP
	continueSignal = syscall.SIGCONT
)

// process is one bootstrap process and the Runtime API that only it knows.
type process struct {
	command     *exec.Cmd
	api         *http.Server
	invocations chan *invocation
	ended       chan struct{}
}

func start(h *Host) (*process, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("serve the Runtime API: %w", err)
	}
	p := &process{command: exec.Command(h.Program), invocations: make(chan *invocation), ended: make(chan struct{})}
	p.api = &http.Server{Handler: p.routes()}
	p.command.Env = environment(h, listener.Addr().String())
	p.command.Stdout, p.command.Stderr = h.Log.Writer(h.Name), h.Log.Writer(h.Name)
	// It must not outlive a test that is killed: it may be stopped, and would then stay for good.
	p.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	go p.live(started)
	if err := <-started; err != nil {
		_ = listener.Close()
		return nil, fmt.Errorf("start %s: %w", h.Name, err)
	}
	go func() { _ = p.api.Serve(listener) }()
	return p, nil
}

// live starts the process and waits for its end, on one thread: Pdeathsig is sent when the thread ends that started.
func (p *process) live(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := p.command.Start()
	started <- err
	if err != nil {
		return
	}
	_ = p.command.Wait() // that it was killed is no news
	close(p.ended)
	_ = p.api.Close()
}

func environment(h *Host, api string) []string {
	all := []string{
		"AWS_LAMBDA_RUNTIME_API=" + api, "AWS_LAMBDA_FUNCTION_NAME=" + h.Name, "AWS_LAMBDA_LOG_FORMAT=JSON",
		"AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "TZ=UTC",
		"HOME=" + os.TempDir(), "AWS_EC2_METADATA_DISABLED=true",
	}
	for name, value := range h.Variables {
		all = append(all, name+"="+value)
	}
	return all
}

func (p *process) hasEnded() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// kill signals the one process: a function in Go starts no others. os.Process never hits a number that was reused.
func (p *process) kill() bool {
	err := p.command.Process.Kill()
	<-p.ended
	return err == nil
}

func (h *Host) signal(what syscall.Signal) {
	if p := h.current(); p != nil {
		_ = p.command.Process.Signal(what)
	}
}
