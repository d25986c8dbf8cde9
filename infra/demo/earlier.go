package main

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
)

// prefix begins the id of every run that the demo starts.
const prefix = "demo-"

// release cancels runs of the demo that were left alone (Ctrl-C): the table is about to be made anew.
func release() error {
	text, err := exec.Command("bin/backfill", "list", "--limit", "100", "-o", "json").Output()
	if err != nil {
		return fmt.Errorf("list the runs: %w", err)
	}
	var found struct {
		Runs []status `json:"runs"`
	}
	if err := json.Unmarshal(text, &found); err != nil {
		return fmt.Errorf("read the list of runs: %w", err)
	}
	for _, s := range found.Runs {
		if s.EndedAt != nil || s.Table != "public.users" {
			continue
		}
		if !strings.HasPrefix(s.Run, prefix) {
			return fmt.Errorf("run %s works on public.users, which is about to be made anew; bin/backfill cancel %s ends it", s.Run, s.Run)
		}
		if err := end(s.Run); err != nil {
			return err
		}
	}
	return nil
}

// end cancels a run and waits for its end.
func end(id string) error {
	fmt.Printf("run %s was left alone; it is cancelled\n", id)
	if err := exec.Command("bin/backfill", "cancel", id).Run(); err != nil {
		return fmt.Errorf("cancel run %s: %w", id, err)
	}
	_ = exec.Command("bin/backfill", "watch", id).Run() // 1: it was cancelled
	return nil
}
