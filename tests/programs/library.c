// SPDX-License-Identifier: GPL-2.0-only
// library - a file that is mapped privately, as libraries are, and used here and there
//
// Usage: library make|read|write|islands FILE

#include "check.h"

#include <fcntl.h>
#include <stdbool.h>

enum { PAGE = 4096, PAGES = 320, USED = 96 };

// Pages that no stream of faults leads to: every one of them is used once.
static size_t nth_used(size_t i) {
    return i * 89 % PAGES;
}

static void make_file(const char* path) {
    const int fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
    char page[PAGE] = "";

    CHECK(fd >= 0);
    for (size_t i = 0; i < PAGES; i++) {
        snprintf(page, sizeof(page), "page %zu", i);
        CHECK_EQUAL(write(fd, page, PAGE), PAGE);
    }
    close(fd);
}

static void check_page(const char* page, size_t number) {
    char wanted[32];

    snprintf(wanted, sizeof(wanted), "page %zu", number);
    CHECK(strcmp(page, wanted) == 0, "%s", page);
}

static char* map_file(int fd, size_t first, size_t count, int protection, char* at) {
    char* file =
        mmap(at, count * PAGE, protection, MAP_PRIVATE | (at ? MAP_FIXED : 0), fd, (off_t)first * PAGE);

    CHECK(file != MAP_FAILED);
    return file;
}

static void use(int fd, bool write) {
    char* file = map_file(fd, 0, PAGES, PROT_READ | (write ? PROT_WRITE : 0), NULL);

    for (size_t i = 0; i < USED; i++) {
        check_page(file + nth_used(i) * PAGE, nth_used(i));
        if (write)
            memcpy(file + nth_used(i) * PAGE + 100, "mine", 5);
    }
    for (size_t i = 0; i < USED; i++)
        CHECK(strcmp(file + nth_used(i) * PAGE + 100, write ? "mine" : "") == 0);
    munmap(file, (size_t)PAGES * PAGE);
}

// Single pages of the file where others would be if all of it were mapped: guesses hit what lies between.
static void use_islands(int fd) {
    char* area = map_private((size_t)PAGES * PAGE);

    for (size_t i = 0; i < PAGES; i += 4) {
        map_file(fd, i, 1, PROT_READ, area + i * PAGE);
        CHECK(mprotect(area + (i + 1) * PAGE, PAGE, PROT_NONE) == 0);
        CHECK(munmap(area + (i + 2) * PAGE, PAGE) == 0);
    }
    for (size_t i = 0; i < PAGES; i += 4) {
        check_page(area + i * PAGE, i);
        CHECK(area[(i + 3) * PAGE] == 0);
        area[(i + 3) * PAGE] = 'x';
    }
    for (size_t i = 0; i < PAGES; i += 4) {
        CHECK(mprotect(area + (i + 1) * PAGE, PAGE, PROT_READ | PROT_WRITE) == 0);
        CHECK(area[(i + 1) * PAGE] == 0 && area[(i + 3) * PAGE] == 'x');
        area[(i + 1) * PAGE] = 'y';
    }
}

int main(int argc, char** argv) {
    int fd;

    CHECK(argc == 3, "usage: library make|read|write|islands FILE");
    if (strcmp(argv[1], "make") == 0)
        make_file(argv[2]);
    fd = open(argv[2], O_RDONLY);
    CHECK(fd >= 0);
    if (strcmp(argv[1], "islands") == 0)
        use_islands(fd);
    else if (strcmp(argv[1], "make") != 0)
        use(fd, strcmp(argv[1], "write") == 0);
    printf("%s: right\n", argv[1]);
    return 0;
}
