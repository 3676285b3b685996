// walk prints every entry below a directory, with the digest of each file, as git names blobs.
package main

import (
	"crypto/sha1"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

func main() {
	root := os.Args[1]
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		switch {
		case entry.IsDir():
			fmt.Printf("%s/\n", path)
		case info.Mode()&fs.ModeSymlink != 0:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			fmt.Printf("%s -> %s\n", path, target)
		default:
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			blob := append([]byte(fmt.Sprintf("blob %d\x00", len(content))), content...)
			fmt.Printf("%s %d %x\n", path, info.Size(), sha1.Sum(blob))
		}
		return nil
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
}
