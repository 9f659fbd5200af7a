import AgentQueueModel
import AgentQueueTestSupport
import Foundation
import Testing

@Suite(.timeLimit(.minutes(1))) struct ChildProcessRegisterTests {
    @Test func itTellsOfTheWholeListAtEachChange() throws {
        let register = ChildProcessRegister()
        let lists = Recorder<String>()
        register.attach { lists.add($0.map { "\($0.pid)" }.joined(separator: ",")) }
        let own = getpid()
        let child = try #require(register.note(own))
        #expect(register.children == [child])
        #expect(register.note(Int32.max) == nil)
        register.forget(child)
        #expect(lists.all == ["", "\(own)", ""])
    }

    @Test func theStartTimeIsReadBehindANameOfAnyKind() throws {
        let name = FileManager.default.temporaryDirectory.appending(path: "a) S 1 (b").path()
        try? FileManager.default.removeItem(atPath: name)
        try FileManager.default.copyItem(atPath: "/bin/sleep", toPath: name)
        defer { try? FileManager.default.removeItem(atPath: name) }
        let odd = try AgentQueueTestSupport.ChildProcess(name, ["1000"])
        let plain = try AgentQueueTestSupport.ChildProcess("/bin/sleep", ["1000"])
        defer {
            odd.send(SIGKILL)
            plain.send(SIGKILL)
        }
        let times = try [odd, plain].map { try #require(ChildProcessRegister.startTime(of: $0.pid)) }
        #expect(times[0] <= times[1])
        #expect(times[1] - times[0] < 1_000)
        #expect(try #require(ChildProcessRegister.startTime(of: 1)) < times[0])
    }

    @Test func aGroupIsKilledWhateverItIgnores() async throws {
        // `setsid` makes it the leader of a group of its own.
        let file = FileManager.default.temporaryDirectory.appending(path: "aq-group-\(UUID().uuidString)").path()
        defer { try? FileManager.default.removeItem(atPath: file) }
        let script = "trap '' TERM HUP; sleep 1000 & echo $$ $! >\(file).new; mv \(file).new \(file); while :; do sleep 1000; done"
        let parent = try AgentQueueTestSupport.ChildProcess("/usr/bin/setsid", ["--wait", "--fork", "/bin/sh", "-c", script])
        defer { parent.send(SIGKILL) }
        try await until("it runs") { FileManager.default.fileExists(atPath: file) }
        let pids = try String(contentsOfFile: file, encoding: .utf8).split(whereSeparator: \.isWhitespace).compactMap { Int32($0) }
        try #require(pids.count == 2)
        let startTime = try #require(ChildProcessRegister.startTime(of: pids[0]))

        // A stranger of the same number is left alone, and so is what cannot be a child.
        let stranger = ChildProcessRegister.Child(pid: pids[0], startTime: startTime + 1)
        let nobody = ChildProcessRegister.Child(pid: 1, startTime: ChildProcessRegister.startTime(of: 1) ?? 0)
        #expect(await ChildProcessRegister.kill([stranger, nobody], within: 1_000) == [])
        #expect(ChildProcessRegister.startTime(of: pids[0]) == startTime)

        #expect(await ChildProcessRegister.kill([.init(pid: pids[0], startTime: startTime)], within: 5_000) == [])
        try await parent.end()
        try await until("the rest of its group is gone") {
            kill(pids[1], 0) != 0 || ChildProcessRegister.startTime(of: pids[1]) == nil || isZombie(pids[1])
        }
    }

    private func isZombie(_ pid: Int32) -> Bool {
        (try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8))?.contains("State:\tZ") ?? true
    }
}
