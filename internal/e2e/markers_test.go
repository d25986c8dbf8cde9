package e2e

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"backfill/internal/run"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// markedRows is a table whose key has one marker and whose columns have another. A row's note says what becomes of its change: each error of Postgres quotes
// values. The twin's place is taken by the row of the check, which is never written. A trigger makes each write take a moment, so that messages can be looked at.
const markedRows = `CREATE TABLE %[1]s (id text COLLATE "C" PRIMARY KEY, note text NOT NULL, loud text NOT NULL UNIQUE, n int, idle text,
		CONSTRAINT "still" CHECK (note NOT LIKE 'check%%' OR loud NOT LIKE '%%kcehc'));
	INSERT INTO %[1]s SELECT '%[2]s' || lpad(g::text, 5, '0'), CASE g WHEN 300 THEN 'check' WHEN 550 THEN 'null' WHEN 800 THEN 'cast' WHEN 1050 THEN 'raise' WHEN 1300 THEN 'twin'
		ELSE 'note' END || ' %[3]s' || g, '%[3]s loud' || g, 0, '%[3]s idle' FROM generate_series(1, 2000) g;
	UPDATE %[1]s SET loud = reverse('twin %[3]s1300') WHERE id = '%[2]s00300';
	CREATE FUNCTION %[1]s() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		PERFORM pg_sleep(0.002);
		IF NEW.note LIKE 'raise%%' AND NEW.loud LIKE '%%esiar' THEN
			RAISE EXCEPTION 'row of %%', NEW.note USING ERRCODE = '22000', DETAIL = NEW.idle, HINT = OLD.loud;
		END IF;
		RETURN NEW; END $$;
	CREATE TRIGGER slow BEFORE UPDATE ON %[1]s FOR EACH ROW EXECUTE FUNCTION %[1]s(); ANALYZE %[1]s`

// loudly is a definition over it, which has no marker of a value in it. Its invariant fails on a row, and quotes it.
const loudly = `name: loudly
table: %[1]s
set:
  loud: case when note like 'null%%' then null else reverse(note) end
  n: case when note like 'cast%%' then note::int else length(note) end
chunk_rows: 250
verify: SELECT count(*) FROM %[1]s WHERE note::int = 0
`

// leaks is what a test has planted, and the places that it looks into.
type leaks struct {
	*bundle
	command
	tag    string // of this test: in names of tables, ids of runs, and so in each place
	key    string // in each key, so where boundaries and rows that failed are named
	value  string // in values of rows
	begun  time.Time
	places map[string]string
}

// TestNoValueAndNoSecretLeaves Postgres for anything that the stack keeps, sends or prints, whatever is asked of runs, and whatever Postgres quotes.
// What may be there is found in each place: so what may not would be, too.
func TestNoValueAndNoSecretLeaves(t *testing.T) {
	t.Parallel()
	tag := unique("trust")
	_, random, _ := strings.Cut(tag, "_")
	l := &leaks{bundle: setup(t, tag, fmt.Sprintf(markedRows, quoted(tag), "key"+random, "value"+random)), command: built(t),
		tag: tag, key: "key" + random, value: "value" + random, begun: time.Now(), places: map[string]string{}}
	t.Cleanup(func() { l.drop(t, "FUNCTION "+quoted(tag)+" CASCADE") })
	notices := l.subscribed(t)
	seen := l.overlook(t, l.outputs["QueueUrl"], l.outputs["DeadLetterQueueUrl"])

	l.aSetFromItsDryRunToItsRollback(t)
	l.aRunThatFails(t)
	l.aMove(t)
	l.aTransform(t)

	l.everyMessageWasSeen(t, seen)
	l.places["queue"] = seen.text()
	l.places["notices"] = l.received(t, notices)
	l.places["table"] = l.records(t)
	l.places["executions"] = l.executions(t, "BackfillStateMachineArn", tag, l.begun)
	l.places["segments"] = l.executions(t, "SegmentStateMachineArn", tag, l.begun)
	l.readLogs(t)
	l.expectNoLeak(t)
}

// said runs a command line, of which nothing may have a value.
func (l *leaks) said(t *testing.T, code int, words ...string) {
	t.Helper()
	got := l.expect(t, code, words...)
	l.places["command"] += got.out + got.err
}

// shown runs a command line that shows values to whoever asks, and demands that it does: there are some.
func (l *leaks) shown(t *testing.T, value string, words ...string) {
	t.Helper()
	if got := l.run(t, words...); !strings.Contains(got.out, value) {
		t.Errorf("%v shows no %s: nothing is tried\n%s%s", words, value, got.out, got.err)
	}
}

