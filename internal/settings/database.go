package settings

import "strings"

// The values of DATABASE_AUTH.
const (
	secret = "secret"
	iam    = "iam"
)

// Database says where the target database is, and where its login comes from: a URL, a secret, or IAM.
type Database struct {
	URL       string // postgres://..., with or without a password
	SecretARN string // Secrets Manager, in the format of RDS
	IAM       bool   // by tokens, for User at Host
	Host      string // these three for IAM, and for a secret that does not say them
	Port      int
	Name      string
	User      string
	Bundle    string // file of the authorities that may sign the server's certificate; "": those of RDS and of the system
}

func (e *environment) database() Database {
	d := Database{URL: e.optional(databaseURL), SecretARN: e.optional(databaseSecret), Bundle: e.optional(databaseBundle),
		Host: e.optional(databaseHost), Name: e.optional(databaseName), User: e.optional(databaseUser)}
	if e.optional(databasePort.name) != "" {
		d.Port = e.number(databasePort)
	}
	switch auth := e.optional(databaseAuth); auth {
	case iam:
		d.IAM = true
		e.tokens(d)
	case secret, "":
		e.login(d)
	default:
		e.problem(databaseAuth, `is %q; set "secret" or "iam"`, auth)
	}
	return d
}

// tokens need all that a secret would say, and nothing beside them.
func (e *environment) tokens(d Database) {
	for name, value := range map[string]string{databaseHost: d.Host, databaseName: d.Name, databaseUser: d.User} {
		if value == "" {
			e.problem(name, "is not set, and %s is iam; give the stack DatabaseHost, DatabaseName, DatabaseUser and DatabaseResourceId", databaseAuth)
		}
	}
	if d.URL != "" || d.SecretARN != "" {
		e.problem(databaseAuth, "is iam, and %s or %s is set; keep one way to log in", databaseURL, databaseSecret)
	}
}

func (e *environment) login(d Database) {
	switch {
	case d.URL == "" && d.SecretARN == "":
		e.problem(databaseURL, "and %s are both not set; give the stack DatabaseSecretArn or DatabaseUrl, or DatabaseAuth=iam", databaseSecret)
	case d.URL != "" && d.SecretARN != "":
		e.problem(databaseURL, "and %s are both set; keep one", databaseSecret)
	case d.URL != "" && !strings.HasPrefix(d.URL, "postgres://") && !strings.HasPrefix(d.URL, "postgresql://"):
		e.problem(databaseURL, "does not begin with postgres://; set postgres://user:password@host:5432/database")
	case d.SecretARN != "" && !strings.HasPrefix(d.SecretARN, "arn:"):
		e.problem(databaseSecret, "is %q; set the full ARN of the secret", d.SecretARN)
	}
}
