// Package credentials gives the login of the target database, each time a connection is opened.
//
// It owns the secret's format (RDS: engine, host, port, dbname, username, password), its reading, and what to do about a login that is refused.
// It leaves connecting to postgres. Invariants: the secret is read anew for each connection, so that a rotation in the middle of a run needs
// no deploy; nothing of it reaches an error's text.
package credentials

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"backfill/internal/failure"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"
)

// Source gives a postgres:// URL.
type Source func(ctx context.Context) (string, error)

// Fixed is a URL from the environment.
func Fixed(address string) Source {
	return func(context.Context) (string, error) { return address, nil }
}

// Secrets is the call to Secrets Manager.
type Secrets interface {
	GetSecretValue(ctx context.Context, in *secretsmanager.GetSecretValueInput, options ...func(*secretsmanager.Options)) (
		*secretsmanager.GetSecretValueOutput, error)
}

// FromSecret reads a secret in the format of RDS. The server has to show who it is (sslmode=verify-full).
func FromSecret(client Secrets, arn string) Source {
	return func(ctx context.Context) (string, error) {
		value, err := client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &arn})
		if err != nil {
			return "", unreadable(arn, err)
		}
		if value.SecretString == nil {
			return "", failure.New(failure.Permanent, "secret %s has no text; it needs the format of RDS", arn)
		}
		return address(arn, *value.SecretString)
	}
}

// Remedy says what to do where the server refuses the login that a secret has.
func Remedy(arn string) string {
	return fmt.Sprintf("user and password are those of secret %s (AWSCURRENT), read anew some times: where the password was changed in the database alone, put it into"+
		" the secret; where a rotation got stuck half way, make it end (aws secretsmanager rotate-secret); then `backfill resume RUN`", arn)
}

// refusals of Secrets Manager that no time mends, with what to do.
var refusals = map[string]string{
	"AccessDeniedException":     "let the role of the function read it: DatabaseSecretArn has to be its full ARN, with the six letters at the end; by a key of your own also SecretKmsKeyArn",
	"ResourceNotFoundException": "give DatabaseSecretArn the ARN of a secret in the stack's account and region",
	"InvalidRequestException":   "it may wait for its deletion: aws secretsmanager restore-secret",
	"DecryptionFailure":         "give SecretKmsKeyArn the key that encrypts it, and let the key's policy allow it",
}

func unreadable(arn string, err error) error {
	var refused smithy.APIError
	if errors.As(err, &refused) && refusals[refused.ErrorCode()] != "" {
		return failure.New(failure.Permanent, "read secret %s: %w; %s", arn, err, refusals[refused.ErrorCode()])
	}
	return fmt.Errorf("read secret %s: %w", arn, failure.As(failure.Transient, err))
}

// login is the secret; RDS writes the port as a number, people also as text.
type login struct {
	Engine   string      `json:"engine"`
	Host     string      `json:"host"`
	Port     json.Number `json:"port"`
	Database string      `json:"dbname"`
	Username string      `json:"username"`
	Password string      `json:"password"`
}

func address(arn, secret string) (string, error) {
	var found login
	if err := json.Unmarshal([]byte(secret), &found); err != nil {
		return "", failure.New(failure.Permanent, "secret %s is not the JSON of RDS (host, port, dbname, username, password)", arn)
	}
	if err := found.check(arn); err != nil {
		return "", err
	}
	if found.Port == "" {
		found.Port = "5432"
	}
	if found.Database == "" {
		found.Database = "postgres"
	}
	built := url.URL{
		Scheme: "postgres", User: url.UserPassword(found.Username, found.Password),
		Host: net.JoinHostPort(found.Host, found.Port.String()), Path: "/" + found.Database, RawQuery: "sslmode=verify-full",
	}
	return built.String(), nil
}

// check names all that is wrong, and no value but the engine's.
func (l login) check(arn string) error {
	var wrong []string
	for _, part := range []struct{ name, value string }{{"host", l.Host}, {"username", l.Username}, {"password", l.Password}} {
		if part.value == "" {
			wrong = append(wrong, fmt.Sprintf("has no %q", part.name))
		}
	}
	if l.Engine != "" && l.Engine != "postgres" && l.Engine != "aurora-postgresql" {
		wrong = append(wrong, fmt.Sprintf("is of the engine %q, not of postgres", l.Engine))
	}
	if len(wrong) > 0 {
		return failure.New(failure.Permanent, "secret %s %s", arn, strings.Join(wrong, ", and "))
	}
	return nil
}
