package alarm_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"backfill/internal/alarm"
	"backfill/internal/signal"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go"
)

// answers is a CloudWatch that gives one answer.
type answers struct {
	calls  int
	states map[string]types.StateValue
	err    error
	silent bool
}

func (a *answers) DescribeAlarms(ctx context.Context, in *cloudwatch.DescribeAlarmsInput, _ ...func(*cloudwatch.Options)) (*cloudwatch.DescribeAlarmsOutput, error) {
	a.calls++
	if a.silent {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	out := &cloudwatch.DescribeAlarmsOutput{}
	for _, name := range in.AlarmNames {
		if state, there := a.states[name]; there {
			out.MetricAlarms = append(out.MetricAlarms, types.MetricAlarm{AlarmName: aws.String(name), StateValue: state})
		}
	}
	return out, a.err
}

func TestWhatAStateMeans(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		cloud *answers
		text  string
		trust float64
	}{
		"ok":      {&answers{states: map[string]types.StateValue{"disk": types.StateValueOk}}, "alarm disk is OK", 0},
		"alarm":   {&answers{states: map[string]types.StateValue{"disk": types.StateValueAlarm}}, "alarm disk is ALARM", 2},
		"unknown": {&answers{states: map[string]types.StateValue{"disk": types.StateValueInsufficientData}}, "alarm disk: it is INSUFFICIENT_DATA", 0},
		"gone":    {&answers{}, "alarm disk: no metric alarm of this name is in the region", 0},
		"refused": {&answers{err: &smithy.GenericAPIError{Code: "AccessDenied"}}, "alarm disk: CloudWatch answers AccessDenied", 0},
	} {
		got := alarm.New(c.cloud, []string{"disk"}, time.Now).Readings(t.Context(), nil)
		if len(got) != 1 || got[0].String() != c.text || got[0].Pressure() != c.trust || (got[0].Value == nil) != strings.Contains(c.text, ":") {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestItAsksOnceInTenSeconds, and takes what is not older for fresh; an error, or silence, is not asked for again sooner.
func TestItAsksOnceInTenSeconds(t *testing.T) {
	t.Parallel()
	for name, cloud := range map[string]*answers{"ok": {states: map[string]types.StateValue{"disk": types.StateValueOk}}, "silent": {silent: true}} {
		synctest.Test(t, func(t *testing.T) {
			alarms := alarm.New(cloud, []string{"disk"}, time.Now)
			begun := time.Now()
			var got []signal.Reading
			for time.Since(begun) < 59*time.Second {
				got = alarms.Readings(t.Context(), nil)
				if got[0].Age > 10 || got[0].Fresh() != (name == "ok") {
					t.Fatalf("%s: %+v", name, got[0])
				}
				time.Sleep(2 * time.Second)
			}
			if cloud.calls != 6 && name == "ok" || cloud.calls > 6 {
				t.Errorf("%s: %d calls in a minute", name, cloud.calls)
			}
			if name == "silent" && got[0].Missing != "CloudWatch takes longer than a second" {
				t.Errorf("%+v", got[0])
			}
		})
	}
}

func TestWithoutAlarmsNobodyIsAsked(t *testing.T) {
	t.Parallel()
	cloud := &answers{}
	if got := alarm.New(cloud, nil, time.Now).Readings(t.Context(), nil); len(got) != 0 || cloud.calls != 0 {
		t.Errorf("%v, %d calls", got, cloud.calls)
	}
}
