/*
 * The hypercalls of a guest of `solo5-wasm`, in C and C++: docs/ABI.md of docteur describes each. A guest defines
 * `solo5_app_main`, and declares its devices once, at file level, with SOLO5_MANIFEST:
 *
 *     SOLO5_MANIFEST(SOLO5_BLOCK("docteur"))
 *     int32_t solo5_app_main(void) { ... }
 *
 * clang --target=wasm32 -O2 -nostdlib -ffreestanding -mbulk-memory -Wl,--no-entry guest.c -o guest.wasm
 */
#ifndef SOLO5_WASM_H
#define SOLO5_WASM_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Results of hypercalls. */
#define SOLO5_R_OK 0
#define SOLO5_R_AGAIN 1
#define SOLO5_R_EINVAL 2
#define SOLO5_R_EUNSPEC 3

/* The most bytes of the command line. */
#define SOLO5_CMDLINE_MAX 8192

/* A device, as `solo5_block_acquire` fills it in. Sizes are in bytes. */
struct solo5_device {
  uint64_t handle;
  uint64_t capacity;
  uint64_t block_size;
};

#define SOLO5_IMPORT(name) __attribute__((import_module("solo5"), import_name(#name)))

SOLO5_IMPORT(console_write) void solo5_console_write(const void *buf, uint32_t size);
/* Writes the handle, and the capacity and the block size. `solo5_acquire` below is shorter. */
SOLO5_IMPORT(block_acquire)
int32_t solo5_block_acquire(const char *name, uint32_t name_len, uint64_t *handle, uint64_t *info);
/* `offset` and `size` are multiples of the block size. */
SOLO5_IMPORT(block_read)
int32_t solo5_block_read(uint64_t handle, uint64_t offset, void *buf, uint32_t size);
/* Devices are read-only: SOLO5_R_EINVAL. */
SOLO5_IMPORT(block_write)
int32_t solo5_block_write(uint64_t handle, uint64_t offset, const void *buf, uint32_t size);
/* Nanoseconds. */
SOLO5_IMPORT(clock_monotonic) uint64_t solo5_clock_monotonic(void);
SOLO5_IMPORT(clock_wall) uint64_t solo5_clock_wall(void);
/* Sleeps until `solo5_clock_monotonic` says `deadline`. `ready` may be NULL. */
SOLO5_IMPORT(yield) void solo5_yield(uint64_t deadline, uint64_t *ready);
/* The command line: UTF-8, without a NUL at its end. `solo5_cmdline_read` writes `solo5_cmdline_size` bytes. */
SOLO5_IMPORT(cmdline_size) uint32_t solo5_cmdline_size(void);
SOLO5_IMPORT(cmdline_read) void solo5_cmdline_read(void *buf);
SOLO5_IMPORT(exit) __attribute__((noreturn)) void solo5_exit(int32_t status);
SOLO5_IMPORT(abort) __attribute__((noreturn)) void solo5_abort(void);

/* The guest's entry. Its result is the exit status. */
__attribute__((export_name("solo5_app_main"))) int32_t solo5_app_main(void);

/* Bytes before the NUL. */
static inline uint32_t solo5_strlen(const char *text) {
  uint32_t length = 0;
  while (text[length]) length++;
  return length;
}

/* Writes a text to the console. */
static inline void solo5_puts(const char *text) {
  solo5_console_write(text, solo5_strlen(text));
}

/* Acquires a device of the manifest. */
static inline int32_t solo5_acquire(const char *name, struct solo5_device *device) {
  return solo5_block_acquire(name, solo5_strlen(name), &device->handle, &device->capacity);
}

/*
 * Reads the command line and splits it: arguments stand between white space, double quotes join, a backslash takes the
 * next byte as it is.
 *
 * `buffer` has SOLO5_CMDLINE_MAX + 1 bytes, and `args` has room for `most` pointers. Returns the number of arguments, which
 * end with a NUL each; or -1 if there are more, a quote is not closed, or a backslash ends the line.
 */
static inline int32_t solo5_args(char *buffer, char **args, int32_t most) {
  uint32_t size = solo5_cmdline_size(), from = 0, to = 0;
  int32_t count = 0;
  if (size > SOLO5_CMDLINE_MAX) return -1;
  solo5_cmdline_read(buffer);
  while (from < size) {
    char byte = buffer[from++];
    int quoted = 0;
    if (byte == ' ' || (byte >= 9 && byte <= 13)) continue;
    if (count == most) return -1;
    args[count++] = buffer + to;
    for (;; byte = buffer[from++]) {
      if (byte == '"') quoted = !quoted;
      else if (!quoted && (byte == ' ' || (byte >= 9 && byte <= 13))) break;
      else if (byte == '\\' && from == size) return -1;
      else buffer[to++] = byte == '\\' ? buffer[from++] : byte;
      if (from == size) break;
    }
    if (quoted) return -1;
    buffer[to++] = 0;
  }
  return count;
}

#ifdef __cplusplus
}
#endif

/* The custom sections that make the module a guest. `devices` is JSON, with commas between devices; "" for none. */
#define SOLO5_MANIFEST(devices)                                                                                       \
  __asm__(".section .custom_section.solo5.abi,\"\",@\n"                                                               \
          ".ascii \"{\\\"target\\\":\\\"wasm\\\",\\\"version\\\":1}\"\n"                                              \
          ".section .custom_section.solo5.manifest,\"\",@\n"                                                          \
          ".ascii \"{\\\"type\\\":\\\"solo5.manifest\\\",\\\"version\\\":1,\\\"devices\\\":[\"\n"                     \
          ".ascii \"" devices "\"\n"                                                                                  \
          ".ascii \"]}\"\n"                                                                                           \
          ".text\n");

/* One block device, for SOLO5_MANIFEST. */
#define SOLO5_BLOCK(name) "{\\\"name\\\":\\\"" name "\\\",\\\"type\\\":\\\"BLOCK_BASIC\\\"}"

#endif
