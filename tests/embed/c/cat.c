/*
 * cat CORE.wasm IMAGE MODE: prints the files whose paths come on standard input, one a line. Before each stand its size
 * and a newline, after it a newline. "wasm3 VERSION" comes first.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "docteur.h"
#include "wasm3.h"

static int read_file(void *file, uint64_t offset, void *buf, size_t size)
{
    return fseek(file, (long)offset, SEEK_SET) == 0 && fread(buf, 1, size, file) == size ? 0 : -1;
}

static long size_of(FILE *file)
{
    return fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
}

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void print(struct docteur *volume, const char *path)
{
    uint8_t *data;
    size_t size;
    int status = docteur_get(volume, path, &data, &size);
    if (status != DOCTEUR_OK) {
        fprintf(stderr, "%s: status %d\n", path, status);
        exit(1);
    }
    printf("%zu\n", size);
    fwrite(data, 1, size, stdout);
    printf("\n");
    free(data);
}

int main(int argc, char *argv[])
{
    if (argc != 4)
        return 2;
    FILE *module = fopen(argv[1], "rb"), *image = fopen(argv[2], "rb");
    if (module == NULL || image == NULL)
        fail("cannot open");
    long module_size = size_of(module), image_size = size_of(image);
    void *wasm = malloc(module_size);
    if (wasm == NULL || image_size < 0 || read_file(module, 0, wasm, module_size) != 0)
        fail(argv[1]);
    struct docteur *volume;
    int status = docteur_open(&volume, wasm, module_size, read_file, image, image_size, atoi(argv[3]));
    if (status != DOCTEUR_OK) {
        fprintf(stderr, "%s: status %d\n", argv[2], status);
        return 1;
    }
    printf("wasm3 %s\n", M3_VERSION);
    char path[8193];
    while (fgets(path, sizeof path, stdin) != NULL) {
        path[strcspn(path, "\n")] = '\0';
        print(volume, path);
    }
    docteur_close(volume);
    free(wasm);
    fclose(module);
    fclose(image);
    return fflush(stdout) == 0 ? 0 : 1;
}
