package docteur

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.org/docteur/internal/fixtures"
)

// serve serves an image. around wraps its handler, if it is not nil.
func serve(t *testing.T, image []byte, around func(http.Handler) http.Handler) *HTTPDevice {
	var handler http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"1"`)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(image))
	})
	if around != nil {
		handler = around(handler)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	device, err := NewHTTPDevice(t.Context(), server.Client(), server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return device
}

func TestEveryFileOverHTTP(t *testing.T) {
	for _, build := range builds {
		core := newCore(t, build)
		files := 0
		for _, name := range fixtures.Images {
			for _, mode := range []Mode{Light, Fast, Analyze} {
				again := atomic.Int64{}
				device := serve(t, fixtures.Image(t, name), func(next http.Handler) http.Handler {
					return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						again.Add(1)
						next.ServeHTTP(w, r)
					})
				})
				volume, err := core.Open(t.Context(), device, mode)
				if err != nil {
					t.Fatalf("%s, mode %d: %v", name, mode, err)
				}
				files += checkFiles(t, volume, name)
				if again.Load() < 2 {
					t.Errorf("%s: %d requests", name, again.Load())
				}
				volume.Close()
			}
		}
		fixtures.Report(t, build+" over HTTP", files)
	}
}

// TestManyReaders reads from more goroutines than there are handles.
func TestManyReaders(t *testing.T) {
	core := newCore(t, "core.simd.wasm")
	volume, err := core.Open(t.Context(), serve(t, fixtures.Image(t, "gitdelta"), nil), Light)
	if err != nil {
		t.Fatal(err)
	}
	var readers sync.WaitGroup
	for _, file := range fixtures.Files(t, "gitdelta") {
		readers.Go(func() {
			content, err := fs.ReadFile(volume, file.Path[1:])
			if id := fixtures.BlobID(content); err != nil || id != file.ID {
				t.Errorf("%s is %s, not %s: %v", file.Path, id, file.ID, err)
			}
		})
	}
	readers.Wait()
}

// TestServerThatFails: the error is that of the device, and once the server is well again, so is the volume.
func TestServerThatFails(t *testing.T) {
	ill := atomic.Bool{}
	device := serve(t, fixtures.Image(t, "aligned"), func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if ill.Load() {
				http.Error(w, "ill", http.StatusServiceUnavailable)
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	core := newCore(t, "core.wasm")
	ill.Store(true)
	if _, err := core.Open(t.Context(), device, Light); !errors.Is(err, StatusDevice) {
		t.Fatalf("no device: %v", err)
	}
	ill.Store(false)
	volume, err := core.Open(t.Context(), device, Light)
	if err != nil {
		t.Fatal(err)
	}
	checkFiles(t, volume, "aligned")
}

// TestCancelled: an operation whose context ends is cancelled.
func TestCancelled(t *testing.T) {
	stop := make(chan struct{})
	requests := atomic.Int64{}
	device := serve(t, fixtures.Image(t, "tiny"), func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if requests.Add(1) > 1 {
				<-stop
			}
			next.ServeHTTP(w, r)
		})
	})
	defer close(stop)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := newCore(t, "core.wasm").Open(ctx, device, Light); !errors.Is(err, context.Canceled) {
		t.Fatalf("open: %v", err)
	}
}
