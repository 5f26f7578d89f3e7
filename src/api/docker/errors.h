// How an Error becomes an HTTP answer. This is the one place where a kind turns into a status.
#pragma once

#include <string>

#include "base/error.h"

namespace berth::docker {

/// Docker's status for the kind; kExhausted is 507, which its clients treat as any other error of
/// the server.
int http_status(ErrorKind kind);
int http_status(const Error& error);

/// {"message": "..."}
std::string error_body(std::string_view message);

}  // namespace berth::docker
