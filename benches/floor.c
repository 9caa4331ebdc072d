/*
 * The least that a module in C can do for a code by SMS: one request over TLS by the system's OpenSSL,
 * one question, one comparison. No configuration, no limits, no log, no helper, and the network inside
 * the host. `make bench` measures ours beside it; it is for nothing else.
 *
 *   auth required floor.so CA-FILE PORT KEY NUMBER
 */
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>
#include <security/pam_ext.h>
#include <security/pam_modules.h>

static int reach(const char *port)
{
	struct addrinfo want = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM }, *found;
	int one = 1, line;

	if (getaddrinfo("localhost", port, &want, &found) != 0)
		return -1;
	line = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (line >= 0 && connect(line, found->ai_addr, found->ai_addrlen) != 0) {
		close(line);
		line = -1;
	}
	freeaddrinfo(found);
	if (line >= 0)
		setsockopt(line, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	return line;
}

/* Whether the gateway said what it says of a message that it has taken. */
static int post(SSL *tls, const char *key, const char *number, unsigned code)
{
	char body[256], request[1024], answer[4096];
	int length, size, got;

	length = snprintf(body, sizeof body,
	    "{\"messages\":[{\"channel\":\"sms\",\"to\":\"%s\",\"content\":\"%06u is your code\"}]}",
	    number, code);
	size = snprintf(request, sizeof request,
	    "POST /v1/message HTTP/1.1\r\nHost: localhost\r\nAuthorization: %s\r\nConnection: close\r\n"
	    "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", key, length, body);
	if (SSL_write(tls, request, size) != size)
		return 0;
	got = SSL_read(tls, answer, sizeof answer - 1);
	if (got <= 0)
		return 0;
	answer[got] = 0;
	return strncmp(answer, "HTTP/1.1 202", 12) == 0;
}

static int deliver(const char **words, unsigned code)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	SSL *tls = NULL;
	int taken = 0, line = -1;

	if (context && SSL_CTX_load_verify_locations(context, words[0], NULL) == 1) {
		SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
		line = reach(words[1]);
		tls = line < 0 ? NULL : SSL_new(context);
	}
	if (tls && SSL_set_tlsext_host_name(tls, "localhost") && SSL_set1_host(tls, "localhost")
	    && SSL_set_fd(tls, line) && SSL_connect(tls) == 1) {
		taken = post(tls, words[2], words[3], code);
		SSL_shutdown(tls);
	}
	SSL_free(tls);
	SSL_CTX_free(context);
	if (line >= 0)
		close(line);
	return taken;
}

int pam_sm_authenticate(pam_handle_t *handle, int flags, int count, const char **words)
{
	char *typed = NULL, wanted[16];
	unsigned code;
	int is_right;

	(void)flags;
	if (count < 4 || getrandom(&code, sizeof code, 0) != sizeof code)
		return PAM_AUTHINFO_UNAVAIL;
	code %= 1000000;
	if (!deliver(words, code))
		return PAM_AUTHINFO_UNAVAIL;
	snprintf(wanted, sizeof wanted, "%06u", code);
	if (pam_prompt(handle, PAM_PROMPT_ECHO_ON, &typed, "Code: ") != PAM_SUCCESS || !typed)
		return PAM_AUTH_ERR;
	is_right = strcmp(typed, wanted) == 0;
	free(typed);
	return is_right ? PAM_SUCCESS : PAM_AUTH_ERR;
}

int pam_sm_setcred(pam_handle_t *handle, int flags, int count, const char **words)
{
	(void)handle;
	(void)flags;
	(void)count;
	(void)words;
	return PAM_SUCCESS;
}
