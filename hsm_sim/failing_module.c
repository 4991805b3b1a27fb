/* A PKCS#11 module that forwards every function to another one and misbehaves on command.
 *
 * LONGZHENG_FAILING_TARGET names the module to forward to, LONGZHENG_FAILING_CONTROL a text file of rules. The file
 * is looked at on every call and read again when it has changed, so that a test commands a running process:
 *
 *     C_Sign delay 250            wait so many milliseconds, then go on
 *     C_Sign fail 0x30 x2         do not forward, answer this CKR; x2: the next two calls alone
 *     C_Sign wrong                forward, then alter the result (C_Sign, C_SignFinal, C_Encrypt, C_Decrypt)
 *     * hang                      wait until the file changes, then go on
 *     drop-sessions               once, when the file is read: close all sessions, which also logs out
 *     remove-token                as if the token was pulled out: no slot has one, everything else is refused
 *     trace PATH                  append a line a call: function and CKR in hexadecimal
 *
 * A function takes the first rule that names it for each of delay, hang, fail and wrong; `*` names all but
 * C_Initialize, C_Finalize, C_GetFunctionList and C_GetInfo. Counts are per process and start anew when the file changes.
 *
 * Every argument of a PKCS#11 function is a pointer, a handle, a number or an octet, and travels in a word of its own
 * on the machines this is built for (x86-64, AArch64); so all are forwarded as words, without the standard's header.
 *
 * Source: PKCS#11 v2.40, section 5 (functions) and CK_FUNCTION_LIST's order.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

typedef unsigned long word;

enum {
    CKR_OK = 0x00,
    CKR_GENERAL_ERROR = 0x05,
    CKR_DEVICE_REMOVED = 0x32,
    CKR_TOKEN_NOT_PRESENT = 0xE0
};
enum { MAX_RULES = 64, MAX_NAME = 40, POLL_MS = 10 };
enum action { DELAY, HANG, FAIL, WRONG };

struct rule {
    char function[MAX_NAME];
    enum action action;
    word value;
    long left; /* calls that it still applies to; negative: all */
};

/* The functions in the standard's order, with their numbers of arguments. */
#define FUNCTIONS(F)                                                                                          \
    F(C_Initialize, 1) F(C_Finalize, 1) F(C_GetInfo, 1) F(C_GetFunctionList, 1) F(C_GetSlotList, 3)          \
    F(C_GetSlotInfo, 2) F(C_GetTokenInfo, 2) F(C_GetMechanismList, 3) F(C_GetMechanismInfo, 3)               \
    F(C_InitToken, 4) F(C_InitPIN, 3) F(C_SetPIN, 5) F(C_OpenSession, 5) F(C_CloseSession, 1)                \
    F(C_CloseAllSessions, 1) F(C_GetSessionInfo, 2) F(C_GetOperationState, 3) F(C_SetOperationState, 5)      \
    F(C_Login, 4) F(C_Logout, 1) F(C_CreateObject, 4) F(C_CopyObject, 5) F(C_DestroyObject, 2)               \
    F(C_GetObjectSize, 3) F(C_GetAttributeValue, 4) F(C_SetAttributeValue, 4) F(C_FindObjectsInit, 3)        \
    F(C_FindObjects, 4) F(C_FindObjectsFinal, 1) F(C_EncryptInit, 3) F(C_Encrypt, 5) F(C_EncryptUpdate, 5)   \
    F(C_EncryptFinal, 3) F(C_DecryptInit, 3) F(C_Decrypt, 5) F(C_DecryptUpdate, 5) F(C_DecryptFinal, 3)      \
    F(C_DigestInit, 2) F(C_Digest, 5) F(C_DigestUpdate, 3) F(C_DigestKey, 2) F(C_DigestFinal, 3)             \
    F(C_SignInit, 3) F(C_Sign, 5) F(C_SignUpdate, 3) F(C_SignFinal, 3) F(C_SignRecoverInit, 3)               \
    F(C_SignRecover, 5) F(C_VerifyInit, 3) F(C_Verify, 5) F(C_VerifyUpdate, 3) F(C_VerifyFinal, 3)           \
    F(C_VerifyRecoverInit, 3) F(C_VerifyRecover, 5) F(C_DigestEncryptUpdate, 5) F(C_DecryptDigestUpdate, 5)  \
    F(C_SignEncryptUpdate, 5) F(C_DecryptVerifyUpdate, 5) F(C_GenerateKey, 5) F(C_GenerateKeyPair, 8)        \
    F(C_WrapKey, 6) F(C_UnwrapKey, 8) F(C_DeriveKey, 6) F(C_SeedRandom, 3) F(C_GenerateRandom, 3)            \
    F(C_GetFunctionStatus, 1) F(C_CancelFunction, 1) F(C_WaitForSlotEvent, 3)

