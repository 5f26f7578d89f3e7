// The conversation between an engine and a holder, on SOCK_SEQPACKET sockets: one message a packet,
// a JSON object with a "type", descriptors beside it (SCM_RIGHTS). Both sides come from one build,
// or from two versions across an upgrade: unknown members are ignored, an unknown type is an error
// that the receiver answers or logs, and survives.
//
//   engine                                     holder
//     | -- (spawned with a connected socket) --> |
//     | <-------------------------------- Hello -|   holder.sock listens; waiting, no pid
//     | -- Attach [client's socket] -----------> |   any number, before or after Start
//     | -- Start [spec, network namespace] ----> |
//     | <---------------- Started | StartFailed -|   after StartFailed the holder ends
//     | -- Attach, Resize, Signal, CloseStdin -> |   while it runs
//     | -- Status -----------------------------> |
//     | <-------------------------------- Hello -|
//     | <------------------------------- Exited -|   the exit record is on disk; the holder ends
//
//   later engine -- connect(holder.sock) ------> |
//     | <-------------------------------- Hello -|   running: pid, start time
//     |              (as above from there)       |
//
// A request that carries a sequence number other than 0 is answered with a Reply of the same number
// once it has been carried out, or has failed; with 0 only the holder's own log learns of a
// failure. Start is answered with Started or StartFailed and needs no Reply. Started, StartFailed
// and Exited go to every connection.
//
// holder.sock is there before Hello, and Start comes after it: whatever runs can be found by a
// later engine. A holder whose first engine goes away before Start ends and leaves nothing; it
// reads what that engine had sent before it greets another.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "sys/mount_spec.h"

namespace berth::holder {

/// Longer messages are refused on both sides. The spec travels in a memfd, so the longest is a
/// Start with the mounts of an image of 128 layers.
inline constexpr std::size_t kMaxMessage = 64U << 10;
/// What a client may have sent behind its request before its socket is handed over: one read of an
/// HTTP server. Twice this, in hexadecimal, fits a message.
inline constexpr std::size_t kMaxEarlyInput = 16U << 10;
/// The holder's socket in its run directory, mode 0600.
inline constexpr std::string_view kSocketName = "holder.sock";
/// In the run directory: see StartedRecord.
inline constexpr std::string_view kStartedName = "started.json";
/// In the state directory: see exit_record_to_json().
inline constexpr std::string_view kExitName = "exit.json";

// ---- engine to holder

/// Descriptors: the spec (a memfd with OCI JSON, at most container::kMaxSpecBytes), then, if
/// `has_network_namespace`, the namespace to join.
struct Start {
  std::string id;
  std::string state_dir;  // exit.json goes here
  std::string bundle;
  std::vector<sys::MountSpec> rootfs_mounts;
  bool open_stdin = false;
  bool stdin_once = false;  // the first client that ends its input ends the workload's
  bool tty = false;
  std::uint16_t rows = 0;  // 0: leave the terminal's size alone
  std::uint16_t columns = 0;
  std::string log_path;  // json-file; empty: no log
  bool has_network_namespace = false;
};

/// Descriptor: the client's connected stream socket, the holder's from then on. Output is framed
/// (framing.h) unless the workload has a terminal.
struct Attach {
  bool stdin_stream = false;
  bool stdout_stream = false;
  bool stderr_stream = false;
  std::string detach_keys = {};  // "ctrl-a,x"; "": ctrl-p,ctrl-q. Only with a terminal
  std::string early_input =
      {};  // bytes the client had sent behind its request, at most kMaxEarlyInput
};

/// The terminal's new size. Before Start it is kept for it; kInvalid without a terminal.
struct Resize {
  unsigned rows = 0;
  unsigned columns = 0;
};

struct Signal {
  int number = 0;
  bool all = false;  // every process, not init alone
};

/// Ends the workload's input once what clients have sent so far is through.
struct CloseStdin {};

/// Asks for a Hello.
struct Status {};

using EngineMessage = std::variant<Start, Attach, Resize, Signal, CloseStdin, Status>;

/// An engine's message as the holder receives it.
struct Request {
  std::uint64_t sequence = 0;  // 0: no Reply wanted
  EngineMessage body;
};

// ---- holder to engine

struct Hello {
  bool running = false;
  int pid = 0;
  std::string started_at = {};            // RFC 3339
  std::uint64_t dropped_log_records = 0;  // lost to a full disk since the start
  std::size_t clients = 0;                // attached now
};

struct Started {
  int pid = 0;
  std::string started_at = {};
};

struct StartFailed {
  int exit_code = 128;  // 127: no such executable, 126: not executable, 128: anything else
  ErrorKind kind = ErrorKind::kInternal;
  std::string message = {};
};

struct Exited {
  int exit_code = 0;  // 128 + n after signal n
  bool oom_killed = false;
  std::string finished_at = {};
  std::string error = {};
  std::uint64_t dropped_log_records = 0;
};

/// The answer to a request with a sequence number.
struct Reply {
  std::uint64_t sequence = 0;
  bool ok = true;
  ErrorKind kind = ErrorKind::kInternal;  // if not ok
  std::string message = {};
};

using HolderMessage = std::variant<Hello, Started, StartFailed, Exited, Reply>;

/// A text may come out longer than kMaxMessage; sending it is then refused.
std::string encode(const EngineMessage& message, std::uint64_t sequence = 0);
std::string encode(const HolderMessage& message);
/// kInvalid says what is wrong with the text.
Result<Request> decode_engine_message(std::string_view text);
Result<HolderMessage> decode_holder_message(std::string_view text);

// ---- files

/// exit.json: {"exit_code", "oom_killed", "finished_at", "error", "dropped_log_records"}, on disk
/// before anyone is told of the end.
std::string exit_record_to_json(const Exited& exited);
/// kCorrupt: not an exit record.
Result<Exited> exit_record_from_json(std::string_view text);

/// started.json: what runs, for an engine that finds the holder gone. It means something for the
/// same boot only, so it is not fsynced. Start times are field 22 of /proc/PID/stat, so that a
/// reused pid is not mistaken (proc(5)).
struct StartedRecord {
  int pid = 0;
  std::string pid_start = {};
  int holder_pid = 0;
  std::string holder_start = {};
  std::string started_at = {};  // RFC 3339
  std::vector<std::string> cgroups = {};
};

std::string started_record_to_json(const StartedRecord& record);
/// kCorrupt: not a started record.
Result<StartedRecord> started_record_from_json(std::string_view text);

}  // namespace berth::holder
