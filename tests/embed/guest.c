/*
 * A guest for `solo5-wasm` in C, without a library: prints the first 20 bytes of the device `docteur`, which is the id of
 * the commit that an image holds (docs/FORMAT.md), in hexadecimal digits.
 */
#include <stdint.h>

#define IMPORT(name) __attribute__((import_module("solo5"), import_name(#name)))
IMPORT(console_write) void console_write(const void *buf, uint32_t size);
IMPORT(block_acquire) int32_t block_acquire(const char *name, uint32_t len, uint64_t *handle, uint64_t info[2]);
IMPORT(block_read) int32_t block_read(uint64_t handle, uint64_t offset, void *buf, uint32_t size);

#ifndef NO_SECTIONS
__asm__(".section .custom_section.solo5.abi,\"\",@\n"
        ".ascii \"{\\\"target\\\":\\\"wasm\\\",\\\"version\\\":1}\"\n"
        ".section .custom_section.solo5.manifest,\"\",@\n"
        ".ascii \"{\\\"type\\\":\\\"solo5.manifest\\\",\\\"version\\\":1,\\\"devices\\\":\"\n"
        ".ascii \"[{\\\"name\\\":\\\"docteur\\\",\\\"type\\\":\\\"BLOCK_BASIC\\\"}]}\"\n"
        ".text\n");
#endif

static uint8_t sector[65536];

__attribute__((export_name("solo5_app_main"))) int32_t solo5_app_main(void) {
  uint64_t handle, info[2];
  if (block_acquire("docteur", 7, &handle, info) != 0 || info[1] > sizeof sector) return 1;
  if (block_read(handle, 0, sector, (uint32_t)info[1]) != 0) return 8;
  char text[41];
  for (int i = 0; i < 20; i++) {
    text[2 * i] = "0123456789abcdef"[sector[i] >> 4];
    text[2 * i + 1] = "0123456789abcdef"[sector[i] & 15];
  }
  text[40] = '\n';
  console_write(text, sizeof text);
  return 0;
}
