// What a registry says in the body of an answer that is a refusal. Source: distribution-spec,
// "Error Codes".
#pragma once

#include <string>

#include "image/registry/http_client.h"

namespace berth::image {

/// "manifest unknown: what it says", as Docker prints it; empty: it says nothing that is
/// understood. One line. Reads the body.
std::string reason_of(HttpResponse& response);

}  // namespace berth::image
