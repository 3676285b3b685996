package docteur

import (
	"context"
	"errors"
	"strings"
	"testing"

	"example.org/docteur/internal/fixtures"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"
)

// TestWASI prints files by the guest simple as a WASI command.
func TestWASI(t *testing.T) {
	for _, build := range []string{"simple.wasi.wasm", "simple.wasi.simd.wasm"} {
		ctx := t.Context()
		runtime := wazero.NewRuntime(ctx)
		t.Cleanup(func() { runtime.Close(context.Background()) })
		wasi_snapshot_preview1.MustInstantiate(ctx, runtime)
		guest, err := runtime.CompileModule(ctx, fixtures.Module(t, "guest/"+build))
		if err != nil {
			t.Fatal(err)
		}
		cat := func(image, path string) (uint32, string) {
			var stdout strings.Builder
			config := wazero.NewModuleConfig().WithName("").WithStdout(&stdout).
				WithFSConfig(wazero.NewFSConfig().WithReadOnlyDirMount(fixtures.Folder(), "/")).
				WithArgs(build, "--block:docteur="+image+".img", "--filename", path)
			_, err := runtime.InstantiateModule(ctx, guest, config)
			var exit *sys.ExitError
			if errors.As(err, &exit) {
				return exit.ExitCode(), stdout.String()
			} else if err != nil {
				t.Fatal(err)
			}
			return 0, stdout.String()
		}
		count := 0
		for _, name := range fixtures.Images {
			for _, file := range fixtures.Some(t, name) {
				status, content := cat(name, file.Path)
				if id := fixtures.BlobID([]byte(content)); status != 0 || id != file.ID {
					t.Fatalf("%s: %s: status %d, %s, not %s", name, file.Path, status, id, file.ID)
				}
				count++
			}
		}
		if status, stdout := cat("tiny", "/nope"); status != 1 || stdout != "Error: /nope not found.\n" {
			t.Errorf("a file that is not there: status %d, %q", status, stdout)
		}
		fixtures.Report(t, build, count)
	}
}
