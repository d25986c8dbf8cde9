package operator

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"backfill/internal/failure"
	"backfill/internal/run"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

const inline = "name: users-country\ntable: users\nset: {country: upper(country)}\n"

// transcript is a command line, and the world in which it is run.
type transcript struct {
	words   []string
	prepare func(b *bundle)
}

// transcripts are what people see. Each is held against testdata/NAME.txt: stdout, stderr, exit code.
var transcripts = map[string]transcript{
	"status":           {[]string{"status", "email-1"}, answers("status", working())},
	"status-json":      {[]string{"status", "email-1", "-o", "json"}, answers("status", working())},
	"status-database":  {[]string{"status", "email-1"}, answers("status", elsewhere())},
	"status-completed": {[]string{"status", "email-1"}, answers("status", after(run.Completed, ""))},
	"status-deleted":   {[]string{"status", "email-1"}, answers("status", deleting())},
	"status-refused":   {[]string{"status", "email-1"}, answers("status", refusedRun())},
	"status-unknown":   {[]string{"status", "email-1"}, answers("status", unknownRun())},
	"status-terminal":  {[]string{"status", "email-1"}, on(80, answers("status", working()))},
	"status-silent":    {[]string{"status", "email-1"}, answers("status", silent())},
	"status-hostile":   {[]string{"status", "email-1"}, answers("status", hostile())},

	"list":          {[]string{"list"}, answers("list", several())},
	"list-100":      {[]string{"list"}, on(100, answers("list", several()))},
	"list-50":       {[]string{"list"}, on(50, answers("list", several()))},
	"list-all":      {[]string{"list", "--all", "--limit", "2"}, answers("list", several())},
	"list-begun":    {[]string{"list", "--limit", "1"}, answers("list", several())},
	"list-refused":  {[]string{"list"}, answers("list", map[string]any{"runs": []run.Status{refusedRun(), refusedRun()}})},
	"list-database": {[]string{"list"}, answers("list", map[string]any{"runs": []run.Status{elsewhere(), working()}})},
	"list-none":     {[]string{"list", "--stack", "other"}, answers("list", map[string]any{"runs": []run.Status{}})},
	"list-json":     {[]string{"list", "-o", "json"}, answers("list", map[string]any{"runs": []run.Status{}})},
	"list-limit":    {[]string{"list", "--limit", "500"}, answers("list", classed("Backfill.Invalid", "not asked"))},

	"watch":          {[]string{"watch", "email-1"}, answers("status", planning(), working(), working(), after(run.Completed, ""))},
	"watch-failed":   {[]string{"watch", "email-1"}, answers("status", working(), after(run.Failed, "chunk 3 failed: SQLSTATE 22012"))},
	"watch-json":     {[]string{"watch", "email-1", "-o", "json"}, answers("status", working(), after(run.Cancelled, "cancelled by bob@host"))},
	"watch-blip":     {[]string{"watch", "email-1"}, answers("status", working(), errors.New("gone for a moment"), after(run.Completed, ""))},
	"watch-still":    {[]string{"watch", "email-1"}, answers("status", still(65, working())...)},
	"watch-left":     {[]string{"watch", "email-1"}, answers("status", still(130, idle())...)},
	"watch-throttle": {[]string{"watch", "email-1"}, answers("status", throttled()...)},
	"watch-refused":  {[]string{"watch", "email-1"}, answers("status", refusedRun())},
	"watch-screen":   {[]string{"watch", "email-1"}, on(100, answers("status", working(), after(run.Completed, "")))},
	"watch-narrow":   {[]string{"watch", "email-1"}, on(40, answers("status", still(2, working())...))},

	"start":         {[]string{"start", "users-email-normalized", "--run", "email-1"}, answers("status", unknownRun(), working())},
	"start-json":    {[]string{"start", "users-email-normalized", "--run", "email-1", "-o", "json"}, answers("status", working())},
	"start-wait":    {[]string{"start", "users-email-normalized", "--run", "email-1", "--wait"}, answers("status", working(), after(run.Completed, ""))},
	"start-again":   {[]string{"start", "users-email-normalized", "--run", "email-1"}, again(`{"backfill":"users-email-normalized","action":"start"}`)},
	"start-other":   {[]string{"start", "users-email-normalized", "--run", "email-1"}, again(`{"action":"start","backfill":"other"}`)},
	"start-refused": {[]string{"start", "-f", "users.yaml", "--run", "email-1"}, refused("Backfill.Invalid", "2 problems:\n1:7: name: it is wrong; change it\n2:1: table: so is this; change it, too")},
	"start-ended":   {[]string{"start", "users-email-normalized", "--run", "email-1"}, lost()},
	"start-busy":    {[]string{"start", "users-email-normalized", "--run", "email-1"}, refused("Backfill.Busy", "run email-0 holds table public.users")},
	"start-broken":  {[]string{"start", "users-email-normalized", "--run", "email-1", "-o", "json"}, refused("Backfill.Transient", "connect to database app: refused")},
	"start-silent":  {[]string{"start", "users-email-normalized", "--run", "email-1"}, slowly()},
	"start-spent":   {[]string{"start", "users-email-normalized", "--run", "email-1"}, spent(`{"action":"start","backfill":"users-email-normalized"}`)},
	"start-anew":    {[]string{"start", "-f", "users.yaml", "-p", "note=it's so", "--run", "email-1", "--region", "eu-west-1"}, spent(`{"action":"start","backfill":"other"}`)},
	"start-file":    {[]string{"start", "users.yaml", "--wait", "-p", "since=2024-01-01 10:00", "-p", "a=b", "--stack", "other"}, nil},
	"start-trouble": {[]string{"start", "users-email-normalized", "--run", "email-1"}, trouble()},

	"status-signals":      {[]string{"status", "email-1"}, answers("status", measured())},
	"status-signals-calm": {[]string{"status", "email-1"}, answers("status", watched(0))},
	"status-signals-one":  {[]string{"status", "email-1"}, answers("status", watched(1))},
	"status-signals-many": {[]string{"status", "email-1"}, answers("status", watched(5))},

	"tune":           {[]string{"tune", "email-1", "--rate", "5_000"}, answers("tune", tuned(5000, 20000))},
	"tune-none":      {[]string{"tune", "email-1", "--rate", "none", "--weight", "2"}, answers("tune", tuned(0, 0))},
	"tune-database":  {[]string{"tune", "--database", "--rate", "20000"}, answers("tune", tuned(0, 20000))},
	"tune-ended":     {[]string{"tune", "email-1", "--rate", "5000"}, answers("tune", tunedAnswer{State: run.Completed, Limits: tuned(5000, 0)})},
	"tune-ended-bad": {[]string{"tune", "email-1", "--rate", "5000"}, answers("tune", tunedAnswer{State: run.Failed, Limits: tuned(5000, 0)})},
	"tune-json":      {[]string{"tune", "email-1", "--rate", "5000", "-o", "json"}, answers("tune", tuned(5000, 0))},
	"tune-workers":   {[]string{"tune", "email-1", "--workers", "1"}, answers("tune", slotted())},
	"tune-own":       {[]string{"tune", "email-1", "--limit", "lock_waiters=4", "--error-budget", "50"}, answers("tune", overridden())},
	"status-tuned":   {[]string{"status", "email-1"}, answers("status", tunedRun())},
	"tune-wal":       {[]string{"tune", "--database", "--wal", "1.5MiB"}, answers("tune", walled())},
	"tune-one":       {[]string{"tune", "--database", "--name", "orders", "--rate", "20000"}, answers("tune", tuned(0, 20000))},
	"tune-each":      {[]string{"tune", "--database", "--rate", "20000"}, answers("tune", tunedEach())},
	"tune-name":      {[]string{"tune", "email-1", "--name", "orders", "--rate", "20000"}, nil},
	"tune-unknown":   {[]string{"tune", "email-1", "--rate", "5000"}, never("tune")},
	"tune-signal": {[]string{"tune", "email-1", "--limit", "lockwaiters=4"}, all(answers("status", working()),
		answers("tune", classed("Backfill.Invalid", `the signal "lockwaiters" is not known: did you mean lock_waiters?`)))},
	"tune-usage":   {[]string{"tune", "email-1", "--rate", "fast"}, nil},
	"tune-nothing": {[]string{"tune", "email-1"}, nil},
	"tune-two":     {[]string{"tune", "email-1", "--database", "--rate", "5"}, nil},
	"help-tune":    {[]string{"tune", "--help"}, nil},

	"cancel":         {[]string{"cancel", "email-1"}, answers("cancel", cancelling())},
	"cancel-done":    {[]string{"cancel", "email-1"}, answers("cancel", after(run.Cancelled, "cancelled by ann@laptop"))},
	"cancel-late":    {[]string{"cancel", "email-1", "-o", "json"}, answers("cancel", after(run.Completed, ""))},
	"cancel-refused": {[]string{"cancel", "email-1"}, never("cancel")},
	"cancel-error":   {[]string{"cancel", "email-1"}, answers("cancel", classed("Backfill.Permanent", "close run email-1: SQLSTATE 42501"))},

	"validate":           {[]string{"validate", "users.yaml"}, answers("validate", found())},
	"validate-transform": {[]string{"validate", "users.yaml"}, answers("validate", hash())},
	"validate-delete":    {[]string{"validate", "users.yaml"}, answers("validate", purge())},
	"validate-copy":      {[]string{"validate", "orders-to-archive"}, answers("validate", archive())},
	"validate-move":      {[]string{"validate", "orders-to-archive"}, answers("validate", archiveByMove())},
	"status-copied":      {[]string{"status", "email-1"}, answers("status", copied())},
	"validate-name":      {[]string{"validate", "users-country", "--profile", "prod", "--region", "eu-west-1"}, answers("validate", found())},
	"validate-problem":   {[]string{"validate", "users.yaml"}, answers("validate", classed("Backfill.Invalid", "3:7: set.country: public.users has no such column"))},
	"validate-json":      {[]string{"validate", "-f", "users.yaml", "-o", "json"}, answers("validate", classed("Backfill.Invalid", "2 problems:\n1:7: name: it is wrong; change it\nparams.since: it is missing; give a value"))},

	"validate-offline":     {[]string{"validate", "users.yaml", "--offline"}, cutOff()},
	"validate-offline-bad": {[]string{"validate", "-", "--offline", "-p", "since=soon", "-p", "until=2024-01-01"}, typed(badly)},
	"validate-offline-run": {[]string{"validate", "users-country", "--offline"}, cutOff()},
	"validate-params":      {[]string{"validate", "-", "--offline", "-o", "json"}, typed(parametrised)},
	"validate-cut-off":     {[]string{"validate", "users.yaml"}, cutOff()},
	"validate-cut-off-bad": {[]string{"validate", "-"}, all(typed(badly), cutOff())},
	"validate-no-database": {[]string{"validate", "users.yaml"}, answers("validate", classed("Backfill.Transient", "connect to database app: refused"))},
	"help-validate":        {[]string{"validate", "--help"}, nil},

	"version":      {[]string{"version"}, nil},
	"usage":        {[]string{"statsu"}, nil},
	"usage-flag":   {[]string{"list", "--newest"}, nil},
	"usage-output": {[]string{"list", "-o", "yaml"}, nil},
	"usage-none":   {[]string{"status"}, nil},
	"usage-two":    {[]string{"cancel", "one", "two"}, nil},
	"help":         {[]string{"--help"}, nil},
	"help-start":   {[]string{"start", "--help"}, nil},
}

