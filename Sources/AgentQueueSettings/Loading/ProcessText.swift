import AgentQueueModel
import Foundation

/// What a process was started with, as text. Swift replaces bytes that are not UTF-8; a path would then name another file, so these are
/// refused instead.
package enum ProcessText {
    /// The arguments after the program's name.
    /// - Throws: `InvalidText`, a sentence, for an argument that is not UTF-8.
    package static func arguments() throws(InvalidText) -> [String] {
        var arguments: [String] = []
        for index in 1..<max(1, Int(CommandLine.argc)) {
            guard let bytes = CommandLine.unsafeArgv[index] else { break }
            guard let text = String(validatingCString: bytes) else { throw InvalidText("argument \(index) is not valid UTF-8") }
            arguments.append(text)
        }
        return arguments
    }

    /// The environment.
    /// - Throws: `InvalidText`, a sentence, for a variable of ours, or one that names a folder, that is not UTF-8.
    package static func environment() throws(InvalidText) -> [String: String] {
        for name in ["AGENT_QUEUE_DATABASE", "AGENT_QUEUE_CONFIG", "HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "TMPDIR"] {
            guard let bytes = getenv(name), String(validatingCString: bytes) == nil else { continue }
            throw InvalidText("environment variable \(name) is not valid UTF-8")
        }
        return ProcessInfo.processInfo.environment
    }

    /// The absolute path of the current folder.
    /// - Throws: `InvalidText`, a sentence, if it cannot be found or is not UTF-8.
    package static func currentFolder() throws(InvalidText) -> String {
        guard let bytes = getcwd(nil, 0) else {
            throw InvalidText("cannot find the current folder: \(String(cString: strerror(errno)).lowercased())")
        }
        defer { free(bytes) }
        guard let path = String(validatingCString: bytes) else {
            throw InvalidText("the path of the current folder is not valid UTF-8; change to another folder")
        }
        return path
    }
}
