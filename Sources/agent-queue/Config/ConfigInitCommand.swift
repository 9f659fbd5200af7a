import ArgumentParser
import Glibc
import JobModel
import Settings

/// `agent-queue config init`
struct ConfigInitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Write a configuration file with every key explained.",
        discussion: """
            Into ./agent-queue.yaml, or the file of --config; `-` prints it. A file that is there is not touched, unless with --force.

              agent-queue config init
              agent-queue config init --config -
            """)

    @Flag(name: .long, help: "Replace a file that is there.")
    var force = false

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() throws {
        var output = Output()
        if global.config == "-" {
            try output.text(SampleConfiguration.yaml)
            return try output.flush()
        }
        let path = global.config ?? "agent-queue.yaml"
        try write(to: path)
        if format.json {
            try output.json(.object([.init("file", .string(path))]))
        } else {
            try output.line("\(DisplayText.line(path)) written")
        }
        try output.flush()
    }

    private func write(to path: String) throws {
        let name = InvalidText.quoted(path)
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (force ? O_TRUNC : O_EXCL), 0o600)
        guard descriptor >= 0 else {
            guard errno != EEXIST else { throw CommandFailure(.usage, "\(name) is there already; --force replaces it") }
            throw SystemFailure.make("write \(name)", errno: errno)
        }
        defer { close(descriptor) }
        var rest = Array(SampleConfiguration.yaml.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw SystemFailure.make("write \(name)", errno: errno) }
            rest = rest.dropFirst(count)
        }
    }
}
