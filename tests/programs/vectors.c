// SPDX-License-Identifier: GPL-2.0-only
// vectors - readv(), writev(), sendmsg() and recvmsg(): data in several places, names, descriptors
//
// Usage: vectors files | pipes | faults | datagrams | descriptors | often

#include "room.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum { MANY = 40, TIMES = 500 };

static int new_file(void) {
    char name[] = "/tmp/vectors-XXXXXX";
    const int fd = mkostemp(name, 0);

    CHECK(fd >= 0 && unlink(name) == 0);
    return fd;
}

static struct iovec part(const void* at, size_t length) {
    return (struct iovec){(void*)at, length};
}

// ---- files ----

static void check_many(int fd) {
    struct iovec out[MANY], in[MANY];
    uint8_t from[MANY], to[MANY];

    for (int i = 0; i < MANY; i++) {
        from[i] = (uint8_t)(i + 1);
        out[i] = part(&from[i], 1);
        in[i] = part(&to[MANY - 1 - i], 1);
    }
    for (int n = 15; n <= MANY; n += n == 17 ? MANY - 17 : 1) {
        memset(to, 0, sizeof(to));
        CHECK_EQUAL(pwritev(fd, out, n, 1000), n);
        CHECK_EQUAL(preadv(fd, in, n, 1000), n);
        for (int i = 0; i < MANY; i++)
            CHECK_EQUAL(to[MANY - 1 - i], i < n ? i + 1 : 0);
    }
}

static void* use_files(void* argument) {
    char *first = room(), *second = room();
    const struct iovec out[] = {part("01234", 5), part("none", 0), part("56789", 5)};
    const struct iovec in[] = {part(first, 3), part(second, 100)};
    const struct iovec large[] = {part(map_private(30000), 30000), part(map_private(30000), 30000)};
    const struct iovec too_large[] = {part(map_private(60000), 60000), part(map_private(60000), 60000)};
    const int fd = new_file();

    CHECK_EQUAL(writev(fd, out, 3), 10);
    CHECK_EQUAL(lseek(fd, 0, SEEK_CUR), 10);
    CHECK_EQUAL(lseek(fd, 1, SEEK_SET), 1);
    CHECK_EQUAL(readv(fd, in, 2), 9);
    check_around(first, 3);
    check_around(second, 6);
    CHECK(memcmp(first, "123", 3) == 0 && memcmp(second, "456789", 6) == 0);
    CHECK_EQUAL(readv(fd, in, 2), 0);
    CHECK_EQUAL(pwritev(fd, out, 3, 100), 10);
    CHECK_EQUAL(preadv2(fd, in, 2, 105, 0), 5);
    CHECK(memcmp(first, "567", 3) == 0 && memcmp(second, "896789", 6) == 0);
    check_many(fd);
    memset(large[0].iov_base, 'a', 30000);
    memset(large[1].iov_base, 'b', 30000);
    CHECK_EQUAL(pwritev(fd, large, 2, 0), 60000);
    CHECK_EQUAL(preadv(fd, too_large, 2, 0), 60000);
    CHECK(memcmp(too_large[0].iov_base, large[0].iov_base, 30000) == 0);
    CHECK(memcmp((char*)too_large[0].iov_base + 30000, large[1].iov_base, 30000) == 0);
    memset(large[0].iov_base, 0, 30000);
    CHECK_EQUAL(preadv(fd, large, 2, 5000), 55000);
    CHECK(((char*)large[0].iov_base)[24999] == 'a' && ((char*)large[0].iov_base)[25000] == 'b');
    CHECK_EQUAL(readv(fd, in, 0), 0);
    expect(readv(fd, in, -1), EINVAL);
    expect(writev(fd, out, 1025), EINVAL);
    expect(writev(1000, out, 3), EBADF);
    CHECK(close(fd) == 0);
    return argument;
}

static void files(void) {
    in_threads(3, use_files);
}

// ---- pipes ----

static void* use_pipe(void* argument) {
    char *first = room(), *second = room();
    const struct iovec out[] = {part("abc", 3), part("defg", 4)}, in[] = {part(first, 2), part(second, 3)};
    int ends[2];

    CHECK(pipe2(ends, O_NONBLOCK) == 0);
    expect(readv(ends[0], in, 2), EAGAIN);
    CHECK_EQUAL(writev(ends[1], out, 2), 7);
    CHECK_EQUAL(readv(ends[0], in, 2), 5);
    check_around(first, 2);
    check_around(second, 3);
    CHECK(memcmp(first, "ab", 2) == 0 && memcmp(second, "cde", 3) == 0);
    CHECK_EQUAL(readv(ends[0], in, 2), 2);
    CHECK(memcmp(first, "fg", 2) == 0 && memcmp(second, "cde", 3) == 0);
    expect(preadv(ends[0], in, 2, 0), ESPIPE);
    CHECK(close(ends[0]) == 0 && close(ends[1]) == 0);
    return argument;
}

