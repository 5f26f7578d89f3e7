// Plays an engine that says what a transcript says, runs the real program against it, and compares
// what the program printed and its exit code. Transcripts are data: transcripts/*.txt, whose first
// lines explain the format.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <list>
#include <mutex>
#include <sstream>
#include <thread>

#include "base/unique_fd.h"

namespace berth::cli {
namespace {

namespace fs = std::filesystem;

struct Rule {
  std::string request;  // "POST /containers/c1/wait": how the request begins
  int status = 200;     // 0: hang up
  std::string body;
};

struct Transcript {
  std::vector<std::string> arguments;
  std::string input;
  std::string output, errors;
  int exit_code = 0;
  std::vector<Rule> rules;
  std::string stream;  // what the attached client hears once the workload has started
  bool echo = false;   // the workload then repeats its input
};

// "\n", "\0", "\xHH" and "\\" of a transcript's texts.
std::string unescape(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
    } else if (const char c = text[++i]; c == 'x') {
      out += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
      i += 2;
    } else {
      out += c == 'n' ? '\n' : c == 't' ? '\t' : c;
    }
  }
  return out;
}

std::string frame(int stream, const std::string& payload) {
  std::string header(8, '\0');
  header[0] = static_cast<char>(stream);
  header[6] = static_cast<char>(payload.size() >> 8U);
  header[7] = static_cast<char>(payload.size() & 255U);
  return header + payload;
}

Transcript read_transcript(const fs::path& path) {
  Transcript transcript;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const auto space = line.find(' ');
    const std::string key = line.substr(0, space);
    const std::string rest = space == std::string::npos ? "" : line.substr(space + 1);
    if (key.empty() || key[0] == '#') continue;
    if (key == "berth") {
      std::istringstream words(rest);
      for (std::string word; words >> word;) transcript.arguments.push_back(unescape(word));
    } else if (key == "on") {
      std::istringstream words(rest);
      Rule rule;
      std::string method;
      words >> method >> rule.request >> rule.status >> std::ws;
      rule.request = method + " " + rule.request;
      std::getline(words, rule.body);
      rule.body = unescape(rule.body);
      transcript.rules.push_back(rule);
    } else if (key == "says" || key == "warns") {
      transcript.stream += frame(key == "says" ? 1 : 2, unescape(rest));
    } else if (key == "raw") {
      transcript.stream += unescape(rest);
    } else if (key == "echoes") {
      transcript.echo = true;
    } else if (key == "stdin") {
      transcript.input = unescape(rest);
    } else if (key == "stdout") {
      transcript.output += unescape(rest);
    } else if (key == "stderr") {
      transcript.errors += unescape(rest);
    } else if (key == "exit") {
      transcript.exit_code = std::stoi(rest);
    } else {
      ADD_FAILURE() << path << ": unknown key " << key;
    }
  }
  return transcript;
}

