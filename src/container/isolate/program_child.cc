#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

#include "container/isolate/program.h"

namespace berth::container {
namespace {

constexpr int kMaxLinks = 40;              // the kernel's own limit: MAXSYMLINKS
constexpr std::size_t kHeadSize = 1024;    // an ELF header with a dozen program headers
constexpr std::size_t kMaxHeaders = 1170;  // the kernel's own: 64 KiB of program headers

int open_plainly(const char* path, int flags) {
  struct open_how how = {};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_NO_MAGICLINKS;
  return static_cast<int>(::syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how));
}

int close_with(int fd, int error) {
  ::close(fd);
  return error;
}

// Whether `path` may be executed: 0 or errno. What it is goes into `found`.
int check_file(const char* path, int flags, const OwnFile& own, struct stat& found) {
  const int fd = open_plainly(path, O_PATH | flags);
  // A link of procfs: whatever it leads to is no file of the image.
  if (fd < 0) return errno == ELOOP ? EACCES : errno;
  if (::fstat(fd, &found) != 0) return close_with(fd, errno);
  if (!S_ISREG(found.st_mode)) return close_with(fd, EACCES);
  if (found.st_dev == own.device && found.st_ino == own.inode) return close_with(fd, EPERM);
  const bool executable =
      ::syscall(SYS_faccessat2, fd, "", X_OK, AT_EMPTY_PATH | AT_EACCESS) == 0 || errno == ENOSYS;
  return close_with(fd, executable ? 0 : errno);
}

// Replaces the last part of `path` by what the link there says.
int follow(char (&path)[PATH_MAX], const char* target, std::size_t length) {
  char* slash = ::strrchr(path, '/');
  const std::size_t kept =
      target[0] == '/' || !slash ? 0 : static_cast<std::size_t>(slash - path) + 1;
  if (kept + length >= sizeof path) return ENAMETOOLONG;
  ::memcpy(path + kept, target, length);
  path[kept + length] = '\0';
  return 0;
}

// Follows links at the end of `path`, so that an exec which follows none reaches the same file.
int resolve_end(const char* path, char (&resolved)[PATH_MAX]) {
  const std::size_t size = ::strlen(path);
  if (size >= sizeof resolved) return ENAMETOOLONG;
  ::memcpy(resolved, path, size + 1);
  char target[PATH_MAX];
  for (int i = 0; i < kMaxLinks; ++i) {
    const ssize_t length = ::readlink(resolved, target, sizeof target);
    if (length < 0) return errno == EINVAL ? 0 : errno;
    if (const int error = follow(resolved, target, static_cast<std::size_t>(length))) return error;
  }
  return ELOOP;
}

// The same file by two ways, or somebody is changing it: then it is not executed.
int check_and_resolve(const char* path, const OwnFile& own, char (&resolved)[PATH_MAX]) {
  struct stat named = {}, reached = {};
  if (const int error = check_file(path, 0, own, named)) return error;
  if (const int error = resolve_end(path, resolved)) return error;
  if (const int error = check_file(resolved, O_NOFOLLOW, own, reached)) return error;
  return named.st_dev == reached.st_dev && named.st_ino == reached.st_ino ? 0 : EACCES;
}

// The interpreter's path and the one argument of a "#!" line, cut in place; as load_script() in
// the kernel's fs/binfmt_script.c. False: it is no line the kernel would take.
bool parse_script_line(char* line, char** interpreter, char** argument) {
  char* end = ::strchr(line, '\n');
  char* at = line + 2;
  at += ::strspn(at, " \t");
  if (!end) {
    // Cut off: the path of the interpreter has to be whole.
    if (at[::strcspn(at, " \t")] == '\0') return false;
    end = at + ::strlen(at);
  }
  while (end > at && (end[-1] == ' ' || end[-1] == '\t')) --end;
  *end = '\0';
  if (*at == '\0') return false;
  *interpreter = at;
  at += ::strcspn(at, " \t");
  if (*at != '\0') *at++ = '\0';
  at += ::strspn(at, " \t");
  *argument = *at == '\0' ? nullptr : at;
  return true;
}

// ---- ELF

struct Segment {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

// Where the path of the interpreter is in the file; false: there is none.
template <typename Header, typename ProgramHeader>
bool find_interpreter(int file, const char* head, std::size_t size, Segment& segment) {
  Header header;
  if (size < sizeof header) return false;
  ::memcpy(&header, head, sizeof header);
  if (header.e_machine != EM_X86_64 && header.e_machine != EM_386) return false;
  if (header.e_phentsize != sizeof(ProgramHeader)) return false;
  const std::size_t count = header.e_phnum < kMaxHeaders ? header.e_phnum : kMaxHeaders;
  for (std::size_t i = 0; i < count; ++i) {
    ProgramHeader entry;
    const std::uint64_t at = header.e_phoff + i * sizeof entry;
    if (at <= size && size - at >= sizeof entry)
      ::memcpy(&entry, head + at, sizeof entry);
    else if (::pread(file, &entry, sizeof entry, static_cast<off_t>(at)) != sizeof entry)
      return false;
    if (entry.p_type != PT_INTERP) continue;
    segment = {entry.p_offset, entry.p_filesz};
    return true;
  }
  return false;
}

int check_elf(int file, const char* head, std::size_t size, const OwnFile& own) {
  Segment segment;
  const bool found = head[EI_CLASS] == ELFCLASS64
                         ? find_interpreter<Elf64_Ehdr, Elf64_Phdr>(file, head, size, segment)
                         : find_interpreter<Elf32_Ehdr, Elf32_Phdr>(file, head, size, segment);
  char path[PATH_MAX];
  if (!found || segment.size < 2 || segment.size > sizeof path) return 0;  // the kernel refuses it
  if (::pread(file, path, segment.size, static_cast<off_t>(segment.offset)) !=
      static_cast<ssize_t>(segment.size))
    return 0;
  path[segment.size - 1] = '\0';
  struct stat status = {};
  return check_file(path, 0, own, status);
}

// ---- one file after the other

enum class Kind { kDone, kScript };

// Looks into program.path. A script's first line is left in program.lines[depth].
int look_inside(Program& program, std::size_t depth, const OwnFile& own, Kind& kind) {
  kind = Kind::kDone;
  char head[kHeadSize + 1];
  const int file = open_plainly(program.path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
  // The kernel needs no right to read what it executes, but what cannot be looked into is not
  // executed. Init has every right over the image's files here, so that is rare.
  if (file < 0) return errno == ELOOP ? EACCES : errno;
  const ssize_t got = ::read(file, head, kHeadSize);
  const std::size_t size = got > 0 ? static_cast<std::size_t>(got) : 0;
  int error = 0;
  if (size > SELFMAG && ::memcmp(head, ELFMAG, SELFMAG) == 0) {
    error = check_elf(file, head, size, own);
  } else if (size > 2 && head[0] == '#' && head[1] == '!') {
    kind = Kind::kScript;
    const std::size_t length = size < kScriptLine ? size : kScriptLine;
    if (depth < kMaxScripts) {
      ::memcpy(program.lines[depth], head, length);
      program.lines[depth][length] = '\0';
    }
  }
  return close_with(file, error);
}

}  // namespace

int find_program_file(const char* path, const OwnFile& own, Program& program) {
  program.reset();
  const char* name = path;
  for (std::size_t depth = 0;; ++depth) {
    if (const int error = check_and_resolve(name, own, program.path)) return error;
    Kind kind = Kind::kDone;
    if (const int error = look_inside(program, depth, own, kind)) return error;
    if (kind == Kind::kDone) return 0;
    char* interpreter = nullptr;
    char* argument = nullptr;
    if (depth == kMaxScripts || !parse_script_line(program.lines[depth], &interpreter, &argument)) {
      // Too many, or no line at all: execve(2) has the right error for that.
      program.reset();
      return check_and_resolve(path, own, program.path);
    }
    // The script takes the place of the name it was called by.
    program.words[program.first] = const_cast<char*>(name);
    if (argument) program.words[--program.first] = argument;
    program.words[--program.first] = interpreter;
    name = interpreter;
  }
}

void execute_program(const Program& program, char* const* environment, bool may_execveat) {
  if (may_execveat)
    ::syscall(SYS_execveat, AT_FDCWD, program.path, program.argv(), environment,
              AT_SYMLINK_NOFOLLOW);
  else
    ::execve(program.path, program.argv(), environment);
}

}  // namespace berth::container
