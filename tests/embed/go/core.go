// Package docteur reads docteur images. It hosts docteur's library core, a WebAssembly module, in wazero, and gives
// the files of an image as an [io/fs.FS].
package docteur

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// A Device is where an image is read from. A [bytes.Reader] and an [io.SectionReader] of a file are devices.
type Device interface {
	io.ReaderAt
	// Size is the length of the image in bytes.
	Size() int64
}

// ErrAgain is what a [Waiter] answers if it has not got the bytes yet, but has requested them.
var ErrAgain = errors.New("docteur: requested, not available yet")

// A Waiter is a Device that fetches bytes while others read: its ReadAt does not block, and may return ErrAgain.
type Waiter interface {
	Device
	// Wait returns once everything has arrived, or failed, for which ErrAgain was answered before.
	Wait(ctx context.Context) error
}

// Mode says how an image finds its files.
type Mode int32

const (
	Light   Mode = iota // walks directories as they are needed
	Fast                // knows all paths
	Analyze             // does not trust the image's index, and makes one
)

// Status is what the core answers: a value of the tables in docs/ABI.md.
type Status int32

const (
	statusOK       Status = 0
	statusAgain    Status = 1
	StatusInvalid  Status = 2
	StatusDevice   Status = 3
	StatusNotFound Status = 16
	StatusNotFile  Status = 17
	StatusNotDir   Status = 18
	StatusLoop     Status = 19
	StatusModule   Status = 20
)

func (s Status) Error() string {
	switch s {
	case StatusInvalid:
		return "docteur: invalid argument, or not an image"
	case StatusDevice:
		return "docteur: the device failed"
	case StatusNotFound:
		return "docteur: not found"
	case StatusNotFile:
		return "docteur: is a directory"
	case StatusNotDir:
		return "docteur: not a directory"
	case StatusLoop:
		return "docteur: too many symbolic links"
	case StatusModule:
		return "docteur: in a submodule"
	}
	return fmt.Sprintf("docteur: status %d", int32(s))
}

// Is makes errors.Is(err, fs.ErrNotExist) and errors.Is(err, fs.ErrInvalid) work.
func (s Status) Is(target error) bool {
	return target == fs.ErrNotExist && (s == StatusNotFound || s == StatusModule) ||
		target == fs.ErrInvalid && s == StatusInvalid
}

// A Core is docteur's library core, compiled. It opens any number of images.
type Core struct {
	runtime wazero.Runtime
	module  wazero.CompiledModule
}

type volumeKey struct{}

// NewCore compiles a module, core.wasm or core.simd.wasm.
func NewCore(ctx context.Context, wasm []byte) (*Core, error) {
	runtime := wazero.NewRuntime(ctx)
	_, err := runtime.NewHostModuleBuilder("solo5").
		NewFunctionBuilder().WithFunc(blockRead).Export("block_read").
		Instantiate(ctx)
	if err != nil {
		return nil, errors.Join(err, runtime.Close(ctx))
	}
	module, err := runtime.CompileModule(ctx, wasm)
	if err != nil {
		return nil, errors.Join(err, runtime.Close(ctx))
	}
	return &Core{runtime, module}, nil
}

// Close closes the core and all of its volumes.
func (c *Core) Close(ctx context.Context) error {
	return c.runtime.Close(ctx)
}

// blockRead is the one import of the core. The volume that reads is in the context of the call.
func blockRead(ctx context.Context, module api.Module, _, offset int64, buf, size uint32) uint32 {
	volume := ctx.Value(volumeKey{}).(*Volume)
	view, ok := module.Memory().Read(buf, size)
	if !ok {
		return uint32(StatusInvalid)
	}
	n, err := volume.device.ReadAt(view, offset)
	switch {
	case n == len(view):
		return uint32(statusOK)
	case errors.Is(err, ErrAgain):
		return uint32(statusAgain)
	}
	volume.deviceErr = err
	return uint32(StatusDevice)
}
