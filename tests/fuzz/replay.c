/* SPDX-License-Identifier: MIT
 * Replays a corpus through a fuzz target, for builds without libFuzzer: each file of each folder named, whole and cut
 * short, and the empty input. */
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LARGEST = 4 << 20 };

/* Hand over a copy of exactly `n` bytes, so that a sanitizer sees a read past the end. */
static void try_bytes(const uint8_t *data, size_t n)
{
    uint8_t *exact = calloc(1, n ? n : 1);
    if (!exact)
        abort();
    if (n)
        memcpy(exact, data, n);
    (void)LLVMFuzzerTestOneInput(exact, n);
    free(exact);
}

static bool replay_file(const char *path, uint8_t *bytes)
{
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        return false;
    }
    size_t n = fread(bytes, 1, LARGEST, f);
    bool read = !ferror(f);
    fclose(f);
    if (!read) {
        perror(path);
        return false;
    }
    try_bytes(bytes, n);
    try_bytes(bytes, n / 2);
    try_bytes(bytes, n ? n - 1 : 0);
    return true;
}

/* The number of files replayed, or -1. */
static long replay_folder(const char *folder, uint8_t *bytes)
{
    DIR *d = opendir(folder);
    if (!d) {
        perror(folder);
        return -1;
    }
    long count = 0;
    struct dirent *entry;
    while (count >= 0 && (entry = readdir(d))) {
        if (entry->d_name[0] == '.')
            continue;
        char path[4096];
        int n = snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        count = n > 0 && (size_t)n < sizeof path && replay_file(path, bytes) ? count + 1 : -1;
    }
    closedir(d);
    return count;
}

int main(int argc, char **argv)
{
    uint8_t *bytes = malloc(LARGEST);
    if (!bytes)
        return 1;
    try_bytes(NULL, 0);
    long all = 0;
    for (int i = 1; i < argc && all >= 0; i++) {
        long count = replay_folder(argv[i], bytes);
        all = count < 0 ? -1 : all + count;
    }
    free(bytes);
    if (all < 0)
        return 1;
    printf("%ld inputs replayed\n", all);
    return 0;
}
