/* An exec plugin: its runs, and the credential that the last of them gave. */
#include "exec_plugin.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/strbuf.h"

#define TIMEOUT_MS (60 * 1000)
#define LEEWAY_MS (10 * 1000)
#define OUTPUT_LIMIT (1024 * 1024)
#define COMPLAINT_LIMIT 4096

struct exec_run {
	struct exec_plugin *plugin; /* NULL = nobody waits any longer: it only ends */
	struct exec_waiter *waiters;
	uv_process_t process;
	uv_pipe_t out;
	uv_pipe_t err;
	uv_timer_t deadline;
	struct strbuf output;
	struct strbuf complaint;
	int awaited;      /* of: exit, end of out, end of err */
	bool alive;       /* started and not yet exited */
	int open_handles; /* the run is freed after the last */
	int64_t exit_code;
	int exit_signal;
	struct error error; /* why it was killed */
};

struct exec_plugin *exec_plugin_new(void)
{
	struct exec_plugin *plugin = xcalloc(1, sizeof(*plugin));

	plugin->credential = EXEC_CREDENTIAL_INIT;
	plugin->timeout_ms = TIMEOUT_MS;
	return plugin;
}

void exec_plugin_free(struct exec_plugin *plugin)
{
	if (plugin == NULL) {
		return;
	}
	free(plugin->api_version);
	free(plugin->command);
	for (char **arg = plugin->argv; arg != NULL && *arg != NULL; arg++) {
		free(*arg);
	}
	free(plugin->argv);
	json_decref(plugin->env);
	free(plugin->install_hint);
	json_decref(plugin->cluster_config);
	exec_credential_release(&plugin->credential);
	free(plugin);
}

/* ---- the credential ---- */

bool exec_plugin_fresh(const struct exec_plugin *plugin)
{
	return plugin->usable &&
	       (plugin->credential.expires_ms < 0 || clock_wall_ms() + LEEWAY_MS < plugin->credential.expires_ms);
}

void exec_plugin_refused(struct exec_plugin *plugin, unsigned generation)
{
	/* A refusal that comes late is of the credential before. */
	if (generation == plugin->generation) {
		plugin->usable = false;
	}
}

/* ---- the end of a run ---- */

static void on_handle_closed(uv_handle_t *handle)
{
	struct exec_run *run = handle->data;

	if (--run->open_handles > 0) {
		return;
	}
	strbuf_release(&run->output);
	strbuf_release(&run->complaint);
	error_release(&run->error);
	free(run);
}

static void close_handles(struct exec_run *run)
{
	uv_handle_t *const handles[] = {(uv_handle_t *)&run->process, (uv_handle_t *)&run->out,
		(uv_handle_t *)&run->err, (uv_handle_t *)&run->deadline};

	for (size_t i = 0; i < ARRAY_LEN(handles); i++) {
		if (uv_handle_get_type(handles[i]) != UV_UNKNOWN_HANDLE && !uv_is_closing(handles[i])) {
			uv_close(handles[i], on_handle_closed);
		}
	}
}

/* The last line that it complained with, as plugins end with the reason. */
static const char *last_words(struct strbuf *complaint)
{
	const char *newline;

	while (complaint->len > 0 && complaint->buf[complaint->len - 1] <= ' ') {
		complaint->buf[--complaint->len] = '\0';
	}
	newline = strrchr(complaint->buf, '\n');
	if (complaint->len == 0) {
		return "it said nothing on its standard error";
	}
	return newline != NULL ? newline + 1 : complaint->buf;
}

static int check_run(struct exec_run *run, struct exec_credential *credential, struct error *err)
{
	const struct exec_plugin *plugin = run->plugin;

	if (run->error.kind != ERROR_NONE) {
		error_move(err, &run->error);
		return -1;
	}
	if (run->exit_signal) {
		return error_set(err, ERROR_UNAUTHORIZED, "exec plugin '%s' was ended by signal %d", plugin->command,
			run->exit_signal);
	}
	if (run->exit_code != 0) {
		return error_set(err, ERROR_UNAUTHORIZED, "exec plugin '%s' ended with code %d: %s", plugin->command,
			(int)run->exit_code, last_words(&run->complaint));
	}
	if (exec_credential_parse(credential, run->output.buf, run->output.len, plugin->api_version, err) == 0) {
		return 0;
	}
	err->kind = ERROR_UNAUTHORIZED;
	return error_wrap(err, "exec plugin '%s' gave no credentials", plugin->command);
}

