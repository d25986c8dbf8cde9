package settings_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"backfill/internal/failure"
	"backfill/internal/settings"

	"github.com/google/go-cmp/cmp"
)

// complete is an environment that every function is content with.
var complete = map[string]string{
	"DATABASE_URL": "postgres://app:secret@db:5432/app", "TABLE_NAME": "records", "STACK_NAME": "orders", "QUEUE_URL": "https://sqs/chunks",
	"LEASE_SECONDS": "60", "HEARTBEAT_SECONDS": "180", "BEAT_SECONDS": "55", "LOOK_AHEAD": "64",
	"WORKER_CONCURRENCY": "4", "ALLOW_INLINE_DEFINITIONS": "false", "RUN_RETENTION_DAYS": "90",
	"WORKER_FUNCTION": "backfill-worker", "DEAD_LETTER_QUEUE_URL": "https://sqs/dead", "STALL_MINUTES": "60",
	"UNDO_RETENTION_DAYS": "14", "EXECUTIONS": "arn:aws:states:us-east-1:123456789012:execution:backfill-backfill:",
}

var shared = settings.Shared{Database: settings.Database{URL: "postgres://app:secret@db:5432/app"}, Table: "records",
	Lease: time.Minute, Heartbeat: 3 * time.Minute, Stack: "orders"}

func with(changes map[string]string) settings.Lookup {
	all := maps.Clone(complete)
	maps.Copy(all, changes)
	return func(name string) (string, bool) { value, ok := all[name]; return value, ok }
}

func TestEachFunctionReadsItsSettings(t *testing.T) {
	t.Parallel()
	planner, err := settings.ForPlanner(with(map[string]string{"ALLOW_INLINE_DEFINITIONS": "true"}))
	expect(t, planner, settings.Planner{Shared: shared, Queue: "https://sqs/chunks", LookAhead: 64, Inline: true}, err)
	worker, err := settings.ForWorker(with(nil))
	expect(t, worker, settings.Worker{Shared: shared}, err)
	governor, err := settings.ForGovernor(with(nil))
	expect(t, governor, settings.Governor{Shared: shared, Queue: "https://sqs/chunks", DeadLetters: "https://sqs/dead", Beat: 55 * time.Second, LookAhead: 64,
		Workers: 4, Worker: "backfill-worker", Stall: time.Hour, Retention: 90 * 24 * time.Hour}, err)
	control, err := settings.ForControl(with(nil))
	expect(t, control, settings.Control{Shared: shared, Retention: 90 * 24 * time.Hour, UndoRetention: 14 * 24 * time.Hour, Workers: 4,
		Executions: complete["EXECUTIONS"]}, err)
}

func TestTheDatabaseMayHaveAuthoritiesOfItsOwn(t *testing.T) {
	t.Parallel()
	worker, err := settings.ForWorker(with(map[string]string{"DATABASE_CA_BUNDLE": "/opt/database-ca.pem"}))
	if err != nil || worker.Database.Bundle != "/opt/database-ca.pem" {
		t.Error(err, worker.Database)
	}
}

func TestTokensNeedAPlaceAndARole(t *testing.T) {
	t.Parallel()
	worker, err := settings.ForWorker(with(map[string]string{"DATABASE_URL": "", "DATABASE_AUTH": "iam", "DATABASE_HOST": "h", "DATABASE_PORT": "5433", "DATABASE_NAME": "a", "DATABASE_USER": "u"}))
	expect(t, worker.Database, settings.Database{IAM: true, Host: "h", Port: 5433, Name: "a", User: "u"}, err)
}

func TestAlarms(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:"
	governor, err := settings.ForGovernor(with(map[string]string{"ALARM_ARNS": arn + "free disk, " + arn + "cpu:high"}))
	if diff := cmp.Diff([]string{"free disk", "cpu:high"}, governor.Alarms); diff != "" || err != nil {
		t.Error(err, diff)
	}
	if _, err := settings.ForGovernor(with(map[string]string{"ALARM_ARNS": "free disk"})); err == nil || !strings.Contains(err.Error(), `ALARM_ARNS has "free disk"; set full ARNs`) {
		t.Error(err)
	}
}

const secretsARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:"

func TestNamedDatabases(t *testing.T) {
	t.Parallel()
	worker, err := settings.ForWorker(with(map[string]string{"DATABASES": "orders, users-eu", "DATABASE_SECRET_ARNS": secretsARN + "o-AbCdEf ," + secretsARN + "u-AbCdEf",
		"DATABASE_CA_BUNDLE": "/opt/ca.pem"}))
	expect(t, worker.Named, []settings.Named{
		{Name: "orders", Database: settings.Database{SecretARN: secretsARN + "o-AbCdEf", Bundle: "/opt/ca.pem"}},
		{Name: "users-eu", Database: settings.Database{SecretARN: secretsARN + "u-AbCdEf", Bundle: "/opt/ca.pem"}},
	}, err)
	for _, empty := range []string{"", " "} { // as the template gives them without a named one
		worker, err := settings.ForWorker(with(map[string]string{"DATABASES": empty, "DATABASE_SECRET_ARNS": empty}))
		expect(t, worker.Named, nil, err)
	}
}

// TestAllThatIsWrongWithNamedDatabasesIsToldAtOnce.
func TestAllThatIsWrongWithNamedDatabasesIsToldAtOnce(t *testing.T) {
	t.Parallel()
	_, err := settings.ForWorker(with(map[string]string{"TABLE_NAME": "", "DATABASES": "orders,Orders,orders,default,,5", "DATABASE_SECRET_ARNS": secretsARN + "o-AbCdEf,orders"}))
	if !failure.Is(err, failure.Invalid) {
		t.Fatal(err)
	}
	for _, want := range []string{"TABLE_NAME is not set", "DATABASES has 6 names and DATABASE_SECRET_ARNS has 2 ARNs", `DATABASES has "Orders"; a name has`,
		`DATABASES has "orders" twice`, `DATABASES has "default", which is the name of the stack's own`, `DATABASES has ""`, `DATABASES has "5"`,
		`DATABASE_SECRET_ARNS has "orders"; set the full ARN`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %v", want, err)
		}
	}
	var names, arns []string
	for n := range 21 {
		names, arns = append(names, fmt.Sprintf("d%d", n)), append(arns, secretsARN+"x")
	}
	_, err = settings.ForWorker(with(map[string]string{"DATABASES": strings.Join(names, ","), "DATABASE_SECRET_ARNS": strings.Join(arns, ",")}))
	if err == nil || !strings.Contains(err.Error(), "up to 20") {
		t.Error(err)
	}
}

func expect[T any](t *testing.T, got, want T, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("%T: %v", got, err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%T (-want +got):\n%s", got, diff)
	}
}

