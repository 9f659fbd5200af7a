import AgentQueueTestSupport
import Glibc

/// Another process that holds a POSIX lock on one byte of a file, until it is killed. (The locks of this process would
/// look free to it.) Perl, because every Debian has it.
struct LockHolder {
    private let process: ChildProcess

    /// Starts the process, and returns once it has the lock.
    init(path: String, byte: Int64, exclusive: Bool) async throws {
        // struct flock of x86-64 and arm64: two shorts, padding, two 64-bit numbers, a pid.
        let script = """
            use Fcntl; open(F, '+<', $ARGV[0]) or die; my $lock = pack('s s x4 q q i x4', $ARGV[2] ? F_WRLCK : F_RDLCK, 0, $ARGV[1], 1, 0);
            fcntl(F, F_SETLK, $lock) or die; $| = 1; print "locked\\n"; <STDIN>;
            """
        process = try ChildProcess("/usr/bin/perl", ["-e", script, path, "\(byte)", exclusive ? "1" : "0"], holdsInput: true)
        try await process.waitForOutput("locked")
    }

    var pid: Int32 { process.pid }

    /// SIGKILL, and waits until the process is gone.
    func kill() async throws {
        process.send(SIGKILL)
        try await process.end()
    }
}
