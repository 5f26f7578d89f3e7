// What tests do in a tree, by the descriptor of its root.
#pragma once

#include <sys/stat.h>

#include <map>
#include <set>
#include <string>
#include <string_view>

namespace berth::image {

using Names = std::multiset<std::string>;

void write(int root, const std::string& path, std::string_view text);
/// The text of a file, or the kind of the error in parentheses.
std::string read(int root, const std::string& path);
void make_dir(int root, const std::string& path);
/// What is in a directory.
Names names(int root, const std::string& path = ".");
struct stat stat_of(int root, const std::string& path);

/// All of a tree, a line per node in the order of their paths: "d/f 644 0:0 file 'text'". Times are
/// left out.
std::string describe_tree(int root);

/// All there is to see of every node, by its path: type, mode, owner, time, size and a digest of
/// the data, target, device, extended attributes that an image may set, and the first of the paths
/// that are the same file.
std::map<std::string, std::string> describe_nodes(int root);

}  // namespace berth::image
