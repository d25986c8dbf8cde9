package host

import (
	"fmt"
	"os/exec"
	"path/filepath"
)

// Build builds the bootstrap of a function as `sam build` does, and gives its path.
func Build(folder, function string) (string, error) {
	program := filepath.Join(folder, function)
	build := exec.Command("go", "build", "-tags", "lambda.norpc", "-o", program, "backfill/functions/"+function)
	if output, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", function, err, output)
	}
	return program, nil
}
