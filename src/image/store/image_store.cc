#include "image/store/image_store.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <SQLiteCpp/VariadicBind.h>

namespace berth::image {
namespace {

/// Binds the arguments in order and runs the statement.
template <typename... Args>
int run(SQLite::Database& db, const char* sql, const Args&... args) {
  SQLite::Statement statement(db, sql);
  SQLite::bind(statement, args...);
  return statement.exec();
}

ImageRecord image_of(SQLite::Statement& row) {
  return {row.getColumn(0).getString(),
          row.getColumn(1).getString(),
          row.getColumn(2).getString(),
          row.getColumn(3).getInt64(),
          {},
          {}};
}

std::vector<std::string> names_of(SQLite::Database& db, const std::string& id) {
  SQLite::Statement query(db, "SELECT name FROM names WHERE image = ? ORDER BY name");
  query.bind(1, id);
  std::vector<std::string> names;
  while (query.executeStep()) names.push_back(query.getColumn(0).getString());
  return names;
}

std::vector<std::string> blobs_of(SQLite::Database& db, const std::string& id) {
  SQLite::Statement query(db, "SELECT digest FROM blobs WHERE image = ? ORDER BY position");
  query.bind(1, id);
  std::vector<std::string> blobs;
  while (query.executeStep()) blobs.push_back(query.getColumn(0).getString());
  return blobs;
}

void set_blobs(SQLite::Database& db, const ImageRecord& image) {
  run(db, "DELETE FROM blobs WHERE image = ?", image.id);
  int position = 0;
  for (const std::string& digest : image.blobs)
    run(db, "INSERT INTO blobs(image, position, digest) VALUES(?, ?, ?)", image.id, position++,
        digest);
}

void name_image(SQLite::Database& db, const std::string& name, const std::string& id) {
  run(db,
      "INSERT INTO names(name, image) VALUES(?, ?) ON CONFLICT(name) DO UPDATE SET image = "
      "excluded.image",
      name, id);
}

}  // namespace

Result<std::optional<ImageRecord>> ImageStore::get(std::string_view id) const {
  std::optional<ImageRecord> found;
  TRY(database_.read([&](SQLite::Database& db) -> Result<void> {
    SQLite::Statement query(db, "SELECT id, manifest, top, size FROM images WHERE id = ?");
    query.bind(1, std::string(id));
    if (!query.executeStep()) return {};
    found = image_of(query);
    found->names = names_of(db, found->id);
    found->blobs = blobs_of(db, found->id);
    return {};
  }));
  return found;
}

Result<std::vector<ImageRecord>> ImageStore::list() const {
  std::vector<ImageRecord> all;
  TRY(database_.read([&](SQLite::Database& db) -> Result<void> {
    SQLite::Statement query(db, "SELECT id, manifest, top, size FROM images ORDER BY id");
    while (query.executeStep()) {
      all.push_back(image_of(query));
      all.back().names = names_of(db, all.back().id);
      all.back().blobs = blobs_of(db, all.back().id);
    }
    return {};
  }));
  return all;
}

Result<std::size_t> ImageStore::count() const {
  std::size_t count = 0;
  TRY(database_.read([&](SQLite::Database& db) -> Result<void> {
    SQLite::Statement query(db, "SELECT count(*) FROM images");
    if (query.executeStep()) count = static_cast<std::size_t>(query.getColumn(0).getInt64());
    return {};
  }));
  return count;
}

Result<std::optional<std::string>> ImageStore::id_of(std::string_view name) const {
  std::optional<std::string> id;
  TRY(database_.read([&](SQLite::Database& db) -> Result<void> {
    SQLite::Statement query(db, "SELECT image FROM names WHERE name = ?");
    query.bind(1, std::string(name));
    if (query.executeStep()) id = query.getColumn(0).getString();
    return {};
  }));
  return id;
}

Result<std::vector<std::string>> ImageStore::ids_starting_with(std::string_view prefix) const {
  std::vector<std::string> ids;
  TRY(database_.read([&](SQLite::Database& db) -> Result<void> {
    // Ids are hexadecimal: "g" sorts after all of them.
    SQLite::Statement query(db, "SELECT id FROM images WHERE id >= ? AND id < ? LIMIT 2");
    query.bind(1, std::string(prefix));
    query.bind(2, std::string(prefix) + "g");
    while (query.executeStep()) ids.push_back(query.getColumn(0).getString());
    return {};
  }));
  return ids;
}

Result<void> ImageStore::add(const std::vector<ImageRecord>& images) {
  return database_.transaction([&](SQLite::Database& db) -> Result<void> {
    for (const ImageRecord& image : images) {
      run(db,
          "INSERT INTO images(id, manifest, top, size) VALUES(?, ?, ?, ?) ON CONFLICT(id) DO "
          "UPDATE SET manifest = excluded.manifest",
          image.id, image.manifest, image.top, image.size);
      set_blobs(db, image);
      for (const std::string& name : image.names) name_image(db, name, image.id);
    }
    return {};
  });
}

Result<void> ImageStore::set_name(std::string_view name, std::string_view id) {
  auto named = database_.transaction([&](SQLite::Database& db) -> Result<void> {
    name_image(db, std::string(name), std::string(id));
    return {};
  });
  // The only rule a name can break is that its image exists.
  if (!named.ok() && named.error().kind() == ErrorKind::kConflict) {
    return fail(ErrorKind::kNotFound, "No such image: {}", id);
  }
  return named;
}

Result<void> ImageStore::remove_names(const std::vector<std::string>& names) {
  return database_.removal([&](SQLite::Database& db) -> Result<void> {
    for (const std::string& name : names) run(db, "DELETE FROM names WHERE name = ?", name);
    return {};
  });
}

Result<bool> ImageStore::remove(const ImageRecord& seen) {
  bool unchanged = false;
  TRY(database_.removal([&](SQLite::Database& db) -> Result<void> {
    unchanged = names_of(db, seen.id) == seen.names;
    if (!unchanged) return {};
    run(db, "DELETE FROM names WHERE image = ?", seen.id);
    run(db, "DELETE FROM blobs WHERE image = ?", seen.id);
    run(db, "DELETE FROM images WHERE id = ?", seen.id);
    return {};
  }));
  return unchanged;
}

Result<void> ImageStore::forget_manifest(std::string_view id) {
  return database_.removal([&](SQLite::Database& db) -> Result<void> {
    run(db, "DELETE FROM blobs WHERE image = ?", std::string(id));
    run(db, "UPDATE images SET manifest = '' WHERE id = ?", std::string(id));
    return {};
  });
}

Result<void> ImageStore::set_layer_size(std::string_view chain_id, std::int64_t size) {
  return database_.transaction([&](SQLite::Database& db) -> Result<void> {
    run(db,
        "INSERT INTO layers(chain_id, size) VALUES(?, ?) ON CONFLICT(chain_id) DO UPDATE SET size "
        "= excluded.size",
        std::string(chain_id), size);
    return {};
  });
}

Result<void> ImageStore::set_layer_blob(std::string_view chain_id, const std::string& digest) {
  return database_.transaction([&](SQLite::Database& db) -> Result<void> {
    run(db, "UPDATE layers SET blob = ? WHERE chain_id = ?", digest, std::string(chain_id));
    return {};
  });
}

Result<std::string> ImageStore::layer_blob(std::string_view chain_id) const {
  std::string digest;
  TRY(database_.read([&](SQLite::Database& db) -> Result<void> {
    SQLite::Statement query(db, "SELECT blob FROM layers WHERE chain_id = ?");
    query.bind(1, std::string(chain_id));
    if (query.executeStep()) digest = query.getColumn(0).getString();
    return {};
  }));
  return digest;
}

Result<std::int64_t> ImageStore::layer_size(std::string_view chain_id) const {
  std::int64_t size = 0;
  TRY(database_.read([&](SQLite::Database& db) -> Result<void> {
    SQLite::Statement query(db, "SELECT size FROM layers WHERE chain_id = ?");
    query.bind(1, std::string(chain_id));
    if (query.executeStep()) size = query.getColumn(0).getInt64();
    return {};
  }));
  return size;
}

Result<std::map<std::string, std::int64_t>> ImageStore::layer_sizes() const {
  std::map<std::string, std::int64_t> sizes;
  TRY(database_.read([&](SQLite::Database& db) -> Result<void> {
    SQLite::Statement query(db, "SELECT chain_id, size FROM layers");
    while (query.executeStep())
      sizes.emplace(query.getColumn(0).getString(), query.getColumn(1).getInt64());
    return {};
  }));
  return sizes;
}

Result<void> ImageStore::forget_layer(std::string_view chain_id) {
  return database_.removal([&](SQLite::Database& db) -> Result<void> {
    run(db, "DELETE FROM layers WHERE chain_id = ?", std::string(chain_id));
    return {};
  });
}

}  // namespace berth::image
