import AgentQueueDialects
import AgentQueueModel
import Glibc
import Subprocess
import Synchronization
import SystemPackage

/// The program on disk: its path and version.
final class ClaudeCodeProgram: Sendable {
    /// Its absolute path.
    let path: String
    private let environment: [String: String]
    private let asked = Mutex<Task<ClaudeCodeVersion?, Never>?>(nil)

    init(path: String, environment: [String: String]) {
        self.path = path
        self.environment = environment
    }

    /// How long it may take to print its version.
    private static let versionTime = Duration.seconds(15)

    /// Its version, asked for once; nil if it could not be found out, or the task is cancelled. After a failure the next call asks again.
    func version() async -> ClaudeCodeVersion? {
        let task = asked.withLock { asked in
            if let asked { return asked }
            // Not the caller's task, because others wait for the same answer.
            let task = Task { [path, environment] in await Self.ask(path, environment) }
            asked = task
            return task
        }
        // Waiting for a task's value does not end when the waiter is cancelled. Waiting for a stream does.
        let (answers, continuation) = AsyncStream<ClaudeCodeVersion?>.makeStream()
        Task {
            let version = await task.value
            if version == nil { asked.withLock { if $0 == task { $0 = nil } } }
            continuation.yield(version)
            continuation.finish()
        }
        for await version in answers { return version }
        return nil
    }

    private static func ask(_ path: String, _ environment: [String: String]) async -> ClaudeCodeVersion? {
        var options = PlatformOptions()
        options.processGroupID = 0
        options.teardownSequence = [.send(signal: .kill, toProcessGroup: true, allowedDurationToNextStep: .zero)]
        let configuration = Configuration(
            executable: .path(FilePath(path)), arguments: ["--version"],
            environment: .custom(Dictionary(uniqueKeysWithValues: environment.map { (Environment.Key(stringLiteral: $0), $1) })),
            workingDirectory: "/", platformOptions: options)
        return await withTaskGroup(of: String?.self) { group in
            group.addTask {
                // Why it cannot be run is said when its process is started. Without a version it is treated as an old one.
                let result = try? await Subprocess.run(
                    configuration, input: .none, output: .string(limit: 4_096), error: .discarded)
                return result?.standardOutput
            }
            group.addTask {
                try? await Task.sleep(for: versionTime)
                return nil
            }
            defer { group.cancelAll() }
            return (await group.next() ?? nil).flatMap(ClaudeCodeVersion.init)
        }
    }

    /// Finds the program.
    /// - Parameters:
    ///   - command: a name to look up in PATH, or a path, relative to the worker's directory.
    ///   - environment: the worker's.
    /// - Returns: its absolute path, or why there is none, as a sentence.
    static func locate(_ command: String, environment: [String: String]) -> Result<String, ModelFailure> {
        func failure(_ words: String) -> Result<String, ModelFailure> { .failure(ModelFailure(.permanent, Redaction.line(words))) }
        guard !command.isEmpty, !command.utf8.contains(0) else { return failure("the command of a claude-code provider is empty") }
        if command.contains("/") {
            let path = command.hasPrefix("/") ? command : workingDirectory() + "/" + command
            guard access(path, F_OK) == 0 else { return failure("\(command) does not exist: install Claude Code, or set 'command'") }
            guard isProgram(path) else { return failure("\(command) is no program that may be run") }
            return .success(path)
        }
        // An empty component means the current directory, where no program should be taken from.
        let folders = (environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":").filter { $0.hasPrefix("/") }
        guard let path = folders.map({ "\($0)/\(command)" }).first(where: isProgram) else {
            return failure("there is no '\(command)' in PATH: install Claude Code, or set 'command' to its path")
        }
        return .success(path)
    }

    private static func isProgram(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && access(path, X_OK) == 0
    }

    private static func workingDirectory() -> String {
        guard let path = getcwd(nil, 0) else { return "" }
        defer { free(path) }
        return String(cString: path)
    }
}

/// A version of the program, such as 2.1.330.
struct ClaudeCodeVersion: Sendable, Hashable, Comparable, CustomStringConvertible {
    let numbers: [Int]

    /// The first version that can be told that a program composed the text, so that nothing in it is expanded. From then on untrusted
    /// prompts are safe, and the program can be kept running.
    static let composes = ClaudeCodeVersion(2, 1, 248)

    init(_ numbers: Int...) {
        self.numbers = numbers
    }

    /// Reads the output of `--version`, such as `2.1.330 (Claude Code)`; nil if that does not begin with three numbers.
    init?(_ text: String) {
        let word = text.prefix { !$0.isWhitespace }.prefix { $0 != "-" && $0 != "+" }
        let numbers = word.split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
        guard numbers.count == 3, let major = numbers[0], let minor = numbers[1], let patch = numbers[2] else { return nil }
        self.init(major, minor, patch)
    }

    static func < (one: ClaudeCodeVersion, other: ClaudeCodeVersion) -> Bool { one.numbers.lexicographicallyPrecedes(other.numbers) }

    var description: String { numbers.map(String.init).joined(separator: ".") }
}