func (l *leaks) aSetFromItsDryRunToItsRollback(t *testing.T) {
	definition, id := fmt.Sprintf(loudly, l.tag)+"error_budget: 10\n", l.tag+"-set"
	file := write(t, definition)
	l.said(t, 0, "validate", file)
	l.shown(t, l.value, "start", "-f", file, "--dry-run", "--sample", "3")
	_, dry := l.start(t, map[string]any{"action": "start", "definition": definition, "dry_run": true})
	l.ended(t, dry, time.Minute)
	l.said(t, 0, "start", "-f", file, "--run", id, "--wait")
	l.shown(t, "cast "+l.value, "rejects", id)
	l.said(t, 0, "retry", id, "--wait")
	l.users(t, "1, 251, 501")
	l.said(t, 1, "verify", id, "--no-write", "--wait")
	l.said(t, 1, "verify", id, "--wait") // what was passed over does not hold, and the invariant fails
	l.users(t, "2, 252")
	l.said(t, 0, "rollback", id, "--wait")
	l.shown(t, "user "+l.value, "conflicts", id)
	l.shown(t, l.value+" loud2", "conflicts", id)
	l.asked(t, id)
}

// asked are the commands that only look.
func (l *leaks) asked(t *testing.T, id string) {
	t.Helper()
	for _, words := range [][]string{{"status", id}, {"status", id, "-o", "json"}, {"chunks", id, "-o", "json"}, {"report", id, "-o", "json"}, {"certificate", id}, {"list", "-o", "json"}, {"doctor"}} {
		got := l.run(t, words...)
		l.places["command"] += got.out + got.err
	}
	l.said(t, 2, "status", id+"-gone") // an error is the only thing that this function writes into its log
}

// users write rows that the run has written.
func (l *leaks) users(t *testing.T, rows string) {
	t.Helper()
	l.script(t, fmt.Sprintf("UPDATE %s SET loud = 'user %s ' || id WHERE right(id, 5)::int IN (%s)", quoted(l.tag), l.value, rows))
}

// aRunThatFails in each way, by the state machine alone.
func (l *leaks) aRunThatFails(t *testing.T) {
	id := l.tag + "-fails"
	_, execution := l.start(t, map[string]any{"action": "start", "run": id, "definition": fmt.Sprintf(loudly, l.tag) + "on_failure: continue\n"})
	described := l.ended(t, execution, 2*time.Minute)
	if status, err := l.status(t, id); err != nil || status.State != run.Failed || status.Chunks.Failed != 5 || !strings.Contains(aws.ToString(described.Cause), l.key) {
		t.Fatalf("run is %s (%s), %+v, %v; its execution says %s", status.State, status.Reason, status.Chunks, err, aws.ToString(described.Cause))
	}
	l.asked(t, id)
	if status := l.again(t, id, "rollback", nil); *status != "SUCCEEDED" {
		t.Fatalf("the rollback: %s", *status)
	}
}

// aMove: a row's place is taken, there and on its way back.
func (l *leaks) aMove(t *testing.T) {
	id, from, into := l.tag+"-move", quoted(l.tag+"_from"), quoted(l.tag+"_into")
	l.script(t, fmt.Sprintf(`CREATE TABLE %[1]s AS SELECT id, note FROM %[3]s ORDER BY id LIMIT 1000; ALTER TABLE %[1]s ADD PRIMARY KEY (id);
		CREATE TABLE %[2]s (id text COLLATE "C" PRIMARY KEY, note text UNIQUE); INSERT INTO %[2]s VALUES ('0', 'note %[4]s7'); ANALYZE %[1]s`, from, into, quoted(l.tag), l.value))
	t.Cleanup(func() {
		l.drop(t, "TABLE "+from)
		l.drop(t, "TABLE "+into)
	})
	l.said(t, 0, "start", "-f", write(t, fmt.Sprintf("name: away\ntable: %[1]s_from\ncopy: {into: %[1]s_into, move: true}\nchunk_rows: 250\nerror_budget: 10\n", l.tag)), "--run", id, "--wait")
	l.shown(t, "23505", "rejects", id) // Postgres quotes the value in what goes with its message, which nobody keeps
	l.script(t, fmt.Sprintf("INSERT INTO %s VALUES ('%s00002', 'user %s'); UPDATE %s SET note = 'user %s' WHERE id = '%s00003'", from, l.key, l.value, into, l.value, l.key))
	l.said(t, 0, "rollback", id, "--wait")
	l.shown(t, "user "+l.value, "conflicts", id)
	l.asked(t, id)
}

