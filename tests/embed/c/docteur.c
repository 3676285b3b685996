#include "docteur.h"

#include <stdlib.h>
#include <string.h>

#include "wasm3.h"

enum {
    BLOCK_SIZE = 512,
    STACK_SIZE = 64 * 1024,
    INPUT_SIZE = 8192,
    PIECE_SIZE = 1 << 20,
    FOLLOW = 1,
    SIZES = 4,
    ENTRY_MIN = 28, /* of an entry of a listing: mode, space, name, NUL and id */
};

/* Fields of the result struct, and its size. */
enum {
    RESULT_KIND = 0,
    RESULT_SIZE = 8,
    RESULT_DATA = 24,
    RESULT_BYTES = 28,
    RESULT_COUNT = 32,
    RESULT_STRUCT = 80,
};

enum { KIND_FILE = 2, KIND_EXECUTABLE = 3 };

struct docteur {
    IM3Environment environment;
    IM3Runtime runtime;
    IM3Function input, mount_begin, operation, mount, stat, read, list, result;
    docteur_read_fn *read_device;
    void *device;
    uint64_t capacity;
    uint32_t handle;
};

/* The bytes of the core's memory at `ptr`, or NULL if they are not all in it. The next call may move them. */
static uint8_t *memory_at(struct docteur *volume, uint32_t ptr, uint32_t size)
{
    uint32_t memory_size;
    uint8_t *memory = m3_GetMemory(volume->runtime, &memory_size, 0);
    return memory != NULL && ptr <= memory_size && size <= memory_size - ptr ? memory + ptr : NULL;
}

static uint32_t load32(const uint8_t *at)
{
    return at[0] | at[1] << 8 | at[2] << 16 | (uint32_t)at[3] << 24;
}

static uint64_t load64(const uint8_t *at)
{
    return load32(at) | (uint64_t)load32(at + 4) << 32;
}

/* solo5.block_read, the one import of the core. */
static m3ApiRawFunction(block_read)
{
    m3ApiReturnType(uint32_t);
    m3ApiGetArg(uint64_t, handle);
    m3ApiGetArg(uint64_t, offset);
    m3ApiGetArg(uint32_t, buf);
    m3ApiGetArg(uint32_t, size);
    struct docteur *volume = m3_GetUserData(runtime);
    uint8_t *target = memory_at(volume, buf, size);
    (void)_ctx, (void)_mem, (void)handle;
    if (target == NULL || offset > volume->capacity || size > volume->capacity - offset)
        m3ApiReturn(DOCTEUR_EINVAL);
    m3ApiReturn(volume->read_device(volume->device, offset, target, size) == 0 ? DOCTEUR_OK : DOCTEUR_EDEVICE);
}

/* Calls an export that returns an i32. */
static uint32_t call(IM3Function function, uint32_t count, const void *arguments[])
{
    uint32_t result;
    const void *results[] = { &result };
    if (m3_Call(function, count, arguments) != m3Err_none || m3_GetResults(function, 1, results) != m3Err_none)
        return DOCTEUR_TRAPPED;
    return result;
}

static int begin_mount(struct docteur *volume, enum docteur_mode mode)
{
    uint64_t device = 0, block_size = BLOCK_SIZE;
    uint32_t index = mode, memory_limit = 0;
    const void *begin[] = { &device, &volume->capacity, &block_size, &index, &memory_limit };
    int status = call(volume->mount_begin, 5, begin);
    if (status != DOCTEUR_OK)
        return status;
    /* This device answers at once, so that no more than one operation is ever under way. */
    volume->handle = call(volume->operation, 0, NULL);
    const void *arguments[] = { &volume->handle };
    return call(volume->mount, 1, arguments);
}

static M3Result instantiate(struct docteur *volume, const void *wasm, size_t wasm_size)
{
    const struct {
        const char *name;
        IM3Function *function;
    } exports[] = {
        { "input", &volume->input },         { "mountBegin", &volume->mount_begin },
        { "operation", &volume->operation }, { "mount", &volume->mount },
        { "stat", &volume->stat },           { "read", &volume->read },
        { "list", &volume->list },           { "result", &volume->result },
    };
    IM3Module module;
    M3Result error = m3_ParseModule(volume->environment, &module, wasm, wasm_size);
    if (error != m3Err_none)
        return error;
    error = m3_LoadModule(volume->runtime, module);
    if (error != m3Err_none) {
        m3_FreeModule(module);
        return error;
    }
    error = m3_LinkRawFunction(module, "solo5", "block_read", "i(IIii)", block_read);
    for (size_t i = 0; error == m3Err_none && i < sizeof exports / sizeof *exports; i++)
        error = m3_FindFunction(exports[i].function, volume->runtime, exports[i].name);
    return error == m3Err_none ? m3_RunStart(module) : error;
}

