// Package tender runs docteur's guests: WebAssembly modules that import Solo5's hypercalls, as docs/ABI.md has them.
package tender

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/sys"
)

const (
	ok      = 0
	invalid = 2
	failed  = 3

	blockSize  = 512
	cmdlineMax = 8192
	abortCode  = 255
	memoryMax  = 512 << 20
)

// A Device is a block device's content. An [io.SectionReader] of a file is one.
type Device interface {
	io.ReaderAt
	Size() int64
}

// A Guest is a module that fits this tender.
type Guest struct {
	runtime wazero.Runtime
	module  wazero.CompiledModule
	names   []string // of its devices
}

type guestABI struct {
	Target  string `json:"target"`
	Version int    `json:"version"`
}

type manifest struct {
	Type    string `json:"type"`
	Version int    `json:"version"`
	Devices []struct {
		Name string `json:"name"`
		Type string `json:"type"`
	} `json:"devices"`
}

// Load compiles a guest, and refuses one that does not fit.
func Load(ctx context.Context, wasm []byte) (*Guest, error) {
	config := wazero.NewRuntimeConfig().
		WithCustomSections(true).
		WithCloseOnContextDone(true).
		WithMemoryLimitPages(memoryMax >> 16)
	guest := &Guest{runtime: wazero.NewRuntimeWithConfig(ctx, config)}
	if err := guest.load(ctx, wasm); err != nil {
		return nil, errors.Join(err, guest.Close(ctx))
	}
	return guest, nil
}

// Close ends the guest's runs, and frees it.
func (g *Guest) Close(ctx context.Context) error {
	return g.runtime.Close(ctx)
}

func (g *Guest) load(ctx context.Context, wasm []byte) error {
	if err := exportHypercalls(ctx, g.runtime); err != nil {
		return err
	}
	var err error
	if g.module, err = g.runtime.CompileModule(ctx, wasm); err != nil {
		return err
	}
	var abi guestABI
	if err := g.section("solo5.abi", &abi); err != nil {
		return err
	}
	if abi != (guestABI{"wasm", 1}) {
		return fmt.Errorf("the guest is for target %q, version %d", abi.Target, abi.Version)
	}
	var declared manifest
	if err := g.section("solo5.manifest", &declared); err != nil {
		return err
	}
	if declared.Type != "solo5.manifest" || declared.Version != 1 || len(declared.Devices) > 64 {
		return errors.New("malformed manifest")
	}
	seen := map[string]bool{}
	for _, device := range declared.Devices {
		if device.Type != "BLOCK_BASIC" || !deviceName.MatchString(device.Name) || seen[device.Name] {
			return fmt.Errorf("device %q of type %q is refused", device.Name, device.Type)
		}
		seen[device.Name] = true
		g.names = append(g.names, device.Name)
	}
	return nil
}

var deviceName = regexp.MustCompile(`^[A-Za-z0-9]{1,67}$`)

// section decodes the one custom section of a name.
func (g *Guest) section(name string, into any) error {
	var found [][]byte
	for _, section := range g.module.CustomSections() {
		if section.Name() == name {
			found = append(found, section.Data())
		}
	}
	if len(found) != 1 {
		return fmt.Errorf("%d sections %s: not a guest for this tender", len(found), name)
	}
	decoder := json.NewDecoder(bytes.NewReader(found[0]))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return fmt.Errorf("malformed %s section: %w", name, err)
	}
	return nil
}

// Run runs the guest once with a device for each name of its manifest, and returns its exit status. The error says why
// it could not start, or trapped, which is status 255.
func (g *Guest) Run(ctx context.Context, args []string, devices map[string]Device, stdout io.Writer) (int, error) {
	run := &run{cmdline: cmdline(args), stdout: stdout, start: time.Now(), acquired: make([]bool, len(g.names))}
	if len(run.cmdline) > cmdlineMax {
		return 1, errors.New("the command line is too long")
	}
	for _, name := range g.names {
		device := devices[name]
		if device == nil || device.Size() == 0 || device.Size()%blockSize != 0 {
			return 1, fmt.Errorf("device %q is not attached, or not of whole blocks", name)
		}
		run.names, run.devices = append(run.names, name), append(run.devices, device)
	}
	if len(devices) != len(g.names) {
		return 1, errors.New("a device is attached that the guest does not declare")
	}
	ctx = context.WithValue(ctx, runKey{}, run)
	module, err := g.runtime.InstantiateModule(ctx, g.module, wazero.NewModuleConfig().WithName(""))
	if err == nil {
		defer module.Close(ctx)
		return run.main(ctx, module)
	}
	return run.end(err)
}

func (r *run) main(ctx context.Context, module api.Module) (int, error) {
	main := module.ExportedFunction("solo5_app_main")
	if main == nil || module.ExportedMemory("memory") == nil {
		return 1, errors.New("the guest does not export solo5_app_main and memory")
	}
	results, err := main.Call(ctx)
	if err != nil {
		return r.end(err)
	}
	return int(results[0] & 0xff), nil
}

