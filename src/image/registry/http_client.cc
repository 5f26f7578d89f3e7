#include "image/registry/http_client.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "image/registry/curl_library.h"

namespace berth::image {
namespace {

constexpr long kMaxRedirects = 10;
constexpr int kPollMilliseconds = 1000;
/// A response's fields are small; more is an attack.
constexpr std::size_t kMaxFieldBytes = 256U << 10;
/// One read from a connection, and the most that waits for whoever reads the body.
constexpr long kReceiveBytes = 128L << 10;
constexpr std::size_t kMaxWaiting = 1U << 20;

using Easy = std::unique_ptr<CURL, decltype(&::curl_easy_cleanup)>;
using Multi = std::unique_ptr<CURLM, decltype(&::curl_multi_cleanup)>;
using List = std::unique_ptr<curl_slist, decltype(&::curl_slist_free_all)>;

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

ErrorKind kind_of(CURLcode code) {
  switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
      return ErrorKind::kUnsupported;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_TOO_MANY_REDIRECTS:
      return ErrorKind::kInvalid;
    default:
      return ErrorKind::kInternal;
  }
}

bool is_out_of_reach(CURLcode code) {
  return code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_RESOLVE_PROXY ||
         code == CURLE_COULDNT_CONNECT;
}

int errno_of(CURLcode code) {
  return is_out_of_reach(code) ? EHOSTUNREACH : code == CURLE_OPERATION_TIMEDOUT ? ETIMEDOUT : 0;
}

std::string_view environment(std::initializer_list<const char*> names) {
  for (const char* name : names)
    if (const char* value = std::getenv(name); value != nullptr) return value;
  return {};
}

/// One request and its response, whose body is taken from the connection as it is read.
class Transfer final : public ByteSource {
 public:
  explicit Transfer(const CurlLibrary& curl)
      : curl_(curl),
        multi_(curl.multi_init(), curl.multi_cleanup),
        easy_(curl.easy_init(), curl.easy_cleanup),
        list_(nullptr, curl.slist_free_all) {}
  ~Transfer() override {
    if (multi_ && easy_) curl_.multi_remove_handle(multi_.get(), easy_.get());
  }

