/**
 * What a process does that is started to be a forkserver.
 */
#ifndef KIN_PROCESS_FORKSERVER_SERVE_H
#define KIN_PROCESS_FORKSERVER_SERVE_H

#include <kin/call.h>

/* Runs what is preloaded, tells who has started this process how that went, and serves. Its
 * argument is a list of tuples {name, arguments} of functions; its fd the socket. */
int kin__forkserver_serve(kin_call *call);

#endif
