package operator

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestStartSendsWhatTheEventsShow: a run of the command looks like one of the console.
func TestStartSendsWhatTheEventsShow(t *testing.T) {
	t.Parallel()
	event := func(name string) map[string]any {
		text, err := os.ReadFile(filepath.Join("..", "..", "events", name))
		if err != nil {
			t.Fatal(err)
		}
		var value map[string]any
		if err := json.Unmarshal(text, &value); err != nil {
			t.Fatal(err)
		}
		delete(value, "run") // the command names the execution instead
		return value
	}
	for name, words := range map[string][]string{
		"start.json":             {"users-email-normalized"},
		"start-with-params.json": {"users-display-name", "-p", "since=2022-01-01"},
		"start-inline.json":      {"-f", "-"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			want := event(name)
			b.In = strings.NewReader(asText(want["definition"]))
			b.control.answers["status"] = []any{working()}
			if code := b.run(t, append([]string{"start", "--run", "email-1"}, words...)...); code != 0 {
				t.Fatalf("exit code %d: %s", code, &b.err)
			}
			var sent map[string]any
			if err := json.Unmarshal([]byte(b.executions.started["email-1"]), &sent); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, sent); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func asText(value any) string {
	text, _ := value.(string)
	return text
}

// TestWhoAsksWhom: what only looks goes by the alias that only looks.
func TestWhoAsksWhom(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"status email-1":                      `look {"action":"status","run":"email-1"}`,
		"list --limit 7":                      `look {"action":"list","limit":100}`,
		"list --limit 7 --all":                `look {"action":"list","limit":7}`,
		"cancel email-1":                      `act {"action":"cancel","run":"email-1","by":"ann@laptop"}`,
		"pause email-1":                       `act {"action":"pause","run":"email-1","by":"ann@laptop"}`,
		"pause email-1 --reason night":        `act {"action":"pause","run":"email-1","by":"ann@laptop","reason":"night"}`,
		"pause --all":                         `act {"action":"pause","by":"ann@laptop","all":true}`,
		"resume --all":                        `act {"action":"resume","by":"ann@laptop","all":true}`,
		"conflicts email-1":                   `look {"action":"conflicts","run":"email-1","limit":100}`,
		"conflicts email-1 --limit 20":        `look {"action":"conflicts","run":"email-1","limit":20}`,
		"conflicts email-1 --after 7":         `look {"action":"conflicts","run":"email-1","limit":100,"after":7}`,
		"deviations email-1 --after 7":        `look {"action":"deviations","run":"email-1","limit":100,"after":7}`,
		"rejects email-1 --after 7":           `look {"action":"rejects","run":"email-1","limit":100,"after":7}`,
		"chunks email-1 --state failed":       `look {"action":"chunks","run":"email-1","state":"FAILED","limit":100}`,
		"chunks email-1 --after 7":            `look {"action":"chunks","run":"email-1","limit":100,"after":7}`,
		"tune email-1 --rate 7":               `act {"action":"tune","run":"email-1","rate":7,"by":"ann@laptop"}`,
		"tune email-1 --rate none":            `act {"action":"tune","run":"email-1","rate":0,"by":"ann@laptop"}`,
		"tune email-1 --weight 2":             `act {"action":"tune","run":"email-1","weight":2,"by":"ann@laptop"}`,
		"tune email-1 --workers 2":            `act {"action":"tune","run":"email-1","workers":2,"by":"ann@laptop"}`,
		"tune email-1 --workers none":         `act {"action":"tune","run":"email-1","workers":0,"by":"ann@laptop"}`,
		"tune email-1 --error-budget 50":      `act {"action":"tune","run":"email-1","error_budget":50,"by":"ann@laptop"}`,
		"tune email-1 --error-budget default": `act {"action":"tune","run":"email-1","error_budget":-1,"by":"ann@laptop"}`,
		"tune email-1 --limit lock_waiters=4 --limit io_waits=off": `act {"action":"tune","run":"email-1","limits":{"io_waits":"off","lock_waiters":"4"},"by":"ann@laptop"}`,
		"tune --database --wal 20MB":                               `act {"action":"tune","database":true,"wal":20000000,"by":"ann@laptop"}`,
		"tune --database --wal none":                               `act {"action":"tune","database":true,"wal":0,"by":"ann@laptop"}`,
		"tune --database --workers 3":                              `act {"action":"tune","database":true,"workers":3,"by":"ann@laptop"}`,
		"tune --database --rate 1,000":                             `act {"action":"tune","database":true,"rate":1000,"by":"ann@laptop"}`,
		"rebuild email-1":                                          `act {"action":"rebuild","run":"email-1"}`,
		"doctor":                                                   `look {"action":"doctor"}`,
		"validate users-country -p a=b":                            `act {"action":"validate","backfill":"users-country","params":{"a":"b"}}`,
	} {
		b := setup(t)
		b.control.answers = map[string][]any{"status": {working()}, "list": {several()}, "cancel": {cancelling()}, "pause": {paused()}, "resume": {several()}, "validate": {found()},
			"conflicts": {someConflicts()}, "rejects": {someRejects()}, "deviations": {noneDeviates(0, 0)}, "chunks": {someChunks(0)}, "rebuild": {map[string]any{}}, "doctor": {healthy}, "tune": {tuned(7, 0)}}
		examined(account{free: 990}, healthy)(b)
		if code := b.run(t, strings.Fields(line)...); code != 0 || !slices.Equal(b.control.asked, []string{want}) {
			t.Errorf("%s: exit code %d, asked %v, want %s", line, code, b.control.asked, want)
		}
	}
}

// TestTheIDOfARunThatWasGivenNone names the backfill and the time.
func TestTheIDOfARunThatWasGivenNone(t *testing.T) {
	t.Parallel()
	for backfill, want := range map[string]string{
		"users-email":            "users-email-20261124-120000",
		"my file (2)":            "my-file--2-20261124-120000",
		"ünïcode":                "n-code-20261124-120000",
		"":                       "run-20261124-120000",
		"???":                    "run-20261124-120000",
		strings.Repeat("x", 200): strings.Repeat("x", 64) + "-20261124-120000",
	} {
		got := newID(backfill, noon.In(time.FixedZone("elsewhere", 3600)))
		if got != want {
			t.Errorf("%q: %s, want %s", backfill, got, want)
		}
		if _, err := execution(subject{name: "users-email"}, got, ""); err != nil {
			t.Errorf("%q: %v", got, err)
		}
	}
}

// TestStartTakesTheNameOfADefinitionFromItsFile, whatever else is wrong with it.
func TestStartTakesTheNameOfADefinitionFromItsFile(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{inline: "users-country", "name: users-email\nset: 1\n": "users-email", ":": "draft"} {
		if got := nameOf(text, "dir/draft.yaml"); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

// TestAStartThatSomebodyElseWasQuickerWith is the same run.
func TestAStartThatSomebodyElseWasQuickerWith(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.executions.lost = ErrExecutionExists
	b.control.answers["status"] = []any{working()}
	if code := b.run(t, "start", "users-email-normalized"); code != 0 || !strings.Contains(b.err.String(), "started before") {
		t.Fatalf("exit code %d: %s", code, &b.err)
	}
}

// TestANameMayBeThatOfAFile: it is one only if it holds a definition.
func TestANameMayBeThatOfAFile(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{"draft": inline, "notes": "something else\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir("folder", 0o700); err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]int{"start draft": exitInvalid, "start notes": exitDone, "start folder": exitDone, "validate draft": exitDone} {
		b := setup(t)
		b.control.answers["status"], b.control.answers["validate"] = []any{working()}, []any{found()}
		if code := b.run(t, strings.Fields(line)...); code != want {
			t.Errorf("%s: exit code %d: %s", line, code, &b.err)
		}
		if asked := strings.Join(b.control.asked, ""); line == "validate draft" && !strings.Contains(asked, "upper(country)") {
			t.Errorf("asked %s", asked)
		}
	}
}

// TestInputThatIsWrong ends before anything is started.
func TestInputThatIsWrong(t *testing.T) {
	t.Parallel()
	large := filepath.Join(t.TempDir(), "large.yaml")
	if err := os.WriteFile(large, make([]byte, largest+1), 0o600); err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]string{
		"start":                               "NAME of a definition or -f FILE",
		"start one -f two":                    "NAME of a definition or -f FILE",
		"start one two":                       "NAME of a definition or -f FILE",
		"start one --run a/b":                 `run "a/b" is not`,
		"start one -p since":                  "-p since is not key=value",
		"start one -p =2024":                  "-p =2024 is not key=value",
		"start one -p a=1 -p a=2":             "-p a is given twice",
		"start -f /does/not/exist.yaml":       "no such file",
		"start -f /":                          "is a directory",
		"start -f " + large:                   "larger than 256 KiB",
		"validate":                            "NAME of a definition or -f FILE",
		"validate ./nothing.yaml":             "no such file",
		"list all":                            "no argument is taken",
		"list --limit many":                   "invalid argument",
		"watch":                               "RUN is missing",
		"tune one --limit lock_waiters":       "--limit lock_waiters is not SIGNAL=VALUE",
		"tune one --limit a=1 --limit a=2":    "or is given twice",
		"tune one --error-budget many":        "--error-budget many is not a whole number of rows, or default",
		"tune --database --error-budget 2":    "belong to a run",
		"tune --database --wal lots":          "--wal lots is not a number of bytes, like 20MB",
		"tune --database --wal 5XB":           "--wal 5XB is not a number of bytes",
		"tune one --wal 5MB":                  "--wal belongs to the database",
		"version --output=xml":                "-o xml is not known",
		"resume":                              "RUN is missing",
		"pause":                               "RUN is missing",
		"pause email-1 --all":                 "--all takes no RUN",
		"resume email-1 --all":                "--all takes no RUN",
		"pause one two":                       "one RUN is taken",
		"resume a/b":                          `run "a/b" is not`,
		"resume email-1 --chunks 3":           "unknown flag",
		"rollback one two":                    "one RUN is taken",
		"rollback email-1 --chunks=":          "--chunks is empty",
		"rollback email-1 --chunks 9-7":       `"9-7" is neither a number`,
		"rollback email-1 --chunks 3,x":       `"x" is neither a number`,
		"rollback email-1 --chunks 1-9999999": "more than 100,000 chunks",
		"conflicts":                           "RUN is missing",
		"conflicts email-1 --limit 1001":      "--limit 1001 is not within 1 to 1000",
		"conflicts email-1 --limit 0":         "--limit 0 is not within 1 to 1000",
		"conflicts email-1 --after -1":        "--after -1 is less than 0",
		"rejects":                             "RUN is missing",
		"rejects email-1 --limit 1001":        "--limit 1001 is not within 1 to 1000",
		"rebuild":                             "RUN is missing",
		"status email-1 --stack":              "flag needs an argument",
		"start ./users":                       "./users looks like a file, and a file is given by -f",
		"start users.yml":                     "users.yml looks like a file",
		"list --limit 0":                      "--limit 0 is not within 1 to 100",
		"list --limit 101":                    "--limit 101 is not within 1 to 100",
		"start one --wait=maybe":              "invalid argument",
		"completion":                          "",
		"start one --run " + "x" + "\u00e9":   "is not 1 to 80",
		"start one --run " + longID(81):       "is not 1 to 80",
		"start one -p a=1 -p b --run email-1": "-p b is not key=value",
	} {
		b := setup(t)
		code := b.run(t, strings.Fields(line)...)
		if want == "" {
			continue
		}
		if code != exitInvalid || !strings.Contains(b.err.String(), want) || len(b.executions.started) > 0 {
			t.Errorf("%s: exit code %d, started %v: %s", line, code, b.executions.started, &b.err)
		}
	}
}

func longID(n int) string { return strings.Repeat("x", n) }

// TestWhereAStackIs: flags win over the environment.
func TestWhereAStackIs(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]Place{
		"list":                                  {Stack: "from-env"},
		"list --stack a --profile b --region c": {Stack: "a", Profile: "b", Region: "c"},
		"status email-1 --region c --stack from-x": {Stack: "from-x", Region: "c"},
	} {
		b := setup(t)
		b.Getenv = func(name string) string { return map[string]string{"BACKFILL_STACK": "from-env"}[name] }
		b.control.answers = map[string][]any{"status": {working()}, "list": {several()}}
		if code := b.run(t, strings.Fields(line)...); code != 0 || b.at != want {
			t.Errorf("%s: exit code %d, %+v, want %+v", line, code, b.at, want)
		}
	}
}
