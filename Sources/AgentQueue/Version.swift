/// The version of the library and its programs.
public enum Version {
    /// As `--version` prints it (semver.org).
    public static let text = "0.1.0"
}
