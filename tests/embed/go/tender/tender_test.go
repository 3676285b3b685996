package tender

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"example.org/docteur/internal/fixtures"
)

func load(t *testing.T, name string) *Guest {
	guest, err := Load(t.Context(), fixtures.Module(t, "guest/"+name+".wasm"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { guest.Close(context.Background()) })
	return guest
}

// runGuest returns its status and output.
func runGuest(t *testing.T, guest *Guest, devices map[string]Device, args ...string) (int, string) {
	var stdout strings.Builder
	status, err := guest.Run(t.Context(), args, devices, &stdout)
	if err != nil {
		t.Logf("%v: %v", args, err)
	}
	return status, stdout.String()
}

func check(t *testing.T, what string, status int, stdout string, wantStatus int, wantStdout string) {
	t.Helper()
	if status != wantStatus || stdout != wantStdout {
		t.Errorf("%s: status %d, output %q; not %d, %q", what, status, stdout, wantStatus, wantStdout)
	}
}

func TestSimplePrintsFiles(t *testing.T) {
	for _, build := range []string{"simple", "simple.simd"} {
		guest := load(t, build)
		files := 0
		for _, name := range fixtures.Images {
			for _, file := range fixtures.Some(t, name) {
				devices := map[string]Device{"docteur": bytes.NewReader(fixtures.Image(t, name))}
				status, content := runGuest(t, guest, devices, "--filename", file.Path)
				if id := fixtures.BlobID([]byte(content)); status != 0 || id != file.ID {
					t.Fatalf("%s: %s: status %d, %s, not %s", name, file.Path, status, id, file.ID)
				}
				files++
			}
		}
		tiny := map[string]Device{"docteur": bytes.NewReader(fixtures.Image(t, "tiny"))}
		status, stdout := runGuest(t, guest, tiny, "--filename", "/no such")
		check(t, "a file that is not there", status, stdout, 1, "Error: /no such not found.\n")
		fixtures.Report(t, build+".wasm", files)
	}
}

// numbered is a device whose blocks begin with their numbers.
func numbered(blocks int) Device {
	data := make([]byte, blocks*blockSize)
	for i := range blocks {
		binary.LittleEndian.PutUint64(data[i*blockSize:], uint64(i))
	}
	return bytes.NewReader(data)
}

func TestGuestsThatTryHypercalls(t *testing.T) {
	hello := load(t, "hello")
	args := []string{"plain", "", "two words", `"quoted" \`}
	status, stdout := runGuest(t, hello, nil, args...)
	line := `plain "" "two words" "\"quoted\" \\"`
	want := "Hello, World\nCommand line is: '" + line + "'\n[" + strings.Join(args, "]\n[") + "]\n"
	check(t, "hello", status, stdout, 0, want)

	devices := map[string]Device{"storage": numbered(128), "other": numbered(1)}
	status, stdout = runGuest(t, load(t, "block-test"), devices)
	check(t, "block-test", status, stdout, 0, "")

	filled := bytes.NewReader(bytes.Repeat([]byte{7}, 2*blockSize))
	status, stdout = runGuest(t, load(t, "bounds-test"), map[string]Device{"storage": filled}, "some", "arguments")
	check(t, "bounds-test", status, stdout, 0, "storage")

	status, stdout = runGuest(t, load(t, "time-test"), nil)
	check(t, "time-test", status, stdout, 0, "")

	status, stdout = runGuest(t, load(t, "memory-test"), nil)
	check(t, "memory-test", status, stdout, 0, "8192\n")

	exit := load(t, "exit-test")
	for arguments, want := range map[string]int{
		"return 7": 7, "return -1": 255, "exit 0": 0, "exit 300": 44, "abort": 255,
		"unreachable": 255, "bounds": 255, "stack": 255, "divide": 255,
	} {
		status, stdout = runGuest(t, exit, nil, strings.Fields(arguments)...)
		check(t, "exit-test "+arguments, status, stdout, want, "")
	}
	fixtures.Report(t, "guests", 6)
}

func TestRefusals(t *testing.T) {
	wasm := fixtures.Module(t, "guest/simple.wasm")
	for _, change := range [][2]string{
		{"solo5.manifest", "solo5.manifesT"},
		{`"target":"wasm"`, `"target":"wasi"`},
		{`"BLOCK_BASIC"`, `"NETWK_BASIC"`},
		{`"devices"`, `"devicez"`},
	} {
		changed := bytes.ReplaceAll(slices.Clone(wasm), []byte(change[0]), []byte(change[1]))
		if bytes.Equal(changed, wasm) {
			t.Errorf("the guest holds no %s", change[0])
		}
		if _, err := Load(t.Context(), changed); err == nil {
			t.Errorf("a guest with %s runs", change[1])
		}
	}
	guest := load(t, "simple")
	for what, devices := range map[string]map[string]Device{
		"without its device":    nil,
		"a device of 100 bytes": {"docteur": bytes.NewReader(make([]byte, 100))},
		"a device too many":     {"docteur": numbered(1), "other": numbered(1)},
	} {
		if status, err := guest.Run(t.Context(), nil, devices, os.Stdout); status != 1 || err == nil {
			t.Errorf("%s: status %d, %v", what, status, err)
		}
	}
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, os.ErrClosed }

func TestOutputThatCannotBeWritten(t *testing.T) {
	status, err := load(t, "hello").Run(t.Context(), nil, nil, brokenPipe{})
	if status != 8 || !errors.Is(err, os.ErrClosed) {
		t.Errorf("status %d: %v", status, err)
	}
}
