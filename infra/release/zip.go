package main

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// epoch is the time of each file in a zip: the first that the format knows. A time of the build would make each zip another.
var epoch = time.Date(1980, time.January, 1, 0, 0, 0, 0, time.UTC)

// zipFolder makes a zip of all files of a folder, in the order of their names. Whether a file is a program is all that stays of its mode.
func zipFolder(folder, to string) error {
	var text bytes.Buffer
	archive := zip.NewWriter(&text)
	err := filepath.WalkDir(folder, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		return add(archive, folder, name)
	})
	if err != nil {
		return fmt.Errorf("zip %s: %w", folder, err)
	}
	if err := archive.Close(); err != nil {
		return fmt.Errorf("zip %s: %w", folder, err)
	}
	if err := os.WriteFile(to, text.Bytes(), 0o644); err != nil {
		return fmt.Errorf("write a zip: %w", err)
	}
	return nil
}

func add(archive *zip.Writer, folder, name string) error {
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	within, err := filepath.Rel(folder, name)
	if err != nil {
		return err
	}
	header := &zip.FileHeader{Name: filepath.ToSlash(within), Method: zip.Deflate, Modified: epoch}
	header.SetMode(0o644)
	if info.Mode()&0o111 != 0 {
		header.SetMode(0o755)
	}
	entry, err := archive.CreateHeader(header)
	if err != nil {
		return err
	}
	content, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	_, err = entry.Write(content)
	return err
}
