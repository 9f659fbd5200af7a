import Foundation
import Glibc

/// Another process that holds a POSIX lock on one byte of a file, until it is killed. (The locks of this process would
/// look free to it.) Perl, because every Debian has it.
final class LockHolder {
    private let process = Process()

    /// Starts the process, and returns once it has the lock.
    init(path: String, byte: Int64, exclusive: Bool) throws {
        // struct flock of x86-64 and arm64: two shorts, padding, two 64-bit numbers, a pid.
        let script = """
            use Fcntl; open(F, '+<', $ARGV[0]) or die; my $lock = pack('s s x4 q q i x4', $ARGV[2] ? F_WRLCK : F_RDLCK, 0, $ARGV[1], 1, 0);
            fcntl(F, F_SETLK, $lock) or die; $| = 1; print "locked\\n"; sleep 600;
            """
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/perl")
        process.arguments = ["-e", script, path, "\(byte)", exclusive ? "1" : "0"]
        process.standardOutput = output
        try process.run()
        guard String(decoding: output.fileHandleForReading.availableData, as: UTF8.self) == "locked\n" else {
            throw RawConnection.Failure(message: "the byte cannot be locked")
        }
    }

    var pid: Int32 { process.processIdentifier }

    /// SIGKILL, and waits until the process is gone.
    func kill() {
        guard process.isRunning else { return }
        Glibc.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    deinit { kill() }
}
