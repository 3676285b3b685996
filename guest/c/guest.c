/* Prints a file of the image on the device `docteur`: the one that the command line names. */
#include "docteur.h"

SOLO5_MANIFEST(SOLO5_BLOCK("docteur"))

static char line[SOLO5_CMDLINE_MAX + 1];

static int32_t print_file(const char *path) {
  struct solo5_device device;
  int32_t status = solo5_acquire("docteur", &device);
  if (!status) status = docteur_mount(&device, DOCTEUR_MODE_LIGHT, 0, DOCTEUR_PROOF_NONE, 0);
  uint64_t position = 0;
  while (!status) {
    status = docteur_read(path, solo5_strlen(path), 0, position, 65536);
    const struct docteur_result *result = docteur_result();
    if (status || result->data_len == 0) break;
    solo5_console_write(result->data, result->data_len);
    position += result->data_len;
  }
  return status;
}

int32_t solo5_app_main(void) {
  char *path;
  if (solo5_args(line, &path, 1) != 1) {
    solo5_puts("usage: guest PATH\n");
    return 1;
  }
  int32_t status = print_file(path);
  if (status == DOCTEUR_NOT_FOUND) solo5_puts("not found\n");
  else if (status) solo5_puts("cannot read the file\n");
  return status;
}