  Result<void> start(const HttpRequest& request, const HttpSettings& settings) {
    if (!multi_ || !easy_) return fail(ErrorKind::kExhausted, "no memory for a connection");
    url_ = request.url;
    stop_ = request.stop;
    for (const auto& [name, value] : request.fields) {
      curl_slist* longer = curl_.slist_append(list_.get(), (name + ": " + value).c_str());
      if (longer == nullptr) return fail(ErrorKind::kExhausted, "no memory for a request");
      (void)list_.release();
      list_.reset(longer);
    }
    set(CURLOPT_URL, url_.c_str());
    set(CURLOPT_HTTPHEADER, list_.get());
    set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
    set_body(request);
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    // What began encrypted goes on so.
    set(CURLOPT_REDIR_PROTOCOLS_STR, url_.starts_with("https:") ? "https" : "http,https");
    set(CURLOPT_FOLLOWLOCATION, 1L);
    set(CURLOPT_MAXREDIRS, kMaxRedirects);
    set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(settings.connect_timeout.count()));
    set(CURLOPT_LOW_SPEED_LIMIT, 1L);
    set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(settings.silence.count()));
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_BUFFERSIZE, kReceiveBytes);
    set(CURLOPT_USERAGENT, "berth");
    set(CURLOPT_ERRORBUFFER, error_);
    set(CURLOPT_WRITEFUNCTION, &Transfer::on_body);
    set(CURLOPT_WRITEDATA, this);
    set(CURLOPT_HEADERFUNCTION, &Transfer::on_field);
    set(CURLOPT_HEADERDATA, this);
    set_tls(settings.tls);
    set_proxy(settings.proxy);
    set_local(request);
    if (curl_.multi_add_handle(multi_.get(), easy_.get()) != CURLM_OK)
      return fail(ErrorKind::kInternal, "cannot start a request to {}", url_);
    while (!head_complete_ && !done_) TRY(step());
    // A body that breaks off may have done so by now: that is for whoever reads it.
    return head_complete_ || code_ == CURLE_OK ? Result<void>() : Result<void>(failure());
  }

  int status() const {
    long status = 0;
    curl_.easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
    return static_cast<int>(status);
  }
  std::string url() const {
    const char* url = nullptr;
    curl_.easy_getinfo(easy_.get(), CURLINFO_EFFECTIVE_URL, &url);
    return url == nullptr ? url_ : url;
  }
  std::map<std::string, std::string> take_fields() { return std::move(fields_); }

  Result<std::size_t> read(std::span<std::byte> into) override {
    while (at_ == chunk_.size()) {
      if (done_) return code_ == CURLE_OK ? Result<std::size_t>(0) : Result<std::size_t>(failure());
      chunk_.clear();
      at_ = 0;
      if (paused_) {
        paused_ = false;
        curl_.easy_pause(easy_.get(), CURLPAUSE_CONT);
      }
      if (chunk_.empty()) TRY(step());
    }
    const std::size_t count = std::min(into.size(), chunk_.size() - at_);
    std::memcpy(into.data(), chunk_.data() + at_, count);
    at_ += count;
    return count;
  }

 private:
  template <typename T>
  void set(CURLoption option, T value) {
    curl_.easy_setopt(easy_.get(), option, value);
  }

  void set_body(const HttpRequest& request) {
    if (request.upload.file >= 0) {
      upload_ = request.upload;
      sent_ = request.sent;
      set(CURLOPT_UPLOAD, 1L);
      set(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(upload_.size));
      set(CURLOPT_READFUNCTION, &Transfer::on_upload);
      set(CURLOPT_READDATA, this);
      set(CURLOPT_SEEKFUNCTION, &Transfer::on_seek);
      set(CURLOPT_SEEKDATA, this);
      set(CURLOPT_UPLOAD_BUFFERSIZE, 256L << 10);
      // What the request was for stands: UPLOAD alone would make it a PUT.
      set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
    } else if (request.source != nullptr) {
      source_ = request.source;
      set(CURLOPT_UPLOAD, 1L);
      set(CURLOPT_READFUNCTION, &Transfer::on_source);
      set(CURLOPT_READDATA, this);
      set(CURLOPT_UPLOAD_BUFFERSIZE, 256L << 10);
      set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
    } else if (request.method == "POST" || request.method == "PUT") {
      set(CURLOPT_POSTFIELDSIZE, static_cast<long>(request.body.size()));
      set(CURLOPT_COPYPOSTFIELDS, request.body.c_str());
    } else if (request.method == "HEAD") {
      set(CURLOPT_NOBODY, 1L);
    }
  }

  void set_local(const HttpRequest& request) {
    if (!request.socket.empty()) {
      set(CURLOPT_UNIX_SOCKET_PATH, request.socket.c_str());
      set(CURLOPT_FOLLOWLOCATION, 0L);
      set(CURLOPT_PROXY, "");
    }
    const auto patience = static_cast<long>(request.patience.count());
    if (patience == 0) return;
    set(CURLOPT_LOW_SPEED_TIME, std::max(1L, patience / 1000));
    if (request.source == nullptr) set(CURLOPT_TIMEOUT_MS, patience);
  }

  // The environment's exceptions are for the environment's proxy, which is for other machines.
  void set_proxy(const std::string& proxy) {
    if (!proxy.empty()) {
      set(CURLOPT_PROXY, proxy.c_str());
      set(CURLOPT_NOPROXY, "");
      return;
    }
    const std::string_view except = environment({"no_proxy", "NO_PROXY"});
    no_proxy_ = except == "*" ? "*" : fmt::format("localhost,127.0.0.0/8,::1,{}", except);
    set(CURLOPT_NOPROXY, no_proxy_.c_str());
  }

  void set_tls(const TlsSettings& tls) {
    // In the place of the bundle; the machine's directory of authorities stays.
    curl_blob authorities = {const_cast<char*>(tls.authorities.data()), tls.authorities.size(),
                             CURL_BLOB_COPY};
    if (!tls.authorities.empty()) set(CURLOPT_CAINFO_BLOB, &authorities);
    if (!tls.certificate.empty()) set(CURLOPT_SSLCERT, tls.certificate.c_str());
    if (!tls.key.empty()) set(CURLOPT_SSLKEY, tls.key.c_str());
    if (!tls.verify) {
      set(CURLOPT_SSL_VERIFYPEER, 0L);
      set(CURLOPT_SSL_VERIFYHOST, 0L);
    }
  }

  Result<void> step() {
    if (stop_.stop_requested()) return fail(ErrorKind::kConflict, "{}: given up", url_);
    int running = 0;
    if (curl_.multi_perform(multi_.get(), &running) != CURLM_OK)
      return fail(ErrorKind::kInternal, "the transfer from {} broke down", url_);
    int left = 0;
    while (const CURLMsg* message = curl_.multi_info_read(multi_.get(), &left))
      if (message->msg == CURLMSG_DONE) {
        done_ = true;
        code_ = message->data.result;
      }
    if (!done_ && chunk_.empty() && !head_complete_now_)
      curl_.multi_poll(multi_.get(), nullptr, 0, kPollMilliseconds, nullptr);
    head_complete_now_ = false;
    return {};
  }

  Error failure() const {
    if (source_error_) return *source_error_;
    const char* text = error_[0] != '\0' ? error_ : curl_.easy_strerror(code_);
    return Error(kind_of(code_), fmt::format("{}: {}", url_, text), errno_of(code_));
  }

  // In slices of 16 KiB, all that one read brought. To pause in the middle of them is dear: libcurl
  // then copies all that is left for each slice that it hands out later.
  static std::size_t on_body(char* data, std::size_t, std::size_t size, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    transfer.head_complete_ = transfer.head_complete_now_ = true;
    if (transfer.chunk_.size() + size > kMaxWaiting) {
      transfer.paused_ = true;
      return CURL_WRITEFUNC_PAUSE;
    }
    transfer.chunk_.append(data, size);
    return size;
  }

  static std::size_t on_upload(char* into, std::size_t, std::size_t size, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    const HttpUpload& upload = transfer.upload_;
    const std::size_t wanted = std::min<std::uint64_t>(size, upload.size - transfer.uploaded_);
    if (wanted == 0) return 0;
    const ssize_t count =
        ::pread(upload.file, into, wanted, static_cast<off_t>(upload.offset + transfer.uploaded_));
    if (count <= 0) return CURL_READFUNC_ABORT;  // the file is shorter than was said
    transfer.uploaded_ += static_cast<std::uint64_t>(count);
    if (transfer.sent_) transfer.sent_(transfer.uploaded_);
    return static_cast<std::size_t>(count);
  }

  static std::size_t on_source(char* into, std::size_t, std::size_t size, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    auto count = transfer.source_->read(std::as_writable_bytes(std::span(into, size)));
    if (count.ok()) return *count;
    transfer.source_error_ = std::move(count).error();
    return CURL_READFUNC_ABORT;
  }

  // After a redirect, or a connection that was gone, the body is sent once more.
  static int on_seek(void* self, curl_off_t offset, int origin) {
    if (origin != SEEK_SET || offset < 0) return CURL_SEEKFUNC_CANTSEEK;
    static_cast<Transfer*>(self)->uploaded_ = static_cast<std::uint64_t>(offset);
    return CURL_SEEKFUNC_OK;
  }

  static std::size_t on_field(char* data, std::size_t, std::size_t size, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    const std::string_view line(data, size);
    // A redirect, or an interim answer, was not the last one.
    if (line.starts_with("HTTP/")) {
      transfer.fields_.clear();
      transfer.field_bytes_ = 0;
    }
    transfer.field_bytes_ += size;
    if (transfer.field_bytes_ > kMaxFieldBytes) return 0;
    if (const auto colon = line.find(':'); colon != std::string_view::npos) {
      std::string name(line.substr(0, colon));
      std::ranges::transform(name, name.begin(), [](unsigned char c) {
        return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
      });
      std::string& value = transfer.fields_[name];
      if (!value.empty()) value += ", ";
      value += trim(line.substr(colon + 1));
    }
    return size;
  }

  const CurlLibrary& curl_;
  Multi multi_;
  Easy easy_;
  List list_;
  std::string url_;
  std::stop_token stop_;
  std::map<std::string, std::string> fields_;
  std::size_t field_bytes_ = 0;
  bool head_complete_ = false;
  bool head_complete_now_ = false;  // in this step: there is something to do already
  bool paused_ = false;
  bool done_ = false;
  CURLcode code_ = CURLE_OK;
  std::string chunk_;
  std::size_t at_ = 0;
  HttpUpload upload_;
  std::uint64_t uploaded_ = 0;
  std::function<void(std::uint64_t)> sent_;
  std::string no_proxy_;
  ByteSource* source_ = nullptr;
  std::optional<Error> source_error_;
  char error_[CURL_ERROR_SIZE] = "";
};

}  // namespace