func TestProblemsNameTheVariableAndWhatToSet(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change map[string]string
		want   string
	}{
		"no database":         {map[string]string{"DATABASE_URL": ""}, "give the stack DatabaseSecretArn or DatabaseUrl"},
		"two databases":       {map[string]string{"DATABASE_SECRET_ARN": "arn:aws:x"}, "DATABASE_URL and DATABASE_SECRET_ARN are both set"},
		"not a URL":           {map[string]string{"DATABASE_URL": "host=secret"}, "DATABASE_URL does not begin with postgres://"},
		"not an ARN":          {map[string]string{"DATABASE_URL": "", "DATABASE_SECRET_ARN": "db"}, `DATABASE_SECRET_ARN is "db"`},
		"no way in":           {map[string]string{"DATABASE_AUTH": "kerberos"}, `DATABASE_AUTH is "kerberos"; set "secret" or "iam"`},
		"iam without a host":  {map[string]string{"DATABASE_URL": "", "DATABASE_AUTH": "iam", "DATABASE_NAME": "a", "DATABASE_USER": "u"}, "DATABASE_HOST is not set, and DATABASE_AUTH is iam"},
		"iam without a name":  {map[string]string{"DATABASE_URL": "", "DATABASE_AUTH": "iam", "DATABASE_HOST": "h", "DATABASE_USER": "u"}, "DATABASE_NAME is not set, and DATABASE_AUTH is iam"},
		"iam without a user":  {map[string]string{"DATABASE_URL": "", "DATABASE_AUTH": "iam", "DATABASE_HOST": "h", "DATABASE_NAME": "a"}, "DATABASE_USER is not set, and DATABASE_AUTH is iam"},
		"iam and a URL":       {map[string]string{"DATABASE_AUTH": "iam", "DATABASE_HOST": "h", "DATABASE_NAME": "a", "DATABASE_USER": "u"}, "keep one way to log in"},
		"no port":             {map[string]string{"DATABASE_PORT": "65536"}, `DATABASE_PORT is "65536"`},
		"no table":            {map[string]string{"TABLE_NAME": " "}, "TABLE_NAME is not set"},
		"not a number":        {map[string]string{"LEASE_SECONDS": "1m"}, `LEASE_SECONDS is "1m"; set a whole number from 5 to 900`},
		"lease too short":     {map[string]string{"LEASE_SECONDS": "4"}, "LEASE_SECONDS"},
		"lease too long":      {map[string]string{"LEASE_SECONDS": "901"}, "LEASE_SECONDS"},
		"one worker":          {map[string]string{"WORKER_CONCURRENCY": "1"}, "WORKER_CONCURRENCY"},
		"beat beyond timeout": {map[string]string{"BEAT_SECONDS": "76"}, "BEAT_SECONDS"},
		"heartbeat too short": {map[string]string{"HEARTBEAT_SECONDS": "100"}, "HEARTBEAT_SECONDS is less than two beats (BEAT_SECONDS of 55s), so workers would stop between them; set at least 110"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := settings.ForGovernor(with(test.change))
			if !failure.Is(err, failure.Invalid) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q in it", err, test.want)
			}
			if err != nil && strings.Contains(err.Error(), "secret@") {
				t.Errorf("the error shows the password: %v", err)
			}
		})
	}
	_, err := settings.ForControl(with(map[string]string{"ALLOW_INLINE_DEFINITIONS": "yes"}))
	if err == nil || !strings.Contains(err.Error(), `ALLOW_INLINE_DEFINITIONS is "yes"; set "true" or "false"`) {
		t.Errorf("got %v", err)
	}
}

func TestAllProblemsComeTogether(t *testing.T) {
	t.Parallel()
	_, err := settings.ForGovernor(func(string) (string, bool) { return "", false })
	for name := range complete {
		if name != "ALLOW_INLINE_DEFINITIONS" && name != "UNDO_RETENTION_DAYS" && name != "EXECUTIONS" && (err == nil || !strings.Contains(err.Error(), name)) {
			t.Errorf("%s is not in %v", name, err)
		}
	}
}

// TestNothingElseIsNeeded: each function is content with the variables that the others need taken away.
func TestNothingElseIsNeeded(t *testing.T) {
	t.Parallel()
	without := map[string]string{"QUEUE_URL": "", "BEAT_SECONDS": "", "LOOK_AHEAD": "", "WORKER_FUNCTION": "", "DEAD_LETTER_QUEUE_URL": "", "STALL_MINUTES": ""}
	if _, err := settings.ForControl(with(without)); err != nil {
		t.Error(err)
	}
	maps.Copy(without, map[string]string{"WORKER_CONCURRENCY": "", "RUN_RETENTION_DAYS": "", "UNDO_RETENTION_DAYS": "", "ALLOW_INLINE_DEFINITIONS": "", "EXECUTIONS": ""})
	if _, err := settings.ForWorker(with(without)); err != nil {
		t.Error(err)
	}
}
