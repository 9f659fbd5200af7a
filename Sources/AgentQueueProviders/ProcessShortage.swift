import Glibc
import NIOCore
import NIOPosix

/// What this process, or the machine, lacks for a call. That says nothing about the provider.
enum ProcessShortage {
    /// Why a connection failed, if such a shortage is the reason: a clause.
    static func reason(of error: any Error) -> String? {
        let first = (error as? NIOConnectionError)?.connectionErrors.first?.error ?? error
        guard let code = (first as? IOError)?.errnoCode else { return ofFiles() }
        switch code {
        case EMFILE, ENFILE: return tooManyFiles
        case ENOMEM, ENOBUFS: return "there is no memory for a connection"
        default: return nil
        }
    }

    /// Why no file can be opened now; nil if one can. A look-up of a name, certificates and new processes need files too, and their errors
    /// do not say that.
    static func ofFiles() -> String? {
        let file = open("/dev/null", O_RDONLY | O_CLOEXEC)
        guard file < 0 else {
            close(file)
            return nil
        }
        return [EMFILE, ENFILE].contains(errno) ? tooManyFiles : nil
    }

    private static let tooManyFiles = "this process has too many open files"
}
