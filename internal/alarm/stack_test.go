package alarm_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"backfill/internal/alarm"
	"backfill/internal/queuetest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// TestAnAlarmOfCloudWatch on the local stack: each state of a real alarm, and one that is gone.
func TestAnAlarmOfCloudWatch(t *testing.T) {
	t.Parallel()
	endpoint := os.Getenv(queuetest.Endpoint)
	if endpoint == "" {
		t.Fatalf("%s is not set: run the tests by `make test`, which starts the local stack", queuetest.Endpoint)
	}
	client := cloudwatch.New(cloudwatch.Options{BaseEndpoint: &endpoint, Region: "us-east-1",
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")})
	name := fmt.Sprintf("test-%d-%d", os.Getpid(), time.Now().UnixNano())
	_, err := client.PutMetricAlarm(t.Context(), &cloudwatch.PutMetricAlarmInput{AlarmName: &name, Namespace: aws.String("AWS/RDS"),
		MetricName: aws.String("FreeStorageSpace"), Statistic: types.StatisticMinimum, ComparisonOperator: types.ComparisonOperatorLessThanThreshold,
		Threshold: aws.Float64(1 << 30), Period: aws.Int32(86_400), EvaluationPeriods: aws.Int32(1)})
	must(t, err)
	drop := func() {
		_, err := client.DeleteAlarms(context.Background(), &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{name}})
		must(t, err)
	}
	t.Cleanup(drop)
	expect := func(want string) {
		t.Helper()
		if got := alarm.New(client, []string{name}, time.Now).Readings(t.Context(), nil)[0].String(); got != "alarm "+name+want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	for _, c := range []struct {
		state types.StateValue
		want  string
	}{{types.StateValueAlarm, " is ALARM"}, {types.StateValueOk, " is OK"}, {types.StateValueInsufficientData, ": it is INSUFFICIENT_DATA"}} {
		_, err := client.SetAlarmState(t.Context(), &cloudwatch.SetAlarmStateInput{AlarmName: &name, StateValue: c.state, StateReason: aws.String("test")})
		must(t, err)
		expect(c.want)
	}
	drop()
	expect(": no metric alarm of this name is in the region")
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
