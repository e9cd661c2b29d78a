-- Why requests are refused, what each means and what to do about it.
insert into pg_temp.error_codes (code, statuses, meaning, remedy)
values
    ('bad_request', '{400}', 'What came is not a well-formed request.', 'Correct the request; the sentence names the place.'),
    ('unauthenticated', '{401}', 'There is no login, or it has ended.', 'Log in again.'),
    ('token_invalid', '{401}', 'The login behind this token has ended.', 'Log in again.'),
    ('auth_invalid', '{401}', 'User name or password is wrong.', 'Check both; after several wrong ones wait.'),
    (
        'process_unknown', '{401}', 'The program is not registered, or was declared dead.',
        'Restart it; it registers by itself.'
    ),
    ('forbidden', '{403}', 'The caller''s role may not do this.', 'Ask an administrator.'),
    (
        'foreign_page', '{403}', 'The refresh cookie came, or was asked for, from what is not a page of this server.',
        'Open the page by https, or on the machine itself; without a page log in without the cookie.'
    ),
    (
        'cookie_required', '{403}', 'The login is a browser''s, which its cookie renews.',
        'Refresh with the cookie, or log in without it.'
    ),
    ('account_disabled', '{403}', 'The caller''s account is disabled.', 'Ask an administrator to enable it.'),
    ('account_expired', '{403}', 'The caller''s account has expired.', 'Ask an administrator to extend it.'),
    (
        'append_only', '{403}', 'Rows of the audit log are written once.',
        'Leave them; a month leaves as a whole when it is over.'
    ),
    ('not_truncatable', '{403}', 'The table''s rows stand for real things.', 'Delete hosts by tasks.'),
    ('not_your_host', '{403}', 'The host lives on another node.', 'Report on the hosts of the own node only.'),
    ('not_your_process', '{403}', 'A program speaks for itself only.', 'Log in with the program''s own role.'),
    ('not_your_tick', '{403}', 'A program ticks in its own name only.', 'Tick in the own name.'),
    ('not_found', '{404}', 'There is nothing at this path.', 'Compare the path with the document.'),
    ('user_not_found', '{404}', 'There is no such user.', 'List the users.'),
    ('host_not_found', '{404}', 'There is no such host, or it is another user''s.', 'List the hosts.'),
    ('task_not_found', '{404}', 'There is no such task, or it is another user''s.', 'List the tasks.'),
    ('egress_ip_not_found', '{404}', 'There is no such exit.', 'List the exits.'),
    ('binding_not_found', '{404}', 'There is no such binding, or it has ended.', 'Read the host: it names its binding.'),
    ('session_not_found', '{404}', 'There is no such session, or it is another user''s.', 'List the sessions.'),
    ('ssh_key_not_found', '{404}', 'There is no such key, or it is another user''s.', 'List the keys.'),
    ('signing_key_not_found', '{404}', 'There is no such signing key, or it is worth nothing already.', 'List the signing keys.'),
    ('node_not_found', '{404}', 'There is no such node.', 'List the nodes.'),
    ('webhook_not_found', '{404}', 'There is no such webhook.', 'List the webhooks.'),
    ('setting_not_found', '{404}', 'There is no such setting.', 'List the settings.'),
    ('method_not_allowed', '{405}', 'The path does not take this method.', 'The header Allow names those that it takes.'),
    ('conflict', '{409}', 'The request does not fit what is there.', 'Read what is there and ask again.'),
    ('username_taken', '{409}', 'There is a user of this name.', 'Choose another name.'),
    (
        'last_admin', '{409}', 'There would be no active administrator, now or when the others have expired.',
        'Make another administrator first, or let one of the others expire later.'
    ),
    ('user_disabled', '{409}', 'The user whose host it is is disabled.', 'Enable that user first.'),
    ('user_expired', '{409}', 'The user whose host it is has expired.', 'Set a later expiry first.'),
    ('user_being_deleted', '{409}', 'The user is being deleted.', 'Cancel the deletion first, or wait for its end.'),
    ('user_not_being_deleted', '{409}', 'Nobody asked for the deletion of this user, or it was canceled.', 'Delete the user.'),
    ('own_account', '{409}', 'Administrators cannot take their own rights away.', 'Let another administrator do it.'),
    ('ssh_key_exists', '{409}', 'The key is registered already.', 'Use it.'),
    ('too_many_keys', '{409}', 'There are as many keys as may be.', 'Delete one first, or wait until one expires.'),
    ('too_many_webhooks', '{409}', 'There are as many webhooks as may be.', 'Delete one first.'),
    ('label_taken', '{409}', 'There is an exit of this label.', 'Choose another label.'),
    ('egress_ip_disabled', '{409}', 'The exit is disabled.', 'Enable it or choose another.'),
    ('egress_ip_in_use', '{409}', 'A task of the exit''s host is under way.', 'Change it when that has ended.'),
    ('egress_ip_bound', '{409}', 'Another host leaves through this exit.', 'Choose another exit or end that binding.'),
    (
        'egress_ip_without_key', '{409}', 'The exit knows the key of the host that is bound to it, and none is.',
        'Bind the exit to a host, or give it a private key of its own.'
    ),
    ('egress_binding_missing', '{409}', 'The host has no exit.', 'Bind one to it.'),
    ('no_node', '{409}', 'There is no node for it.', 'Start an agent, or uncordon a node.'),
    ('node_drained', '{409}', 'No host runs on the node at present.', 'Wait until an administrator lets hosts run there again.'),
    ('node_full', '{409}', 'The node has no user ids left.', 'Delete hosts there or add a node.'),
    ('host_busy', '{409}', 'Another task works on the host.', 'Wait until it has ended, or cancel it.'),
    ('host_bound', '{409}', 'The host has an exit.', 'Unbind that one first.'),
    ('host_running', '{409}', 'The host is not at rest.', 'Stop it first.'),
    ('host_being_deleted', '{409}', 'The host is being deleted.', 'Cancel the deletion before it begins.'),
    ('host_is_live', '{409}', 'The row stands for a container.', 'Delete the host by a task.'),
    ('host_not_created', '{409}', 'The host was never created.', 'Wait for host.create, or ask for it.'),
    ('start_failed', '{409}', 'The host was not started.', 'The sentence tells why; ask again when that is mended.'),
    ('step_not_allowed', '{409}', 'What is asked for is not possible in this status.', 'Wait for the status it needs.'),
    ('task_busy', '{409}', 'The same task is being asked for by others.', 'Ask again.'),
    ('task_ended', '{409}', 'The task has ended before.', 'Read how it ended.'),
    ('task_is_live', '{409}', 'The task has not ended.', 'Cancel it first.'),
    ('task_not_cancelable', '{409}', 'The task can no longer be canceled.', 'Wait until it has ended.'),
    ('task_not_retryable', '{409}', 'The task has not failed.', 'Ask for a new one.'),
    ('month_is_live', '{409}', 'The month is not over.', 'Drop months that are over.'),
    ('snapshot_too_old', '{409}', 'The transaction is too old to see another''s task.', 'Ask again in a new transaction.'),
    (
        'idempotency_key_reused', '{409}', 'The Idempotency-Key was used for another request.',
        'Use a fresh key for each request.'
    ),
    ('precondition_failed', '{412}', 'It was changed in between.', 'Read it again and decide again.'),
    ('too_large', '{413,431}', 'The request is too long.', 'Send less at once.'),
    (
        'unsupported_media_type', '{415}', 'The body has a type that is not read here.',
        'Send application/json, or what the sentence names.'
    ),
    ('invalid', '{422}', 'A value cannot be.', 'errors names each field and what it must be.'),
    ('too_many_attempts', '{429}', 'There were too many attempts.', 'Wait as long as the header Retry-After says.'),
    (
        'too_many_requests', '{429}', 'This login has made as many requests as it may.',
        'Wait as long as the header Retry-After says; the setting requests_per_minute says how many.'
    ),
    ('too_many_streams', '{429}', 'The account has as many streams open as it may.', 'Close one of them.'),
    ('internal', '{500}', 'Something failed that should not.', 'Tell the operator the request id: the log has it.'),
    ('unavailable', '{503}', 'The database does not answer.', 'Ask again in a moment.'),
    ('busy', '{503}', 'There is more to do than fits.', 'Ask again in a moment.'),
    ('stopping', '{503}', 'The service is stopping.', 'Ask again in a moment.'),
    ('locked', '{503}', 'Another session holds what this needs.', 'The sentence names the session; ask again in a moment.'),
    ('settings_incomplete', '{503}', 'The installation lacks a setting that this needs.', 'Set what the sentence names.'),
    ('ssh_not_ready', '{503}', 'The host cannot be reached by ssh yet.', 'Ask again after the time in Retry-After.');
