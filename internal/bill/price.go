package bill

// List prices of us-east-1 in dollars, as AWS' pages had them in November 2026: arm64, no free tier, first tier of each.
const (
	gbSecond   = 0.0000133334
	invocation = 0.20 / 1e6
	writeUnit  = 0.625 / 1e6
	readUnit   = 0.125 / 1e6
	request    = 0.40 / 1e6
	transition = 0.025 / 1e3
	logByte    = 0.50 / 1e9
	trace      = 5.00 / 1e6
)

// Dollars by service.
type Dollars struct{ Lambda, DynamoDB, SQS, StepFunctions, LogsAndTraces float64 }

// Sum of all.
func (d Dollars) Sum() float64 {
	return d.Lambda + d.DynamoDB + d.SQS + d.StepFunctions + d.LogsAndTraces
}

// Dollars that the run costs, without the database, the network, and what a stack costs that does nothing.
func (r Run) Dollars() Dollars {
	return Dollars{
		Lambda:        gbSecond*r.GBSeconds() + invocation*float64(r.Invocations()),
		DynamoDB:      writeUnit*float64(r.WriteUnits()) + readUnit*float64(r.ReadUnits()),
		SQS:           request * float64(r.Requests()),
		StepFunctions: transition * float64(r.Transitions()),
		LogsAndTraces: logByte*float64(r.LogBytes()) + trace*float64(r.Traces()),
	}
}
