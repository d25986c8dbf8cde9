package contest

import (
	"context"
	"fmt"
	"strings"

	"backfill/infra/bench/ground"
	"backfill/infra/bench/meter"
)

// Place is a server to work on.
type Place struct {
	Name     string
	Deployed bool // the stack's
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

func enter(ctx context.Context, p Place) (Place, error) {
	var version string
	err := p.Ground.Server().QueryRow(ctx, "SHOW server_version").Scan(&version)
	if err == nil {
		p.Meter, err = meter.New(ctx, p.Ground.Server())
	}
	if err != nil {
		p.Ground.Close()
		return Place{}, fmt.Errorf("look at the benchmark's server: %w", err)
	}
	version, _, _ = strings.Cut(version, " ") // a distribution adds its own
	p.Name += " " + version
	return p, nil
}