/* Each of them may ask for more, or take others back. */
static void notify_waiters(struct exec_run *run, const struct error *err)
{
	while (run->waiters != NULL) {
		struct exec_waiter *waiter = run->waiters;

		run->waiters = waiter->next;
		waiter->run = NULL;
		waiter->ready(waiter->ctx, err);
	}
}

static void finish(struct exec_run *run)
{
	struct exec_plugin *plugin = run->plugin;
	struct exec_credential credential = EXEC_CREDENTIAL_INIT;
	auto_error err = ERROR_INIT;

	if (plugin != NULL && check_run(run, &credential, &err) == 0) {
		exec_credential_release(&plugin->credential);
		plugin->credential = credential;
		plugin->usable = true;
		plugin->generation++;
	}
	if (plugin != NULL) {
		plugin->run = NULL;
	}
	run->plugin = NULL;
	notify_waiters(run, err.kind == ERROR_NONE ? NULL : &err);
	close_handles(run);
}

static void ended(struct exec_run *run)
{
	if (--run->awaited == 0) {
		finish(run);
	}
}

/* The end comes with on_exit(); what grandchildren still hold open is not waited for. */
static void kill_run(struct exec_run *run)
{
	uv_handle_t *const rest[] = {(uv_handle_t *)&run->out, (uv_handle_t *)&run->err};

	for (size_t i = 0; i < ARRAY_LEN(rest); i++) {
		if (!uv_is_active(rest[i])) {
			continue;
		}
		uv_close(rest[i], on_handle_closed);
		run->awaited--;
	}
	uv_timer_stop(&run->deadline);
	if (run->alive) {
		uv_process_kill(&run->process, SIGKILL);
	}
	if (run->awaited == 0) {
		finish(run);
	}
}

bool exec_waiter_leave(struct exec_waiter *waiter)
{
	struct exec_run *run = waiter->run;
	struct exec_waiter **link;

	if (run == NULL) {
		return false;
	}
	waiter->run = NULL;
	for (link = &run->waiters; *link != waiter; link = &(*link)->next) {
	}
	*link = waiter->next;
	if (run->waiters == NULL && run->plugin != NULL) {
		run->plugin->run = NULL;
		run->plugin = NULL;
		if (run->awaited > 0) {
			kill_run(run);
		}
	}
	return true;
}

/* ---- a run ---- */

static void on_exit_of(uv_process_t *process, int64_t exit_code, int signal_number)
{
	struct exec_run *run = process->data;

	run->alive = false;
	run->exit_code = exit_code;
	run->exit_signal = signal_number;
	ended(run);
}

static void on_deadline(uv_timer_t *timer)
{
	struct exec_run *run = timer->data;

	error_set(&run->error, ERROR_UNAUTHORIZED, "exec plugin '%s' did not end within %lld s and was killed",
		run->plugin->command, (long long)(run->plugin->timeout_ms / 1000));
	kill_run(run);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	(void)handle;
	*buf = uv_buf_init(xcalloc(1, suggested), (unsigned int)suggested);
}

/* True while the stream goes on. */
static bool take_output(struct exec_run *run, uv_stream_t *stream, ssize_t got, const uv_buf_t *buf)
{
	if (got >= 0) {
		strbuf_add(stream == (uv_stream_t *)&run->out ? &run->output : &run->complaint, buf->base, (size_t)got);
	}
	free(buf->base);
	return got >= 0;
}

static void on_output(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf)
{
	struct exec_run *run = stream->data;

	if (!take_output(run, stream, got, buf)) {
		uv_close((uv_handle_t *)stream, on_handle_closed);
		ended(run);
		return;
	}
	if (run->complaint.len > COMPLAINT_LIMIT) {
		strbuf_consume(&run->complaint, run->complaint.len - COMPLAINT_LIMIT);
	}
	if (run->output.len > OUTPUT_LIMIT) {
		if (run->plugin != NULL) {
			error_set(&run->error, ERROR_UNAUTHORIZED, "exec plugin '%s' printed more than %d KiB",
				run->plugin->command, OUTPUT_LIMIT >> 10);
		}
		kill_run(run);
	}
}

