#include "image/registry/curl_library.h"

#include <dlfcn.h>

namespace berth::image {
namespace {

constexpr const char* kName = "libcurl.so.4";

template <typename Function>
bool find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  return function != nullptr;
}

Result<CurlLibrary> open() {
  void* const library = ::dlopen(kName, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr)
    return fail(ErrorKind::kUnsupported,
                "registries need libcurl, which cannot be loaded (Debian's package libcurl4): {}",
                ::dlerror());
  CurlLibrary curl = {};
  decltype(&::curl_global_init) global_init = nullptr;
  const bool complete = find(library, "curl_global_init", global_init) &&
                        find(library, "curl_easy_cleanup", curl.easy_cleanup) &&
                        find(library, "curl_easy_getinfo", curl.easy_getinfo) &&
                        find(library, "curl_easy_init", curl.easy_init) &&
                        find(library, "curl_easy_pause", curl.easy_pause) &&
                        find(library, "curl_easy_setopt", curl.easy_setopt) &&
                        find(library, "curl_easy_strerror", curl.easy_strerror) &&
                        find(library, "curl_multi_add_handle", curl.multi_add_handle) &&
                        find(library, "curl_multi_cleanup", curl.multi_cleanup) &&
                        find(library, "curl_multi_info_read", curl.multi_info_read) &&
                        find(library, "curl_multi_init", curl.multi_init) &&
                        find(library, "curl_multi_perform", curl.multi_perform) &&
                        find(library, "curl_multi_poll", curl.multi_poll) &&
                        find(library, "curl_multi_remove_handle", curl.multi_remove_handle) &&
                        find(library, "curl_slist_append", curl.slist_append) &&
                        find(library, "curl_slist_free_all", curl.slist_free_all);
  if (!complete) return fail(ErrorKind::kUnsupported, "{} is older than 7.66", kName);
  if (global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
    return fail(ErrorKind::kInternal, "{} does not start", kName);
  return curl;
}

}  // namespace

Result<const CurlLibrary*> CurlLibrary::load() {
  static const Result<CurlLibrary> library = open();
  if (!library.ok()) return library.error();
  return &*library;
}

}  // namespace berth::image
