/* Times commands that do much, in turn: each to its end, its output read to the last byte.
 *
 * Usage: bulk ROUNDS <LIST, where a line of LIST is "pty" or "pipe" and the words of a command, with
 * spaces between. Prints "CASE NANOSECONDS BYTES" for each run, cases counted from 0; a command that
 * fails ends it. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CASES 32
#define WORDS 32

static long long now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

/* Starts a command with its standard output, or all of its terminal, at `source`. */
static pid_t start(char **words, int terminal, int *source)
{
    int ends[2] = {-1, -1};
    pid_t pid;
    if (!terminal && pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    pid = terminal ? forkpty(source, NULL, NULL, NULL) : fork();
    if (pid == 0) {
        if (!terminal)
            dup2(ends[1], 1);
        execv(words[0], words);
        _exit(127);
    }
    if (!terminal) {
        close(ends[1]);
        *source = ends[0];
    }
    return pid;
}

/* A terminal whose last user is gone ends with EIO. */
static long long read_all(int source)
{
    static char buffer[1 << 16];
    long long total = 0;
    for (;;) {
        ssize_t got = read(source, buffer, sizeof buffer);
        if (got > 0)
            total += got;
        else if (got == 0 || errno != EINTR)
            return total;
    }
}

int main(int argc, char **argv)
{
    static char lines[CASES][4096], *words[CASES][WORDS + 1];
    int count = 0, rounds = argc == 2 ? atoi(argv[1]) : 0;

    for (; count < CASES && fgets(lines[count], sizeof lines[count], stdin); count++) {
        char *rest = lines[count];
        for (int word = 0; word < WORDS; word++)
            if ((words[count][word] = strtok(word ? NULL : rest, " \n")) == NULL)
                break;
    }
    for (int round = 0; round < rounds; round++)
        for (int number = 0; number < count; number++) {
            int source, status;
            long long begun = now(), total;
            pid_t pid = start(words[number] + 1, strcmp(words[number][0], "pty") == 0, &source);
            if (pid < 0)
                return 2;
            total = read_all(source);
            waitpid(pid, &status, 0);
            if (status != 0) {
                printf("%s ended with status %d\n", words[number][1], status);
                return 1;
            }
            printf("%d %lld %lld\n", number, now() - begun, total);
            close(source);
        }
    return 0;
}
