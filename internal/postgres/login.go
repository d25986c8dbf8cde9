package postgres

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"backfill/internal/deadline"
	"backfill/internal/failure"

	"github.com/jackc/pgx/v5"
)

// rotation is how long is waited before a refused login is read anew. Secrets Manager changes the password in the server first and in the
// secret some seconds later. More would be paid for by a Lambda that waits; a refusal is cheap, but a server may count them.
var rotation = []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second}

// Refused tells whether the server refused a login: a wrong password, a role that may not log in, or no line in pg_hba.conf.
func Refused(err error) bool { return Raised(err, "28P01") || Raised(err, "28000") }

// renew opens a connection, and reads a refused login anew while there is time.
func (s *Session) renew(ctx context.Context) (*pgx.Conn, error) {
	for _, rest := range s.rests {
		conn, err := s.open(ctx)
		if !Refused(err) {
			return conn, err
		}
		slog.WarnContext(ctx, "login refused, read anew", "after", rest.String(), "error", failure.Safe(err))
		if deadline.Remaining(ctx) < rest+connectTimeout || !deadline.Rest(ctx, rest) {
			return nil, s.refused(err)
		}
	}
	conn, err := s.open(ctx)
	if Refused(err) && s.remedy != "" {
		return nil, s.refused(err)
	}
	return conn, err
}

// refused adds what to do. A login that was right before is likely to be right again: whoever called tries on, as long as it does for a
// server that cannot be reached. One that never was is a mistake, and told at once.
func (s *Session) refused(err error) error {
	var server *Error
	errors.As(err, &server)
	class := failure.Permanent
	if s.opened {
		class = failure.Transient
	}
	return failure.New(class, "%s%w; %s", strings.TrimSuffix(err.Error(), server.Error()), server, s.remedy)
}
