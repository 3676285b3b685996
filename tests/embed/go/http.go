package docteur

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

const (
	pageSize = 64 << 10 // what is requested, and kept
	pagesMax = 256      // that are kept: 16 MiB
)

// HTTPDevice reads an image from a server by range requests. It keeps the pages that it fetched last.
type HTTPDevice struct {
	client *http.Client
	url    string
	etag   string
	size   int64

	mu    sync.Mutex
	pages map[int64]*page
	order []int64 // pages that were delivered, the oldest first
}

// page is fetched once done is closed.
type page struct {
	done      chan struct{}
	data      []byte
	err       error
	delivered bool
}

// NewHTTPDevice asks for the size and version of the image at an address.
func NewHTTPDevice(ctx context.Context, client *http.Client, url string) (*HTTPDevice, error) {
	d := &HTTPDevice{client: client, url: url, pages: make(map[int64]*page)}
	response, err := d.request(ctx, 0, 1)
	if err != nil {
		return nil, err
	}
	response.Body.Close()
	_, size, _ := strings.Cut(response.Header.Get("Content-Range"), "/")
	if d.size, err = strconv.ParseInt(size, 10, 64); err != nil {
		return nil, fmt.Errorf("%s: no size in Content-Range: %w", url, err)
	}
	if etag := response.Header.Get("ETag"); !strings.HasPrefix(etag, "W/") {
		d.etag = etag
	}
	return d, nil
}

// Size is the length of the image in bytes.
func (d *HTTPDevice) Size() int64 { return d.size }

// request asks for a range. The answer is 206 for just this range.
func (d *HTTPDevice) request(ctx context.Context, offset, size int64) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", offset, offset+size-1))
	if d.etag != "" {
		request.Header.Set("If-Match", d.etag)
	}
	response, err := d.client.Do(request)
	if err != nil {
		return nil, err
	}
	expected := fmt.Sprintf("bytes %d-%d/", offset, offset+size-1)
	got := response.Header.Get("Content-Range")
	if response.StatusCode != http.StatusPartialContent || !strings.HasPrefix(got, expected) {
		response.Body.Close()
		return nil, fmt.Errorf("%s: %s, Content-Range %q, not %q", d.url, response.Status, got, expected)
	}
	return response, nil
}

// ReadAt does not block: it answers ErrAgain until all pages of the range are there.
func (d *HTTPDevice) ReadAt(p []byte, offset int64) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	first, last := offset/pageSize, (offset+int64(len(p))-1)/pageSize
	again := false
	for n := first; n <= last; n++ {
		page := d.pages[n]
		if page == nil {
			d.pages[n] = d.fetch(n)
			again = true
			continue
		}
		select {
		case <-page.done:
			if page.err != nil {
				delete(d.pages, n) // A later read tries again.
				return 0, page.err
			}
		default:
			again = true
		}
	}
	if again {
		return 0, ErrAgain
	}
	for n := first; n <= last; n++ {
		at := n*pageSize - offset
		copy(p[max(at, 0):], d.pages[n].data[max(-at, 0):])
		d.deliver(n)
	}
	return len(p), nil
}

// deliver marks a page, and drops the oldest marked ones if there are too many. A page that nobody has read yet stays.
func (d *HTTPDevice) deliver(n int64) {
	if !d.pages[n].delivered {
		d.pages[n].delivered = true
		d.order = append(d.order, n)
	}
	for len(d.order) > pagesMax {
		delete(d.pages, d.order[0])
		d.order = d.order[1:]
	}
}

func (d *HTTPDevice) fetch(n int64) *page {
	page := &page{done: make(chan struct{})}
	go func() {
		defer close(page.done)
		offset := n * pageSize
		size := min(pageSize, d.size-offset)
		response, err := d.request(context.Background(), offset, size)
		if err != nil {
			page.err = err
			return
		}
		defer response.Body.Close()
		page.data = make([]byte, size)
		if _, err = io.ReadFull(response.Body, page.data); err != nil {
			page.err = errors.Join(fmt.Errorf("%s: the answer ends early", d.url), err)
		}
	}()
	return page
}

// Wait returns once the pages that have been requested so far are there.
func (d *HTTPDevice) Wait(ctx context.Context) error {
	d.mu.Lock()
	var pending []*page
	for _, page := range d.pages {
		if !page.delivered {
			pending = append(pending, page)
		}
	}
	d.mu.Unlock()
	for _, page := range pending {
		select {
		case <-page.done:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