// end is how a guest ended that did not return.
func (r *run) end(err error) (int, error) {
	if r.writeErr != nil {
		return 8, r.writeErr
	}
	var exit *sys.ExitError
	if errors.As(err, &exit) && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		return int(exit.ExitCode() & 0xff), nil
	}
	return abortCode, err
}

// cmdline joins arguments as the guest splits them.
func cmdline(args []string) string {
	quoted := make([]string, len(args))
	for i, arg := range args {
		if arg == "" || strings.ContainsAny(arg, " \t\n\v\f\r\"\\") {
			arg = `"` + strings.NewReplacer(`"`, `\"`, `\`, `\\`).Replace(arg) + `"`
		}
		quoted[i] = arg
	}
	return strings.Join(quoted, " ")
}

// run is the state of one run. Hypercalls find it in their context.
type run struct {
	cmdline  string
	names    []string
	devices  []Device
	acquired []bool
	stdout   io.Writer
	writeErr error
	start    time.Time
}

type runKey struct{}

func runOf(ctx context.Context) *run { return ctx.Value(runKey{}).(*run) }

func exportHypercalls(ctx context.Context, runtime wazero.Runtime) error {
	builder := runtime.NewHostModuleBuilder("solo5")
	for name, function := range map[string]any{
		"console_write":   consoleWrite,
		"block_acquire":   blockAcquire,
		"block_read":      blockRead,
		"block_write":     func(_, _ int64, _, _ uint32) uint32 { return invalid },
		"clock_monotonic": func(ctx context.Context) int64 { return int64(time.Since(runOf(ctx).start)) },
		"clock_wall":      func() int64 { return time.Now().UnixNano() },
		"yield":           yield,
		"cmdline_size":    func(ctx context.Context) uint32 { return uint32(len(runOf(ctx).cmdline)) },
		"cmdline_read":    cmdlineRead,
		"exit":            func(ctx context.Context, m api.Module, status uint32) { end(ctx, m, status) },
		"abort":           func(ctx context.Context, m api.Module) { end(ctx, m, abortCode) },
	} {
		builder.NewFunctionBuilder().WithFunc(function).Export(name)
	}
	_, err := builder.Instantiate(ctx)
	return err
}

// end unwinds the guest.
func end(ctx context.Context, module api.Module, status uint32) {
	module.CloseWithExitCode(ctx, status)
	panic(sys.NewExitError(status))
}

func consoleWrite(ctx context.Context, module api.Module, buf, size uint32) {
	data, inside := module.Memory().Read(buf, size)
	if !inside {
		return
	}
	run := runOf(ctx)
	if _, run.writeErr = run.stdout.Write(data); run.writeErr != nil {
		end(ctx, module, 8)
	}
}

func blockAcquire(ctx context.Context, module api.Module, name, nameLen, handleOut, infoOut uint32) uint32 {
	run, memory := runOf(ctx), module.Memory()
	wanted, inside := memory.Read(name, nameLen)
	handle, insideToo := memory.Read(handleOut, 8)
	info, insideAsWell := memory.Read(infoOut, 16)
	if !inside || !insideToo || !insideAsWell {
		return invalid
	}
	for i, name := range run.names {
		if name == string(wanted) && !run.acquired[i] {
			run.acquired[i] = true
			binary.LittleEndian.PutUint64(handle, uint64(i))
			binary.LittleEndian.PutUint64(info, uint64(run.devices[i].Size()))
			binary.LittleEndian.PutUint64(info[8:], blockSize)
			return ok
		}
	}
	return invalid
}

func blockRead(ctx context.Context, module api.Module, handle, offset uint64, buf, size uint32) uint32 {
	run := runOf(ctx)
	view, inside := module.Memory().Read(buf, size)
	if !inside || handle >= uint64(len(run.devices)) || !run.acquired[handle] {
		return invalid
	}
	device := run.devices[handle]
	capacity := uint64(device.Size())
	if size == 0 || size%blockSize != 0 || offset%blockSize != 0 || offset > capacity || uint64(size) > capacity-offset {
		return invalid
	}
	if n, _ := device.ReadAt(view, int64(offset)); n < len(view) {
		return failed
	}
	return ok
}

func yield(ctx context.Context, module api.Module, deadline int64, readyOut uint32) {
	select {
	case <-time.After(time.Duration(deadline) - time.Since(runOf(ctx).start)):
	case <-ctx.Done():
	}
	if readyOut != 0 {
		module.Memory().WriteUint64Le(readyOut, 0)
	}
}

func cmdlineRead(ctx context.Context, module api.Module, buf uint32) {
	module.Memory().WriteString(buf, runOf(ctx).cmdline)
}
