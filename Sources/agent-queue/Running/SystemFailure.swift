import Glibc

/// What an errno means to whoever ran the command.
enum SystemFailure {
    /// A failure that names what was being done: `cannot read 'prompt.txt': no such file or directory`.
    static func make(_ doing: String, errno code: Int32) -> CommandFailure {
        let status: ExitStatus =
            switch code {
            // A file that was named and is not there, or is none, is a slip on the command line.
            case ENOENT, ENOTDIR, EISDIR, ENAMETOOLONG, ELOOP: .usage
            case EACCES, EPERM, EROFS: .noPermission
            default: .inputOutput
            }
        return CommandFailure(status, "cannot \(doing): \(reason(code))")
    }

    /// `no such file or directory`.
    static func reason(_ code: Int32) -> String {
        String(cString: strerror(code)).lowercased()
    }
}
