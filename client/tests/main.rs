//! Tests of the client against scripted servers, over real sockets.
