// Command smoke is `make aws-smoke`: it looks, on a stack that is deployed in a real account, at what only AWS can show. It registers
// three definitions, changes a table of its own, makes two timeouts of the stack short for a while, and sets them back.
//
// It owns what is looked at and how it is judged, and leaves to the stack all that is done to rows. Against an endpoint that stands in for
// AWS (AWS_ENDPOINT_URL) it says what it cannot see there.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

const urlVariable = "BACKFILL_SMOKE_URL"

func main() {
	name := flag.String("stack", cmp.Or(os.Getenv("BACKFILL_STACK"), "backfill"), "`NAME` of the CloudFormation stack; env BACKFILL_STACK")
	region := flag.String("region", "", "region of AWS; as in aws")
	profile := flag.String("profile", "", "profile of AWS' configuration; as in aws")
	yes := flag.Bool("yes", false, "do not ask before it starts")
	prepared := flag.Bool("prepared", false, "the table was made by the script that --sql prints; nobody looks into it")
	script := flag.Bool("sql", false, "print the script that makes the table, and do nothing else")
	flag.Parse()
	if *script {
		fmt.Print(making)
		return
	}
	url := os.Getenv(urlVariable)
	if url == "" && !*prepared {
		fmt.Fprintf(os.Stderr, "aws-smoke: set %s to a postgres:// URL of the stack's database, by a role that may create tables in public;\n"+
			"or make the table by the script that --sql prints, and say --prepared\n", urlVariable)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code, err := smoke(ctx, *name, *region, *profile, url, *yes)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "aws-smoke:", err)
		code = 1
	}
	os.Exit(code)
}
