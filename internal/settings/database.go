package settings

import "strings"

// Database says where the login of the target database comes from: of URL and secret exactly one is set.
type Database struct {
	URL       string // postgres://..., with or without a password
	SecretARN string // Secrets Manager, in the format of RDS
	Bundle    string // file of the authorities that may sign the server's certificate; "": those of RDS and of the system
}

func (e *environment) database() Database {
	d := Database{URL: e.optional(databaseURL), SecretARN: e.optional(databaseSecret), Bundle: e.optional(databaseBundle)}
	switch {
	case d.URL == "" && d.SecretARN == "":
		e.problem(databaseURL, "and %s are both not set; give the stack DatabaseSecretArn or DatabaseUrl", databaseSecret)
	case d.URL != "" && d.SecretARN != "":
		e.problem(databaseURL, "and %s are both set; keep one", databaseSecret)
	case d.URL != "" && !strings.HasPrefix(d.URL, "postgres://") && !strings.HasPrefix(d.URL, "postgresql://"):
		e.problem(databaseURL, "does not begin with postgres://; set postgres://user:password@host:5432/database")
	case d.SecretARN != "" && !strings.HasPrefix(d.SecretARN, "arn:"):
		e.problem(databaseSecret, "is %q; set the full ARN of the secret", d.SecretARN)
	}
	return d
}
