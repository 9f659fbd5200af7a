import AgentQueueModel
import Glibc
import Subprocess
import SystemPackage

/// A notification that runs a command. The command's text comes only from the configuration. What ended is passed on its standard input
/// and in its environment, where no shell interprets it.
struct CommandNotification: Sendable {
    let command: String
    /// In ms.
    let timeout: Int64
    /// The worker's.
    let environment: [String: String]

    /// How long a command may take to end when asked to, before it is killed.
    private static let lastWords = Duration.seconds(2)

    /// Runs the command once. Its standard error goes to the worker's.
    func send(_ notice: JobNotification) async -> NotificationOutcome {
        await withTaskGroup(of: NotificationOutcome?.self) { group in
            group.addTask { await run(notice) }
            group.addTask { [timeout] in
                try? await CallTimer.sleep(for: .milliseconds(timeout))
                return nil
            }
            let first = await group.next() ?? nil
            // Ends the command if it is still running, with everything that it started.
            group.cancelAll()
            if Task.isCancelled { return .broken }
            return first ?? .unanswered("the command had not ended after \(DurationText.format(.milliseconds(timeout)))")
        }
    }

    private func run(_ notice: JobNotification) async -> NotificationOutcome {
        var options = PlatformOptions()
        options.processGroupID = 0
        options.teardownSequence = [
            .send(signal: .terminate, toProcessGroup: true, allowedDurationToNextStep: Self.lastWords),
            .send(signal: .kill, toProcessGroup: true, allowedDurationToNextStep: .zero),
        ]
        let variables = environment.merging(Self.variables(of: notice)) { $1 }
        let configuration = Configuration(
            executable: .path("/bin/sh"), arguments: ["-c", command],
            environment: .custom(Dictionary(uniqueKeysWithValues: variables.map { (Environment.Key(stringLiteral: $0), $1) })),
            platformOptions: options)
        do {
            let result = try await Subprocess.run(
                configuration, input: .inputWriter, output: .discarded, error: .currentStandardError
            ) { execution in
                // A command that does not read its input may already have ended; its exit status decides.
                _ = try? await execution.standardInputWriter.write(Array((notice.body + "\n").utf8))
                try? await execution.standardInputWriter.finish()
            }
            switch result.terminationStatus {
            case .exited(0): return .delivered
            case .exited(let code): return .failed("the command ended with \(code)")
            case .signaled(let signal): return .failed("the command was ended by signal \(signal)")
            }
        } catch {
            return .failed("the command could not be run")
        }
    }

    /// The variables that a command gets. Their names differ from those of the configuration's variables.
    private static func variables(of notice: JobNotification) -> [String: String] {
        let body = (try? JSONValue.parse(notice.body)) ?? .null
        // No name contains a NUL: intake refuses it.
        return [
            "AGENT_QUEUE_KIND": notice.kind.rawValue, "AGENT_QUEUE_ID": "\(notice.subject)",
            "AGENT_QUEUE_STATE": body["state"]?.string ?? "",
            "AGENT_QUEUE_NAME": body["name"]?.string ?? body["custom_id"]?.string ?? "", "AGENT_QUEUE_NOTICE": notice.messageID,
        ]
    }
}
