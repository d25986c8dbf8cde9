package template_test

import (
	"archive/zip"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// mostZipped bytes of a function's code: what an environment loads before it can start.
const mostZipped = 12_000_000

// TestTheWorkerIsSmall builds it as `sam build` does, for this machine's processor: what the build cache then has of the
// local stack. For the other one the program differs by a few percent.
func TestTheWorkerIsSmall(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	architecture := map[string]string{"amd64": "x86_64"}[runtime.GOARCH]
	if architecture == "" {
		architecture = "arm64"
	}
	build := exec.Command("make", "build-WorkerFunction", "ARTIFACTS_DIR="+folder, "ARCHITECTURE="+architecture)
	build.Dir = root
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	size := zipped(t, filepath.Join(folder, "bootstrap"))
	t.Logf("%d bytes, zipped", size)
	if size > mostZipped {
		t.Errorf("the worker's zip has %d bytes, at most %d are wanted", size, mostZipped)
	}
}

// zipped is the size of a file as the only one in a zip.
func zipped(t *testing.T, name string) (size counted) {
	t.Helper()
	program, err := os.Open(name)
	must(t, err)
	defer func() { _ = program.Close() }()
	archive := zip.NewWriter(&size)
	entry, err := archive.Create(filepath.Base(name))
	must(t, err)
	_, err = io.Copy(entry, program)
	must(t, err)
	must(t, archive.Close())
	return size
}

// counted counts what is written.
type counted int64

func (c *counted) Write(p []byte) (int, error) {
	*c += counted(len(p))
	return len(p), nil
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
