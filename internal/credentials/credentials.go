// Package credentials gives the login of the target database, each time a connection is opened.
//
// It owns the secret's format (RDS: host, port, dbname, username, password) and its reading. It leaves connecting to
// postgres. Invariants: the secret is read anew for each connection, so that a rotation in the middle of a run needs
// no deploy; nothing of it reaches an error's text.
package credentials

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/url"

	"backfill/internal/failure"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
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
			return "", fmt.Errorf("read secret %s: %w", arn, failure.As(failure.Transient, err))
		}
		if value.SecretString == nil {
			return "", failure.New(failure.Permanent, "secret %s has no text; it needs the format of RDS", arn)
		}
		return address(arn, *value.SecretString)
	}
}

// login is the secret; RDS writes the port as a number, people also as text.
type login struct {
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
	for name, value := range map[string]string{"host": found.Host, "username": found.Username, "password": found.Password} {
		if value == "" {
			return "", failure.New(failure.Permanent, "secret %s has no %q", arn, name)
		}
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
