/*
 * libnss_fold.so.2: a name service that does not care about case.
 *
 * Directories such as Active Directory find `alice` when asked for `ALICE` and answer with the
 * canonical name. sshd hands the name as it was typed to PAM, so a module that counts tries by
 * PAM_USER gives an attacker fresh counters for each spelling. This module lets a test be such a
 * directory: it stands behind `files` in nsswitch.conf and looks up the folded name in the same
 * files.
 */
#include <ctype.h>
#include <errno.h>
#include <nss.h>
#include <pwd.h>
#include <shadow.h>
#include <stdio.h>
#include <string.h>

enum { LONGEST_NAME = 256 };

/* Writes `name` in lower case to `folded`; 0 if it does not fit. */
static int fold(const char *name, char folded[LONGEST_NAME])
{
    size_t length = strlen(name);

    if (length >= LONGEST_NAME)
        return 0;
    for (size_t i = 0; i <= length; i++)
        folded[i] = (char)tolower((unsigned char)name[i]);
    return 1;
}

/* What the caller is told when an entry was looked for with the result `error`. */
static enum nss_status told(int error, int *errnop)
{
    if (error == 0)
        return NSS_STATUS_SUCCESS;
    *errnop = error;
    /* ERANGE asks the caller for a bigger buffer, and must be TRYAGAIN for that. */
    return error == ERANGE ? NSS_STATUS_TRYAGAIN : NSS_STATUS_NOTFOUND;
}

enum nss_status _nss_fold_getpwnam_r(const char *name, struct passwd *entry, char *buffer,
                                     size_t size, int *errnop)
{
    char folded[LONGEST_NAME];
    struct passwd *found = NULL;
    int error;
    FILE *file;

    if (!fold(name, folded) || (file = fopen("/etc/passwd", "re")) == NULL)
        return told(ENOENT, errnop);
    do {
        error = fgetpwent_r(file, entry, buffer, size, &found);
    } while (error == 0 && strcmp(found->pw_name, folded) != 0);
    fclose(file);
    return told(error, errnop);
}

/* pam_unix asks for the shadow entry by the name as typed, too. */
enum nss_status _nss_fold_getspnam_r(const char *name, struct spwd *entry, char *buffer,
                                     size_t size, int *errnop)
{
    char folded[LONGEST_NAME];
    struct spwd *found = NULL;
    int error;
    FILE *file;

    if (!fold(name, folded) || (file = fopen("/etc/shadow", "re")) == NULL)
        return told(ENOENT, errnop);
    do {
        error = fgetspent_r(file, entry, buffer, size, &found);
    } while (error == 0 && strcmp(found->sp_namp, folded) != 0);
    fclose(file);
    return told(error, errnop);
}