int docteur_open(struct docteur **opened, const void *wasm, size_t wasm_size, docteur_read_fn *read, void *device,
                 uint64_t capacity, enum docteur_mode mode)
{
    struct docteur *volume = calloc(1, sizeof *volume);
    if (volume == NULL)
        return DOCTEUR_OUT_OF_MEMORY;
    volume->read_device = read;
    volume->device = device;
    volume->capacity = capacity;
    volume->environment = m3_NewEnvironment();
    if (volume->environment != NULL)
        volume->runtime = m3_NewRuntime(volume->environment, STACK_SIZE, volume);
    int status = DOCTEUR_OUT_OF_MEMORY;
    if (volume->runtime != NULL)
        status = instantiate(volume, wasm, wasm_size) == m3Err_none ? begin_mount(volume, mode) : DOCTEUR_EINVAL;
    if (status == DOCTEUR_OK)
        *opened = volume;
    else
        docteur_close(volume);
    return status;
}

void docteur_close(struct docteur *volume)
{
    if (volume->runtime != NULL)
        m3_FreeRuntime(volume->runtime);
    if (volume->environment != NULL)
        m3_FreeEnvironment(volume->environment);
    free(volume);
}

/* Calls an export whose arguments are a handle, a path, flags and `rest`, and finds its result. */
static int on_path(struct docteur *volume, IM3Function function, const char *path, uint32_t flags,
                   const void *rest[], uint32_t rest_count, const uint8_t **result)
{
    size_t length = strlen(path);
    if (length > INPUT_SIZE)
        return DOCTEUR_PATH_TOO_LONG;
    uint32_t input = call(volume->input, 0, NULL), path_len = length;
    uint8_t *target = memory_at(volume, input, INPUT_SIZE);
    if (target == NULL)
        return DOCTEUR_TRAPPED;
    memcpy(target, path, length);
    const void *arguments[8] = { &volume->handle, &input, &path_len, &flags };
    for (uint32_t i = 0; i < rest_count; i++)
        arguments[4 + i] = rest[i];
    int status = call(function, 4 + rest_count, arguments);
    *result = memory_at(volume, call(volume->result, 1, arguments), RESULT_STRUCT);
    return *result == NULL ? DOCTEUR_TRAPPED : status;
}

/* Copies a piece of a file that begins at `position`. */
static int get_piece(struct docteur *volume, const char *path, uint8_t *to, uint64_t room, uint64_t *position)
{
    const uint8_t *result;
    uint32_t count = room < PIECE_SIZE ? room : PIECE_SIZE;
    const void *rest[] = { position, &count };
    int status = on_path(volume, volume->read, path, FOLLOW, rest, 2, &result);
    if (status != DOCTEUR_OK)
        return status;
    uint32_t bytes = load32(result + RESULT_BYTES);
    const uint8_t *piece = memory_at(volume, load32(result + RESULT_DATA), bytes);
    if (piece == NULL || bytes == 0 || bytes > count)
        return DOCTEUR_TRAPPED;
    memcpy(to, piece, bytes);
    *position += bytes;
    return DOCTEUR_OK;
}

int docteur_get(struct docteur *volume, const char *path, uint8_t **data, size_t *size)
{
    const uint8_t *result;
    int status = on_path(volume, volume->stat, path, FOLLOW | SIZES, NULL, 0, &result);
    if (status != DOCTEUR_OK)
        return status;
    if (load32(result + RESULT_KIND) != KIND_FILE && load32(result + RESULT_KIND) != KIND_EXECUTABLE)
        return DOCTEUR_NOT_FILE;
    uint64_t whole = load64(result + RESULT_SIZE), position = 0;
    uint8_t *content = whole < SIZE_MAX ? malloc(whole + 1) : NULL;
    if (content == NULL)
        return DOCTEUR_OUT_OF_MEMORY;
    while (status == DOCTEUR_OK && position < whole)
        status = get_piece(volume, path, content + position, whole - position, &position);
    if (status != DOCTEUR_OK) {
        free(content);
        return status;
    }
    *data = content;
    *size = whole;
    return DOCTEUR_OK;
}

int docteur_list(struct docteur *volume, const char *path, docteur_entry_fn *each, void *context)
{
    const uint8_t *result;
    uint32_t after = 0, after_len = 0, limit = 0;
    const void *rest[] = { &after, &after_len, &limit };
    int status = on_path(volume, volume->list, path, FOLLOW, rest, 3, &result);
    if (status != DOCTEUR_OK)
        return status;
    uint32_t count = load32(result + RESULT_COUNT);
    const uint8_t *entries = memory_at(volume, load32(result + RESULT_DATA), 4 * count);
    if (entries == NULL)
        return DOCTEUR_TRAPPED;
    for (uint32_t i = 0; i < count; i++) {
        /* An entry is a mode in octal digits, a space, a name, a NUL, and an id. */
        const char *entry = (const char *)memory_at(volume, load32(entries + 4 * i), ENTRY_MIN);
        if (entry == NULL)
            return DOCTEUR_TRAPPED;
        char *name;
        unsigned mode = strtoul(entry, &name, 8);
        each(context, mode, name + 1, strlen(name + 1));
    }
    return DOCTEUR_OK;
}