enum index {
#define F(name, count) I_##name,
    FUNCTIONS(F)
#undef F
        FUNCTION_COUNT
};

static const char *const NAMES[] = {
#define F(name, count) #name,
    FUNCTIONS(F)
#undef F
};

struct function_list {
    unsigned char version[2];
    void *functions[FUNCTION_COUNT];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* Held for reading during a forwarded call: SoftHSM frees a session even while another thread signs with it. */
static pthread_rwlock_t forwarding = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;
static struct function_list *target;
static struct function_list own;
static struct rule rules[MAX_RULES];
static int rule_count;
static int token_removed;
static char trace_path[4096];
static struct stat seen;
static unsigned long file_version;

static void pause_ms(word ms) {
    struct timespec span = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000L};
    nanosleep(&span, NULL);
}

static word load_target(void) {
    if (target != NULL) return CKR_OK;
    const char *path = getenv("LONGZHENG_FAILING_TARGET");
    void *library = dlopen(path != NULL ? path : "/usr/lib/softhsm/libsofthsm2.so", RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) return CKR_GENERAL_ERROR;
    word (*get)(struct function_list **) = NULL;
    *(void **)&get = dlsym(library, "C_GetFunctionList");
    if (get == NULL || get(&target) != CKR_OK) {
        target = NULL;
        return CKR_GENERAL_ERROR;
    }
    return CKR_OK;
}

static void close_all_sessions(void) {
    word slots[64];
    word count = 64;
    word (*list)(unsigned char, word *, word *) = NULL;
    word (*close_all)(word) = NULL;
    *(void **)&list = target->functions[I_C_GetSlotList];
    *(void **)&close_all = target->functions[I_C_CloseAllSessions];
    pthread_rwlock_wrlock(&forwarding);
    if (list(1, slots, &count) == CKR_OK)
        for (word i = 0; i < count; i++) close_all(slots[i]);
    pthread_rwlock_unlock(&forwarding);
}

static void read_rule(char *line) {
    char function[MAX_NAME] = "", action[16] = "", value[32] = "", times[16] = "";
    if (sscanf(line, "trace %4095[^\n]", trace_path) == 1) return;
    int fields = sscanf(line, "%39s %15s %31s %15s", function, action, value, times);
    if (fields < 1 || function[0] == '#') return;
    if (strcmp(function, "drop-sessions") == 0) {
        close_all_sessions();
        return;
    }
    if (strcmp(function, "remove-token") == 0) {
        token_removed = 1;
        return;
    }
    if (fields < 2 || rule_count == MAX_RULES) return;
    struct rule *made = &rules[rule_count];
    const char *count = NULL;
    if (strcmp(action, "delay") == 0 || strcmp(action, "fail") == 0) {
        made->action = action[0] == 'd' ? DELAY : FAIL;
        made->value = strtoul(value, NULL, 0);
        count = times;
    } else if (strcmp(action, "hang") == 0 || strcmp(action, "wrong") == 0) {
        made->action = action[0] == 'h' ? HANG : WRONG;
        count = value;
    } else {
        return;
    }
    made->left = count[0] == 'x' ? strtol(count + 1, NULL, 10) : -1;
    memcpy(made->function, function, MAX_NAME);
    rule_count++;
}

/* Read the file when it is another than the one seen last. Called with the lock held and the target loaded. */
static void look_at_file(void) {
    const char *path = getenv("LONGZHENG_FAILING_CONTROL");
    struct stat now;
    if (path == NULL || stat(path, &now) != 0) memset(&now, 0, sizeof now);
    if (now.st_ino == seen.st_ino && now.st_size == seen.st_size && now.st_mtim.tv_sec == seen.st_mtim.tv_sec &&
        now.st_mtim.tv_nsec == seen.st_mtim.tv_nsec)
        return;
    seen = now;
    file_version++;
    rule_count = token_removed = 0;
    trace_path[0] = '\0';
    FILE *file = now.st_ino != 0 ? fopen(path, "r") : NULL;
    if (file == NULL) return;
    char line[4200];
    while (fgets(line, sizeof line, file) != NULL) read_rule(line);
    fclose(file);
}

static struct rule *rule_for(enum index function, enum action action) {
    int by_star = function > I_C_GetFunctionList;
    for (int i = 0; i < rule_count; i++) {
        struct rule *rule = &rules[i];
        if (rule->action != action || rule->left == 0) continue;
        if (strcmp(rule->function, NAMES[function]) != 0 && !(by_star && strcmp(rule->function, "*") == 0)) continue;
        if (rule->left > 0) rule->left--;
        return rule;
    }
    return NULL;
}

