/*
 * libnss_fleet.so.2: a name service as a company has one, for tests.
 *
 * It knows the accounts and groups of /run/nss/passwd, shadow and group, which are written as those in /etc,
 * and a million accounts besides: u0 to u999999. A group's member that begins with `@` is another group: whoever
 * is in that is in this one, too, as SSSD and winbind have it for groups in groups. Such members
 * are known to initgroups only, as where SSSD has `ignore_group_members`.
 *
 * Each question is a line in /run/nss/asked. /run/nss/down makes it give no answer: `unavail`, as a daemon that
 * does not run, or `tryagain`, as one that waits for its server.
 */
#include <errno.h>
#include <grp.h>
#include <nss.h>
#include <pwd.h>
#include <shadow.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOLDER "/run/nss/"

enum { PEOPLE = 1000000, FIRST_UID = 1000000, THEIR_GID = 70999, MOST_GROUPS = 4096 };

/* Notes the question, and says whether it gets an answer: NSS_STATUS_SUCCESS. */
static enum nss_status asked(const char *what, const char *name, int *errnop)
{
    FILE *file = fopen(FOLDER "asked", "ae");
    char how[16] = "";

    if (file != NULL) {
        fprintf(file, "%s %s\n", what, name);
        fclose(file);
    }
    if ((file = fopen(FOLDER "down", "re")) == NULL)
        return NSS_STATUS_SUCCESS;
    if (fgets(how, sizeof how, file) == NULL)
        how[0] = '\0';
    fclose(file);
    *errnop = strcmp(how, "tryagain") == 0 ? EAGAIN : ECONNREFUSED;
    return strcmp(how, "tryagain") == 0 ? NSS_STATUS_TRYAGAIN : NSS_STATUS_UNAVAIL;
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

/* The number of one of the million; -1 for any other name. */
static long number_of(const char *name)
{
    char *end;
    long number;

    if (name[0] != 'u' || name[1] < '0' || name[1] > '9')
        return -1;
    number = strtol(name + 1, &end, 10);
    return *end == '\0' && number < PEOPLE ? number : -1;
}

/* One of the million. */
static int made_up(long number, struct passwd *entry, char *buffer, size_t size)
{
    int length = snprintf(buffer, size, "u%ld", number);

    if (length < 0 || (size_t)length >= size)
        return ERANGE;
    entry->pw_name = buffer;
    entry->pw_passwd = entry->pw_gecos = buffer + length;
    entry->pw_uid = (uid_t)(FIRST_UID + number);
    entry->pw_gid = THEIR_GID;
    entry->pw_dir = "/";
    entry->pw_shell = "/bin/sh";
    return 0;
}

enum nss_status _nss_fleet_getpwnam_r(const char *name, struct passwd *entry, char *buffer,
                                      size_t size, int *errnop)
{
    enum nss_status status = asked("getpwnam", name, errnop);
    struct passwd *found = NULL;
    int error;
    FILE *file;

    if (status != NSS_STATUS_SUCCESS)
        return status;
    if (number_of(name) >= 0)
        return told(made_up(number_of(name), entry, buffer, size), errnop);
    if ((file = fopen(FOLDER "passwd", "re")) == NULL)
        return told(ENOENT, errnop);
    do {
        error = fgetpwent_r(file, entry, buffer, size, &found);
    } while (error == 0 && strcmp(found->pw_name, name) != 0);
    fclose(file);
    return told(error, errnop);
}

enum nss_status _nss_fleet_getpwuid_r(uid_t uid, struct passwd *entry, char *buffer, size_t size,
                                      int *errnop)
{
    enum nss_status status = asked("getpwuid", "", errnop);
    struct passwd *found = NULL;
    int error;
    FILE *file;

    if (status != NSS_STATUS_SUCCESS)
        return status;
    if ((file = fopen(FOLDER "passwd", "re")) == NULL)
        return told(ENOENT, errnop);
    do {
        error = fgetpwent_r(file, entry, buffer, size, &found);
    } while (error == 0 && found->pw_uid != uid);
    fclose(file);
    return told(error, errnop);
}

enum nss_status _nss_fleet_getspnam_r(const char *name, struct spwd *entry, char *buffer,
                                      size_t size, int *errnop)
{
    enum nss_status status = asked("getspnam", name, errnop);
    struct spwd *found = NULL;
    int error;
    FILE *file;

    if (status != NSS_STATUS_SUCCESS)
        return status;
    if ((file = fopen(FOLDER "shadow", "re")) == NULL)
        return told(ENOENT, errnop);
    do {
        error = fgetspent_r(file, entry, buffer, size, &found);
    } while (error == 0 && strcmp(found->sp_namp, name) != 0);
    fclose(file);
    return told(error, errnop);
}

enum nss_status _nss_fleet_getgrnam_r(const char *name, struct group *entry, char *buffer,
                                      size_t size, int *errnop)
{
    enum nss_status status = asked("getgrnam", name, errnop);
    struct group *found = NULL;
    int error;
    FILE *file;

    if (status != NSS_STATUS_SUCCESS)
        return status;
    if ((file = fopen(FOLDER "group", "re")) == NULL)
        return told(ENOENT, errnop);
    do {
        error = fgetgrent_r(file, entry, buffer, size, &found);
    } while (error == 0 && strcmp(found->gr_name, name) != 0);
    fclose(file);
    return told(error, errnop);
}

/* The groups that `user` is in, directly and by being in others. */
enum nss_status _nss_fleet_initgroups_dyn(const char *user, gid_t group, long *start, long *size,
                                          gid_t **groups, long limit, int *errnop)
{
    enum nss_status status = asked("initgroups", user, errnop);
    static char known[MOST_GROUPS][32];
    int count = 0, before;

    if (status != NSS_STATUS_SUCCESS)
        return status;
    do {
        struct group *entry;
        FILE *file = fopen(FOLDER "group", "re");

        before = count;
        while (file != NULL && (entry = fgetgrent(file)) != NULL) {
            int is_in = 0, is_known = 0;

            for (int i = 0; i < count; i++)
                is_known |= strcmp(known[i], entry->gr_name) == 0;
            for (char **member = entry->gr_mem; *member != NULL; member++) {
                is_in |= strcmp(*member, user) == 0;
                for (int i = 0; **member == '@' && i < before; i++)
                    is_in |= strcmp(known[i], *member + 1) == 0;
            }
            if (is_known || !is_in || count == MOST_GROUPS)
                continue;
            snprintf(known[count++], sizeof known[0], "%s", entry->gr_name);
            if (entry->gr_gid == group || (limit > 0 && *start >= limit))
                continue;
            if (*start == *size) {
                gid_t *more = realloc(*groups, (size_t)*size * 2 * sizeof **groups);

                if (more == NULL)
                    break;
                *groups = more;
                *size *= 2;
            }
            (*groups)[(*start)++] = entry->gr_gid;
        }
        if (file != NULL)
            fclose(file);
    } while (count > before);
    return count > 0 ? NSS_STATUS_SUCCESS : told(ENOENT, errnop);
}