static void pipes(void) {
    in_threads(3, use_pipe);
}

// ---- faults ----

// What is before a bad place is written all the same, as on one machine.
static void* use_bad_places(void* argument) {
    char* last = edge(4);
    const struct iovec out[] = {part(memcpy(last, "good", 4), 4), part(last + 4, 4), part("more", 4)};
    const struct iovec in[] = {part(room(), 2), part(read_only(), 10)};
    const int fd = new_file();

    CHECK_EQUAL(writev(fd, out, 3), 4);
    CHECK_EQUAL(lseek(fd, 0, SEEK_SET), 0);
    CHECK_EQUAL(readv(fd, in, 2), 2);
    expect(writev(fd, out + 1, 2), EFAULT);
    expect(writev(fd, (struct iovec*)8, 1), EFAULT);
    expect(sendmsg(fd, (struct msghdr*)8, 0), ENOTSOCK);
    expect(recvmsg(socket(AF_INET, SOCK_DGRAM, 0), (struct msghdr*)8, 0), EFAULT);
    CHECK(close(fd) == 0);
    return argument;
}

static void faults(void) {
    in_threads(3, use_bad_places);
}

// ---- datagrams ----

static void check_truncated(int server, int client, const struct msghdr* request) {
    struct iovec short_place = part(room(), 3);
    struct msghdr answer = {.msg_iov = &short_place, .msg_iovlen = 1};

    CHECK_EQUAL(sendmsg(client, request, 0), 8);
    CHECK_EQUAL(recvmsg(server, &answer, MSG_PEEK | MSG_TRUNC), 8);
    CHECK_EQUAL(answer.msg_flags, MSG_TRUNC);
    CHECK_EQUAL(recvmsg(server, &answer, 0), 3);
    CHECK_EQUAL(answer.msg_flags, MSG_TRUNC);
    CHECK(answer.msg_name == NULL && answer.msg_iov == &short_place && answer.msg_iovlen == 1);
    check_around(short_place.iov_base, 3);
    expect(recvmsg(server, &answer, MSG_DONTWAIT), EAGAIN);
}

static void* use_datagrams(void* argument) {
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)},
                       *peer = room();
    const int server = socket(AF_INET, SOCK_DGRAM, 0), client = socket(AF_INET, SOCK_DGRAM, 0);
    struct iovec out[] = {part("data", 4), part("gram", 4)}, in[] = {part(room(), 5), part(room(), 50)};
    struct msghdr request = {.msg_name = &own, .msg_namelen = sizeof(own), .msg_iov = out, .msg_iovlen = 2};
    struct msghdr* answer = room();
    socklen_t length = sizeof(own);

    CHECK(bind(server, (struct sockaddr*)&own, sizeof(own)) == 0);
    CHECK(getsockname(server, (struct sockaddr*)&own, &length) == 0);
    CHECK_EQUAL(sendmsg(client, &request, 0), 8);
    *answer = (struct msghdr){.msg_name = peer, .msg_namelen = 100, .msg_iov = in, .msg_iovlen = 2};
    CHECK_EQUAL(recvmsg(server, answer, 0), 8);
    CHECK_EQUAL(answer->msg_namelen, sizeof(*peer));
    CHECK(answer->msg_name == peer && answer->msg_iov == in && answer->msg_iovlen == 2 &&
          answer->msg_flags == 0);
    CHECK(peer->sin_family == AF_INET && peer->sin_port != 0);
    check_around(peer, sizeof(*peer));
    check_around(answer, sizeof(*answer));
    check_around(in[0].iov_base, 5);
    check_around(in[1].iov_base, 3);
    CHECK(memcmp(in[0].iov_base, "datag", 5) == 0 && memcmp(in[1].iov_base, "ram", 3) == 0);
    check_truncated(server, client, &request);
    // No place for the data, and no name for it.
    request.msg_iovlen = 0;
    CHECK_EQUAL(sendmsg(client, &request, 0), 0);
    CHECK_EQUAL(recvmsg(server, answer, 0), 0);
    request.msg_name = NULL;
    expect(sendmsg(client, &request, 0), EDESTADDRREQ);
    CHECK(close(server) == 0 && close(client) == 0);
    return argument;
}

// What is only counted is not written.
static void* count_stream(void* argument) {
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int server = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
    struct iovec in = part(room(), 100);
    struct msghdr answer = {.msg_iov = &in, .msg_iovlen = 1};
    socklen_t length = sizeof(own);
    int accepted;

    CHECK(bind(server, (struct sockaddr*)&own, sizeof(own)) == 0 && listen(server, 1) == 0);
    CHECK(getsockname(server, (struct sockaddr*)&own, &length) == 0);
    CHECK(connect(client, (struct sockaddr*)&own, sizeof(own)) == 0);
    accepted = accept(server, NULL, NULL);
    CHECK(accepted >= 0);
    CHECK_EQUAL(send(client, "0123456789", 10, 0), 10);
    CHECK_EQUAL(recv(accepted, in.iov_base, 5, MSG_TRUNC | MSG_WAITALL), 5);
    in.iov_len = 5;
    CHECK_EQUAL(recvmsg(accepted, &answer, MSG_TRUNC | MSG_WAITALL), 5);
    check_around(in.iov_base, 0);
    return argument;
}

