/* The only compiler extensions this project uses, behind plain names. */
#ifndef BASE_ATTR_H
#define BASE_ATTR_H

#define ATTR_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
/* A variadic argument list that must end with NULL. */
#define ATTR_SENTINEL __attribute__((sentinel))
#define ATTR_MUST_USE __attribute__((warn_unused_result))
#define ATTR_NORETURN __attribute__((noreturn))

/* An owning local: `auto_free char *p = NULL;` is freed when it leaves scope. That is use enough, also for clang. */
#define ATTR_CLEANUP(fn) __attribute__((cleanup(fn), unused))

#endif
