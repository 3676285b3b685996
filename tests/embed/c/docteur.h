/* Reads docteur images: docteur's library core (docs/ABI.md), hosted in wasm3. */
#ifndef DOCTEUR_H
#define DOCTEUR_H

#include <stddef.h>
#include <stdint.h>

/* How an image finds its files. */
enum docteur_mode { DOCTEUR_LIGHT, DOCTEUR_FAST, DOCTEUR_ANALYZE };

/* Statuses of docs/ABI.md that a reader meets often, and one of this host's. */
enum {
    DOCTEUR_TRAPPED = -1, /* wasm3 cannot run the module: it has no SIMD, for instance */
    DOCTEUR_OK = 0,
    DOCTEUR_EINVAL = 2,
    DOCTEUR_EDEVICE = 3,
    DOCTEUR_NOT_FOUND = 16,
    DOCTEUR_NOT_FILE = 17,
    DOCTEUR_NOT_DIR = 18,
    DOCTEUR_OUT_OF_MEMORY = 32,
    DOCTEUR_PATH_TOO_LONG = 33,
};

/* Fills `size` bytes at `buf` with those of the image from `offset` on; 0, or -1 if it cannot. */
typedef int docteur_read_fn(void *device, uint64_t offset, void *buf, size_t size);

struct docteur;

/* Opens an image of `capacity` bytes, and returns a status. `wasm` is core.wasm, which must stay where it is until docteur_close. */
int docteur_open(struct docteur **volume, const void *wasm, size_t wasm_size, docteur_read_fn *read, void *device,
                 uint64_t capacity, enum docteur_mode mode);

void docteur_close(struct docteur *volume);

/* These return a status: 0, or why they failed. Paths are absolute, and symbolic links are followed. */

/* Reads a whole file into memory that the caller frees. */
int docteur_get(struct docteur *volume, const char *path, uint8_t **data, size_t *size);

/* Calls `each` for the entries of a directory: the mode as git has it, the name, and its length. */
typedef void docteur_entry_fn(void *context, unsigned mode, const char *name, size_t name_len);
int docteur_list(struct docteur *volume, const char *path, docteur_entry_fn *each, void *context);

#endif
