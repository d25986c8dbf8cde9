// Package credentials gives the login of the target database, each time a connection is opened.
//
// It owns the secret's format (RDS: engine, host, port, dbname, username, password), its reading, the tokens of IAM, and what to do about a
// login that is refused. It leaves connecting to postgres. Invariants: the secret is read anew, or a token made, for each connection, so that
// neither a rotation in the middle of a run nor a run of more than 15 minutes needs a deploy; nothing of them reaches an error's text.
package credentials

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
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

// Place is where a database is: what a secret does not say, or nobody but it.
type Place struct {
	Host string
	Port int // 0: 5432
	Name string
	// Nowhere: it is said by the secret alone.
	Nowhere bool
}

// url is of a login at the place. The server has to show who it is.
func (p Place) url(user, password string) string {
	built := url.URL{
		Scheme: "postgres", User: url.UserPassword(user, password), Host: p.address(), Path: "/" + cmp.Or(p.Name, "postgres"), RawQuery: "sslmode=verify-full",
	}
	return built.String()
}

func (p Place) address() string { return net.JoinHostPort(p.Host, strconv.Itoa(cmp.Or(p.Port, 5432))) }

// FromSecret reads a secret in the format of RDS. One that RDS itself keeps has user and password alone: the rest is
// the place's.
func FromSecret(client Secrets, arn string, place Place) Source {
	return func(ctx context.Context) (string, error) {
		value, err := client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &arn})
		if err != nil {
			return "", unreadable(arn, err)
		}
		if value.SecretString == nil {
			return "", failure.New(failure.Permanent, "secret %s has no text; it needs the format of RDS", arn)
		}
		return address(arn, *value.SecretString, place)
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

func address(arn, secret string, place Place) (string, error) {
	var found login
	if err := json.Unmarshal([]byte(secret), &found); err != nil {
		return "", failure.New(failure.Permanent, "secret %s is not the JSON of RDS (host, port, dbname, username, password)", arn)
	}
	place.Host, place.Name = cmp.Or(found.Host, place.Host), cmp.Or(found.Database, place.Name)
	wrong := found.wrong()
	if port, err := strconv.Atoi(cmp.Or(found.Port.String(), "0")); err == nil {
		place.Port = cmp.Or(port, place.Port)
	} else {
		wrong = append(wrong, `has a "port" that is no number`)
	}
	switch {
	case place.Nowhere && (place.Host == "" || place.Name == ""): // else it would be the database postgres
		wrong = append(wrong, `has no "host" or no "dbname"; add both: it is the only word on where that database is`)
	case place.Host == "":
		wrong = append(wrong, `has no "host"; add it, or give DatabaseHost`)
	}
	if len(wrong) > 0 {
		return "", failure.New(failure.Permanent, "secret %s %s", arn, strings.Join(wrong, ", and "))
	}
	return place.url(found.Username, found.Password), nil
}

// wrong names all that is, and no value but the engine's.
func (l login) wrong() (wrong []string) {
	for _, part := range []struct{ name, value string }{{"username", l.Username}, {"password", l.Password}} {
		if part.value == "" {
			wrong = append(wrong, fmt.Sprintf("has no %q", part.name))
		}
	}
	if l.Engine != "" && l.Engine != "postgres" && l.Engine != "aurora-postgresql" {
		wrong = append(wrong, fmt.Sprintf("is of the engine %q, not of postgres", l.Engine))
	}
	return wrong
}
