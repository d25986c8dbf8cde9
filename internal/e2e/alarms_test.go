package e2e

import (
	"context"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"backfill/internal/gauge"
)

// hasty is how often the copy of an alarm is looked at: the alarms themselves take up to a quarter of an hour.
const hasty = 10

// TestEachAlarmAlarms once its metric is beyond its threshold; those of the functions' own figures, which nobody else writes here, are quiet before.
// A copy of each, as it was deployed but for its patience, watches the same metric.
func TestEachAlarmAlarms(t *testing.T) {
	t.Parallel()
	s, err := deployed()
	must(t, err)
	client := cloudwatch.NewFromConfig(s.config)
	found, err := client.DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{AlarmNamePrefix: aws.String(os.Getenv("BACKFILL_STACK") + "-")})
	must(t, err)
	if len(found.MetricAlarms) < 20 {
		t.Fatalf("the stack has %d alarms", len(found.MetricAlarms))
	}
	suffix := "." + unique("copy")
	copies := map[string]types.MetricAlarm{}
	for _, alarm := range found.MetricAlarms {
		if strings.Contains(*alarm.AlarmName, ".copy") { // of a test that was killed
			continue
		}
		if !strings.Contains(aws.ToString(alarm.AlarmDescription), "docs/runbook.md#") {
			t.Errorf("%s says %q", *alarm.AlarmName, aws.ToString(alarm.AlarmDescription))
		}
		copies[copyAlarm(t, client, alarm, suffix)] = alarm
	}
	awaitState(t, client, copies, types.StateValueOk, func(alarm types.MetricAlarm) bool { return *alarm.Namespace == gauge.Namespace })
	awaitState(t, client, copies, types.StateValueAlarm, func(alarm types.MetricAlarm) bool {
		exceed(t, client, alarm)
		return true
	})
}

// awaitState waits until each copy of an alarm that is asked for has a state. It asks every other second: the stack has other things to do.
func awaitState(t *testing.T, client *cloudwatch.Client, copies map[string]types.MetricAlarm, state types.StateValue, asked func(types.MetricAlarm) bool) {
	t.Helper()
	open, last := maps.Clone(copies), time.Time{}
	waitFor(t, 2*time.Minute, "all alarms to be "+string(state), func() bool {
		if time.Since(last) < 2*time.Second {
			return false
		}
		last = time.Now()
		maps.DeleteFunc(open, func(_ string, alarm types.MetricAlarm) bool { return !asked(alarm) })
		found, err := client.DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{AlarmNames: slices.Collect(maps.Keys(open))})
		must(t, err)
		for _, alarm := range found.MetricAlarms {
			if alarm.StateValue == state {
				t.Logf("%s is %s", *alarm.AlarmName, state)
				delete(open, *alarm.AlarmName)
			}
		}
		return len(open) == 0
	})
}

// copyAlarm makes one that watches the metric of another.
func copyAlarm(t *testing.T, client *cloudwatch.Client, alarm types.MetricAlarm, suffix string) (name string) {
	t.Helper()
	name = *alarm.AlarmName + suffix
	_, err := client.PutMetricAlarm(t.Context(), &cloudwatch.PutMetricAlarmInput{AlarmName: &name, AlarmDescription: alarm.AlarmDescription,
		Namespace: alarm.Namespace, MetricName: alarm.MetricName, Dimensions: alarm.Dimensions, Statistic: alarm.Statistic, Threshold: alarm.Threshold,
		ComparisonOperator: alarm.ComparisonOperator, TreatMissingData: alarm.TreatMissingData, Period: aws.Int32(hasty), EvaluationPeriods: aws.Int32(1)})
	must(t, err)
	t.Cleanup(func() {
		_, err := client.DeleteAlarms(context.Background(), &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{name}})
		must(t, err)
	})
	return name
}

// exceed writes a value beyond the threshold of an alarm. It has no time: LocalStack does not read that of a protocol with CBOR.
func exceed(t *testing.T, client *cloudwatch.Client, alarm types.MetricAlarm) {
	t.Helper()
	_, err := client.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: alarm.Namespace, MetricData: []types.MetricDatum{{
		MetricName: alarm.MetricName, Dimensions: alarm.Dimensions, Value: aws.Float64(*alarm.Threshold + 1)}}})
	must(t, err)
}
