/* Runs a command under a seccomp filter that stops each execve(2) until a listener lets it go on, and
 * does nothing else there: what the kernel's notification alone costs (seccomp_unotify(2)).
 *
 * Usage: notified COMMAND [WORD ...] */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Of Linux 6.6; who waits runs where the other ran. */
#define SET_FLAGS _IOW('!', 4, unsigned long long)
#define SYNC_WAKE_UP 1
#define WAIT_KILLABLE_RECV (1 << 5)

static int listen_below(void)
{
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_execve, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {sizeof program / sizeof *program, program};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                   SECCOMP_FILTER_FLAG_NEW_LISTENER | WAIT_KILLABLE_RECV, &filter);
}

static void let_all_go(int listener)
{
    struct pollfd waiting = {listener, POLLIN, 0};
    ioctl(listener, SET_FLAGS, SYNC_WAKE_UP);
    for (;;) {
        struct seccomp_notif asked;
        struct seccomp_notif_resp answer = {0};
        if (poll(&waiting, 1, -1) < 0 && errno != EINTR)
            return;
        if (!(waiting.revents & POLLIN))
            return;
        memset(&asked, 0, sizeof asked);
        if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &asked) != 0)
            continue;
        answer.id = asked.id;
        answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
        ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
    }
}

int main(int argc, char **argv)
{
    int told[2], listener, status = 0;
    pid_t pid;
    if (argc < 2 || pipe(told) != 0)
        return 2;
    /* Descriptors are shared until the exec, which leaves the listener to us. */
    pid = syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, 0);
    if (pid == 0) {
        listener = listen_below();
        if (write(told[1], &listener, sizeof listener) < 0 || listener < 0)
            _exit(126);
        execv(argv[1], argv + 1);
        _exit(127);
    }
    if (pid < 0 || read(told[0], &listener, sizeof listener) != sizeof listener)
        return 2;
    /* Until nobody is left below the filter. */
    let_all_go(listener);
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}
