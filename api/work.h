// SPDX-License-Identifier: Apache-2.0
// Runs a request's steps in the pools, one after the other.
#pragma once

struct app;
struct request;

// Runs the request's next step, or hands its answer back (app->resume) when it has one. From any
// thread; the request is suspended. A step that waits hands it to app->wait.
void work_continue(struct app *app, struct request *r);