static word trace(enum index function, word result) {
    pthread_mutex_lock(&lock);
    FILE *file = trace_path[0] != '\0' ? fopen(trace_path, "a") : NULL;
    if (file != NULL) {
        fprintf(file, "%s %lx\n", NAMES[function], result);
        fclose(file);
    }
    pthread_mutex_unlock(&lock);
    return result;
}

/* What a token that is not there answers; CKR_OK: ask the target. */
static word without_token(enum index function, word *a) {
    if (function <= I_C_GetFunctionList || function == I_C_GetSlotInfo) return CKR_OK;
    if (function == I_C_GetSlotList) {
        *(word *)a[2] = 0;
        return CKR_DEVICE_REMOVED; /* taken by the caller as an empty list */
    }
    return function < I_C_CloseSession ? CKR_TOKEN_NOT_PRESENT : CKR_DEVICE_REMOVED;
}

static void spoil(enum index function, word *a, word result) {
    word *data = NULL, *length = NULL;
    if (result != CKR_OK) return;
    if (function == I_C_Sign || function == I_C_Encrypt || function == I_C_Decrypt) {
        data = (word *)a[3];
        length = (word *)a[4];
    } else if (function == I_C_SignFinal) {
        data = (word *)a[1];
        length = (word *)a[2];
    }
    if (data != NULL && *length > 0) ((unsigned char *)data)[*length - 1] ^= 1;
}

typedef word (*forwarded)(word, word, word, word, word, word, word, word);

static word call(enum index function, word *a) {
    pthread_mutex_lock(&lock);
    if (load_target() != CKR_OK) {
        pthread_mutex_unlock(&lock);
        return CKR_GENERAL_ERROR;
    }
    look_at_file();
    struct rule *delay = rule_for(function, DELAY), *hang = rule_for(function, HANG);
    struct rule *fail = rule_for(function, FAIL), *wrong = rule_for(function, WRONG);
    word wait = delay != NULL ? delay->value : 0, answer = fail != NULL ? fail->value : CKR_OK;
    int spoiled = wrong != NULL, removed = token_removed;
    unsigned long before = file_version;
    pthread_mutex_unlock(&lock);
    pause_ms(wait);
    for (int hanging = hang != NULL; hanging;) {
        pause_ms(POLL_MS);
        pthread_mutex_lock(&lock);
        look_at_file();
        hanging = file_version == before;
        pthread_mutex_unlock(&lock);
    }
    if (answer != CKR_OK) return trace(function, answer);
    if (removed) {
        answer = without_token(function, a);
        if (answer != CKR_OK) return trace(function, function == I_C_GetSlotList ? CKR_OK : answer);
    }
    forwarded next = NULL;
    *(void **)&next = target->functions[function];
    pthread_rwlock_rdlock(&forwarding);
    word result = next(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]);
    pthread_rwlock_unlock(&forwarding);
    if (spoiled) spoil(function, a, result);
    return trace(function, result);
}

#define A1 word a
#define A2 A1, word b
#define A3 A2, word c
#define A4 A3, word d
#define A5 A4, word e
#define A6 A5, word f
#define A7 A6, word g
#define A8 A7, word h
#define W1 a, 0, 0, 0, 0, 0, 0, 0
#define W2 a, b, 0, 0, 0, 0, 0, 0
#define W3 a, b, c, 0, 0, 0, 0, 0
#define W4 a, b, c, d, 0, 0, 0, 0
#define W5 a, b, c, d, e, 0, 0, 0
#define W6 a, b, c, d, e, f, 0, 0
#define W8 a, b, c, d, e, f, g, h

#define F(name, count)                        \
    static word forward_##name(A##count) {    \
        word words[8] = {W##count};           \
        return call(I_##name, words);         \
    }
FUNCTIONS(F)
#undef F

static word give_list(struct function_list **list) {
    pthread_mutex_lock(&lock);
    word result = load_target();
    if (result == CKR_OK) {
        own.version[0] = 2;
        own.version[1] = 40;
#define F(name, count) *(void **)(&own.functions[I_##name]) = (void *)forward_##name;
        FUNCTIONS(F)
#undef F
        own.functions[I_C_GetFunctionList] = (void *)give_list;
        *list = &own;
    }
    pthread_mutex_unlock(&lock);
    return result;
}

/* What is found by name, as well as through the list. */
#define PUBLIC __attribute__((visibility("default")))
PUBLIC word C_GetFunctionList(struct function_list **list) { return give_list(list); }
PUBLIC word C_Initialize(word a) { return forward_C_Initialize(a); }
PUBLIC word C_Finalize(word a) { return forward_C_Finalize(a); }
PUBLIC word C_InitToken(word a, word b, word c, word d) { return forward_C_InitToken(a, b, c, d); }
PUBLIC word C_GetSessionInfo(word a, word b) { return forward_C_GetSessionInfo(a, b); }