// aTransform: a Go function gets the values, and refuses rows.
func (l *leaks) aTransform(t *testing.T) {
	id, table := l.tag+"-hash", quoted(l.tag+"_hash")
	l.script(t, fmt.Sprintf(`CREATE TABLE %[1]s AS SELECT id, note || CASE right(id, 2) WHEN '07' THEN '' ELSE '@example.org' END AS email, NULL::bytea AS email_hash FROM %[2]s ORDER BY id LIMIT 500;
		ALTER TABLE %[1]s ADD PRIMARY KEY (id); ANALYZE %[1]s`, table, quoted(l.tag)))
	t.Cleanup(func() { l.drop(t, "TABLE "+table) })
	l.said(t, 0, "start", "-f", write(t, fmt.Sprintf("name: hash\ntable: %s_hash\ntransform: {function: email-hash, reads: [email], writes: [email_hash]}\nchunk_rows: 250\nerror_budget: 10\n", l.tag)), "--run", id, "--wait")
	l.shown(t, "BFT01", "rejects", id)
	l.said(t, 0, "rollback", id, "--wait")
	l.asked(t, id)
}

// everyMessageWasSeen demands that each chunk of a run of the slow table was looked at in the queue.
func (l *leaks) everyMessageWasSeen(t *testing.T, seen *mail) {
	t.Helper()
	text := strings.ReplaceAll(seen.text(), `\`, "")
	for chunk := 1; chunk <= 8; chunk++ {
		if part := fmt.Sprintf(`"run":"%s-set","chunk":%d,`, l.tag, chunk); !strings.Contains(text, part) {
			t.Errorf("no message of %s was seen", part)
		}
	}
}

// received is what the topic was sent.
func (l *leaks) received(t *testing.T, queue string) string {
	t.Helper()
	var all strings.Builder
	waitFor(t, time.Minute, "notices of all runs", func() bool {
		got, err := l.sqs.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &queue, MaxNumberOfMessages: 10, WaitTimeSeconds: 1, VisibilityTimeout: 300})
		must(t, err)
		for _, message := range got.Messages {
			all.WriteString(*message.Body + "\n")
		}
		text := all.String()
		return !slices.ContainsFunc([]string{"-set", "-fails", "-move", "-hash"}, func(id string) bool { return !strings.Contains(text, l.tag+id) })
	})
	return all.String()
}

// readLogs reads the log of each function, when all that is to be found there has come.
func (l *leaks) readLogs(t *testing.T) {
	t.Helper()
	for _, function := range []string{"planner", "worker", "governor", "control"} {
		name := "log of the " + function
		waitFor(t, time.Minute, "the last run in the "+name, func() bool {
			l.places[name] = l.logs(t, "/aws/lambda/"+strings.TrimSuffix(l.outputs["ControlFunctionName"], "control")+function, l.begun)
			return strings.Contains(l.places[name], l.tag+"-hash")
		})
	}
}

// allowed is what has to be found: the names of runs everywhere, keys where boundaries or rows that failed are named, figures in the logs.
func (l *leaks) allowed() map[string][]string {
	figures := "CloudWatchMetrics"
	return map[string][]string{
		"command": {l.tag, l.key}, "queue": {l.tag, l.key}, "notices": {l.tag, l.key}, "table": {l.tag, l.key}, "executions": {l.tag, l.key}, "segments": {l.tag, l.key},
		"log of the planner": {l.tag}, "log of the worker": {l.tag, l.key, figures}, "log of the governor": {l.tag, figures}, "log of the control": {l.tag},
	}
}

func (l *leaks) expectNoLeak(t *testing.T) {
	t.Helper()
	for name, parts := range l.allowed() {
		for _, part := range parts {
			if !strings.Contains(l.places[name], part) {
				t.Errorf("%s has no %s: %d bytes", name, part, len(l.places[name]))
			}
		}
	}
	forbidden := map[string]string{"a value": l.value, "a value that was written": reversed(l.value), "the password": l.password(t)}
	for _, name := range slices.Sorted(maps.Keys(l.places)) {
		for what, text := range forbidden {
			if at := strings.Index(l.places[name], text); at >= 0 {
				t.Errorf("%s has %s: %s", name, what, l.places[name][max(at-300, 0):min(at+100, len(l.places[name]))])
			}
		}
		if name == "table" && strings.Contains(l.places[name], `"B":`) {
			t.Error("the table has bytes, which nobody has looked through")
		}
	}
}

func reversed(text string) string {
	letters := []byte(text)
	slices.Reverse(letters)
	return string(letters)
}

// password is that of the functions' login, which their configuration shows as it is: the one place that may have it.
func (l *leaks) password(t *testing.T) string {
	t.Helper()
	configured, err := l.lambda.GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: aws.String(l.outputs["ControlFunctionName"])})
	must(t, err)
	address, err := url.Parse(configured.Environment.Variables["DATABASE_URL"])
	must(t, err)
	password, set := address.User.Password()
	if !set || len(password) < 8 {
		t.Fatalf("a password of %d characters is no marker", len(password))
	}
	return password
}
