// SPDX-License-Identifier: GPL-2.0-only
// The agent on a node: starts commands for the host, carries their output and exit status back over a virtio
// port.

#define _GNU_SOURCE
#include "node.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define PORT "/dev/vport*p1" // the first number counts virtio devices of any kind
#define MAX_JOBS 64
#define MAX_FRAME (16u << 20)
#define CHUNK 16384

struct job {
    uint32_t id;
    pid_t pid;      // 0: a free slot
    int streams[2]; // its output and error; a terminal has only the first
    bool tty;
};

static struct job jobs[MAX_JOBS];
static int port;

// The port is never written blocking: the driver would spin with interrupts off until the host reads.
static void send_bytes(const void* data, size_t length) {
    while (length) {
        struct pollfd writable = {.fd = port, .events = POLLOUT};
        ssize_t n = write(port, data, length);

        if (n < 0 && errno != EAGAIN)
            die("writing to the host");
        if (n < 0)
            poll(&writable, 1, -1);
        else
            data = (const char*)data + n, length -= n;
    }
}

static void send_frame(uint32_t job, uint32_t type, const void* data, uint32_t length) {
    const struct frame frame = {.length = length, .job = job, .type = type};

    send_bytes(&frame, sizeof(frame));
    send_bytes(data, length);
}

static void receive_bytes(void* data, size_t length) {
    while (length) {
        struct pollfd readable = {.fd = port, .events = POLLIN};
        ssize_t n = read(port, data, length);

        if (n == 0 || (n < 0 && errno != EAGAIN))
            die("the host closed the channel");
        if (n < 0)
            poll(&readable, 1, -1);
        else
            data = (char*)data + n, length -= n;
    }
}

static struct job* find_job(uint32_t id) {
    for (struct job* job = jobs; job < jobs + MAX_JOBS; job++)
        if (job->pid && job->id == id)
            return job;
    return NULL;
}

static struct job* free_slot(void) {
    for (struct job* job = jobs; job < jobs + MAX_JOBS; job++)
        if (!job->pid)
            return job;
    return NULL;
}

// Input is complete when a job starts; a file holds it, so that nobody here waits for the job to read.
static int input_file(const void* data, size_t length) {
    int fd = length ? memfd_create("input", MFD_CLOEXEC) : open("/dev/null", O_RDWR | O_CLOEXEC);

    if (fd < 0 || write(fd, data, length) != (ssize_t)length || lseek(fd, 0, SEEK_SET))
        die("preparing input");
    return fd;
}

static void become_command(const char* cwd, char** argv, char** envp) {
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (chdir(cwd) && chdir("/"))
        die("entering /");
    for (char** e = envp; *e; e++)
        if (strncmp(*e, "PATH=", 5) == 0)
            putenv(*e); // execvpe looks the program up in the PATH of the caller
    execvpe(argv[0], argv, envp);
    fprintf(stderr, "%s: %s\n", argv[0], strerror(errno));
    _exit(errno == ENOENT ? 127 : 126);
}

