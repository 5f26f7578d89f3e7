#include "berth/format/template.h"

#include <gtest/gtest.h>

namespace berth::cli {
namespace {

const OrderedJson& data() {
  static const OrderedJson value = OrderedJson::parse(R"({
    "Id": "abc", "Name": "/web", "Size": 42, "Running": true, "Nothing": null, "Big": 0.5,
    "Config": {"Env": ["A=1", "B=2"], "Labels": {"x.y": "z"}, "Tty": false},
    "Networks": {"front": {"IP": "10.0.0.2"}, "back": {"IP": "10.1.0.2"}},
    "Ports": {"80/tcp": [{"HostPort": "8080"}]}
  })");
  return value;
}

std::string render(std::string_view text) {
  const auto parsed = Template::parse(text);
  if (!parsed.ok()) return parsed.error().message();
  auto result = parsed->execute(data());
  return result.ok() ? *result : result.error().message();
}

TEST(Template, TextAndFields) {
  EXPECT_EQ(render(""), "");
  EXPECT_EQ(render("plain"), "plain");
  EXPECT_EQ(render("{{.Id}} is {{ .Config.Tty }}"), "abc is false");
  EXPECT_EQ(render("{{.Config.Env}}{{.Size}}{{.Big}}"), "[A=1 B=2]420.5");
  EXPECT_EQ(render("{{.Config.Labels}}{{.Nothing}}"), "map[x.y:z]<no value>");
  EXPECT_EQ(render("{{$.Id}}{{(.Config).Tty}}"), "abcfalse");
}

TEST(Template, FieldsMayBeNamedAsGoHasThem) {
  EXPECT_EQ(render("{{.ID}} {{.Config.TTY}}"), "abc false");
}

TEST(Template, Functions) {
  EXPECT_EQ(render("{{json .Config}}"),
            R"({"Env":["A=1","B=2"],"Labels":{"x.y":"z"},"Tty":false})");
  EXPECT_EQ(
      render(
          R"({{index .Config.Labels "x.y"}}{{index .Config.Labels "none"}}{{index .Config.Env 1}})"),
      "zB=2");
  EXPECT_EQ(render(R"({{(index (index .Ports "80/tcp") 0).HostPort}})"), "8080");
  EXPECT_EQ(
      render(R"({{join .Config.Env ","}} {{len .Networks}} {{.Id | upper}} {{title "ab cd"}})"),
      "A=1,B=2 2 ABC Ab Cd");
  EXPECT_EQ(render(R"({{range split .Id "b"}}<{{.}}>{{end}}{{truncate .Id 2}})"), "<a><c>ab");
  EXPECT_EQ(render(R"({{printf "%-5s|%3d|%q%%" .Id .Size .Id}}{{pad .Id 1 1}})"),
            "abc  | 42|\"abc\"% abc ");
  EXPECT_EQ(
      render(
          R"({{eq .Id "x" "abc"}} {{ne .Size 42}} {{lt 1 2}} {{and .Running .Id}} {{or .Nothing "d"}})"),
      "true false true abc d");
}

TEST(Template, Blocks) {
  EXPECT_EQ(render("{{if .Running}}up{{else}}down{{end}}"), "up");
  EXPECT_EQ(render("{{if .Nothing}}1{{else if eq .Size 42}}2{{else}}3{{end}}"), "2");
  EXPECT_EQ(render("{{range .Config.Env}}[{{.}}]{{else}}none{{end}}"), "[A=1][B=2]");
  EXPECT_EQ(render("{{range $k, $v := .Networks}}{{$k}}={{$v.IP}} {{end}}"),
            "back=10.1.0.2 front=10.0.0.2 ");
  EXPECT_EQ(render("{{range $p, $c := .Ports}}{{$p}}->{{(index $c 0).HostPort}}{{end}}"),
            "80/tcp->8080");
  EXPECT_EQ(render("{{with .Config}}{{.Tty}}{{$.Id}}{{end}}{{with .Nothing}}x{{else}}y{{end}}"),
            "falseabcy");
  EXPECT_EQ(render("{{$x := .Id}}{{$x}}{{/* nothing */}}"), "abc");
  EXPECT_EQ(render("a  {{- .Id -}}  b {{`}}`}}"), "aabcb }}");
}

TEST(Template, MistakesAreNamed) {
  const std::string prefix = "template parsing error: ";
  EXPECT_EQ(render("{{.Foo}}"), prefix + "map has no entry for key \"Foo\"");
  EXPECT_EQ(render("{{.Nothing.Foo}}"), prefix + "nil pointer evaluating .Foo");
  EXPECT_EQ(render("{{.Id.Foo}}"), prefix + "can't evaluate field Foo in string");
  EXPECT_EQ(render("{{.Id"), prefix + "unclosed action");
  EXPECT_EQ(render("{{if .Id}}"), prefix + "unexpected EOF: {{end}} is missing");
  EXPECT_EQ(render("{{end}}"), prefix + "unexpected {{end}}");
  EXPECT_EQ(render("{{nosuch .Id}}"), prefix + "function \"nosuch\" not defined");
  EXPECT_EQ(render("{{$x}}"), prefix + "undefined variable \"$x\"");
  EXPECT_EQ(render("{{}}"), prefix + "missing value for command");
  for (const char* text : {"{{(}}", "{{)}}", "{{|}}", "{{.Id |}}", "{{\"a}}", "{{12x}}",
                           "{{index .Config.Env 9}}", "{{!}}", "{{range .Size}}{{end}}",
                           "{{len 5}}", "{{else}}", "{{if .Id}}{{else}}{{else}}{{end}}"})
    EXPECT_TRUE(render(text).starts_with(prefix)) << text << " gives " << render(text);
}

TEST(Template, NestingIsCapped) {
  std::string parens = "{{" + std::string(100000, '(');
  EXPECT_EQ(render(parens), "template parsing error: unclosed action");
  EXPECT_EQ(render(parens + "}}"), "template parsing error: nested too deeply");
  std::string ifs;
  for (int i = 0; i < 10000; ++i) ifs += "{{if .Id}}";
  EXPECT_EQ(render(ifs), "template parsing error: nested too deeply");
  ifs = "{{if .Nothing}}";
  for (int i = 0; i < 10000; ++i) ifs += "{{else if .Nothing}}";
  EXPECT_EQ(render(ifs + "{{end}}"), "template parsing error: nested too deeply");
}

}  // namespace
}  // namespace berth::cli
