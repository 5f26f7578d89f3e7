#include "image/store/row_check.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "image/reference/digest.h"
#include "image/reference/reference.h"

namespace berth::image {
namespace {

bool is_reference(const std::string& text) {
  return Reference::parse(text).ok();
}
bool is_digest(const std::string& text) {
  return Digest::parse(text).ok();
}
bool is_digest_or_empty(const std::string& text) {
  return text.empty() || is_digest(text);
}

struct Rule {
  const char* table;
  const char* select;  // the row's key, and what is to be good
  bool (*good)(const std::string&);
  const char* problem;
};

bool never(const std::string&) {
  return false;  // to be selected is bad enough
}

constexpr auto kRules = std::to_array<Rule>({
    {"images", "SELECT id, id FROM images", is_digest, "is not named by a digest"},
    {"images", "SELECT id, manifest FROM images", is_digest_or_empty,
     "has a manifest that is no digest"},
    {"images", "SELECT id, top FROM images", is_digest_or_empty,
     "has an uppermost layer that is no digest"},
    {"images", "SELECT id, '' FROM images WHERE typeof(size) <> 'integer' OR size < 0", never,
     "has no size"},
    {"names", "SELECT name, name FROM names", is_reference, "is no name of an image"},
    {"names", "SELECT name, '' FROM names WHERE image NOT IN (SELECT id FROM images)", never,
     "stands for an image that is not there"},
    {"blobs", "SELECT image, digest FROM blobs", is_digest, "lists a blob that is no digest"},
    {"blobs", "SELECT image, '' FROM blobs WHERE image NOT IN (SELECT id FROM images)", never,
     "lists blobs of an image that is not there"},
    {"layers", "SELECT chain_id, chain_id FROM layers", is_digest, "is no chain id"},
    {"layers", "SELECT chain_id, blob FROM layers", is_digest_or_empty,
     "has a blob that is no digest"},
    {"layers", "SELECT chain_id, '' FROM layers WHERE typeof(size) <> 'integer' OR size < 0", never,
     "has no size"},
});

/// What makes the table good again, in this order; ? is the row's key.
struct Removal {
  std::string_view table;
  std::array<const char*, 3> statements;
};
constexpr auto kRemovals = std::to_array<Removal>({
    {"images",
     {"DELETE FROM names WHERE image = ?", "DELETE FROM blobs WHERE image = ?",
      "DELETE FROM images WHERE id = ?"}},
    {"names", {"DELETE FROM names WHERE name = ?", nullptr, nullptr}},
    {"blobs",
     {"DELETE FROM blobs WHERE image = ?", "UPDATE images SET manifest = '' WHERE id = ?",
      nullptr}},
    {"layers", {"DELETE FROM layers WHERE chain_id = ?", nullptr, nullptr}},
});

}  // namespace

Result<std::vector<std::string>> check_database(const Database& database, bool quick) {
  std::vector<std::string> found;
  const auto checked = database.read([&](SQLite::Database& db) -> Result<void> {
    SQLite::Statement query(db, quick ? "PRAGMA quick_check" : "PRAGMA integrity_check");
    while (query.executeStep()) {
      if (std::string text = query.getColumn(0).getString(); text != "ok")
        found.push_back(std::move(text));
    }
    return {};
  });
  // It can be too damaged to be looked at.
  if (!checked.ok()) found.push_back(checked.error().message());
  return found;
}

Result<std::vector<BadRow>> find_bad_rows(const Database& database) {
  std::vector<BadRow> found;
  TRY(database.read([&](SQLite::Database& db) -> Result<void> {
    for (const Rule& rule : kRules) {
      SQLite::Statement query(db, rule.select);
      while (query.executeStep()) {
        if (rule.good(query.getColumn(1).getString())) continue;
        BadRow row{rule.table, query.getColumn(0).getString(), rule.problem};
        const bool known = std::ranges::any_of(found, [&](const BadRow& other) {
          return other.table == row.table && other.key == row.key;
        });
        if (!known) found.push_back(std::move(row));
      }
    }
    return {};
  }));
  return found;
}

Result<void> remove_bad_row(Database& database, const BadRow& row) {
  const auto removal = std::ranges::find(kRemovals, row.table, &Removal::table);
  if (removal == kRemovals.end())
    return fail(ErrorKind::kInternal, "rows of {} are not removed here", row.table);
  return database.removal([&](SQLite::Database& db) -> Result<void> {
    for (const char* sql : removal->statements) {
      if (sql == nullptr) break;
      SQLite::Statement statement(db, sql);
      statement.bind(1, row.key);
      statement.exec();
    }
    return {};
  });
}

}  // namespace berth::image