std::string HttpResponse::get(const std::string& name) const {
  const auto found = fields.find(name);
  return found == fields.end() ? std::string() : found->second;
}

Result<std::unique_ptr<ByteSource>> HttpResponse::body_from(std::uint64_t offset) {
  std::vector<std::byte> skipped(64U << 10);
  for (std::uint64_t left = status == 200 ? offset : 0; left > 0;) {
    const auto part = std::span(skipped).first(std::min<std::uint64_t>(left, skipped.size()));
    const std::size_t count = TRY(body->read(part));
    if (count == 0) return fail(ErrorKind::kCorrupt, "the answer ends before byte {}", offset);
    left -= count;
  }
  return std::move(body);
}

Result<std::string> HttpResponse::text(std::size_t max_bytes) {
  std::string all;
  std::byte buffer[16384];
  for (;;) {
    const std::size_t count = TRY(body->read(buffer));
    if (count == 0) return all;
    if (all.size() + count > max_bytes)
      return fail(ErrorKind::kExhausted, "the answer is over {} bytes", max_bytes);
    all.append(reinterpret_cast<const char*>(buffer), count);
  }
}

Result<HttpResponse> HttpClient::send(const HttpRequest& request) const {
  auto transfer = std::make_unique<Transfer>(*TRY(CurlLibrary::load()));
  TRY(transfer->start(request, settings_));
  HttpResponse response;
  response.status = transfer->status();
  response.url = transfer->url();
  response.fields = transfer->take_fields();
  response.body = std::move(transfer);
  return response;
}

}  // namespace berth::image
