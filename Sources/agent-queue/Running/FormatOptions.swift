import ArgumentParser

/// `--json`.
struct FormatOptions: ParsableArguments {
    @Flag(name: .long, help: "Print JSON, one object a line, instead of a table.")
    var json = false
}
