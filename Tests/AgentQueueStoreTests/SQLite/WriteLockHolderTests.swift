import AgentQueueTestSupport
import Glibc
import Testing

@testable import AgentQueueStore

@Suite struct WriteLockHolderTests {
    @Test func theProcessThatHoldsTheLockIsNamed() async throws {
        try await withStore { f in
            #expect(WriteLockHolder.current(of: f.path) == nil)
            let process = try await LockHolder(path: f.path + "-shm", byte: 120, exclusive: true)
            let holder = try #require(WriteLockHolder.current(of: f.path))
            #expect(holder.pid == process.pid && holder.program == "perl" && !holder.isStopped)
            kill(process.pid, SIGSTOP)
            try await until("the process is stopped") { WriteLockHolder.current(of: f.path)?.isStopped == true }
            #expect(WriteLockHolder.current(of: f.path)?.remedy.contains("kill -CONT \(process.pid)") == true)
            try await process.kill()
            #expect(WriteLockHolder.current(of: f.path) == nil)
            // Another lock of the file is not the write lock.
            let reader = try await LockHolder(path: f.path + "-shm", byte: 124, exclusive: true)
            #expect(WriteLockHolder.current(of: f.path) == nil)
            try await reader.kill()
        }
    }

    @Test func aTransactionOfThisProcessIsOneToo() async throws {
        try await withStore { f in
            let holder = try await f.store.write { _ in WriteLockHolder.current(of: f.path) }
            #expect(holder?.pid == getpid() && holder?.isStopped == false)
        }
    }
}
