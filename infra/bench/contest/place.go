package contest

import (
	"context"
	"fmt"
	"strings"

	"backfill/infra/bench/ground"
	"backfill/infra/bench/meter"

	"github.com/jackc/pgx/v5"
)

// Place is a server to work on.
type Place struct {
	Name     string
	Deployed bool              // the stack's
	Settings map[string]string // of the server, by their names
	Ground   ground.Ground
	Meter    meter.Meter
}

// Open takes a server of the benchmark's own.
func Open(ctx context.Context, url string) (Place, error) {
	own, err := ground.NewOwn(ctx, url)
	if err != nil {
		return Place{}, err
	}
	return enter(ctx, Place{Name: "Postgres", Ground: own})
}

// OpenDeployed takes a place in the stack's database.
func OpenDeployed(ctx context.Context, url string) (Place, error) {
	shared, err := ground.NewShared(ctx, url)
	if err != nil {
		return Place{}, err
	}
	return enter(ctx, Place{Name: "the stack's Postgres", Deployed: true, Ground: shared})
}

// settings are those that the figures depend on most.
var settings = []string{"server_version", "shared_buffers", "fsync", "synchronous_commit", "wal_compression", "max_wal_size"}

func enter(ctx context.Context, p Place) (Place, error) {
	p.Settings = map[string]string{}
	var name, value string
	found, err := p.Ground.Server().Query(ctx, "SELECT name, current_setting(name) FROM unnest($1::text[]) name", settings)
	if err == nil {
		_, err = pgx.ForEachRow(found, []any{&name, &value}, func() error {
			p.Settings[name] = value
			return nil
		})
	}
	if err == nil {
		p.Meter, err = meter.New(ctx, p.Ground.Server())
	}
	if err != nil {
		p.Ground.Close()
		return Place{}, fmt.Errorf("look at the benchmark's server: %w", err)
	}
	version, _, _ := strings.Cut(p.Settings["server_version"], " ") // a distribution adds its own
	p.Name += " " + version
	return p, nil
}
