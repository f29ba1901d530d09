/* Checks codes through two PAM services in one process, in turn, and times each check.
 *
 * Usage: codes SERVICE SERVICE <LIST, where a line of LIST is USER CODE.
 * Prints "SERVICE NANOSECONDS" for each check, then "again SERVICE STATUS" for the first line's code
 * given a second time. Ends with 1 at the first check that fails, and says which. */
#include <security/pam_appl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int answer(int count, const struct pam_message **messages, struct pam_response **responses,
                  void *code)
{
    struct pam_response *all = calloc(count, sizeof *all);
    if (all == NULL)
        return PAM_BUF_ERR;
    for (int i = 0; i < count; i++) {
        int style = messages[i]->msg_style;
        if (style == PAM_PROMPT_ECHO_OFF || style == PAM_PROMPT_ECHO_ON)
            all[i].resp = strdup(code);
    }
    *responses = all;
    return PAM_SUCCESS;
}

/* The status of pam_authenticate(3), and how long it took. Loading the modules and reading their
 * files is part of pam_start(3) and not counted. */
static int check(const char *service, const char *user, char *code, long long *nanoseconds)
{
    struct pam_conv conversation = {answer, code};
    struct timespec begun, ended;
    pam_handle_t *handle;
    int status = pam_start(service, user, &conversation, &handle);
    if (status != PAM_SUCCESS)
        return status;
    clock_gettime(CLOCK_MONOTONIC, &begun);
    status = pam_authenticate(handle, 0);
    clock_gettime(CLOCK_MONOTONIC, &ended);
    pam_end(handle, status);
    *nanoseconds = (ended.tv_sec - begun.tv_sec) * 1000000000LL + ended.tv_nsec - begun.tv_nsec;
    return status;
}

int main(int argc, char **argv)
{
    char user[64], code[64], first_user[64] = "", first_code[64] = "";
    struct pam_conv nobody = {answer, ""};
    pam_handle_t *held;
    long long nanoseconds;

    if (argc != 3)
        return 2;
    /* Keeps both modules loaded, so that the dynamic linker's work is nobody's. */
    for (int i = 1; i <= 2; i++)
        if (pam_start(argv[i], "root", &nobody, &held) != PAM_SUCCESS)
            return 2;
    for (int line = 0; scanf("%63s %63s", user, code) == 2; line++) {
        if (line == 0) {
            strcpy(first_user, user);
            strcpy(first_code, code);
        }
        /* Neither is always the first. */
        for (int i = 0; i < 2; i++) {
            const char *service = argv[1 + (line + i) % 2];
            int status = check(service, user, code, &nanoseconds);
            if (status != PAM_SUCCESS) {
                printf("%s of %s: status %d\n", service, user, status);
                return 1;
            }
            printf("%s %lld\n", service, nanoseconds);
        }
    }
    for (int i = 1; i <= 2; i++)
        printf("again %s %d\n", argv[i], check(argv[i], first_user, first_code, &nanoseconds));
    return 0;
}
