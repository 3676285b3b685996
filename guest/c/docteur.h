/*
 * Files of a docteur image, read by path, in C and C++. `docteur.o` has the functions: it is linked with the guest.
 *
 *     struct solo5_device device;
 *     int32_t status = solo5_acquire("docteur", &device);
 *     if (!status) status = docteur_mount(&device, DOCTEUR_MODE_LIGHT, 0, DOCTEUR_PROOF_NONE, 0);
 *     if (!status) status = docteur_read("/README.md", 10, 0, 0, 4096);
 *     if (!status) solo5_console_write(docteur_result()->data, docteur_result()->data_len);
 *
 * clang --target=wasm32 -O2 -nostdlib -ffreestanding -mbulk-memory -Wl,--no-entry guest.c docteur.o -o guest.wasm
 *
 * There is one image at a time. Functions return SOLO5_R_OK, or a status: SOLO5_R_EINVAL for arguments that are wrong,
 * SOLO5_R_EUNSPEC if the device fails, or one of those below. Paths are bytes, with a length; docs/ABI.md of docteur
 * says how they are resolved.
 */
#ifndef DOCTEUR_H
#define DOCTEUR_H

#include <stdint.h>

#include "solo5_wasm.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Statuses. */
#define DOCTEUR_NOT_FOUND 16 /* the path not found */
#define DOCTEUR_VALUE_EXPECTED 17 /* the path is a directory */
#define DOCTEUR_DICTIONARY_EXPECTED 18 /* the path is not a directory */
#define DOCTEUR_SYMLINK_LOOP 19 /* too many symbolic links */
#define DOCTEUR_SUBMODULE 20 /* the path is in a submodule, whose content the image does not hold */
#define DOCTEUR_OUT_OF_MEMORY 32 /* the core's memory limit is too small for this */
#define DOCTEUR_PATH_TOO_LONG 33 /* path too long */
#define DOCTEUR_OBJECT_TOO_LARGE 34 /* an object is larger than the limit */
#define DOCTEUR_CHAIN_TOO_DEEP 35 /* a delta chain is deeper than the limit */
#define DOCTEUR_TREE_TOO_DEEP 36 /* directories are nested deeper than the limit */
#define DOCTEUR_TOO_MANY_OBJECTS 37 /* more objects than the limit */
#define DOCTEUR_WORK_LIMIT 38 /* reading this takes more work than the image's size allows for */
#define DOCTEUR_BAD_HEADER 48 /* not a docteur image: the header does not lead to an index */
#define DOCTEUR_BAD_PACK 49 /* not a docteur image: no valid PACK header */
#define DOCTEUR_BAD_IDX 50 /* the index (IDX) is damaged */
#define DOCTEUR_TRUNCATED 51 /* the image ends too early */
#define DOCTEUR_BAD_TRAILER 52 /* the PACK does not match its checksum */
#define DOCTEUR_BAD_ZLIB_HEADER 64 /* an object's zlib header is damaged */
#define DOCTEUR_BAD_BLOCK_TYPE 65 /* an object's deflate stream has a block of no known type */
#define DOCTEUR_BAD_STORED_LENGTH 66 /* an object's deflate stream has a stored block of a wrong length */
#define DOCTEUR_BAD_CODE_LENGTHS 67 /* an object's deflate stream has a code that is no prefix code */
#define DOCTEUR_BAD_SYMBOL 68 /* an object's deflate stream has a symbol that does not exist */
#define DOCTEUR_BAD_DISTANCE 69 /* an object's deflate stream refers to before its beginning */
#define DOCTEUR_BAD_ADLER 70 /* an object does not match its Adler-32 checksum */
#define DOCTEUR_BAD_INFLATED_SIZE 71 /* an object is not of the size that its header gives */
#define DOCTEUR_BAD_ENTRY 80 /* an object's header is damaged */
#define DOCTEUR_BAD_BASE 81 /* a delta's base is not where it can be */
#define DOCTEUR_MISSING_BASE 82 /* a delta's base is not in the image */
#define DOCTEUR_BAD_DELTA 83 /* a delta is damaged */
#define DOCTEUR_DELTA_BASE_SIZE 84 /* a delta was made for a base of another size */
#define DOCTEUR_DELTA_COPY_RANGE 85 /* a delta copies from outside its base */
#define DOCTEUR_DELTA_RESULT_SIZE 86 /* a delta's result is not of the size that it gives */
#define DOCTEUR_MISSING_OBJECT 96 /* an object is not in the image */
#define DOCTEUR_WRONG_KIND 97 /* an object is of another kind than what refers to it says */
#define DOCTEUR_BAD_COMMIT 98 /* the commit is malformed */
#define DOCTEUR_BAD_TREE 99 /* a directory's tree is malformed */
#define DOCTEUR_OID_MISMATCH 100 /* an object does not match its id */
#define DOCTEUR_CRC_MISMATCH 101 /* an entry does not match its CRC-32 */
#define DOCTEUR_OTHER_COMMIT 102 /* the image is of another commit */
#define DOCTEUR_COLLISION 103 /* an object is part of a SHA-1 collision attack */

