// libcurl, loaded when the first request needs it: with what it brings along (TLS, HTTP/2,
// Kerberos, LDAP) it would take a third of what an idle engine may.
// docs/adr/0007-curl-when-needed.md.
#pragma once

#include <curl/curl.h>

#include "base/result.h"

namespace berth::image {

/// The functions in use, by their names without "curl_".
struct CurlLibrary {
  decltype(&::curl_easy_cleanup) easy_cleanup;
  decltype(&::curl_easy_getinfo) easy_getinfo;
  decltype(&::curl_easy_init) easy_init;
  decltype(&::curl_easy_pause) easy_pause;
  decltype(&::curl_easy_setopt) easy_setopt;
  decltype(&::curl_easy_strerror) easy_strerror;
  decltype(&::curl_multi_add_handle) multi_add_handle;
  decltype(&::curl_multi_cleanup) multi_cleanup;
  decltype(&::curl_multi_info_read) multi_info_read;
  decltype(&::curl_multi_init) multi_init;
  decltype(&::curl_multi_perform) multi_perform;
  decltype(&::curl_multi_poll) multi_poll;
  decltype(&::curl_multi_remove_handle) multi_remove_handle;
  decltype(&::curl_slist_append) slist_append;
  decltype(&::curl_slist_free_all) slist_free_all;

  /// The one of this process; it stays. kUnsupported: it is not installed. Thread-safe.
  static Result<const CurlLibrary*> load();
};

}  // namespace berth::image
