package operator

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"backfill/internal/report"
	"backfill/internal/run"
)

func aReport() report.Report {
	status := after(run.Completed, "")
	return report.New(status, report.Facts{Now: noon, StartedAt: status.StartedAt})
}

var reportTranscripts = map[string]transcript{
	"help-report":    {[]string{"report", "--help"}, nil},
	"report-nowhere": {[]string{"report", "email-1"}, nil},
	"report-as-what": {[]string{"report", "email-1", "-o", "report.txt"}, nil},
	"report-format":  {[]string{"report", "email-1", "-o", "report.html", "--format", "pdf"}, nil},
	"report-unknown": {[]string{"report", "email-1", "-o", "-"}, answers("report", unknownRun())},
	"report-json":    {[]string{"report", "email-1", "-o", "json"}, answers("report", unknownRun())},
	"report-folder":  {[]string{"report", "email-1", "-o", "no/such/folder.html"}, answers("report", aReport())},
}

func TestReportTranscripts(t *testing.T) { transcribe(t, reportTranscripts) }

// TestAReportIsWritten as what its name says, or as it is told; asked by the alias that looks.
func TestAReportIsWritten(t *testing.T) {
	folder := t.TempDir()
	for name, words := range map[string][]string{
		"a.html": {"-o", filepath.Join(folder, "a.html")}, "a.json": {"-o", filepath.Join(folder, "a.json")},
		"b.txt": {"-o", filepath.Join(folder, "b.txt"), "--format", "html"}, "c": {"-o", "-"}, "d": {"-o", "json"}, "e": {"-o", "-", "--format=json"},
	} {
		b := setup(t)
		answers("report", aReport())(b)
		if code := b.run(t, append([]string{"report", "email-1"}, words...)...); code != 0 || strings.Join(b.control.asked, "") != `look {"action":"report","run":"email-1"}` {
			t.Fatalf("%s: exit code %d, asked %v: %s", name, code, b.control.asked, &b.err)
		}
		got := b.out.String()
		if strings.Contains(name, ".") {
			text, err := os.ReadFile(filepath.Join(folder, name))
			if err != nil || strings.TrimSpace(got) != filepath.Join(folder, name) {
				t.Fatalf("%s: %v, %s", name, err, got)
			}
			got = string(text)
		}
		var found report.Report
		isJSON := json.Unmarshal([]byte(got), &found) == nil && found.Run == "email-1"
		if want := name == "a.json" || name == "d" || name == "e"; isJSON != want || !want && !strings.HasPrefix(got, "<!DOCTYPE html>") {
			t.Errorf("%s: %.100s", name, got)
		}
	}
}
