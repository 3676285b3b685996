package docteur

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"example.org/docteur/internal/fixtures"
)

var builds = []string{"core.wasm", "core.simd.wasm"}

func newCore(t *testing.T, build string) *Core {
	core, err := NewCore(t.Context(), fixtures.Module(t, build))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { core.Close(context.Background()) })
	return core
}

// checkFiles compares all files of an image with their ids, and says how many there are.
func checkFiles(t *testing.T, fsys fs.FS, name string) int {
	files := fixtures.Files(t, name)
	for _, file := range files {
		content, err := fs.ReadFile(fsys, file.Path[1:])
		if err != nil {
			t.Fatal(err)
		}
		if got := fixtures.BlobID(content); got != file.ID {
			t.Fatalf("%s: %s is %s, not %s", name, file.Path, got, file.ID)
		}
	}
	return len(files)
}

func TestEveryFileOfEveryImageInEveryMode(t *testing.T) {
	for _, build := range builds {
		core := newCore(t, build)
		files := 0
		for _, name := range fixtures.Images {
			image := fixtures.Image(t, name)
			for _, mode := range []Mode{Light, Fast, Analyze} {
				volume, err := core.Open(t.Context(), bytes.NewReader(image), mode)
				if err != nil {
					t.Fatalf("%s, mode %d: %v", name, mode, err)
				}
				files += checkFiles(t, volume, name)
				volume.Close()
			}
		}
		fixtures.Report(t, build, files)
	}
}

func TestFS(t *testing.T) {
	core := newCore(t, "core.simd.wasm")
	// TestFS reads byte by byte, too: the images of 300 files would take minutes.
	for _, name := range []string{"tiny", "modes", "aligned", "gitmodes"} {
		volume, err := core.Open(t.Context(), bytes.NewReader(fixtures.Image(t, name)), Light)
		if err != nil {
			t.Fatal(err)
		}
		var paths []string
		for _, file := range fixtures.Files(t, name) {
			paths = append(paths, file.Path[1:])
		}
		err = fstest.TestFS(volume, paths...)
		if name == "gitmodes" {
			err = withoutDangling(err)
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// withoutDangling drops what TestFS says of the symbolic link that leads nowhere: it cannot be opened.
func withoutDangling(err error) error {
	joined, ok := errors.Unwrap(err).(interface{ Unwrap() []error })
	if !ok {
		return err
	}
	var others []error
	for _, err := range joined.Unwrap() {
		if !strings.HasPrefix(err.Error(), "dangling: ") || !errors.Is(err, fs.ErrNotExist) {
			others = append(others, err)
		}
	}
	return errors.Join(others...)
}

func TestErrors(t *testing.T) {
	core := newCore(t, "core.simd.wasm")
	volume, err := core.Open(t.Context(), bytes.NewReader(fixtures.Image(t, "gitmodes")), Light)
	if err != nil {
		t.Fatal(err)
	}
	for path, expected := range map[string]error{
		"nope":             fs.ErrNotExist,
		"vendor/sub/inner": fs.ErrNotExist,
		"../hello.txt":     fs.ErrInvalid,
		"hello.txt/x":      fs.ErrNotExist,
		"dir":              StatusNotFile,
	} {
		if _, err := volume.ReadFile(path); !errors.Is(err, expected) {
			t.Errorf("%s: %v, not %v", path, err, expected)
		}
	}
	if _, err := volume.ReadDir("hello.txt"); !errors.Is(err, StatusNotDir) {
		t.Errorf("the entries of a file: %v", err)
	}
	if _, err := core.Open(t.Context(), bytes.NewReader(make([]byte, 1024)), Light); err == nil {
		t.Error("zeros are an image")
	}
	if _, err := volume.ReadFile("vendor/sub/inner"); !errors.Is(err, StatusModule) {
		t.Errorf("a file in a submodule: %v", err)
	}
	for path, mode := range map[string]fs.FileMode{
		".": fs.ModeDir, "dirlink": fs.ModeSymlink, "dirlink/f": 0, "dir/f": 0, "link.txt": fs.ModeSymlink,
	} {
		if info, err := volume.Lstat(path); err != nil || info.Mode().Type() != mode {
			t.Errorf("lstat of %s: %v, %v", path, info, err)
		}
	}
	if _, err := volume.Lstat("dangling/f"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("behind a link that leads nowhere: %v", err)
	}
	if target, err := volume.ReadLink("link.txt"); target != "hello.txt" || err != nil {
		t.Errorf("link.txt leads to %q: %v", target, err)
	}
}
