"""Reads the part of Bicep that `azimuth export` writes, strictly, and compares it with the ARM
template of the same rules: bicep_subset.py TEMPLATE.bicep TEMPLATE.json

Whatever is not of that part is an error. Strings are read by the rules of
learn.microsoft.com/azure/azure-resource-manager/bicep/data-types.
"""
import json
import re
import sys

ESCAPES = {"\\": "\\", "'": "'", "n": "\n", "r": "\r", "t": "\t", "$": "$"}


class Reader:
    def __init__(self, text):
        self.text, self.at = text, 0

    def fail(self, wanted):
        line = self.text.count("\n", 0, self.at) + 1
        sys.exit(f"line {line}: expected {wanted}, found {self.text[self.at:self.at + 30]!r}")

    def blanks(self):
        self.at += len(re.match(r"[ \n]*", self.text[self.at:]).group())

    def line_end(self):
        found = re.compile(r" *\n\s*").match(self.text, self.at)
        if not found:
            self.fail("a line's end")
        self.at = found.end()

    def take(self, pattern, wanted):
        found = re.compile(pattern).match(self.text, self.at)
        if not found:
            self.fail(wanted)
        self.at = found.end()
        return found.group()

    def lines(self):
        end = self.text.find("'''", self.at + 3)
        if end < 0:
            self.fail("the end of a string of several lines")
        while self.text[end + 3:end + 4] == "'":
            end += 1
        value = self.text[self.at + 3:end]
        self.at = end + 3
        return value[1:] if value.startswith("\n") else value

    def string(self):
        if self.text.startswith("'''", self.at):
            return self.lines()
        self.take("'", "a string")
        out = []
        while True:
            char = self.text[self.at]
            if char == "\n" or self.text.startswith("${", self.at):
                self.fail("a string without a line's end and without an expression")
            self.at += 1
            if char == "'":
                return "".join(out)
            if char != "\\":
                out.append(char)
            elif self.text.startswith("u{", self.at):
                digits = self.take(r"u\{[0-9a-f]+\}", "an escaped character")
                out.append(chr(int(digits[2:-1], 16)))
            else:
                escape = self.text[self.at]
                if escape not in ESCAPES or (escape == "$" and self.text[self.at + 1] != "{"):
                    self.fail("an escape of the language")
                out.append(ESCAPES[escape])
                self.at += 1

    def value(self):
        char = self.text[self.at]
        if char == "'":
            return self.string()
        if char == "{":
            return self.map()
        if char == "[":
            return self.list()
        word = self.take(r"-?[0-9]+\b|[A-Za-z_][A-Za-z0-9_]*", "a value")
        if word in ("true", "false"):
            return word == "true"
        return int(word) if re.match(r"-?[0-9]", word) else ("symbol", word)

    def map(self):
        self.take(r"\{", "{")
        out = {}
        while self.text[self.at] != "}":
            self.line_end()
            if self.text[self.at] == "}":
                break
            quoted = self.text[self.at] == "'"
            key = self.string() if quoted else self.take(r"[A-Za-z_][A-Za-z0-9_]*", "a key")
            self.take(": ", "a colon")
            if key in out:
                self.fail(f"no second {key}")
            out[key] = self.value()
        self.at += 1
        return out

    def list(self):
        self.take(r"\[", "[")
        out = []
        while self.text[self.at] != "]":
            self.line_end()
            if self.text[self.at] == "]":
                break
            out.append(self.value())
        self.at += 1
        return out

    def file(self):
        self.take("@description\\(", "the parameter's description")
        self.string()
        self.take(r"\)\n", "a line's end")
        parameter = self.take(r"param [A-Za-z_]\w* string\n", "the parameter")[6:].split()[0]
        resources = {}
        self.blanks()
        while self.at < len(self.text):
            self.take("resource ", "a resource")
            symbol = self.take(r"[A-Za-z_][A-Za-z0-9_]*", "a symbol")
            self.take(" ", "a blank")
            kind = self.string()
            self.take("( existing)? = ", "=")
            if symbol in resources:
                self.fail("a symbol of its own")
            resources[symbol] = (kind, self.value())
            self.blanks()
        return parameter, resources


def arm_text(value):
    """ARM's literals without their escape."""
    if isinstance(value, dict):
        return {key: arm_text(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [arm_text(inner) for inner in value]
    if isinstance(value, str) and value.endswith("]"):
        if value.startswith("[["):
            return value[1:]
        if value.startswith("["):
            sys.exit(f"an expression where a text belongs: {value[:60]}")
    return value


def main():
    parameter, resources = Reader(open(sys.argv[1], encoding="utf-8").read()).file()
    template = json.load(open(sys.argv[2], encoding="utf-8"))
    assert list(template["parameters"]) == [parameter]
    kind, workspace = resources.pop("sentinelWorkspace")
    assert kind.startswith("Microsoft.OperationalInsights/workspaces@")
    assert workspace == {"name": ("symbol", parameter)}
    by_name = {}
    for symbol, (kind, body) in resources.items():
        by_name[body["name"]] = (symbol, kind, body)
    assert len(by_name) == len(resources) == len(template["resources"])
    symbols = set(resources)
    for resource in template["resources"]:
        name = re.fullmatch(r"\[concat\(parameters\('" + parameter +
                            r"'\), '/(?:Microsoft.SecurityInsights/)?([\w-]+)'\)\]",
                            resource["name"]).group(1)
        symbol, kind, body = by_name[name]
        assert kind.split("@")[1] == resource["apiVersion"], name
        relation = "parent" if "savedSearches" in kind else "scope"
        assert body[relation] == ("symbol", "sentinelWorkspace"), name
        assert body.get("kind") == resource.get("kind"), name
        assert body["properties"] == arm_text(resource["properties"]), name
        needed = [re.search(r", '(\w+)'\)\]$", text).group(1)
                  for text in resource.get("dependsOn", [])]
        assert body.get("dependsOn", []) == [("symbol", "function_" + n) for n in needed], name
        assert all("function_" + n in symbols for n in needed), name
    print(len(template["resources"]), "resources are the same")


main()