static pid_t fork_on_pipes(struct job* job, int input) {
    int out[2], err[2];

    if (pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
        die("making pipes");
    job->pid = fork();
    if (job->pid == 0) {
        setsid();
        dup2(input, STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        dup2(err[1], STDERR_FILENO);
        return 0;
    }
    close(out[1]);
    close(err[1]);
    job->streams[0] = out[0];
    job->streams[1] = err[0];
    return job->pid;
}

static pid_t fork_on_terminal(struct job* job) {
    job->streams[1] = -1;
    job->pid = forkpty(&job->streams[0], NULL, NULL, NULL);
    if (job->pid > 0)
        fcntl(job->streams[0], F_SETFD, FD_CLOEXEC);
    return job->pid;
}

static char** take_strings(char** cursor, uint32_t count) {
    char** strings = calloc(count + 1, sizeof(*strings));

    for (uint32_t i = 0; i < count; i++) {
        strings[i] = *cursor;
        *cursor += strlen(*cursor) + 1;
    }
    return strings;
}

static void start_job(uint32_t id, char* payload) {
    const struct run_request* request = (void*)payload;
    char* cursor = payload + sizeof(*request);
    const char* cwd = cursor;
    struct job* job = free_slot();
    int input;

    if (!job)
        die("too many jobs at once");
    cursor += strlen(cwd) + 1;
    char** argv = take_strings(&cursor, request->argc);
    char** envp = take_strings(&cursor, request->envc);

    input = input_file(cursor, request->input_length);
    job->id = id;
    job->tty = request->tty;
    if ((job->tty ? fork_on_terminal(job) : fork_on_pipes(job, input)) == 0)
        become_command(cwd, argv, envp);
    if (job->pid < 0)
        die("fork");
    for (int i = 0; i < 2; i++)
        if (job->streams[i] >= 0)
            fcntl(job->streams[i], F_SETFL, O_NONBLOCK);
    send_frame(id, FRAME_STARTED, &job->pid, sizeof(job->pid));
    close(input);
    free(argv);
    free(envp);
}

static void signal_job(const struct job* job, const struct signal_request* request) {
    kill(request->whole_group ? -job->pid : job->pid, request->signal);
}

static void serve_host(void) {
    struct frame frame;
    struct job* job;
    char* payload;

    receive_bytes(&frame, sizeof(frame));
    if (frame.length > MAX_FRAME)
        die("a frame is too long");
    payload = calloc(1, frame.length + 1);
    receive_bytes(payload, frame.length);
    job = find_job(frame.job);
    if (frame.type == FRAME_RUN)
        start_job(frame.job, payload);
    else if (frame.type == FRAME_SIGNAL && job)
        signal_job(job, (void*)payload);
    else if (frame.type == FRAME_INPUT && job && job->tty)
        (void)!write(job->streams[0], payload, frame.length);
    free(payload);
}

// Passes on what one stream has; false once it has nothing more for now.
static bool forward(struct job* job, int i) {
    char chunk[CHUNK];
    ssize_t n = job->streams[i] < 0 ? -1 : read(job->streams[i], chunk, sizeof(chunk));

    if (n > 0)
        send_frame(job->id, i ? FRAME_ERR : FRAME_OUT, chunk, n);
    else if (job->streams[i] >= 0 && (n == 0 || errno != EAGAIN)) {
        close(job->streams[i]);
        job->streams[i] = -1;
    }
    return n > 0;
}

// A job ends with its process: what children left behind may still hold the streams is not waited for.
static void end_job(struct job* job, int status) {
    for (int i = 0; i < 2; i++) {
        while (forward(job, i))
            ;
        if (job->streams[i] >= 0)
            close(job->streams[i]);
    }
    send_frame(job->id, FRAME_EXIT, &status, sizeof(status));
    job->pid = 0;
}

static void reap(int signals) {
    struct signalfd_siginfo info;
    int status;
    pid_t pid;

    (void)!read(signals, &info, sizeof(info));
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        for (struct job* job = jobs; job < jobs + MAX_JOBS; job++)
            if (job->pid == pid)
                end_job(job, status);
}

static int watch_children(void) {
    sigset_t children;

    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    sigprocmask(SIG_BLOCK, &children, NULL);
    return signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
}

// The driver announces the port from a work item of its own: it may come after process 1.
static int open_port(void) {
    for (int tries = 0; tries < 1000; tries++) {
        glob_t found;
        int fd = -1;

        if (glob(PORT, 0, NULL, &found) == 0)
            fd = open(found.gl_pathv[0], O_RDWR | O_NONBLOCK | O_CLOEXEC);
        globfree(&found);
        if (fd >= 0)
            return fd;
        usleep(10000);
    }
    die(PORT);
}

static nfds_t fill(struct pollfd* fds, int signals) {
    nfds_t n = 0;

    fds[n++] = (struct pollfd){.fd = port, .events = POLLIN};
    fds[n++] = (struct pollfd){.fd = signals, .events = POLLIN};
    for (struct job* job = jobs; job < jobs + MAX_JOBS; job++)
        for (int i = 0; i < 2; i++)
            fds[n++] = (struct pollfd){.fd = job->pid ? job->streams[i] : -1, .events = POLLIN};
    return n;
}

void serve(void) {
    static struct pollfd fds[2 + 2 * MAX_JOBS];
    int signals = watch_children();

    port = open_port();
    send_frame(0, FRAME_HELLO, NULL, 0);
    for (;;) {
        poll(fds, fill(fds, signals), -1);
        for (int i = 0; i < 2 * MAX_JOBS; i++)
            if (fds[2 + i].revents)
                forward(&jobs[i / 2], i % 2);
        if (fds[1].revents)
            reap(signals);
        if (fds[0].revents)
            serve_host();
    }
}