func TestTranscripts(t *testing.T) { transcribe(t, transcripts) }

func transcribe(t *testing.T, transcripts map[string]transcript) {
	t.Helper()
	golden := goldens(t)
	t.Chdir(t.TempDir())
	if err := os.WriteFile("users.yaml", []byte(inline), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range transcripts {
		t.Run(name, func(t *testing.T) {
			b := setup(t)
			if c.prepare != nil {
				c.prepare(b)
			}
			code := b.run(t, c.words...)
			golden(t, name, fmt.Sprintf("$ backfill %s\n%s--- stderr\n%s--- exit code %d\n", strings.Join(c.words, " "), &b.out, &b.err, code))
		})
	}
}

// goldens compares texts with the files of testdata, wherever the test works. Signs that move a cursor are shown.
func goldens(t *testing.T) func(t *testing.T, name, got string) {
	t.Helper()
	folder, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	return func(t *testing.T, name, got string) {
		t.Helper()
		got = strings.NewReplacer("\x1b", "<ESC>", "\r", "<CR>", runtime.Version(), "GO",
			runtime.GOOS+"/"+runtime.GOARCH, "PLATFORM").Replace(got)
		file := filepath.Join(folder, name+".txt")
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Error(diff)
		}
	}
}

// TestClassesHaveExitCodes: a class that leaves a function and has none would be taken for a function that is broken.
func TestClassesHaveExitCodes(t *testing.T) {
	t.Parallel()
	for _, class := range failure.Leaves() {
		if _, ok := exits[class]; !ok {
			t.Errorf("class %s has no exit code", class)
		}
	}
}
