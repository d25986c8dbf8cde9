package postgres

import "github.com/jackc/pgx/v5"

// Read reads the answers of a pipeline, and closes it. The first error counts; without one that of what was not read, or of the
// commit.
func Read(answers pgx.BatchResults, read func(answers pgx.BatchResults) error) error {
	err := read(answers)
	if closing := answers.Close(); err == nil {
		err = closing
	}
	return err
}