static int spawn(struct exec_run *run, uv_loop_t *loop, json_t *cluster)
{
	struct exec_plugin *plugin = run->plugin;
	bool interactive = plugin->interactive != EXEC_NEVER && isatty(STDIN_FILENO);
	char **env = exec_environment(plugin, cluster, interactive);
	uv_stdio_container_t stdio[] = {
		{.flags = interactive ? UV_INHERIT_FD : UV_IGNORE, .data.fd = STDIN_FILENO},
		{.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&run->out},
		/* Who is asked something has to see the question. */
		{.flags = interactive ? UV_INHERIT_FD : UV_CREATE_PIPE | UV_WRITABLE_PIPE},
	};
	uv_process_options_t options = {.file = plugin->command,
		.args = plugin->argv,
		.env = env,
		.stdio = stdio,
		.stdio_count = ARRAY_LEN(stdio),
		.exit_cb = on_exit_of};
	int rc;

	if (interactive) {
		stdio[2].data.fd = STDERR_FILENO;
	} else {
		stdio[2].data.stream = (uv_stream_t *)&run->err;
	}
	run->open_handles++;
	rc = uv_spawn(loop, &run->process, &options);
	exec_environment_free(env);
	if (rc < 0) {
		return rc;
	}
	run->alive = true;
	run->awaited = interactive ? 2 : 3;
	uv_read_start((uv_stream_t *)&run->out, on_alloc, on_output);
	if (!interactive) {
		uv_read_start((uv_stream_t *)&run->err, on_alloc, on_output);
	}
	return 0;
}

static void on_not_started(uv_timer_t *timer)
{
	struct exec_run *run = timer->data;

	finish(run);
}

static int try_spawn(struct exec_run *run, uv_loop_t *loop, json_t *cluster)
{
	const struct exec_plugin *plugin = run->plugin;
	int rc;

	if (plugin->interactive == EXEC_ALWAYS && !isatty(STDIN_FILENO)) {
		return error_set(&run->error, ERROR_UNAUTHORIZED,
			"exec plugin '%s' has to ask somebody ('interactiveMode: Always'), and "
			"there is no terminal: use credentials that need not",
			plugin->command);
	}
	rc = spawn(run, loop, cluster);
	if (rc < 0) {
		return error_set(&run->error, ERROR_UNAUTHORIZED, "exec plugin '%s' cannot be run: %s: %s",
			plugin->command, uv_strerror(rc),
			plugin->install_hint != NULL ? plugin->install_hint
						     : "install it, or correct the user's 'exec.command'");
	}
	return 0;
}

static struct exec_run *start_run(struct exec_plugin *plugin, uv_loop_t *loop, json_t *cluster)
{
	struct exec_run *run = xcalloc(1, sizeof(*run));

	*run = (struct exec_run){.plugin = plugin,
		.output = STRBUF_INIT,
		.complaint = STRBUF_INIT,
		.error = ERROR_INIT,
		.open_handles = 3};
	uv_pipe_init(loop, &run->out, 0);
	uv_pipe_init(loop, &run->err, 0);
	uv_timer_init(loop, &run->deadline);
	run->process.data = run->out.data = run->err.data = run->deadline.data = run;
	/* Also what could not be started is told from the loop. */
	if (try_spawn(run, loop, cluster) < 0) {
		uv_timer_start(&run->deadline, on_not_started, 0, 0);
	} else {
		uv_timer_start(&run->deadline, on_deadline, (uint64_t)plugin->timeout_ms, 0);
	}
	return run;
}

void exec_plugin_wait(struct exec_plugin *plugin, uv_loop_t *loop, json_t *cluster, struct exec_waiter *waiter)
{
	if (plugin->run == NULL) {
		plugin->run = start_run(plugin, loop, cluster);
	}
	waiter->run = plugin->run;
	waiter->next = plugin->run->waiters;
	plugin->run->waiters = waiter;
}