/* Modes: open at once, read all directories first, or use the PACK alone and no byte of the index. */
#define DOCTEUR_MODE_LIGHT 0
#define DOCTEUR_MODE_FAST 1
#define DOCTEUR_MODE_ANALYZE 2

/* Levels of proof: none, CRC-32s, ids, ids with known SHA-1 collision attacks refused. */
#define DOCTEUR_PROOF_NONE 0
#define DOCTEUR_PROOF_CRC 1
#define DOCTEUR_PROOF_OID 2
#define DOCTEUR_PROOF_COLLISIONS 3

/* Flags, added up: follow symbolic links, the object's id is wanted, sizes are wanted, a listing needs no ids. */
#define DOCTEUR_FOLLOW 1
#define DOCTEUR_OID 2
#define DOCTEUR_SIZE 4
#define DOCTEUR_NAMES 8

/* Kinds of what a path leads to. */
#define DOCTEUR_KIND_DIRECTORY 1
#define DOCTEUR_KIND_FILE 2
#define DOCTEUR_KIND_EXECUTABLE 3
#define DOCTEUR_KIND_SYMLINK 4
#define DOCTEUR_KIND_SUBMODULE 5

/* The result of the last operation: docs/ABI.md. What it points to is valid until the next one. */
struct docteur_result {
  uint32_t kind;
  uint32_t mode;         /* as git writes it: 0100644 */
  uint64_t size;         /* of the whole, in bytes */
  uint64_t offset;       /* of the object's entry in the PACK */
  const void *data;      /* the piece of a file; or, for a listing, `count` pointers to entries */
  uint32_t data_len;     /* bytes of a piece */
  uint32_t count;        /* entries of a listing */
  const uint64_t *sizes; /* with DOCTEUR_SIZE, the sizes of a listing's entries */
  uint64_t error_offset; /* where in the image an error was met; 0 where that is not known */
  uint32_t oid_known;    /* 1 where an id follows */
  uint32_t left;         /* entries behind those of the listing */
  uint8_t oid[20];
  uint32_t waits_for;
};

/* The mounted image. */
struct docteur_info {
  int64_t time; /* of the commit, in seconds since 1970; -2^63 where there is none */
  uint8_t commit[20];
  uint8_t tree[20];
  uint32_t layout; /* 0: guests look paths up in trees */
};

/*
 * Mounts the image of a device that the guest has acquired, and forgets the one before it. `memory_limit` is what the
 * reader may take, in bytes, from 2 MiB on; 0 for the default: 32 MiB for caches, up to 1 GiB for objects that need more.
 * `commit` is the id of the commit that the image must hold, or NULL.
 */
int32_t docteur_mount(const struct solo5_device *device, uint32_t mode, uint32_t memory_limit, uint32_t proof,
                      const uint8_t *commit);
/* What a path leads to: kind and mode; with DOCTEUR_OID its id, with DOCTEUR_SIZE its size. */
int32_t docteur_stat(const char *path, uint32_t path_len, uint32_t flags);
/*
 * A piece of a file, at most `count` bytes from `position` on. Fewer may come: `data_len` says how many. None come
 * only at the end of the file or past it.
 */
int32_t docteur_read(const char *path, uint32_t path_len, uint32_t flags, uint64_t position, uint32_t count);
/*
 * Entries of a directory, sorted by the bytes of their names: those after the name `after`, or from the first if
 * `after_len` is 0; at most `limit`, or all if that is 0. `docteur_entry` names each.
 */
int32_t docteur_list(const char *path, uint32_t path_len, uint32_t flags, const char *after, uint32_t after_len,
                     uint32_t limit);
/* A whole git object by its id, 20 bytes. */
int32_t docteur_object(const uint8_t *oid);
/* The result of the last operation. The pointer stays the same. */
const struct docteur_result *docteur_result(void);
/* The mounted image. The pointer stays the same. */
const struct docteur_info *docteur_info(void);
/* Memory from the reader's share, until the next docteur_mount. NULL where there is none. */
void *docteur_alloc(uint32_t size);
void docteur_free(void *memory);

/*
 * An entry of the listing in `docteur_result`: its name, which ends with a NUL. An entry is the mode in octal digits, a
 * space, the name, the NUL, and 20 bytes of id, so that `name + solo5_strlen(name) + 1` is the id.
 */
static inline const char *docteur_entry(uint32_t index) {
  const char *entry = ((const char *const *)docteur_result()->data)[index];
  while (*entry != ' ') entry++;
  return entry + 1;
}

#ifdef __cplusplus
}
#endif

#endif