static void datagrams(void) {
    in_threads(3, use_datagrams);
    in_threads(3, count_stream);
}

// ---- descriptors ----

union control {
    struct cmsghdr align;
    uint8_t bytes[CMSG_SPACE(2 * sizeof(int))];
};

static void send_descriptors(int to, const int descriptors[2]) {
    union control control = {0};
    struct iovec byte = part("x", 1);
    struct msghdr request = {
        .msg_iov = &byte, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
    struct cmsghdr* item = CMSG_FIRSTHDR(&request);

    *item = (struct cmsghdr){
        .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(2 * sizeof(int))};
    memcpy(CMSG_DATA(item), descriptors, 2 * sizeof(int));
    CHECK_EQUAL(sendmsg(to, &request, MSG_NOSIGNAL), 1);
    CHECK_EQUAL(request.msg_controllen, sizeof(control));
}

static struct msghdr receive(int from, void* control, size_t room_for_control) {
    struct iovec byte = part(room(), 10);
    struct msghdr answer = {
        .msg_iov = &byte, .msg_iovlen = 1, .msg_control = control, .msg_controllen = room_for_control};

    CHECK_EQUAL(recvmsg(from, &answer, MSG_CMSG_CLOEXEC), 1);
    check_around(byte.iov_base, 1);
    return answer;
}

static void* pass_descriptors(void* argument) {
    int sockets[2], ends[2], received[2];
    struct msghdr answer;
    uint8_t byte = 0;
    void* control;

    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0 && pipe(ends) == 0);
    send_descriptors(sockets[0], ends);
    control = room();
    answer = receive(sockets[1], control, 500);
    CHECK_EQUAL(answer.msg_controllen, CMSG_SPACE(2 * sizeof(int)));
    CHECK(answer.msg_control == control && !(answer.msg_flags & MSG_CTRUNC));
    check_around(control, CMSG_SPACE(2 * sizeof(int)));
    CHECK_EQUAL(CMSG_FIRSTHDR(&answer)->cmsg_type, SCM_RIGHTS);
    memcpy(received, CMSG_DATA(CMSG_FIRSTHDR(&answer)), sizeof(received));
    CHECK_EQUAL(fcntl(received[0], F_GETFD), FD_CLOEXEC);
    CHECK_EQUAL(write(received[1], "y", 1), 1);
    CHECK_EQUAL(read(ends[0], &byte, 1), 1);
    CHECK_EQUAL(byte, 'y');
    // Room for one of them, and for none.
    send_descriptors(sockets[0], ends);
    answer = receive(sockets[1], room(), CMSG_LEN(sizeof(int)));
    CHECK(answer.msg_flags & MSG_CTRUNC && CMSG_FIRSTHDR(&answer)->cmsg_len == CMSG_LEN(sizeof(int)));
    send_descriptors(sockets[0], ends);
    answer = receive(sockets[1], NULL, 0);
    CHECK(answer.msg_flags & MSG_CTRUNC && answer.msg_controllen == 0);
    return argument;
}

static void descriptors(void) {
    in_threads(3, pass_descriptors);
}

// ---- often ----

static void* talk_often(void* argument) {
    int sockets[2];

    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0);
    for (int i = 0; i < TIMES; i++) {
        char head[4] = "head", body[20] = "body", text[24];
        struct iovec out[] = {part(head, sizeof(head)), part(body, sizeof(body))},
                     in = part(text, sizeof(text));
        struct msghdr message = {.msg_iov = out, .msg_iovlen = 2};

        CHECK_EQUAL(i % 2 ? sendmsg(sockets[0], &message, 0) : writev(sockets[0], out, 2), 24);
        message.msg_iov = &in;
        message.msg_iovlen = 1;
        CHECK_EQUAL(i % 3 ? recvmsg(sockets[1], &message, 0) : readv(sockets[1], &in, 1), 24);
        CHECK(memcmp(text, "headbody", 9) == 0);
    }
    return argument;
}

static void often(void) {
    join(start(talk_often, 0));
}

int main(int argc, char** argv) {
    static const struct part parts[] = {
        {"files", files},
        {"pipes", pipes},
        {"faults", faults},
        {"datagrams", datagrams},
        {"descriptors", descriptors},
        {"often", often},
        {NULL, NULL},
    };

    return run_part(parts, argv[1]);
}