class FakeEngine {
 public:
  FakeEngine(const Transcript& transcript, const std::string& path) : transcript_(transcript) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    listener_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    EXPECT_EQ(::listen(listener_.get(), 16), 0);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ~FakeEngine() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    acceptor_.join();
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
    }
    changed_.notify_all();
    for (auto& thread : conversations_) thread.join();
  }

 private:
  void accept_all() {
    for (;;) {
      const int fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      conversations_.emplace_back([this, fd] { converse(UniqueFd(fd)); });
    }
  }

  // The head and body of one request; empty at the end.
  static std::string read_request(int fd) {
    std::string text;
    std::size_t wanted = 0;
    while (wanted == 0 || text.size() < wanted) {
      char c = 0;
      if (::recv(fd, &c, 1, 0) != 1) return wanted == 0 ? "" : text;
      text += c;
      if (wanted != 0 || !text.ends_with("\r\n\r\n")) continue;
      const auto length = text.find("Content-Length: ");
      wanted =
          text.size() + (length == std::string::npos ? 0 : std::stoul(text.substr(length + 16)));
      const bool chunked = text.find("chunked") != std::string::npos;
      while (chunked && !text.ends_with("0\r\n\r\n"))
        if (::recv(fd, &c, 1, 0) == 1) text += c;
    }
    return text;
  }

  static void say(int fd, const std::string& text) {
    ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
  }

  void wait_for(const bool& flag) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return flag || over_; });
  }
  void set(bool& flag) {
    {
      const std::lock_guard lock(mutex_);
      flag = true;
    }
    changed_.notify_all();
  }

  void converse(UniqueFd socket) {
    for (;;) {
      const std::string request = read_request(socket.get());
      if (request.empty()) return;
      const std::string line = request.substr(0, request.find(" HTTP/1.1"));
      const Rule* rule = nullptr;
      for (const Rule& candidate : transcript_.rules)
        if (!rule && line.starts_with(candidate.request)) rule = &candidate;
      if (!rule) {
        ADD_FAILURE() << "unexpected request: " << line;
        return say(socket.get(), "HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n");
      }
      if (rule->status == 0) return;
      if (rule->status == 101) return stream(std::move(socket));
      const bool waits = line.find("/wait") != std::string::npos && rule->status == 200;
      const std::string head = "HTTP/1.1 " + std::to_string(rule->status) + " X\r\n";
      if (waits) {
        say(socket.get(), head + "Transfer-Encoding: chunked\r\n\r\n");
        wait_for(started_);
        std::ostringstream chunk;
        chunk << std::hex << rule->body.size() << "\r\n" << rule->body << "\r\n0\r\n\r\n";
        say(socket.get(), chunk.str());
        continue;
      }
      const bool bodiless = rule->status == 204 || rule->status == 304;
      say(socket.get(),
          head + (bodiless ? "" : "Content-Length: " + std::to_string(rule->body.size()) + "\r\n") +
              "\r\n" + rule->body);
      if (line.find("/start") != std::string::npos && rule->status < 400) set(started_);
    }
  }

  void stream(UniqueFd socket) {
    say(socket.get(), "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n");
    wait_for(started_);
    say(socket.get(), transcript_.stream);
    std::string heard;
    char piece[4096];
    for (ssize_t got = 0;
         transcript_.echo && (got = ::recv(socket.get(), piece, sizeof(piece), 0)) > 0;)
      heard.append(piece, static_cast<std::size_t>(got));
    if (!heard.empty()) say(socket.get(), frame(1, heard));
  }

  const Transcript& transcript_;
  UniqueFd listener_;
  std::thread acceptor_;
  std::list<std::thread> conversations_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool started_ = false;
  bool over_ = false;
};

struct Ran {
  std::string output, errors;
  int status = -1;
};

std::string read_all(const fs::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

Ran run_berth(const std::vector<std::string>& arguments, const fs::path& directory,
              const std::string& host) {
  std::vector<std::string> words = {BERTH_BIN_DIR "/berth", "-H", host};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const std::string in = directory / "in";
  const std::string out = directory / "out";
  const std::string err = directory / "err";
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(::open(in.c_str(), O_RDONLY), 0);
    ::dup2(::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), 1);
    ::dup2(::open(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), 2);
    ::execv(argv[0], argv.data());
    ::_exit(99);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return {read_all(out), read_all(err), WIFEXITED(status) ? WEXITSTATUS(status) : -1};
}

class Conversation : public ::testing::TestWithParam<fs::path> {};

TEST_P(Conversation, GoesAsTheTranscriptSays) {
  const Transcript transcript = read_transcript(GetParam());
  std::string name = ::testing::TempDir() + "berth-conversation-XXXXXX";
  ASSERT_NE(::mkdtemp(name.data()), nullptr);
  const fs::path directory = name;
  std::ofstream(directory / "in") << transcript.input;
  Ran ran;
  {
    const FakeEngine engine(transcript, directory / "s");
    ran = run_berth(transcript.arguments, directory, "unix://" + (directory / "s").string());
  }
  EXPECT_EQ(ran.output, transcript.output);
  EXPECT_EQ(ran.errors, transcript.errors);
  EXPECT_EQ(ran.status, transcript.exit_code);
  fs::remove_all(directory);
}

std::vector<fs::path> transcripts() {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(BERTH_SOURCE_DIR "/apps/berth/transcripts"))
    if (entry.path().extension() == ".txt") paths.push_back(entry.path());
  std::ranges::sort(paths);
  return paths;
}

INSTANTIATE_TEST_SUITE_P(Transcripts, Conversation, ::testing::ValuesIn(transcripts()),
                         [](const auto& one) {
                           std::string name = one.param.stem().string();
                           for (char& c : name)
                             if (c == '-') c = '_';
                           return name;
                         });

}  // namespace
}  // namespace berth::cli
