// The one place where {fmt} is compiled: its headers are used as declarations everywhere else,
// which makes each of the other sources two to three times faster to compile. What its headers
// leave to a library is instantiated here; the shared library of the distribution would be no part
// of the static programs, and it has locales, which these leave out (Dependencies.cmake).
#include <fmt/format-inl.h>

namespace fmt::detail {

template auto dragonbox::to_decimal(float) noexcept -> dragonbox::decimal_fp<float>;
template auto dragonbox::to_decimal(double) noexcept -> dragonbox::decimal_fp<double>;
template auto thousands_sep_impl<char>(locale_ref) -> thousands_sep_result<char>;
template auto decimal_point_impl<char>(locale_ref) -> char;
template void buffer<char>::append(const char*, const char*);
template void vformat_to(buffer<char>&, string_view, basic_format_args<buffer_context<char>>,
                         locale_ref);

}  // namespace fmt::detail
