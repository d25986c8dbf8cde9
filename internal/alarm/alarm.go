// Package alarm reads the states of CloudWatch alarms, as signals of the database.
//
// It owns the call, how often it is made, and what a state means. It leaves which alarms to the stack's settings, and what follows
// to throttle. Invariants: one call in ten seconds at most, whatever it answers; what is neither OK nor ALARM is missing and says
// why; no call takes longer than a second.
package alarm

import (
	"context"
	"errors"
	"time"

	"backfill/internal/signal"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go"
)

const (
	// interval is between two calls. An alarm looks at its metric every 10 s at the most often.
	interval = 10 * time.Second
	// patience is how long the signals of the database may wait for CloudWatch.
	patience = time.Second
)

// API is the part of CloudWatch that is called.
type API interface {
	DescribeAlarms(ctx context.Context, in *cloudwatch.DescribeAlarmsInput, o ...func(*cloudwatch.Options)) (*cloudwatch.DescribeAlarmsOutput, error)
}

// Alarms are some alarms by name. It is for one goroutine.
type Alarms struct {
	api    API
	names  []string
	now    func() time.Time
	asked  time.Time
	states map[string]types.StateValue
	failed string // why there are no states
}

// New makes it; nothing is called yet.
func New(api API, names []string, now func() time.Time) *Alarms {
	return &Alarms{api: api, names: names, now: now}
}

// Readings gives a reading of each alarm, not older than ten seconds.
func (a *Alarms) Readings(ctx context.Context, limits signal.Limits) []signal.Reading {
	if len(a.names) > 0 && (a.asked.IsZero() || a.now().Sub(a.asked) >= interval) {
		a.ask(ctx)
	}
	readings := make([]signal.Reading, 0, len(a.names))
	for _, name := range a.names {
		value, missing := a.state(name)
		reading, _ := limits.Read(signal.Alarm, name, value)
		reading.Missing, reading.Age = missing, a.now().Sub(a.asked).Seconds()
		readings = append(readings, reading)
	}
	return readings
}

func (a *Alarms) ask(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	a.asked, a.failed, a.states = a.now(), "", map[string]types.StateValue{}
	out, err := a.api.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{AlarmNames: a.names})
	if err != nil {
		a.failed = why(err)
		return
	}
	for _, one := range out.MetricAlarms {
		a.states[aws.ToString(one.AlarmName)] = one.StateValue
	}
}

// state is 1 in ALARM and 0 when all is well.
func (a *Alarms) state(name string) (value *float64, missing string) {
	state, there := a.states[name]
	switch {
	case a.failed != "":
		return nil, a.failed
	case !there:
		return nil, "no metric alarm of this name is in the region"
	case state == types.StateValueOk:
		return aws.Float64(0), ""
	case state == types.StateValueAlarm:
		return aws.Float64(1), ""
	}
	return nil, "it is " + string(state)
}

func why(err error) string {
	var answer smithy.APIError
	switch {
	case errors.As(err, &answer):
		return "CloudWatch answers " + answer.ErrorCode()
	case errors.Is(err, context.DeadlineExceeded):
		return "CloudWatch takes longer than a second"
	}
	return "CloudWatch cannot be reached"
}
