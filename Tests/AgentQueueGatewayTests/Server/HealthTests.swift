import AgentQueue
import AgentQueueModel
import AgentQueueSettings
import AgentQueueTestSupport
import Dispatch
import Foundation
import NIOHTTP1
import Testing

@testable import AgentQueueGateway
@testable import AgentQueueStore

/// What is told to whoever watches the process.
@Suite struct HealthTests {
    private func get(_ path: String, _ gateway: LiveGateway) async throws -> (status: Int, reason: String?) {
        let answer = try await HTTPCall(method: .GET, path: path, headers: [], body: "").answer(port: gateway.port)
        return (answer.status, try answer.json["reason"]?.string)
    }

    /// Asks until the answer is as wanted: it is remembered for a second.
    private func ready(_ gateway: LiveGateway, is reason: String?) async throws {
        let end = ContinuousClock.now + .seconds(20)
        while true {
            let begin = ContinuousClock.now
            let answer = try await get("/ready", gateway)
            #expect(begin.duration(to: .now) < .seconds(10))
            if answer.reason == reason, answer.status == (reason == nil ? 200 : 503) { break }
            guard ContinuousClock.now < end else { throw TookTooLong("/ready says \(answer)") }
            try await Task.sleep(for: .milliseconds(50))
        }
        #expect(try await get("/health", gateway).status == 200)
    }

    @Test func aDatabaseThatAnotherProcessHoldsIsNotWaitedFor() async throws {
        try await withGateway(GatewayPlan(runsWorker: false)) { gateway in
            try await ready(gateway, is: nil)
            let other = try QueueStore(path: gateway.queue.store.path)
            defer { other.close() }
            let (begun, over) = (AsyncStream.makeStream(of: Void.self), DispatchSemaphore(value: 0))
            async let holding: Void = other.write { _ in
                begun.continuation.finish()
                over.wait()
            }
            for await _ in begun.stream {}
            do { try await ready(gateway, is: "database") } catch {
                over.signal()
                throw error
            }
            over.signal()
            try await holding
            try await ready(gateway, is: nil)
        }
    }

    @Test func aDatabaseThatIsMovedAwayIsMissed() async throws {
        // The end of the gateway says so too.
        await #expect(throws: StoreError.self) {
            try await withGateway(GatewayPlan(runsWorker: false)) { gateway in
                try await ready(gateway, is: nil)
                let path = gateway.queue.store.path
                try FileManager.default.moveItem(atPath: path, toPath: path + ".moved")
                try await ready(gateway, is: "database")
            }
        }
    }

    @Test(.enabled(if: SmallDisk.isPossible, "mounting a small disk takes root")) func aDiskThatIsAlmostFullIsTold() async throws {
        try await SmallDisk.withDisk(mebibytes: 80) { disk in
            let plan = GatewayPlan(configure: { $0.database = disk.path + "/queue.db" }, runsWorker: false)
            try await withGateway(plan) { gateway in
                try await ready(gateway, is: nil)
                let filler = disk.path + "/most"
                try Data(repeating: 1, count: 20 << 20).write(to: URL(filePath: filler))
                try await ready(gateway, is: "disk")
                try FileManager.default.removeItem(atPath: filler)
                try await ready(gateway, is: nil)
            }
        }
    }
}
