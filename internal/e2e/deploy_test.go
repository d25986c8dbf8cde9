package e2e

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// functions of the stack, and the makefile's names of them.
var functions = map[string]string{"planner": "Planner", "worker": "Worker", "governor": "Governor", "control": "Control"}

// TestADeployInTheMiddleOfARun: the planner, governor and control of the new code with workers of the older one, then the new workers too. The
// older code is this checkout's, in another zip; `make upgrade FROM=REVISION` gives that of another revision. It is not parallel: other
// tests would see functions that change.
func TestADeployInTheMiddleOfARun(t *testing.T) {
	newer, older := build(t), os.Getenv("BACKFILL_OLDER_BUILD")
	if older == "" {
		older = newer
	}
	table := unique("deploy")
	b := setup(t, table, fmt.Sprintf(counters, quoted(table), 200_000))
	t.Cleanup(func() { b.deploy(t, newer, "", "planner", "governor", "control", "worker") })

	b.deploy(t, older, "older", "planner", "governor", "control", "worker")
	id, execution := b.inTheMiddle(t, 5_000)
	b.deploy(t, newer, "newer", "planner", "governor", "control")
	b.goesOn(t, id)
	b.deploy(t, newer, "newer", "worker")
	left := b.number(t, "SELECT count(*) FROM "+quoted(table)+" WHERE n = id")
	if left == 0 {
		t.Fatal("the run was over before all was deployed")
	}
	status := b.completes(t, id, execution, 3*time.Minute)
	if b.expectOnce(t); status.Rows.Affected != 200_000 || status.Rows.Rejected != 0 {
		t.Fatalf("%+v", status.Rows)
	}
	t.Logf("%d rows were left when all was deployed", left)
}

// goesOn waits until another chunk is done.
func (b *bundle) goesOn(t *testing.T, id string) {
	t.Helper()
	const done = "SELECT count(*) FROM backfill.ledger WHERE run = $1 AND state = 'COMPLETED'"
	before := b.number(t, done, id)
	waitFor(t, time.Minute, "another chunk is done", func() bool { return b.number(t, done, id) > before })
}

// build makes the programs of this checkout, for this machine's processor as the local stack has it.
func build(t *testing.T) (folder string) {
	t.Helper()
	folder = t.TempDir()
	architecture := map[string]string{"amd64": "x86_64"}[runtime.GOARCH]
	if architecture == "" {
		architecture = "arm64"
	}
	for name, target := range functions {
		build := exec.CommandContext(t.Context(), "make", "build-"+target+"Function", "ARTIFACTS_DIR="+filepath.Join(folder, name), "ARCHITECTURE="+architecture)
		build.Dir = filepath.Join("..", "..")
		if output, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, output)
		}
	}
	return folder
}

// deploy gives functions the programs of a folder, with a mark that makes the code another, and waits until they have it. Its cleanup may
// not use the test's context.
func (b *bundle) deploy(t *testing.T, folder, mark string, names ...string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	for _, name := range names {
		program, err := os.ReadFile(filepath.Join(folder, name, "bootstrap"))
		must(t, err)
		function := aws.String(os.Getenv("BACKFILL_STACK") + "-" + name)
		_, err = b.lambda.UpdateFunctionCode(ctx, &lambda.UpdateFunctionCodeInput{FunctionName: function, ZipFile: zipped(t, program, mark)})
		must(t, err)
		waitFor(t, time.Minute, name+" has its code", func() bool {
			got, err := b.lambda.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: function})
			must(t, err)
			return got.LastUpdateStatus == lambdatypes.LastUpdateStatusSuccessful
		})
	}
}

// zipped is a program and a file of a text, as Lambda takes them.
func zipped(t *testing.T, program []byte, mark string) []byte {
	t.Helper()
	var text bytes.Buffer
	archive := zip.NewWriter(&text)
	for name, content := range map[string][]byte{"bootstrap": program, "mark": []byte(mark)} {
		header := &zip.FileHeader{Name: name, Method: zip.Deflate}
		header.SetMode(0o755)
		entry, err := archive.CreateHeader(header)
		must(t, err)
		_, err = entry.Write(content)
		must(t, err)
	}
	must(t, archive.Close())
	return text.Bytes()
}
