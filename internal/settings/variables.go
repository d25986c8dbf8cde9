package settings

// variable is one whole number of the environment with its bounds; why says what a value out of bounds would do.
type variable struct {
	name     string
	min, max int
	why      string
}

const (
	databaseURL    = "DATABASE_URL"
	databaseSecret = "DATABASE_SECRET_ARN"
	databaseBundle = "DATABASE_CA_BUNDLE"
	databaseNames  = "DATABASES"
	namedSecrets   = "DATABASE_SECRET_ARNS"
	databaseAuth   = "DATABASE_AUTH"
	databaseHost   = "DATABASE_HOST"
	databaseName   = "DATABASE_NAME"
	databaseUser   = "DATABASE_USER"
	tableName      = "TABLE_NAME"
	stackName      = "STACK_NAME"
	queueURL       = "QUEUE_URL"
	deadLetters    = "DEAD_LETTER_QUEUE_URL"
	workerFunction = "WORKER_FUNCTION"
	executions     = "EXECUTIONS"
	alarms         = "ALARM_ARNS"
	inline         = "ALLOW_INLINE_DEFINITIONS"
)

// The numbers. template.yaml has the same bounds (a test holds them together); people meet them there first.
var (
	databasePort = variable{"DATABASE_PORT", 1, 65_535,
		"no server listens elsewhere"}
	lease = variable{"LEASE_SECONDS", 5, 900,
		"less is lost to one slow batch, more keeps the chunk of a dead worker waiting"}
	heartbeat = variable{"HEARTBEAT_SECONDS", 10, 3600,
		"less stops workers for one slow beat, more lets them go on unwatched"}
	beat = variable{"BEAT_SECONDS", 1, 75,
		"more does not end within the governor's timeout of 90 s"}
	lookAhead = variable{"LOOK_AHEAD", 2, 10_000,
		"less leaves workers idle, more fills the queue beyond a pause"}
	workers = variable{"WORKER_CONCURRENCY", 2, 1000,
		"2 to 1000 is what an event source mapping of SQS takes"}
	stall = variable{"STALL_MINUTES", 30, 10_080,
		"less fails a run for a worker that died with a lease of 15 minutes, more keeps quiet for longer than a week"}
	retention = variable{"RUN_RETENTION_DAYS", 1, 3650,
		"less removes the record before it is read"}
	undoRetention = variable{"UNDO_RETENTION_DAYS", 1, 3650,
		"less removes undo before anybody finds that it is needed"}
)
