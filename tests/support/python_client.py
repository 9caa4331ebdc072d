"""Logs in by the Python client of libpam-wrapper: SERVICE USER RESULT ANSWER...

RESULT is what pam_authenticate shall return, a number of libpam's; the answers are for prompts, whether
they echo or not, in order. Then pam_acct_mgmt and pam_setcred, if it was a success.
"""

import sys

import pypamtest


def main() -> None:
    service, user, result, *answers = sys.argv[1:]
    steps = [pypamtest.TestCase(pypamtest.PAMTEST_AUTHENTICATE, int(result))]
    if result == "0":
        steps += [pypamtest.TestCase(pypamtest.PAMTEST_ACCOUNT), pypamtest.TestCase(pypamtest.PAMTEST_SETCRED)]
    said = pypamtest.run_pamtest(user, service, steps, answers, answers)
    print("as expected", said.info, said.errors)


main()
